"""When numbers are tuned: the root once, and later what the bandit and the share of time allow."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from loreley.core.jobs import JobKind, JobRecord, JobState
from loreley.db.archive import Archive, PlacedCommit
from loreley.db.bandit_stats import read_arms, write_arm
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import evaluations, jobs
from loreley.db.schedule import NewJob, Schedule, mark_ingested
from loreley.db.scores import write_score
from loreley.errors import CandidateRejected
from loreley.map_elites.bandit import Arm
from loreley.map_elites.fitness import Estimate
from loreley.map_elites.islands import Ring
from loreley.map_elites.sampler import BaseChoice, Sampler
from loreley.scheduler.bandit_update import EDIT, GAIN, TUNE, BanditUpdate
from loreley.scheduler.baseline import RootTuning
from loreley.scheduler.job_creation import JobCreation, JobCreationOptions, draw_seed
from loreley.views.overview import read_overview
from tests.db.support import claimed, failed, job_row, judged_commit, rows, succeeded
from tests.scheduler.test_job_creation import GRID

ROOT, BEST = f"{1:040x}", f"{2:040x}"


@pytest.fixture
def schedule(database: Database) -> Schedule:
    """An experiment whose root was judged, with a better commit made in 100 s of work."""
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(ROOT, {"mapelites_fitness_metric": "score"}))
    succeeded(database, schedule.create(NewJob(JobKind.BASELINE, -1, 7, ROOT)), judged_commit(1))
    better = replace(judged_commit(2), parent=ROOT)
    succeeded(database, schedule.create(NewJob(JobKind.EVOLUTION, 0, 7, ROOT)), better)
    with database.begin() as connection:
        archive = Archive(database, connection)
        for cell, commit in enumerate((ROOT, BEST)):
            archive.add(PlacedCommit(0, cell, commit, Estimate(float(cell)), (0.0,)))
        connection.execute(update(jobs).values(claimed_at=1000.0, finished_at=1100.0))
        connection.execute(update(evaluations).values(seconds=0.5))
    take_in(database, schedule)
    return schedule


def take_in(database: Database, schedule: Schedule) -> None:
    for job in schedule.find_ended():
        with database.begin() as connection:
            mark_ingested(connection, job)


def create(database: Database, **options: Any) -> list[dict[str, Any]]:
    """The jobs that are created, by ordinal."""
    known = {row["id"] for row in rows(database, "jobs")}
    usual: dict[str, Any] = {
        "root_commit": ROOT,
        "max_unfinished": 40,
        "max_total": None,
        "seed_population": 0,
        "random_seed": 3,
        "operators": {"swap": 1.0},
        "tune_seconds": 25.0,
    }
    JobCreation(
        database,
        Sampler(GRID, {BaseChoice.UNIFORM: 1.0}),
        Ring(1, 0),
        JobCreationOptions(**usual | options),
    ).tick()
    made = [row for row in rows(database, "jobs") if row["id"] not in known]
    return sorted(made, key=lambda row: int(row["ordinal"]))


def learn(database: Database, name: str, arm: Arm) -> None:
    with database.begin() as connection:
        write_arm(database, connection, kind="way", name=name, arm=arm)


def tunes(made: list[dict[str, Any]]) -> list[str]:
    return [row["base_commit"] for row in made if row["kind"] == JobKind.TUNE]


def test_the_root_is_tuned_once(database: Database, schedule: Schedule) -> None:
    for _ in range(2):
        root_tuning = RootTuning(database, ROOT, 60.0)
        root_tuning.tick()
        root_tuning.tick()

    [job] = [row for row in rows(database, "jobs") if row["kind"] == JobKind.TUNE]
    assert (job["base_commit"], job["ordinal"], job["state"]) == (ROOT, -2, JobState.PENDING)


def test_the_root_is_tuned_by_the_seed_of_the_run(database: Database, schedule: Schedule) -> None:
    RootTuning(database, ROOT, 60.0, seed=4711).tick()

    [job] = [row for row in rows(database, "jobs") if row["kind"] == JobKind.TUNE]
    assert job["seed"] == 4711
    assert draw_seed(1, -1) != draw_seed(2, -1)


@pytest.mark.parametrize("seconds", [0.0, 9.0])  # twenty evaluations take ten
def test_the_root_is_not_tuned_without_time(
    database: Database, schedule: Schedule, seconds: float
) -> None:
    RootTuning(database, ROOT, seconds).tick()
    assert tunes(rows(database, "jobs")) == []


def test_the_ceiling_is_what_numbers_alone_have_reached(
    database: Database, schedule: Schedule
) -> None:
    RootTuning(database, ROOT, 60.0).tick()
    [job] = [row for row in rows(database, "jobs") if row["kind"] == JobKind.TUNE]
    overview = read_overview(database)
    assert overview is not None
    assert overview.ceiling is None

    before = Jobs(database).evaluated_seconds()
    claim = claimed(database, job["id"])
    judged = replace(judged_commit(3), parent=ROOT)
    Jobs(database).succeed(claim, judged, JobRecord(tries=41, tried_seconds=4.5, progress={}))
    with database.begin() as connection:
        write_score(connection, judged.commit, Estimate(2.5))
    overview = read_overview(database)
    assert overview is not None
    assert overview.ceiling is not None
    assert (overview.ceiling.fitness, overview.tuning_tries) == (2.5, 41)
    of_commit = judged.evaluation.seconds
    assert Jobs(database).evaluated_seconds() == pytest.approx(before + of_commit + 4.5)


def test_what_has_brought_more_is_done_more(database: Database, schedule: Schedule) -> None:
    learn(database, EDIT, Arm(200, 2, 100.0))
    learn(database, TUNE, Arm(1000, 90, 60.0))

    made = create(database)

    assert sorted(tunes(made)) == [ROOT, BEST]  # each once
    assert len(made) == 40
    assert {row["operator"] for row in made} == {None, "swap"}


def test_on_a_plateau_numbers_are_tuned_whatever_the_bandit_says(
    database: Database, schedule: Schedule
) -> None:
    learn(database, EDIT, Arm(200, 20, 100.0))
    learn(database, TUNE, Arm(100_000, 0, 50_000.0))
    with database.begin() as connection:
        write_score(connection, BEST, Estimate(1.0))

    before = create(database, max_unfinished=50, random_seed=5)
    after = create(database, max_unfinished=60, random_seed=5)

    assert tunes(before) == []
    assert tunes(after) != []


@pytest.mark.slow
def test_tuning_that_brings_nothing_is_seldom_tried_as_it_takes_long(
    database: Database, schedule: Schedule
) -> None:
    learn(database, EDIT, Arm(200, 20, 100.0))  # half a second each
    learn(database, TUNE, Arm(1000, 0, 500.0))
    made = [create(database, random_seed=seed) for seed in range(3)]
    assert len([commit for jobs in made for commit in tunes(jobs)]) <= 1


def test_tuning_keeps_to_its_share_of_the_time(database: Database, schedule: Schedule) -> None:
    learn(database, TUNE, Arm(1000, 900, 60.0))
    # Others have taken 100 s, which is little beside one tuning: it may take no more than 83 s.
    assert len(tunes(create(database, tune_seconds=60.0))) == 1


@pytest.mark.slow
def test_the_last_jobs_of_a_limited_run_tune_numbers(
    database: Database, schedule: Schedule
) -> None:
    made = create(database, max_total=200, max_unfinished=400, tune_seconds=90.0)  # no share

    assert made[-1]["ordinal"] == 199
    assert tunes(made[-2:])[0] == BEST
    assert tunes(made[:-2]) == []


@pytest.mark.parametrize(
    "options", [{"tune_seconds": 0.0}, {"tune_seconds": 9.0}, {"tune_seconds": 90.0}]
)
def test_nothing_is_tuned_where_that_is_not_worth_it_or_off(
    database: Database, schedule: Schedule, options: dict[str, Any]
) -> None:
    learn(database, TUNE, Arm(1000, 900, 60.0))
    assert tunes(create(database, **options)) == []


def test_a_run_that_must_repeat_asks_no_clock(database: Database, schedule: Schedule) -> None:
    learn(database, TUNE, Arm(1000, 900, 60.0))
    made = create(database, reproducible=True, tune_seconds=1.0)
    assert [row["ordinal"] for row in made if row["kind"] == JobKind.TUNE] == [10, 20]


@pytest.mark.parametrize(
    ("gain", "reproducible", "arm"),
    [
        (0.6, False, Arm(500, 30, 100.0)),  # edits have gained 0.02 each
        (0.0, False, Arm(500, 0, 100.0)),
        (0.6, True, Arm(500, 30, 500.0)),
        (60.0, False, Arm(500, 500, 100.0)),
    ],
)
def test_every_try_is_a_trial_of_tuning(
    database: Database, schedule: Schedule, gain: float, reproducible: bool, arm: Arm
) -> None:
    job_id = schedule.create(NewJob(JobKind.TUNE, 1, 7, BEST))
    record = JobRecord(tries=500)
    Jobs(database).fail(claimed(database, job_id), CandidateRejected("no"), record)
    with database.begin() as connection:
        connection.execute(update(jobs).values(claimed_at=1000.0, finished_at=1100.0))
    [job] = schedule.find_ended()

    with database.begin() as connection:
        write_arm(database, connection, kind=GAIN, name=EDIT, arm=Arm(5, 0.1, 9.0))
        BanditUpdate(database, reproducible=reproducible).update(connection, job, gain=gain)
        assert read_arms(connection, "way") == {TUNE: arm}


def test_a_further_attempt_goes_on_from_what_was_kept(
    database: Database, schedule: Schedule
) -> None:
    job_id = schedule.create(NewJob(JobKind.TUNE, 1, 7, BEST))
    store = Jobs(database)
    claim = claimed(database, job_id)
    assert claim.progress is None
    store.keep_progress(claim, {"values": [0.5, 3]}, JobRecord(tries=7, tried_seconds=2.0))
    store.release(claim, counts=False)

    assert claimed(database, job_id).progress == {"values": [0.5, 3]}
    assert (job_row(database, job_id)["tries"], job_row(database, job_id)["tried_seconds"]) == (
        7,
        2,
    )


def test_tuning_begins_with_the_steps_of_the_nearest_ancestor_that_was_tuned(
    database: Database, schedule: Schedule
) -> None:
    progress = {"values": [1.5], "steps": [0.25], "climbs_left": 7, "tries": 9}
    job_id = schedule.create(NewJob(JobKind.TUNE, 1, 7, BEST))
    made = replace(judged_commit(3), parent=BEST)
    Jobs(database).succeed(claimed(database, job_id), made, JobRecord(tries=9, progress=progress))
    job_id = schedule.create(NewJob(JobKind.EVOLUTION, 2, 7, made.commit))
    child = replace(judged_commit(4), parent=made.commit)
    Jobs(database).succeed(claimed(database, job_id), child, JobRecord())

    for ordinal, (kind, base, known) in enumerate(
        [
            (JobKind.TUNE, made.commit, {"steps": [0.25], "climbs_left": 7}),
            (JobKind.TUNE, child.commit, {"steps": [0.25], "climbs_left": 7}),
            (JobKind.TUNE, BEST, None),
            (JobKind.EVOLUTION, made.commit, None),
        ],
        start=3,
    ):
        job_id = schedule.create(NewJob(kind, ordinal, 7, base))
        assert claimed(database, job_id).progress == known


def test_tune_jobs_that_wait_end_with_the_budget(database: Database, schedule: Schedule) -> None:
    job_id = schedule.create(NewJob(JobKind.TUNE, 1, 7, BEST))
    assert schedule.cancel_waiting("over") == 1
    assert job_row(database, job_id)["state"] == JobState.CANCELLED
    with pytest.raises(Exception, match="not waiting"):
        failed(database, job_id, CandidateRejected("no"))
