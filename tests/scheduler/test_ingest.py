"""A finished job on its way into the archive."""

import pytest
from loguru import logger

from loreley.core.jobs import JobKind, JobRecord
from loreley.db.challenges import Challenge, add_challenge
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.schedule import EndedJob, NewJob, Schedule
from loreley.errors import AgentFailed, CandidateRejected, EvaluationFailed
from loreley.map_elites.cells import Measure
from loreley.map_elites.fitness import Constraint, Term
from loreley.map_elites.islands import Ring
from loreley.map_elites.objective import Objective
from loreley.scheduler.bandit_update import BanditUpdate
from loreley.scheduler.ingest import Ingest
from loreley.scheduler.migration import Migration
from loreley.scheduler.re_measurement import Finalists, ReMeasurement
from tests.db.support import claimed, failed, job_row, judged_commit, rows, succeeded

ROOT = "a" * 40


def ingest(
    database: Database,
    *,
    term: str = "score:1",
    measures: tuple[str, ...] = ("edit_distance:0:100:10",),
    constraints: tuple[str, ...] = (),
    islands: int = 1,
    migration: Migration | None = None,
) -> Ingest:
    ring = Ring(islands, 0)
    return Ingest(
        database,
        Objective(
            weights=(Term.parse(term),),
            constraints=tuple(Constraint.parse(text) for text in constraints),
            measures=tuple(Measure.parse(text) for text in measures),
        ),
        ring,
        re_measurement=ReMeasurement(database),
        finalists=Finalists(database, are_wanted=True),
        migration=migration or Migration(ring),
        bandit=BanditUpdate(database, reproducible=True),
    )


@pytest.fixture
def schedule(database: Database) -> Schedule:
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(ROOT, {}))
    return schedule


def judged(
    database: Database, number: int, kind: JobKind = JobKind.EVOLUTION, /, **metrics: float
) -> EndedJob:
    """A job that ended with commit ``number``, whose edit distance is the number."""
    schedule = Schedule(database)
    ordinal = number if kind is JobKind.EVOLUTION else -number
    job_id = schedule.create(NewJob(kind, ordinal, 7, ROOT, operator="swap"))
    succeeded(database, job_id, judged_commit(number, metrics))
    return next(job for job in schedule.find_ended() if job.job_id == job_id)


def outcome(database: Database, job: EndedJob) -> str:
    return str(job_row(database, job.job_id)["archive_outcome"])


def test_a_commit_gets_its_cell_and_its_score(database: Database, schedule: Schedule) -> None:
    job = judged(database, 25, score=2.5)

    ingest(database).take(job)

    [elite] = rows(database, "elites")
    assert (elite["commit"], elite["cell"], elite["score"]) == (job.commit, 2, 2.5)
    assert (elite["island"], elite["measures"]) == (0, [25.0])
    assert outcome(database, job) == "new"
    assert schedule.find_ended() == []


def test_the_better_of_a_cell_stays(database: Database, schedule: Schedule) -> None:
    one = ingest(database)
    offers = [judged(database, number, score=score) for number, score in ((1, 2), (2, 1), (3, 3))]

    for job in offers:
        one.take(job)

    assert [outcome(database, job) for job in offers] == ["new", "rejected", "improved"]
    assert [elite["commit"] for elite in rows(database, "elites")] == [offers[2].commit]


def test_less_may_be_better(database: Database, schedule: Schedule) -> None:
    one = ingest(database, term="cost:-1")

    for number, cost in ((1, 5.0), (2, 3.0), (3, 4.0)):
        one.take(judged(database, number, cost=cost))

    [elite] = rows(database, "elites")
    assert (elite["commit"], elite["score"]) == (judged_commit(2).commit, -3.0)


def test_a_job_is_taken_in_once_whoever_tries(database: Database, schedule: Schedule) -> None:
    job = judged(database, 1, score=1.0)
    one, other = ingest(database), ingest(database)

    one.take(job)
    other.take(job)

    [elite] = rows(database, "elites")
    assert elite["improvements"] == 0
    assert outcome(database, job) == "new"
    [experiment] = rows(database, "experiment")
    assert experiment["ended_jobs"] == 1


def test_what_waits_comes_in_the_order_in_which_it_ended(
    database: Database, schedule: Schedule
) -> None:
    jobs = [judged(database, number, score=1.0) for number in (3, 1, 2)]

    waiting = ingest(database).waiting()

    assert {job.job_id for job in waiting} == {job.job_id for job in jobs}


@pytest.mark.parametrize("failure", [AgentFailed("no"), CandidateRejected("no")])
def test_a_job_without_a_commit_leaves_the_archive_alone(
    database: Database, schedule: Schedule, failure: AgentFailed
) -> None:
    failed(database, schedule.create(NewJob(JobKind.EVOLUTION, 0, 7, ROOT)), failure)
    [job] = schedule.find_ended()

    ingest(database).take(job)

    assert rows(database, "elites") == []
    assert schedule.find_ended() == []
    assert outcome(database, job) == job.state


