"""A database of either kind that can be made not to answer."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from loreley.core.jobs import Claim, JobKind
from loreley.db.engine import Database, open_database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule
from tests.db.support import job_row
from tests.services import postgresql_database
from tests.system.proxy import Proxy

ROOT = "a" * 40


@dataclass
class Unsteady:
    """A database as a worker reaches it, and one that always answers, for the test itself."""

    reached: Database
    steady: Database
    outage: Callable[[], AbstractContextManager[None]]

    @property
    def jobs(self) -> Jobs:
        return Jobs(self.reached)

    def queued(self) -> str:
        schedule = Schedule(self.steady)
        schedule.begin_experiment(Experiment(ROOT, {}))
        schedule.create(NewJob(JobKind.EVOLUTION, schedule.next_ordinal(), 7, ROOT))
        return schedule.queue_pending()[-1]

    def claim(self, *, lease_seconds: float = 30) -> Claim:
        return self.jobs.claim(self.queued(), worker="w", lease_seconds=lease_seconds)

    def state(self, claim: Claim) -> str:
        return str(job_row(self.steady, claim.job_id)["state"])


def unsteady_sqlite(path: Path) -> Iterator[Unsteady]:
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


def unsteady_postgresql(server: str) -> Iterator[Unsteady]:
    with postgresql_database(server, f"test_{uuid4().hex}") as url, Proxy.to(url) as proxy:
        steady, reached = open_database(url), open_database(proxy.instead_of(url))
        yield Unsteady(reached, steady, proxy.refusing)
        reached.close()
        steady.close()
