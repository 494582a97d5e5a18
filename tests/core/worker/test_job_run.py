"""How a job ends: what is recorded, counted and given back, on a real database."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loreley.core.evaluation.evaluation import Evaluation, Metric
from loreley.core.evaluation.evaluator import Judgement
from loreley.core.jobs import JobKind, JobRecord, JobState
from loreley.core.worker.briefing import Briefing
from loreley.core.worker.evolution import Evolution
from loreley.core.worker.job_run import JobOptions, JobRun
from loreley.core.worker.repository import Candidate
from loreley.core.worker.secret_scan import Secrets
from loreley.core.worktrees.footprint import Footprint
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import (
    AgentFailed,
    CandidateRejected,
    JobInterrupted,
    JobLost,
    ServiceUnavailable,
    WorkerUnfit,
)
from loreley.host.deadline import Stop
from tests.core.agents.support import Bench, bench, claim
from tests.core.worker.upstream import soon
from tests.db.support import job_row, rows

ROOT = "a" * 40


class NoCommits:
    """A job store that knows no commit."""

    def find_judged(self, _commits: object) -> list[Any]:
        return []


class FailingAgent:
    """An agent that raises what it is given."""

    name = "failing"

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def propose(self, *_given: object) -> Any:
        raise self._error


class RootWorktree:
    """A checkout of the root commit."""

    base_commit = ROOT
    path = Path("/nowhere/worktrees/one")
    is_there = True

    def base(self) -> Candidate:
        return Candidate(ROOT, "t" * 40)

    def measure(self, _root_commit: str) -> Footprint:
        return Footprint(0, 10)


class RootRepository:
    """Leases one worktree again and again."""

    @contextmanager
    def lease(self, *_given: object) -> Iterator[RootWorktree]:
        yield RootWorktree()


class OnePoint:
    """A judge that gives everything the same score."""

    def judge(self, *_given: object, **_options: object) -> Judgement:
        return Judgement(Evaluation("", (Metric("score", 1.0),), (), 0.1), "judged\n", ())


class Ends:
    """The ends of jobs as a worker counts them."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []
        self.records: list[JobRecord] = []

    def count(self, outcome: str, record: JobRecord, seconds: float) -> None:
        assert seconds > 0
        self.outcomes.append(outcome)
        self.records.append(record)


def run_job(database: Database, kind: JobKind, agent: Any, ends: Ends) -> str:
    """Run a new job of this kind; its id."""
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(ROOT, {}))
    schedule.create(NewJob(kind, schedule.next_ordinal(), 7, ROOT))
    job_id = schedule.queue_pending()[-1]
    evolve(database, agent, ends).run(job_id, stopping())
    return job_id


class Stopping(Stop):
    """A stop that is asked for as soon as somebody waits."""

    def wait(self, seconds: float) -> None:
        self.waited = seconds
        raise JobInterrupted("no wait in these tests")


def stopping() -> Stopping:
    """A worker that is stopped when it would wait."""
    return Stopping()


def evolve(
    database: Database,
    agent: Any,
    ends: Ends,
    *,
    repository: Any = None,
    worker: str = "w",
    time_limit_seconds: float = 60.0,
) -> Evolution:
    """A worker's part that runs jobs."""
    repository = repository or RootRepository()
    judge: Any = OnePoint()
    return Evolution(
        jobs=Jobs(database),
        repository=repository,
        agent=agent,
        judge=judge,
        options=JobOptions(worker, 30.0, time_limit_seconds, "loreley", 60.0, Briefing("Improve."),
                           count_end=ends.count),
    )  # fmt: skip


def test_a_success_is_recorded_and_counted_with_its_stages(database: Database) -> None:
    ends = Ends()

    job_id = run_job(database, JobKind.BASELINE, FailingAgent(AssertionError()), ends)

    assert job_row(database, job_id)["state"] == JobState.SUCCEEDED
    assert ends.outcomes == ["succeeded"]
    assert set(ends.records[0].stage_seconds) == {"checkout", "evaluation"}


@pytest.mark.parametrize(
    ("error", "state", "outcome"),
    [
        (AgentFailed("no idea"), JobState.FAILED, "failed_agent"),
        (CandidateRejected("refused"), JobState.REJECTED, "rejected"),
        (JobInterrupted("stopping"), JobState.QUEUED, "released"),
        (ServiceUnavailable("the queue is away"), JobState.QUEUED, "released"),
        (ZeroDivisionError("a defect"), JobState.QUEUED, "released"),
    ],
)
def test_a_job_without_a_result_is_recorded_and_counted_by_what_ended_it(
    database: Database, error: Exception, state: JobState, outcome: str
) -> None:
    ends = Ends()

    job_id = run_job(database, JobKind.EVOLUTION, FailingAgent(error), ends)

    assert job_row(database, job_id)["state"] == state
    assert ends.outcomes == [outcome]


def test_an_interrupt_of_the_thread_is_recorded_and_goes_on(database: Database) -> None:
    class Interrupt(BaseException):
        """As Dramatiq raises in the thread that it gives up."""

    ends = Ends()

    with pytest.raises(Interrupt):
        run_job(database, JobKind.EVOLUTION, FailingAgent(Interrupt()), ends)

    assert ends.outcomes == ["failed_timeout"]


def test_an_unfit_worker_gives_its_job_back_and_says_so(database: Database) -> None:
    ends = Ends()

    with pytest.raises(WorkerUnfit, match="no login"):
        run_job(database, JobKind.EVOLUTION, FailingAgent(WorkerUnfit("no login")), ends)

    [job] = rows(database, "jobs")
    assert (job["state"], job["attempt"], job["token"]) == (JobState.QUEUED, 1, None)
    assert job["uncounted_attempts"] == 1
    assert ends.outcomes == ["released"]


def test_a_lost_job_is_neither_recorded_nor_counted(database: Database) -> None:
    ends = Ends()

    job_id = run_job(database, JobKind.EVOLUTION, FailingAgent(JobLost("taken")), ends)

    assert job_row(database, job_id)["state"] == JobState.RUNNING
    assert ends.outcomes == []


@pytest.fixture
def found(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as leased:
        yield leased


def test_a_failure_of_an_agent_holds_no_secrets(found: Bench) -> None:
    briefing = Briefing("Improve.", secrets=Secrets({"TEAM_KEY": "correct-horse-7"}))
    said = "the key correct-horse-7 is wrong"
    jobs: Any = NoCommits()
    judge: Any = None
    job = JobRun(
        claim=claim(found.worktree.base_commit),
        deadline=soon(),
        jobs=jobs,
        agent=FailingAgent(AgentFailed("talkative failed", reason=said, log=f"{said}\n")),
        judge=judge,
        options=JobOptions("w", 30.0, 60.0, "loreley", 60.0, briefing),
    )

    with pytest.raises(AgentFailed) as raised:
        job.judge_commit(found.worktree)

    assert raised.value.summary == "talkative failed: the key *** is wrong"
    assert raised.value.log == "the key *** is wrong\n"