@pytest.mark.parametrize(
    ("options", "metrics", "reason"),
    [
        ({}, {"other": 1.0}, "lacks 'score'"),
        ({"measures": ("width:0:1:2", "height:0:1:2")}, {"score": 1.0}, "'width', 'height'"),
        ({"constraints": ("tests >= 1",)}, {"score": 1.0, "tests": 0.0}, "it is 0"),
        ({"constraints": ("tests >= 1",)}, {"score": 1.0}, "not reported"),
        ({}, {"score": 1e200}, "too large"),
    ],
)
def test_a_commit_that_cannot_be_compared_is_kept_but_not_archived(
    database: Database,
    schedule: Schedule,
    options: dict[str, tuple[str, ...]],
    metrics: dict[str, float],
    reason: str,
) -> None:
    job = judged(database, 1, JobKind.EVOLUTION, **metrics)
    said: list[str] = []
    sink = logger.add(said.append, level="WARNING", format="{message}")

    ingest(database, **options).take(job)  # type: ignore[arg-type]

    logger.remove(sink)
    assert rows(database, "elites") == []
    assert schedule.find_ended() == []
    assert outcome(database, job) == "infeasible"
    [commit] = rows(database, "commits")
    assert commit["score"] is None  # else it could be called the best of the run
    [line] = said
    assert reason in line


def test_the_root_settles_on_every_island(database: Database, schedule: Schedule) -> None:
    job = judged(database, 1, JobKind.BASELINE, score=1.0)

    ingest(database, islands=3).take(job)

    assert {elite["island"] for elite in rows(database, "elites")} == {0, 1, 2}
    [experiment] = rows(database, "experiment")
    assert experiment["ended_jobs"] == 0  # it is no part of the budget


def test_a_success_is_credited_to_base_and_operator(database: Database, schedule: Schedule) -> None:
    one = ingest(database)
    one.take(judged(database, 1, JobKind.BASELINE, score=1.0))
    base = judged_commit(1).commit
    child = schedule.create(NewJob(JobKind.EVOLUTION, 2, 7, base, operator="swap"))
    succeeded(database, child, judged_commit(50, {"score": 9.0}))

    for job in schedule.find_ended():
        one.take(job)

    curiosity = {elite["commit"]: elite["curiosity"] for elite in rows(database, "elites")}
    assert curiosity[base] > 0
    [arm] = [arm for arm in rows(database, "arms") if arm["name"] == "swap"]
    assert (arm["trials"], arm["successes"]) == (1.0, 1.0)


def test_to_be_merely_different_is_no_success_of_an_operator(
    database: Database, schedule: Schedule
) -> None:
    one = ingest(database)
    one.take(judged(database, 1, JobKind.BASELINE, score=1.0))
    base = judged_commit(1).commit
    child = schedule.create(NewJob(JobKind.EVOLUTION, 2, 7, base, operator="swap"))
    succeeded(database, child, judged_commit(50, {"score": 0.5}))

    for job in schedule.find_ended():
        one.take(job)

    curiosity = {elite["commit"]: elite["curiosity"] for elite in rows(database, "elites")}
    assert curiosity[base] > 0  # a new cell was found from it
    [arm] = [arm for arm in rows(database, "arms") if arm["name"] == "swap"]
    assert (arm["trials"], arm["successes"]) == (1.0, 0.0)


def test_what_breaks_off_leaves_the_job_waiting_and_the_archive_as_it_was(
    database: Database, schedule: Schedule
) -> None:
    class Interrupted(BaseException):
        pass

    class BreaksOff(Migration):
        def tick(self, *_arguments: object) -> None:
            raise Interrupted

    job = judged(database, 1, score=1.0)
    broken = ingest(database, migration=BreaksOff(Ring(1, 0)))

    with pytest.raises(Interrupted):
        broken.take(job)

    assert rows(database, "elites") == []
    assert schedule.find_ended() == [job]
    ingest(database).take(job)
    assert len(rows(database, "elites")) == 1


def measured(database: Database, number: int, **metrics: float) -> EndedJob:
    """A job that ended with another measurement of commit ``number``."""
    schedule = Schedule(database)
    commit = judged_commit(number).commit
    schedule.create_extra(JobKind.MEASUREMENT, commit)
    job_id = next(row["id"] for row in rows(database, "jobs") if row["ingested_at"] is None)
    Jobs(database).add_measurement(
        claimed(database, job_id), judged_commit(number, metrics).evaluation, JobRecord()
    )
    return next(job for job in schedule.find_ended() if job.job_id == job_id)


def test_an_elite_that_turns_out_to_break_a_constraint_loses_its_cells(
    database: Database, schedule: Schedule
) -> None:
    one = ingest(database, constraints=("errors <= 1",), islands=2)
    one.take(judged(database, 1, JobKind.BASELINE, score=1.0, errors=1.0))
    one.take(judged(database, 50, score=2.0, errors=0.0))

    one.take(measured(database, 1, score=1.0, errors=4.0))

    [elite] = rows(database, "elites")
    assert (elite["commit"], elite["position"]) == (judged_commit(50).commit, 0)
    scores = {row["commit"]: row["score"] for row in rows(database, "commits")}
    assert scores == {judged_commit(1).commit: None, judged_commit(50).commit: 2.0}


def test_a_failed_measurement_ends_the_challenge(database: Database, schedule: Schedule) -> None:
    one = ingest(database)
    one.take(judged(database, 1, score=1.0))
    elite = judged_commit(1).commit
    with database.begin() as connection:
        add_challenge(database, connection, Challenge(0, 0, elite, (1.0,)))
    schedule.create_extra(JobKind.MEASUREMENT, elite)
    job_id = next(row["id"] for row in rows(database, "jobs") if row["ingested_at"] is None)
    failed(database, job_id, EvaluationFailed("it crashed"))

    one.take(schedule.find_ended()[0])

    assert rows(database, "challenges") == []
    assert len(rows(database, "elites")) == 1
