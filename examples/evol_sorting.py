"""Evolve a sorting kernel in C, built with make, to take less time; the times are noisy."""

import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from examples.frame import ROOT, Example

EXAMPLE = Example(
    name="sorting",
    folder=ROOT / "examples" / "sorting",
    about=__doc__,
    state=ROOT / ".loreley" / "sorting",
    programs=("make", "gcc"),
    jobs=120,
    settings={
        "WORKER_EVOLUTION_GLOBAL_GOAL": "Make the sorting kernel in kernel.c take less processor "
        "time, for integers in any order.",
        "WORKER_EVALUATOR_REPEATS": "3",
        "MAPELITES_FITNESS_METRIC": "nanoseconds",
        "MAPELITES_MEASURES": "ordered_share:0:1:10,edit_distance:0:60:6",
    },
)

if __name__ == "__main__":
    sys.exit(EXAMPLE.main())
