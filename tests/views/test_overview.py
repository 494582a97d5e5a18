"""How an experiment stands, for people."""

import pytest
from sqlalchemy import update

from loreley.core.jobs import FailedTry, JobKind, JobRecord, JobState
from loreley.db.archive import Archive, PlacedCommit
from loreley.db.engine import Database, now
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.db.scores import write_score
from loreley.errors import AgentFailed, CandidateRejected, EvaluationFailed
from loreley.map_elites.fitness import Estimate
from loreley.ops.summary import describe_yield
from loreley.views.charts.history import History
from loreley.views.overview import read_failures, read_overview, read_running
from tests.db.support import claimed, failed, judged_commit, rows, succeeded
from tests.evolved import Evolved

ROOT = judged_commit(1).commit


def found(database: Database, *, higher_is_better: bool = True) -> Schedule:
    schedule = Schedule(database)
    search = {
        "mapelites_fitness_metric": "score",
        "mapelites_fitness_higher_is_better": higher_is_better,
        "mapelites_measures": ["edit_distance:0:9:1"],
    }
    schedule.begin_experiment(Experiment(ROOT, search))
    return schedule


def create(schedule: Schedule, ordinal: int, kind: JobKind = JobKind.EVOLUTION) -> str:
    return schedule.create(NewJob(kind, ordinal, 7, ROOT))


def evolve(
    database: Database, schedule: Schedule, number: int, *, parent: int | None, score: float
) -> None:
    """Let a job make commit ``number``, with a score for which higher is better."""
    kind = JobKind.BASELINE if parent is None else JobKind.EVOLUTION
    job_id = create(schedule, -1 if parent is None else number, kind)
    judged = judged_commit(number, parent=judged_commit(parent).commit if parent else None)
    succeeded(database, job_id, judged)
    with database.begin() as connection:
        write_score(connection, judged.commit, Estimate(score), island=0)
        Archive(database, connection).add(
            PlacedCommit(number % 2, number, judged.commit, Estimate(score), (0.0,))
        )


def test_before_the_first_start_there_is_nothing_to_see(database: Database) -> None:
    assert read_overview(database) is None
    assert not read_running(database)
    assert not read_failures(database, limit=5)


def test_an_experiment_that_has_just_begun_has_neither_root_nor_best(database: Database) -> None:
    found(database)

    overview = read_overview(database)

    assert overview
    assert (overview.root_commit, overview.objective.name) == (ROOT, "score")
    assert (overview.root, overview.best, overview.best_path, overview.gain) == (
        None, None, (), None,
    )  # fmt: skip
    assert overview.islands == ()
    assert (overview.total, overview.ended, overview.cells_filled) == (0, 0, 0)
    assert set(overview.jobs) == set(JobState)


def test_jobs_are_counted_by_state_without_the_extra_ones(database: Database) -> None:
    schedule = found(database)
    create(schedule, -1, JobKind.BASELINE)
    job_ids = [create(schedule, ordinal) for ordinal in range(4)]
    failed(database, job_ids[0], AgentFailed("no"))
    failed(database, job_ids[1], CandidateRejected("no"))
    claimed(database, job_ids[2])

    overview = read_overview(database)

    assert overview
    assert {state: count for state, count in overview.jobs.items() if count} == {
        JobState.FAILED: 1,
        JobState.REJECTED: 1,
        JobState.RUNNING: 1,
        JobState.QUEUED: 1,
    }
    assert (overview.total, overview.ended) == (4, 2)


@pytest.mark.parametrize("higher_is_better", [True, False])
def test_the_best_is_shown_in_the_metrics_own_direction_with_its_way(
    database: Database, higher_is_better: bool
) -> None:
    schedule = found(database, higher_is_better=higher_is_better)
    evolve(database, schedule, 1, parent=None, score=1.0)
    evolve(database, schedule, 2, parent=1, score=3.0)
    evolve(database, schedule, 3, parent=1, score=2.0)
    evolve(database, schedule, 4, parent=2, score=5.0)

    overview = read_overview(database)

    sign = 1 if higher_is_better else -1
    assert overview
    assert overview.root
    assert overview.best
    assert (overview.root.fitness, overview.best.fitness) == (sign * 1.0, sign * 5.0)
    assert overview.gain == 4.0
    assert overview.best_path == tuple(judged_commit(number).commit for number in (1, 2, 4))
    best = judged_commit(4)
    assert (overview.best.commit, overview.best.branch, overview.best.subject) == (
        best.commit, best.branch, best.subject,
    )  # fmt: skip
    assert (overview.best.summary, overview.best.ordinal) == ("judged 4", 4)


