"""Jobs page by page, and the figures of a run's past."""

from typing import Any

import pytest
from sqlalchemy import event, text

from loreley.core.jobs import JobKind, JobState
from loreley.db.engine import Database
from loreley.db.models import jobs
from loreley.views.ancestry import read_ancestry
from loreley.views.charts.history import History
from loreley.views.charts.throughput import read_stuck, read_throughput
from loreley.views.job_list import (
    JobFilter,
    JobOrder,
    find_job,
    read_children,
    read_latest,
    read_page,
    read_sorted_page,
)
from loreley.views.overview import read_overview
from tests.db.bulk import seed_jobs
from tests.evolved import Evolved


def ordinals(database: Database, wanted: JobFilter, **bounds: int) -> list[int]:
    return [line.ordinal for line in read_page(database, wanted, limit=3, **bounds).lines]


def test_pages_lead_down_and_up_again(database: Database) -> None:
    seed_jobs(database, 8)
    everything = JobFilter()

    first = read_page(database, everything, limit=3)
    assert [line.ordinal for line in first.lines] == [7, 6, 5]
    assert (first.newer_than, first.older_than) == (None, 5)
    last = read_page(database, everything, limit=3, below=2)
    assert ([line.ordinal for line in last.lines], last.older_than) == ([1, 0], None)
    assert ordinals(database, everything, above=1) == [4, 3, 2]
    assert read_page(database, everything, limit=3, above=4).newer_than is None
    assert ordinals(database, JobFilter(state=JobState.FAILED)) == [0]
    assert ordinals(database, JobFilter(kind=JobKind.BASELINE)) == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_no_page_reads_every_job(database: Database) -> None:
    seed_jobs(database, 100)
    seen: list[tuple[str, Any]] = []
    event.listen(
        database.engine, "before_cursor_execute", lambda *given: seen.append((given[2], given[3]))
    )
    for wanted in (JobFilter(), JobFilter(state=JobState.FAILED), JobFilter(agent="x")):
        read_page(database, wanted, limit=5)
        read_page(database, wanted, limit=5, below=50)
        read_page(database, wanted, limit=5, above=50)
        read_sorted_page(database, wanted, JobOrder.FITTEST, limit=5, number=1)
    read_latest(database, limit=5)
    read_children(database, f"{4:040x}", limit=5)
    find_job(database, "abc")
    queries = [given for given in seen if given[0].startswith("SELECT")]

    assert len(queries) > 10
    with database.engine.connect() as connection:
        for query, parameters in queries:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}", parameters)
            steps = [row[3] for row in plan]
            assert not [
                step
                for step in steps
                if step.startswith("SCAN") and "INDEX" not in step and step != "SCAN experiment"
            ]
            assert not [step for step in steps if "TEMP B-TREE" in step and "parent" not in query]


def test_the_fittest_come_first_with_their_gain_over_what_they_were_made_from(
    database: Database,
) -> None:
    run = Evolved(database, higher_is_better=False)
    run.root(5.0)
    child = run.child(2.0)
    run.child(3.0, parent=child, width=5)
    run.failure("nonsense")

    first = read_sorted_page(database, JobFilter(), JobOrder.FITTEST, limit=2, number=0)
    second = read_sorted_page(database, JobFilter(), JobOrder.FITTEST, limit=2, number=1)

    assert [(each.fitness, each.gain) for each in first.lines] == [(2.0, 3.0), (3.0, -1.0)]
    assert [(each.fitness, each.gain) for each in second.lines] == [(5.0, None)]
    assert (first.previous, first.following) == (None, 1)
    assert (second.previous, second.following) == (0, None)
    failed = JobFilter(state=JobState.FAILED)
    assert read_sorted_page(database, failed, JobOrder.FITTEST, limit=2, number=0).lines == ()
    slow = read_sorted_page(database, failed, JobOrder.LONGEST, limit=2, number=0).lines
    assert [each.fitness for each in slow] == [None]


def test_history_goes_on_where_it_was(database: Database) -> None:
    run = Evolved(database)
    history = History(database)
    assert history.read(at_most=10) == []
    run.root(1.0)
    run.child(3.0, width=1)
    first = history.read(at_most=10)
    run.child(2.0, width=5)
    run.child(4.0, width=1, island=1)
    later = history.read(at_most=10)

    assert later[:2] == first
    assert [(one.evaluations, one.best, one.cells, one.qd_score) for one in later] == [
        (0, 1.0, 1, 0.0),
        (1, 3.0, 2, 2.0),
        (2, 3.0, 3, 3.0),
        (3, 4.0, 3, 4.0),
    ]
    assert History(database).read(at_most=10) == later
    assert [one.evaluations for one in history.read(at_most=2)] == [0, 3]


