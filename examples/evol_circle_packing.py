"""Evolve a small repository that packs 26 circles into the unit square; no key, no server."""

import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from examples.frame import ROOT, Example

EXAMPLE = Example(
    name="circle-packing",
    folder=ROOT / "examples" / "circle_packing",
    about=__doc__,
    settings={
        "WORKER_EVOLUTION_GLOBAL_GOAL": "Pack 26 circles into the unit square so that the sum of "
        "their radii is as large as possible.",
        "MAPELITES_FITNESS_METRIC": "sum_radii",
        "MAPELITES_MEASURES": "radius_spread:0:0.7:14,mean_distance_to_centre:0.3:0.45:10",
    },
)

if __name__ == "__main__":
    sys.exit(EXAMPLE.main())
