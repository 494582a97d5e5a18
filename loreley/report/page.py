"""The report as one HTML file that needs nothing beside itself, and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from loreley.core.evaluation.evaluation import Metric
from loreley.invocation import typed
from loreley.report.charts import (
    HEIGHT,
    WIDTH,
    HeatMap,
    LineChart,
    draw_heat_map,
    draw_line,
    locate,
)
from loreley.report.facts import RunFacts
from loreley.views.archive_map import IslandMap
from loreley.views.score_scale import RankScale
from loreley.views.wording import FILTERS

_KINDS = {"+": "added", "-": "removed", "@": "place"}
_HEADS = (
    "diff --git ",
    "index ",
    "--- ",
    "+++ ",
    "new file",
    "deleted file",
    "old mode",
    "new mode",
)


def render_html(facts: RunFacts) -> str:
    """The page; text from outside is escaped wherever it stands."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    environment.globals["typed"] = typed
    return environment.get_template("page.html").render(
        facts=facts,
        overview=facts.overview,
        lineage=facts.lineage,
        lines=_draw_charts(facts),
        maps=_draw_maps(facts.islands),
        figures=_compare_metrics(facts),
        diff_lines=_mark_diff_lines(facts.diff.text) if facts.diff else [],
        largest_gain=_find_largest_gain(facts),
        chart_width=WIDTH,
        chart_height=HEIGHT,
    )


def render_json(facts: RunFacts) -> str:
    """The same facts for programs."""
    known = asdict(facts)
    known["overview"] |= {"gain": facts.overview.gain, "ended": facts.overview.ended}
    for island, shown in zip(facts.islands, known["islands"], strict=True):
        shown["measures"] = [asdict(measure) for measure in island.grid.measures]
        del shown["grid"]
    return json.dumps(known, indent=2, default=_serialise)


def _serialise(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _draw_charts(facts: RunFacts) -> list[LineChart]:
    moments = facts.moments
    name = facts.overview.objective.name
    drawn = [
        draw_line(
            f"fittest, by {name} as measured, and every evaluation",
            moments,
            [each.best for each in moments],
            locate(facts.evaluations, moments),
        ),
        draw_line("QD score", moments, [each.qd_score for each in moments]),
        draw_line("cells filled", moments, [float(each.cells) for each in moments]),
    ]
    return [each for each in drawn if each is not None]


def _draw_maps(islands: Sequence[IslandMap]) -> list[HeatMap]:
    """All islands on one scale, so that they can be compared."""
    scale = RankScale.of([elite.score for island in islands for elite in island.elites])
    return [draw_heat_map(island, scale) for island in islands if island.grid.measures]


def _compare_metrics(facts: RunFacts) -> list[tuple[Metric, float | None, float | None]]:
    """Each metric of the best commit with the root's value and the measured gain.

    None where it is not known, or where nobody has said which direction is better.
    """
    if facts.lineage is None:
        return []
    before = {metric.name: metric.value for metric in facts.lineage.root_metrics}
    found: list[tuple[Metric, float | None, float | None]] = []
    for metric in facts.lineage.metrics:
        old = before.get(metric.name)
        change = None if old is None or not metric.says_direction else metric.value - old
        better = change if change is None or metric.higher_is_better else -change
        found.append((metric, old, better))
    return found


def _mark_diff_lines(text: str) -> list[tuple[str, str]]:
    """Each line with its kind, for its colour."""
    shown = []
    for each in text.split("\n"):
        kind = "head" if each.startswith(_HEADS) else _KINDS.get(each[:1], "")
        shown.append((kind, each))
    return shown


def _find_largest_gain(facts: RunFacts) -> float:
    steps = facts.lineage.steps if facts.lineage else ()
    return max([step.gain or 0.0 for step in steps], default=0.0) or 1.0