def test_the_first_score_stands_for_that_of_a_root_without_one(database: Database) -> None:
    schedule = found(database)
    evolve(database, schedule, 2, parent=1, score=-5.0)
    evolve(database, schedule, 4, parent=1, score=-3.0)
    with database.begin() as connection:
        for number in (2, 4):
            ended = update(jobs).where(jobs.c.ordinal == number)
            connection.execute(ended.values(ingested_at=float(number)))

    overview = read_overview(database)
    [*_, latest] = History(database).read(at_most=10)

    assert overview
    assert [island.qd_score for island in overview.islands] == [2.0]
    assert (latest.best, latest.qd_score) == (-3.0, 2.0)


def test_islands_are_told_apart(database: Database) -> None:
    schedule = found(database)
    for number, score in ((1, 1.0), (2, 3.0), (3, 4.0), (4, 0.5)):
        evolve(database, schedule, number, parent=None if number == 1 else 1, score=score)

    overview = read_overview(database)

    assert overview
    even, odd = overview.islands
    assert (even.island, even.cells_filled, even.best, even.qd_score) == (0, 2, 3.0, 2.0)
    assert (odd.island, odd.cells_filled, odd.best, odd.qd_score) == (1, 2, 4.0, 3.0)
    assert (overview.cells_filled, overview.cells) == (4, 1)


def test_cells_of_what_is_worse_than_the_root_take_nothing_of_the_qd_score(
    database: Database,
) -> None:
    run = Evolved(database)
    run.root(1.0)
    run.child(3.0, width=1)
    run.child(0.2, width=5)

    overview = read_overview(database)
    [*_, latest] = History(database).read(at_most=10)

    assert overview
    assert [(one.cells_filled, one.qd_score) for one in overview.islands] == [(3, 2.0), (1, 0.0)]
    assert (latest.cells, latest.qd_score) == (3, 2.0)


def test_of_equals_the_first_is_the_best(database: Database) -> None:
    schedule = found(database)
    evolve(database, schedule, 1, parent=None, score=1.0)
    evolve(database, schedule, 3, parent=1, score=2.0)
    with database.begin() as connection:
        connection.exec_driver_sql("UPDATE commits SET created_at = created_at - 10")
    evolve(database, schedule, 2, parent=1, score=2.0)

    overview = read_overview(database)

    assert overview
    assert overview.best
    assert overview.best.ordinal == 3


def test_running_jobs_are_shown_with_their_worker_and_time(database: Database) -> None:
    schedule = found(database)
    first, second = create(schedule, 0), create(schedule, 1)
    claimed(database, second)
    claimed(database, first)
    with database.begin() as connection:
        connection.execute(update(jobs).values(claimed_at=now() - 60))

    running = read_running(database)

    assert [(job.job_id, job.ordinal, job.worker, job.attempt) for job in running] == [
        (first, 0, "host:1", 1),
        (second, 1, "host:1", 1),
    ]
    assert all(60 <= job.seconds < 90 for job in running)


def test_the_latest_failures_come_first(database: Database) -> None:
    schedule = found(database)
    job_ids = [create(schedule, ordinal) for ordinal in range(3)]
    failed(database, job_ids[1], AgentFailed("no idea", reason="why"))
    failed(database, job_ids[0], CandidateRejected("nothing changed"))
    with database.begin() as connection:  # the clocks of both databases are coarser than tests
        connection.execute(
            update(jobs).where(jobs.c.id == job_ids[1]).values(finished_at=now() - 60)
        )

    failures = read_failures(database, limit=5)

    assert [(one.ordinal, one.kind, one.reason) for one in failures] == [
        (0, "rejected", "nothing changed"),
        (1, "agent", "no idea: why"),
    ]
    assert read_failures(database, limit=1) == failures[:1]
    assert len(rows(database, "jobs")) == 3


def test_the_yield_is_told_by_job_and_by_evaluation(database: Database) -> None:
    """Two jobs of three succeed, one of them after two candidates that have failed."""
    run = Evolved(database)
    run.root()
    run.child(2.0)
    claim, store = claimed(database, run.waiting()), Jobs(database)
    for number in (1, 2):
        store.announce(claim, f"{number}" * 40)
        failed_try = FailedTry(number, "shift", None, "a test fails", 1.0)
        store.add_failed_try(claim, failed_try, JobRecord())
    store.succeed(claim, judged_commit(9), JobRecord())
    in_vain = claimed(database, run.waiting())
    store.announce(in_vain, "3" * 40)
    store.fail(in_vain, EvaluationFailed("a test fails"), JobRecord())

    overview = read_overview(database)

    assert overview
    assert (overview.evaluations, overview.failed_tries) == (5, 2)
    assert overview.job_yield == 2 / 3
    assert overview.evaluation_yield == 2 / 5
    told = "67% of the jobs, 40% of 5 evaluations gave a new judged candidate"
    assert list(describe_yield(overview)) == [told]
