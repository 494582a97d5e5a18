"""The way of a commit, on both databases."""

import pytest

from loreley.core.jobs import JobKind
from loreley.db.archive import Archive, PlacedCommit
from loreley.db.confirmations import best_commit
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.schedule import NewJob, Schedule
from loreley.db.scores import write_score
from loreley.map_elites.fitness import Estimate
from loreley.views.lineage import commits_beginning, read_lineage
from loreley.views.overview import read_overview
from tests.db.support import judged_commit, succeeded

ROOT = judged_commit(1).commit


def make(database: Database, number: int, parent: int | None, score: float | None) -> str:
    base = judged_commit(parent).commit if parent else None
    kind = JobKind.EVOLUTION if parent else JobKind.BASELINE
    job_id = Schedule(database).create(NewJob(kind, number, 7, base or ROOT))
    judged = judged_commit(number, {"score": score or 0.0}, parent=base)
    succeeded(database, job_id, judged)
    if score is not None:
        with database.begin() as connection:
            write_score(connection, judged.commit, Estimate(score, 0.1), island=0)
    return judged.commit


def found(database: Database, *, higher: bool = True) -> None:
    search = {
        "mapelites_fitness_metric": "score",
        "mapelites_fitness_higher_is_better": higher,
    }
    Schedule(database).begin_experiment(Experiment(ROOT, search))


@pytest.mark.parametrize("higher", [True, False])
def test_the_way_leads_from_the_root_with_each_steps_gain(database: Database, higher: bool) -> None:
    found(database, higher=higher)
    make(database, 1, None, 1.0)
    make(database, 2, 1, 3.0)
    make(database, 3, 1, 2.0)
    best = make(database, 4, 2, 5.0)

    lineage = read_lineage(database, best)

    sign = 1 if higher else -1
    assert lineage
    assert [step.ordinal for step in lineage.steps] == [1, 2, 4]
    assert [step.fitness for step in lineage.steps] == [sign * 1.0, sign * 3.0, sign * 5.0]
    assert [step.gain for step in lineage.steps] == [None, 2.0, 2.0]
    assert (lineage.gain, lineage.last.commit, lineage.root.commit) == (4.0, best, ROOT)
    assert (lineage.last.error, lineage.summary) == (0.1, "judged 4")
    assert [metric.value for metric in lineage.metrics] == [5.0]
    assert [metric.value for metric in lineage.root_metrics] == [1.0]


@pytest.mark.parametrize(
    ("search", "higher"),
    [
        ({"mapelites_fitness_metric": "score", "mapelites_fitness_higher_is_better": False}, False),
        ({"mapelites_fitness_weights": ["score:-0.5", "speed:1"]}, False),
        ({"mapelites_fitness_weights": ["speed:1"]}, True),  # as the evaluator says
    ],
)
def test_a_metric_of_the_fitness_is_better_where_the_experiment_says(
    database: Database, search: dict[str, object], higher: bool
) -> None:
    usual = {"mapelites_fitness_metric": None, "mapelites_fitness_higher_is_better": True}
    Schedule(database).begin_experiment(Experiment(ROOT, usual | search))
    make(database, 1, None, 1.0)

    lineage = read_lineage(database, ROOT)

    assert lineage
    assert [metric.higher_is_better for metric in lineage.metrics] == [higher]
    assert [metric.higher_is_better for metric in lineage.root_metrics] == [higher]


def test_a_step_without_score_has_neither_fitness_nor_gain(database: Database) -> None:
    found(database)
    make(database, 1, None, 1.0)
    make(database, 2, 1, None)
    last = make(database, 3, 2, 4.0)

    lineage = read_lineage(database, last)

    assert lineage
    assert [(step.fitness, step.gain) for step in lineage.steps] == [
        (1.0, None), (None, None), (4.0, None),
    ]  # fmt: skip
    assert lineage.gain == 3.0


def test_what_is_not_known_has_no_way(database: Database) -> None:
    assert read_lineage(database, "f" * 40) is None
    found(database)
    assert read_lineage(database, "f" * 40) is None
    with database.read() as connection:
        assert best_commit(connection) is None
        assert best_commit(connection, island=0) is None


def test_the_best_is_the_fittest_elite_and_no_lucky_loser(database: Database) -> None:
    found(database)
    steady, lucky = make(database, 1, None, 2.0), make(database, 2, 1, 2.1)
    with database.begin() as connection:
        archive = Archive(database, connection)
        for commit, score in ((steady, 2.0), (lucky, 2.1)):
            archive.add(PlacedCommit(0, 3, commit, Estimate(score, 0.1), (0.5,)))

    overview = read_overview(database)

    with database.read() as connection:
        assert best_commit(connection) == best_commit(connection, island=0) == steady
        assert best_commit(connection, island=1) is None
    assert overview
    assert overview.best
    assert overview.best.commit == steady


def test_of_equal_elites_the_first_made_is_the_best(database: Database) -> None:
    found(database)
    first, second = make(database, 1, None, 2.0), make(database, 2, 1, 2.0)
    with database.begin() as connection:
        archive = Archive(database, connection)
        for island, cell, commit in ((0, 9, first), (0, 1, second), (1, 1, second)):
            archive.add(PlacedCommit(island, cell, commit, Estimate(2.0, 0.1), (0.5,)))

    with database.read() as connection:
        assert best_commit(connection) == best_commit(connection, island=0) == first
        assert best_commit(connection, island=1) == second


def test_beginnings_are_taken_literally(database: Database) -> None:
    found(database)
    make(database, 1, None, 1.0)
    make(database, 2, 1, 1.0)

    with database.read() as connection:
        assert commits_beginning(connection, ROOT) == [ROOT]
        assert len(commits_beginning(connection, "0" * 20)) == 2
        assert commits_beginning(connection, "%") == []
        assert commits_beginning(connection, "_") == []
