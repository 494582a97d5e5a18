"""What is counted of every commit is what the archive may tell candidates apart by."""

from dataclasses import fields

from loreley.core.worktrees.footprint import BUILT_IN_MEASURES, Footprint
from loreley.db.models import commits


def test_each_built_in_measure_is_counted_and_has_a_column() -> None:
    assert tuple(field.name for field in fields(Footprint)) == BUILT_IN_MEASURES
    assert set(BUILT_IN_MEASURES) <= set(commits.columns.keys())
