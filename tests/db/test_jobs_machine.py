"""Any order of what schedulers and two workers do to jobs: the store does what a simple model says.

Leases run out when a step says so, messages arrive as often and as late as they like.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, update

from loreley.core.jobs import FINAL_STATES, Claim, FailedTry, JobKind, JobRecord, JobState
from loreley.db.engine import Database, now
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import jobs as jobs_table
from loreley.db.models import metadata
from loreley.db.schedule import NewJob, Schedule, mark_ingested
from loreley.errors import AgentFailed, CandidateRejected, JobLost, JobNotClaimed
from loreley.views.invariants import archive_flaws, commit_flaws, job_flaws
from tests.db.support import judged_commit, rows

MAX_ATTEMPTS = 3
WORKERS = ("host:1", "host:2")
MOST_JOBS = 4
WAITING = (JobState.PENDING, JobState.QUEUED)


@dataclass
class Modelled:
    """What should be true of a job."""

    state: JobState = JobState.PENDING
    attempt: int = 0
    lost: int = 0
    token: str | None = None  # of the one claim that counts
    expired: bool = False
    ingested: bool = False
    commits: set[str] = field(default_factory=set)
    tree: int | None = None  # that it is about
    failed: int = 0  # trees before that


class JobsMachine(RuleBasedStateMachine):
    """Schedulers and two workers on one database."""

    job_ids: Bundle[str] = Bundle("job_ids")
    claims: Bundle[Claim] = Bundle("claims")  # those that are over included

    def __init__(self, database: Database) -> None:
        super().__init__()
        with database.begin() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(delete(table))
        self.database = database
        self.schedule = Schedule(database)
        self.schedule.begin_experiment(Experiment("a" * 40, {}))
        self.jobs = Jobs(database)
        self.model: dict[str, Modelled] = {}
        self.trees: set[int] = set()

    @initialize(target=job_ids)
    def begin(self) -> MultipleResults[str]:
        """Two jobs wait for two workers."""
        created = multiple(self._created(), self._created())
        self.dispatch(crash=False)
        return created

    @precondition(lambda self: len(self.model) < MOST_JOBS)
    @rule(target=job_ids)
    def create(self) -> str:
        return self._created()

    def _created(self) -> str:
        job_id = self.schedule.create(NewJob(JobKind.EVOLUTION, len(self.model), 1, "a" * 40))
        self.model[job_id] = Modelled()
        return job_id

    @rule(crash=st.booleans())
    def dispatch(self, crash: bool) -> None:
        """Queue what is new; ``crash``: the scheduler dies before it has noted what it sent."""
        sent = self.schedule.queue_pending()
        for job in self.model.values():
            if job.state is JobState.PENDING:
                job.state = JobState.QUEUED
        assert all(self.model[job_id].state is JobState.QUEUED for job_id in sent)
        if not crash:
            self.schedule.mark_dispatched(sent)
            assert self.schedule.queue_pending() == []

    @rule(target=claims, job_id=job_ids, worker=st.sampled_from(WORKERS))
    def deliver(self, job_id: str, worker: str) -> Claim | MultipleResults[Claim]:
        """A message arrives: in time, late, or once more."""
        job = self.model[job_id]
        if job.state is not JobState.QUEUED:
            with pytest.raises(JobNotClaimed):
                self.jobs.claim(job_id, worker=worker, lease_seconds=60)
            return multiple()
        claim = self.jobs.claim(job_id, worker=worker, lease_seconds=60)
        job.state, job.attempt, job.expired = JobState.RUNNING, job.attempt + 1, False
        job.token, job.tree = claim.token, None
        assert claim.attempt == job.attempt
        return claim

    @rule(claim=claims)
    def renew(self, claim: Claim) -> None:
        if self._does(claim, lambda: self.jobs.renew(claim, lease_seconds=60)):
            self._job(claim).expired = False

    @rule(claim=claims)
    def release(self, claim: Claim) -> None:
        if self._does(claim, lambda: self.jobs.release(claim)):
            self._ends(claim, JobState.QUEUED)

    @rule(claim=claims, is_refused=st.booleans())
    def fail(self, claim: Claim, is_refused: bool) -> None:
        failure = (CandidateRejected if is_refused else AgentFailed)("it did not go well")
        if self._does(claim, lambda: self.jobs.fail(claim, failure, JobRecord())):
            self._ends(claim, JobState.REJECTED if is_refused else JobState.FAILED)

    @rule(claim=claims, tree=st.integers(1, 6))
    def announce(self, claim: Claim, tree: int) -> None:
        """Of all that come to a tree one judges it."""
        others = [job for job in self.model.values() if job is not self._job(claim)]
        taken = tree in self.trees or any(
            job.tree == tree and job.state in (JobState.RUNNING, JobState.REJECTED)
            for job in others
        )
        if self._is_held(claim) and taken:
            with pytest.raises(CandidateRejected):
                self.jobs.announce(claim, judged_commit(tree).tree)
        elif self._does(claim, lambda: self.jobs.announce(claim, judged_commit(tree).tree)):
            self._job(claim).tree = tree

    @rule(claim=claims)
    def fail_try(self, claim: Claim) -> None:
        """The job goes on with another tree, and this one is known."""
        job = self._job(claim)
        failed = FailedTry(job.failed + 1, "flip-bit", None, "a test fails", 1.0)
        if self._does(claim, lambda: self.jobs.add_failed_try(claim, failed, JobRecord())):
            if job.tree is not None:
                self.trees.add(job.tree)
                job.failed += 1
            job.tree = None

    @rule(claim=claims, tree=st.integers(1, 6))
    def succeed(self, claim: Claim, tree: int) -> None:
        """Both workers may come to the same tree."""
        judged = judged_commit(tree)
        if self._is_held(claim) and tree in self.trees:
            with pytest.raises(CandidateRejected):
                self.jobs.succeed(claim, judged, JobRecord())
        elif self._does(claim, lambda: self.jobs.succeed(claim, judged, JobRecord())):
            self._ends(claim, JobState.SUCCEEDED)
            self._job(claim).commits.add(judged.commit)
            self.trees.add(tree)

    @rule(job_id=job_ids)
    def expire(self, job_id: str) -> None:
        """The lease runs out; its worker may live on and not know."""
        job = self.model[job_id]
        if job.state is JobState.RUNNING:
            with self.database.begin() as connection:
                past = update(jobs_table).where(jobs_table.c.id == job_id)
                connection.execute(past.values(lease_until=now() - 1))
            job.expired = True

    @rule(target=claims, claim=claims, worker=st.sampled_from(WORKERS))
    def overtake(self, claim: Claim, worker: str) -> Claim | MultipleResults[Claim]:
        """A worker sleeps through its lease, and its job goes on without it."""
        self.expire(claim.job_id)
        self.reap()
        again = self.deliver(claim.job_id, worker)
        for late in (self.renew, self.release):
            late(claim)
        return again

    @rule()
    def reap(self) -> None:
        again, lost = self.schedule.reap(max_attempts=MAX_ATTEMPTS)
        expired = {job_id: job for job_id, job in self.model.items() if job.expired}
        assert {*again, *lost} == set(expired)
        for job in expired.values():
            job.lost += 1
            job.state = JobState.FAILED if job.lost >= MAX_ATTEMPTS else JobState.QUEUED
            job.token, job.expired = None, False
        assert all(self.model[job_id].state is JobState.FAILED for job_id in lost)

    @rule(twice=st.booleans())
    def ingest(self, twice: bool) -> None:
        """``twice``: another scheduler has read the same list."""
        ended = self.schedule.find_ended()
        for job in [*ended, *ended] if twice else ended:
            with self.database.begin() as connection:
                assert mark_ingested(connection, job) is not self.model[job.job_id].ingested
            self.model[job.job_id].ingested = True

    @rule()
    def cancel(self) -> None:
        waiting = [job for job in self.model.values() if job.state in WAITING]
        assert self.schedule.cancel_waiting("enough") == len(waiting)
        for job in waiting:
            job.state = JobState.CANCELLED

    @rule(claim=consumes(claims))
    def forget(self, claim: Claim) -> None:
        """The worker is killed."""

    @invariant()
    def the_database_says_what_the_model_says(self) -> None:
        stored = {row["id"]: row for row in rows(self.database, "jobs")}
        assert set(stored) == set(self.model)
        for job_id, job in self.model.items():
            row = stored[job_id]
            assert (row["state"], row["attempt"], row["lost_leases"], row["token"]) == (
                *(job.state, job.attempt, job.lost, job.token),
            )
            assert (row["ingested_at"] is not None) is job.ingested
        made = {(row["job_id"], row["commit"]) for row in rows(self.database, "commits")}
        assert made == {(key, each) for key, job in self.model.items() for each in job.commits}

    @invariant()
    def nothing_contradicts_itself(self) -> None:
        with self.database.read() as connection:
            flaws = [*job_flaws(connection), *commit_flaws(connection), *archive_flaws(connection)]
        assert flaws == []

    def teardown(self) -> None:
        """Whatever happened: without further faults every job comes to its end."""
        for _ in range(2):
            self._let_leases_run_out()
            for job_id in self.schedule.queue_pending() + self.schedule.find_unclaimed(
                older_than_seconds=-1
            ):
                claim = self.jobs.claim(job_id, worker=WORKERS[0], lease_seconds=60)
                self.jobs.fail(claim, AgentFailed("at last"), JobRecord())
        assert {row["state"] for row in rows(self.database, "jobs")} <= set(FINAL_STATES)

    def _let_leases_run_out(self) -> None:
        with self.database.begin() as connection:
            running = update(jobs_table).where(jobs_table.c.state == JobState.RUNNING)
            connection.execute(running.values(lease_until=now() - 1))
        self.schedule.reap(max_attempts=MAX_ATTEMPTS)

    def _job(self, claim: Claim) -> Modelled:
        return self.model[claim.job_id]

    def _is_held(self, claim: Claim) -> bool:
        return self._job(claim).token == claim.token

    def _does(self, claim: Claim, change: Callable[[], None]) -> bool:
        """Make a change in the name of a claim; False when the job is no longer its holder's."""
        if self._is_held(claim):
            change()
            return True
        with pytest.raises(JobLost):
            change()
        return False

    def _ends(self, claim: Claim, state: JobState) -> None:
        job = self._job(claim)
        job.state, job.token, job.expired = state, None, False


@pytest.mark.slow
def test_the_store_does_what_a_simple_model_says(database: Database) -> None:
    class OnThisDatabase(JobsMachine):
        def __init__(self) -> None:
            super().__init__(database)

    run_state_machine_as_test(
        OnThisDatabase,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            database=None,
            phases=[Phase.generate],  # to shrink a failure would take minutes
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
