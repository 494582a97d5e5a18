"""Every contradiction in the database is found, and none is imagined."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from loreley.core.evaluation.evaluation import Evaluation, Metric
from loreley.core.jobs import JobKind, JobRecord, JobState
from loreley.db.engine import Database, now
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import commits, elites, experiment, jobs, metrics
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import AgentFailed, CandidateRejected
from loreley.views.invariants import (
    archive_flaws,
    commit_flaws,
    job_counts,
    job_flaws,
    jobs_in,
    overdue_jobs,
    recorded_branches,
)
from tests.db.support import claimed, failed, judged_commit, succeeded

ROOT = "a" * 40


@pytest.fixture
def run(database: Database) -> Database:
    """A run with a job in every state that there can be."""
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(ROOT, {}))
    schedule.create_extra(JobKind.BASELINE, ROOT)
    [baseline] = schedule.queue_pending()
    succeeded(database, baseline, judged_commit(0, parent=None))
    ids = [schedule.create(NewJob(JobKind.EVOLUTION, ordinal, 7, ROOT)) for ordinal in range(6)]
    schedule.queue_pending()
    succeeded(database, ids[0], judged_commit(1))
    failed(database, ids[1], AgentFailed("no idea"))
    failed(database, ids[2], CandidateRejected("seen before"))
    claimed(database, ids[3])
    Jobs(database).release(claimed(database, ids[4]))
    schedule.create_extra(JobKind.MEASUREMENT, judged_commit(1).commit)
    measurement = schedule.queue_pending()[-1]
    claim = claimed(database, measurement)
    Jobs(database).add_measurement(
        claim, Evaluation("", (Metric("score", 2.0),), (), 0.1), JobRecord()
    )
    schedule.create(NewJob(JobKind.EVOLUTION, 6, 7, ROOT))
    return database


def flaws(database: Database) -> list[str]:
    with database.read() as connection:
        return [
            *job_flaws(connection),
            *commit_flaws(connection),
            *archive_flaws(connection),
            *overdue_jobs(connection, slack_seconds=0),
        ]


def change(database: Database, of: JobState, values: dict[str, Any]) -> None:
    with database.begin() as connection:
        one = select(jobs.c.id).where(jobs.c.state == of, jobs.c.ordinal >= 0).limit(1)
        job_id = connection.execute(one).scalar_one()
        connection.execute(update(jobs).where(jobs.c.id == job_id).values(**values))


def test_a_run_that_is_whole_has_no_flaw(run: Database) -> None:
    assert flaws(run) == []
    with run.read() as connection:
        assert job_counts(connection) == (9, 5)
        assert len(jobs_in(connection, JobState.QUEUED, JobState.PENDING)) == 3
        assert recorded_branches(connection)["evolution/job/1"] == judged_commit(1).commit


@pytest.mark.parametrize(
    ("state", "values"),
    [
        (JobState.RUNNING, {"token": None}),
        (JobState.RUNNING, {"lease_until": None}),
        (JobState.RUNNING, {"lease_until": 1.0}),
        (JobState.RUNNING, {"finished_at": 1.0}),
        (JobState.RUNNING, {"ingested_at": 1.0}),
        (JobState.QUEUED, {"lease_until": 1.0}),
        (JobState.QUEUED, {"finished_at": 1.0}),
        (JobState.SUCCEEDED, {"finished_at": None}),
        (JobState.SUCCEEDED, {"commit": None}),
        (JobState.SUCCEEDED, {"commit": "f" * 40}),
        (JobState.FAILED, {"failure_kind": None}),
        (JobState.FAILED, {"commit": "f" * 40}),
        (JobState.REJECTED, {"failure_kind": "agent"}),
        (JobState.SUCCEEDED, {"state": JobState.REJECTED, "commit": None}),  # its commit stays
        (JobState.SUCCEEDED, {"ingested_at": 1.0}),  # and was not counted
    ],
)
def test_a_job_that_contradicts_itself_is_found(
    run: Database, state: JobState, values: dict[str, Any]
) -> None:
    change(run, state, values)

    assert flaws(run)


def second_commit(connection: Any) -> None:
    row = dict(connection.execute(select(commits).limit(1)).mappings().one())
    connection.execute(insert(commits).values(row | {"commit": "f" * 40, "tree": "f" * 40}))


def no_commit(connection: Any) -> None:
    name = judged_commit(1).commit
    for table in (metrics, *(t for t in commits.metadata.sorted_tables if t.name == "evaluations")):
        connection.execute(delete(table).where(table.c.commit == name))
    connection.execute(delete(commits).where(commits.c.commit == name))


def no_figures(connection: Any) -> None:
    connection.execute(delete(metrics).where(metrics.c.commit == judged_commit(1).commit))


def counted_twice(connection: Any) -> None:
    connection.execute(update(experiment).values(ended_jobs=1, judged_commits=1))


def a_gap_among_elites(connection: Any) -> None:
    connection.execute(
        insert(elites).values(
            island=0, cell=3, position=1, commit=judged_commit(1).commit, score=1.0, error=0.0,
            curiosity=0.0, measures=[], improvements=0, updated_at=now(),
        )
    )  # fmt: skip


@pytest.mark.parametrize(
    "damage", [second_commit, no_commit, no_figures, counted_twice, a_gap_among_elites]
)
def test_a_contradiction_between_tables_is_found(
    run: Database, damage: Callable[[Any], None]
) -> None:
    with run.begin() as connection:
        damage(connection)

    assert flaws(run)


def test_a_database_without_an_experiment_has_no_flaw(database: Database) -> None:
    assert flaws(database) == []
    with database.read() as connection:
        assert job_counts(connection) == (0, 0)
