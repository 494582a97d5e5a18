"""Evolve a function that is to be accurate and short at once, which it cannot be."""

import sys
from pathlib import Path

sys.path.insert(1, str(Path(__file__).resolve().parent.parent))

from examples.frame import ROOT, Example

EXAMPLE = Example(
    name="sine",
    folder=ROOT / "examples" / "sine",
    about=__doc__,
    state=ROOT / ".loreley" / "sine",
    settings={
        "WORKER_EVOLUTION_GLOBAL_GOAL": "Let sine.py compute the sine of 0 to a quarter turn with "
        "more correct digits, or in fewer operations.",
        "MAPELITES_FITNESS_WEIGHTS": "digits:1,operations:-0.05",
        "MAPELITES_MEASURES": "digits:0:8:16,operations:0:24:12",
    },
)

if __name__ == "__main__":
    sys.exit(EXAMPLE.main())
