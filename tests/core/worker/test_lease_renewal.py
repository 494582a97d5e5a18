"""Whether a job is held on to, while the database answers and while it does not."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.core.jobs import JobRecord
from loreley.core.worker.lease_renewal import renew_lease
from loreley.db.schedule import Schedule
from loreley.errors import JobLost
from loreley.host.deadline import Stop
from tests.db.support import job_row, judged_commit
from tests.db.unsteady import Unsteady, unsteady_postgresql, unsteady_sqlite
from tests.support import eventually


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Unsteady]:
    if request.param == "sqlite":
        yield from unsteady_sqlite(tmp_path / "test.db")
    else:
        yield from unsteady_postgresql(request.getfixturevalue("postgresql_url"))


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


@pytest.mark.slow
def test_a_job_that_is_cancelled_is_given_up_within_a_second_or_two(database: Unsteady) -> None:
    claim = database.claim(lease_seconds=60)
    stop = Stop()

    with renew_lease(database.jobs, claim, stop, lease_seconds=60):
        stop.wait(0.1)
        assert Schedule(database.steady).cancel(claim.job_id, "by ann", is_running=True)
        with pytest.raises(JobLost, match="was cancelled"):
            stop.wait(5)
