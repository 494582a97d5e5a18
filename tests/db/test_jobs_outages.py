"""What the store of a running job does while the database is away: nothing is thrown away."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from loreley.core.jobs import Claim, JobRecord, JobState
from loreley.errors import JobInterrupted, JobNotClaimed, ServiceUnavailable
from loreley.host.deadline import Stop
from tests.db.support import judged_commit
from tests.db.unsteady import Unsteady, unsteady_postgresql, unsteady_sqlite


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Unsteady]:
    if request.param == "sqlite":
        yield from unsteady_sqlite(tmp_path / "test.db")
    else:
        yield from unsteady_postgresql(request.getfixturevalue("postgresql_url"))


def later(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


@pytest.mark.slow
def test_a_message_is_kept_until_the_database_can_be_asked(database: Unsteady) -> None:
    job_id = database.queued()
    claims: list[Claim] = []
    jobs = database.jobs.retrying_until(Stop())

    with database.outage():
        waiting = later(lambda: claims.append(jobs.claim(job_id, worker="w", lease_seconds=30)))
        waiting.join(0.5)
        assert waiting.is_alive()
    waiting.join(10)

    assert claims[0].job_id == job_id


@pytest.mark.slow
def test_a_result_is_recorded_when_the_database_is_back(database: Unsteady) -> None:
    claim = database.claim()
    jobs = database.jobs.retrying_until(Stop())

    with database.outage():
        waiting = later(lambda: jobs.succeed(claim, judged_commit(), JobRecord()))
        waiting.join(0.5)
        assert waiting.is_alive()
    waiting.join(10)

    assert database.state(claim) == JobState.SUCCEEDED


def test_a_worker_that_stops_does_not_wait(database: Unsteady) -> None:
    stop = Stop()
    jobs = database.jobs.retrying_until(stop)
    claim = database.claim()

    with database.outage():
        threading.Timer(0.3, stop.ask, (JobInterrupted("stopping"),)).start()
        with pytest.raises(ServiceUnavailable):
            jobs.succeed(claim, judged_commit(), JobRecord())
        with pytest.raises(ServiceUnavailable):
            jobs.release(claim)

    assert database.state(claim) == JobState.RUNNING


def test_what_is_no_outage_is_raised_at_once(database: Unsteady) -> None:
    jobs = database.jobs.retrying_until(Stop())

    with pytest.raises(JobNotClaimed):
        jobs.claim(str(uuid4()), worker="w", lease_seconds=30)


def test_a_store_that_is_not_to_wait_reports_an_outage_at_once(database: Unsteady) -> None:
    claim = database.claim()

    with database.outage(), pytest.raises(ServiceUnavailable):
        database.jobs.release(claim)


def test_a_renewal_does_not_wait(database: Unsteady) -> None:
    claim = database.claim()

    with database.outage(), pytest.raises(ServiceUnavailable):
        database.jobs.retrying_until(Stop()).renew(claim, lease_seconds=30)
