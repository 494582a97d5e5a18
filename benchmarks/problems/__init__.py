"""What ways to search are compared on: each a small repository with an evaluator."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.search.run import Subject

_FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class Problem:
    """One of them; of its figure more is better."""

    title: str
    subject: Subject
    settings: Mapping[str, Any] = field(default_factory=dict)


def _subject(name: str, metric: str, *measures: str, figure: str = "") -> Subject:
    return Subject(_FOLDER / name, metric, measures, figure=figure)


PROBLEMS: Mapping[str, Problem] = {
    "waves": Problem(
        "a signal rebuilt from waves (Python, many basins)",
        _subject("waves", "score", "power:0:4:10", "roughness:0:1:5"),
    ),
    "cluster": Problem(
        "seven atoms at rest (Python, many basins)",
        _subject("cluster", "score", "width:0.8:2.4:10", "depth:0:1:5"),
    ),
    "oven": Problem(
        "a baking schedule (Python, noisy)",
        _subject("oven", "score", "heat:100:300:10", "change:0:80:5", figure="without_noise"),
    ),
    "hashing": Problem(
        "a hash function (C)", _subject("hashing", "score", "largest:2:22:10", "empty:200:700:5")
    ),
    "controller": Problem(
        "a controller's settings (YAML)",
        _subject("controller", "score", "overshoot:0:1:10", "effort:0:6:5"),
    ),
    "levels": Problem(
        "levels of a quantiser, error against size (Python, two objectives)",
        _subject("levels", "value", "bits:0:4:10", "error:0:1:5"),
        {
            "mapelites_fitness_metric": None,
            "mapelites_fitness_weights": "error:-1, bits:-0.05",
            "mapelites_fitness_higher_is_better": None,
        },
    ),
}
