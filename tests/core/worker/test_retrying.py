"""What a running job does while the database is away: nothing is thrown away, nothing is kept."""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from loreley.core.jobs import Claim, JobKind, JobRecord, JobState, JobStore
from loreley.core.worker.lease_renewal import renew_lease
from loreley.core.worker.retrying import PatientJobs, patiently
from loreley.db.engine import Database, open_database
from loreley.db.jobs import Jobs
from loreley.db.schedule import Experiment, NewJob, Schedule
from loreley.errors import JobInterrupted, JobLost, JobNotClaimed, ServiceUnavailable
from loreley.host.deadline import Deadline, Stop
from tests.db.support import job_row, judged_commit
from tests.services import postgresql_database
from tests.support import eventually
from tests.system.proxy import Proxy

ROOT = "a" * 40


@dataclass
class Unsteady:
    """A database as a worker reaches it, and one that always answers, for the test itself."""

    reached: Database
    steady: Database
    outage: Callable[[], AbstractContextManager[None]]

    @property
    def jobs(self) -> JobStore:
        return Jobs(self.reached)

    def queued(self) -> str:
        schedule = Schedule(self.steady)
        schedule.found(Experiment(ROOT, {}))
        schedule.create(NewJob(JobKind.EVOLUTION, schedule.next_ordinal(), 7, ROOT))
        return schedule.queue()[-1]

    def claim(self, *, lease_seconds: float = 30) -> Claim:
        return self.jobs.claim(self.queued(), worker="w", lease_seconds=lease_seconds)

    def state(self, claim: Claim) -> str:
        return str(job_row(self.steady, claim.job_id)["state"])


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Unsteady]:
    if request.param == "sqlite":
        yield from _sqlite(tmp_path / "test.db")
    else:
        yield from _postgresql(request.getfixturevalue("postgresql_url"))


def _sqlite(path: Path) -> Iterator[Unsteady]:
    impatient = open_database(f"sqlite:///{path}?timeout=0.05")
    steady = open_database(f"sqlite:///{path}")

    @contextmanager
    def outage() -> Iterator[None]:
        with sqlite3.connect(path, isolation_level=None, timeout=10) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")

    yield Unsteady(impatient, steady, outage)
    impatient.close()
    steady.close()


def _postgresql(server: str) -> Iterator[Unsteady]:
    with postgresql_database(server, f"test_{uuid4().hex}") as url, Proxy.to(url) as proxy:
        steady, reached = open_database(url), open_database(proxy.instead_of(url))
        yield Unsteady(reached, steady, proxy.refusing)
        reached.close()
        steady.close()


def later(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def test_a_message_is_kept_until_the_database_can_be_asked(database: Unsteady) -> None:
    job_id = database.queued()
    claims: list[Claim] = []
    jobs = PatientJobs(database.jobs, Stop())

    with database.outage():
        waiting = later(lambda: claims.append(jobs.claim(job_id, worker="w", lease_seconds=30)))
        waiting.join(0.5)
        assert waiting.is_alive()
    waiting.join(10)

    assert str(claims[0].job_id) == job_id


def test_a_result_is_recorded_when_the_database_is_back(database: Unsteady) -> None:
    claim = database.claim()
    jobs = PatientJobs(database.jobs, Stop())

    with database.outage():
        waiting = later(lambda: jobs.succeed(claim, judged_commit(), JobRecord()))
        waiting.join(0.5)
        assert waiting.is_alive()
    waiting.join(10)

    assert database.state(claim) == JobState.SUCCEEDED


def test_a_worker_that_stops_does_not_wait(database: Unsteady) -> None:
    stop = Stop()
    jobs = PatientJobs(database.jobs, stop)
    claim = database.claim()

    with database.outage():
        threading.Timer(0.3, stop.ask, (JobInterrupted("stopping"),)).start()
        with pytest.raises(ServiceUnavailable):
            jobs.succeed(claim, judged_commit(), JobRecord())
        with pytest.raises(ServiceUnavailable):
            jobs.release(claim)

    assert database.state(claim) == JobState.RUNNING


def test_what_is_no_outage_is_raised_at_once(database: Unsteady) -> None:
    jobs = PatientJobs(database.jobs, Stop())

    with pytest.raises(JobNotClaimed):
        jobs.claim(str(uuid4()), worker="w", lease_seconds=30)


def test_patience_ends_with_the_deadline() -> None:
    attempts: list[float] = []

    def never() -> None:
        attempts.append(time.monotonic())
        raise ServiceUnavailable("away")

    began = time.monotonic()
    with pytest.raises(ServiceUnavailable):
        patiently(never, Deadline.after(0.6))

    assert 0.6 <= time.monotonic() - began < 2
    assert 3 <= len(attempts) <= 4


def test_patience_ends_when_the_job_is_lost() -> None:
    stop = Stop()
    threading.Timer(0.1, stop.ask, (JobLost("lost"),)).start()

    def never() -> None:
        raise ServiceUnavailable("away")

    with pytest.raises(JobLost):
        patiently(never, Deadline(stop=stop))


@pytest.mark.slow
def test_an_outage_longer_than_the_lease_costs_no_job(database: Unsteady) -> None:
    claim = database.claim(lease_seconds=0.6)
    stop = Stop()

    with renew_lease(database.jobs, claim, stop, lease_seconds=0.6):
        with database.outage():
            time.sleep(1.2)
        lease = job_row(database.steady, claim.job_id)["lease_until"]
        eventually(lambda: job_row(database.steady, claim.job_id)["lease_until"] > lease)
        stop.check()
    database.jobs.succeed(claim, judged_commit(), JobRecord())


@pytest.mark.slow
def test_a_job_that_was_taken_away_is_given_up(database: Unsteady) -> None:
    claim = database.claim(lease_seconds=0.3)
    stop = Stop()
    eventually(lambda: Schedule(database.steady).reap(max_attempts=3)[0])

    with renew_lease(database.jobs, claim, stop, lease_seconds=0.3), pytest.raises(JobLost):
        stop.wait(5)
