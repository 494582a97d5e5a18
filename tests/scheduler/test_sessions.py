"""When an agent works for long: by what sessions and one-shot jobs have gained for their cost."""

from typing import Any

import pytest
from sqlalchemy import update

from loreley.core.jobs import JobKind, JobRecord
from loreley.db.bandit_stats import read_arms
from loreley.db.engine import Database
from loreley.db.jobs import Jobs
from loreley.db.models import calls, jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import AgentFailed
from loreley.scheduler.bandit_update import LENGTH, ONE_SHOT, SESSION, BanditUpdate
from tests.db.support import claimed
from tests.scheduler.test_tuning import ROOT, create
from tests.scheduler.test_tuning import schedule as schedule

pytestmark = pytest.mark.usefixtures("schedule")

CODEX: dict[str, Any] = {
    "agents": {"codex": 1.0},
    "session_agents": frozenset({"codex"}),
    "session_seconds": 600.0,
    "tune_seconds": 0.0,
    "max_unfinished": 200,
}


def end(
    database: Database,
    kind: JobKind,
    *,
    gain: float,
    seconds: float,
    tries: int = 0,
    dollars: float = 0.0,
) -> None:
    """Let a job of this kind end, and take in what it teaches."""
    store = Schedule(database)
    claim = claimed(database, store.create(NewJob(kind, store.next_ordinal(), 7, ROOT)))
    Jobs(database).fail(claim, AgentFailed("over"), JobRecord(agent="codex", tries=tries))
    with database.begin() as connection:
        times = {"claimed_at": 1000.0, "finished_at": 1000.0 + seconds}
        connection.execute(update(jobs).where(jobs.c.id == claim.job_id).values(times))
        connection.execute(
            calls.insert().values(
                id=claim.job_id, job_id=claim.job_id, attempt=1, agent="codex", opened_at=0.0,
                seconds=seconds, dollars=dollars,
            )
        )  # fmt: skip
    [job] = [each for each in store.find_ended() if each.job_id == claim.job_id]
    with database.begin() as connection:
        BanditUpdate(database, reproducible=False).update(connection, job, gain=gain)


def count_sessions(database: Database, **options: Any) -> int:
    """How many of two hundred jobs are sessions."""
    made = create(database, **CODEX | options)
    assert {job["kind"] for job in made} <= {JobKind.SESSION, JobKind.EVOLUTION}
    return sum(job["kind"] == JobKind.SESSION for job in made)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{"session_seconds": 0.0}, {"session_agents": frozenset()}, {"agents": {"genetic": 1.0}}],
)
def test_there_are_no_sessions_unless_they_are_wanted_of_an_agent_that_measures(
    database: Database, options: dict[str, Any]
) -> None:
    assert count_sessions(database, **options) == 0


@pytest.mark.slow
def test_sessions_take_the_more_jobs_the_more_they_gain_for_their_seconds(
    database: Database,
) -> None:
    for _ in range(10):
        end(database, JobKind.EVOLUTION, gain=0.0, seconds=100.0)
        end(database, JobKind.SESSION, gain=0.0, seconds=600.0, tries=5)
    end(database, JobKind.EVOLUTION, gain=1.0, seconds=100.0)
    before = count_sessions(database)
    for _ in range(5):
        end(database, JobKind.SESSION, gain=4.0, seconds=600.0, tries=5)

    assert count_sessions(database, max_unfinished=400) > before + 50


def test_each_evaluation_of_a_session_is_a_trial(database: Database) -> None:
    end(database, JobKind.EVOLUTION, gain=2.0, seconds=100.0)
    end(database, JobKind.SESSION, gain=6.0, seconds=600.0, tries=5)

    with database.read() as connection:
        session = read_arms(connection, LENGTH)[SESSION]
    assert (session.trials, session.successes, session.cost) == (6.0, 3.0, 600.0)


def test_a_dollar_costs_the_seconds_in_which_the_run_spends_one(database: Database) -> None:
    end(database, JobKind.EVOLUTION, gain=1.0, seconds=100.0, dollars=1.0)
    end(database, JobKind.SESSION, gain=1.0, seconds=300.0, dollars=1.0)

    with database.read() as connection:
        arms = read_arms(connection, LENGTH)
    assert arms[ONE_SHOT].cost == 200.0  # one dollar in these 100 s
    assert arms[SESSION].cost == 500.0  # two in 400 s by now


def test_a_session_of_a_chosen_agent_is_its_own(database: Database) -> None:
    made = create(database, **CODEX | {"agents": {"codex": 1.0, "genetic": 1.0}})

    sessions = [job for job in made if job["kind"] == JobKind.SESSION]
    assert {job["agent"] for job in sessions} == {"codex"}
    assert {job["operator"] for job in sessions} == {None}
