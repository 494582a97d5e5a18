"""The points of the chart of evaluations, and its marks."""

import pytest

from loreley.db.briefs.notebook import add_note
from loreley.db.engine import Database
from loreley.views.charts.cloud import read_cloud
from tests.evolved import Evolved


def test_every_judged_commit_is_a_point_with_where_it_comes_from(database: Database) -> None:
    assert read_cloud(database, at_most=10).points == ()
    run = Evolved(database, higher_is_better=False)
    run.root(5.0)
    run.child(2.0, island=1)
    run.failure("nonsense")

    cloud = read_cloud(database, at_most=10)

    assert (cloud.count, cloud.step) == (2, 1)
    root, child = cloud.points
    assert (root.fitness, root.ordinal, root.agent) == (5.0, -1, "genetic")
    assert (child.fitness, child.island, child.is_confirmed) == (2.0, 1, False)
    assert child.at >= root.at


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_of_very_many_some_are_shown(database: Database) -> None:
    run = Evolved(database)
    run.root(1.0)
    for number in range(9):
        run.child(float(number), width=number)

    cloud = read_cloud(database, at_most=4)

    assert (cloud.count, cloud.step) == (10, 3)
    assert [point.ordinal % 3 for point in cloud.points] == [0] * len(cloud.points)
    assert 0 < len(cloud.points) <= 4


def test_notes_of_people_are_marked(database: Database) -> None:
    run = Evolved(database)
    run.root(1.0)
    add_note(database, "keep the parser")

    (mark,) = read_cloud(database, at_most=4).marks

    assert (mark.kind, mark.text) == ("note", "keep the parser")