@pytest.mark.parametrize("read_before", [True, False])
def test_the_best_of_the_history_is_the_fittest_elite_and_no_lucky_loser(
    database: Database, read_before: bool
) -> None:
    run = Evolved(database)
    history = History(database)
    run.root(1.0)
    steady = run.child(3.0, width=5, samples=(2.9, 3.0, 3.1))
    lucky = run.child(3.4, width=5, samples=(1.0, 3.4, 3.5))
    if read_before:
        assert history.read(at_most=10)[-1].best == 3.0
    run.measured(lucky, 2.0, 2.1, 2.0)

    latest, overview = history.read(at_most=10)[-1], read_overview(database)

    assert overview
    assert overview.best
    assert (overview.best.commit, overview.best.fitness) == (steady, 3.0)
    assert (latest.best, latest.cells, latest.qd_score) == (3.0, 2, 2.0)


@pytest.mark.parametrize("read_before", [True, False])
@pytest.mark.parametrize("island", [0, 1])
def test_the_history_follows_an_elite_that_is_measured_again(
    database: Database, island: int, read_before: bool
) -> None:
    run = Evolved(database, constraints=("score >= 0",))
    history = History(database)
    run.root(1.0)
    first = run.child(5.0, width=5, island=island, samples=(4.9, 5.0, 5.1))
    second = run.child(4.0, width=7, island=island, samples=(3.9, 4.0, 4.1))
    if read_before:
        assert history.read(at_most=10)[-1].best == 5.0
    run.measured(first, 2.0, 2.0, 2.0, 2.0)
    assert [(one.best, one.cells, one.qd_score) for one in history.read(at_most=10)[-1:]] == [
        (4.0, 3, 4.0)  # first is worth 2 now, 1 more than the root; second 3 more
    ]
    run.measured(second, -9.0, -9.0, -9.0, -9.0)

    latest, overview = history.read(at_most=10)[-1], read_overview(database)

    assert overview
    assert overview.best
    assert (latest.best, latest.cells) == (overview.best.fitness, 2)
    assert (latest.cells, latest.qd_score) == (overview.cells_filled, overview.qd_score)


def test_less_is_better_where_the_experiment_says_so(database: Database) -> None:
    run = Evolved(database, higher_is_better=False)
    run.root(5.0)
    run.child(2.0)
    assert [moment.best for moment in History(database).read(at_most=9)] == [5.0, 2.0]


def test_the_pace_of_the_last_minutes(database: Database) -> None:
    run = Evolved(database)
    run.root()
    run.failure()
    run.child(1.0)
    pace = read_throughput(database, minutes=3)
    assert len(pace.per_minute) == 3
    assert tuple(map(sum, zip(*pace.per_minute, strict=True))) == (2, 1)
    assert pace.rate > 0


def test_stuck_jobs_are_those_that_nobody_goes_on_with(database: Database) -> None:
    run = Evolved(database)
    late, left, fine = run.waiting(running=True), run.waiting(), run.waiting(running=True)
    with database.begin() as connection:
        connection.execute(
            jobs.update().where(jobs.c.id == late).values(lease_until=text("lease_until - 500"))
        )
        connection.execute(jobs.update().where(jobs.c.id == left).values(dispatched_at=1.0))

    stuck = read_stuck(database, silent_seconds=60, unclaimed_seconds=60, limit=9)

    assert [one.job_id for one in stuck] == [late, left]
    assert fine not in {one.job_id for one in stuck}


def test_a_family_holds_the_path_and_as_many_lines_as_fit(database: Database) -> None:
    run = Evolved(database)
    root = run.root(1.0)
    first = run.child(2.0, width=1)
    second = run.child(3.0, width=2, parent=first)
    loser = run.child(1.5, width=2, parent=first)
    others = [run.child(1.0 + number / 10, width=3 + number) for number in range(5)]

    family = read_ancestry(database, loser, at_most=3)

    assert family is not None
    assert family.path == (root, first, loser)
    names = [member.commit for member in family.members]
    assert names[:3] == [root, first, loser]
    assert second in names
    assert len(names) == 6
    assert family.left_out == 3
    assert set(names) <= {root, first, second, loser, *others}
    assert read_ancestry(database, "b" * 40, at_most=3) is None
