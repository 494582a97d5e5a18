"""What no candidate caused ends no job: it is given back, and what was judged is kept."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from loreley.core.agents.protocol import Proposal
from loreley.core.jobs import JobKind, JobState
from loreley.core.worker.repository import Candidate
from loreley.core.worker.suspicion import Suspicion, find_host_trouble
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import (
    AgentFailed,
    CommitGone,
    ConfigError,
    EvaluationFailed,
    EvaluatorUnusable,
    GitError,
    ProviderRefused,
    ProviderUnavailable,
    WorkerUnfit,
)
from loreley.host.deadline import Deadline, Stop
from tests.core.worker.test_job_run import (
    ROOT,
    Ends,
    FailingAgent,
    RootWorktree,
    evolve,
    run_job,
    stopping,
)
from tests.db.support import job_row, judged_commit, rows, succeeded
from tests.support import eventually


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (ProviderRefused("the key is refused", fix="set the key"), "agent's provider"),
        (ProviderUnavailable("enough", wait_seconds=3600), "agent's provider"),
        (CommitGone("a commit is gone"), "remote"),
        (GitError("git broke"), "host"),
        (OSError(28, "No space left on device", "/data"), "host"),
        (ConfigError("a folder is missing"), "host"),
        (EvaluatorUnusable("no such module"), "evaluator"),
        (KeyError("a defect"), "Loreley"),
    ],
)
def test_a_job_that_no_candidate_ended_goes_back_uncounted(
    database: Database, error: Exception, fault: str
) -> None:
    job_id = run_job(database, JobKind.EVOLUTION, FailingAgent(error), Ends())

    job = job_row(database, job_id)
    assert (job["state"], job["attempt"] - job["uncounted_attempts"]) == (JobState.QUEUED, 0)
    [hindrance] = rows(database, "hindrances")
    assert (hindrance["job_id"], hindrance["worker"], hindrance["fault"]) == (job_id, "w", fault)
    assert hindrance["reason"]


def test_when_a_limit_is_over_is_kept_for_everyone(database: Database) -> None:
    error = ProviderUnavailable("enough", wait_seconds=3600)

    run_job(database, JobKind.EVOLUTION, FailingAgent(error), Ends())

    [hindrance] = rows(database, "hindrances")
    assert hindrance["until"] - hindrance["at"] == pytest.approx(3600, abs=1)


class ProposingWorktree(RootWorktree):
    """A checkout whose candidate reaches the remote only after so many refusals."""

    def __init__(self, refusals: int, *, lasts: bool = False) -> None:
        self.refusals = refusals
        self.lasts = lasts  # as long as the job has time
        self.pushed: list[str] = []

    def commit_all(self, *_given: object) -> Candidate:
        return Candidate("c" * 40, "d" * 40)

    def patch(self, _limit: int) -> str:
        return ""

    def differences(self) -> list[Any]:
        return []

    def push(self, branch: str, deadline: Deadline) -> None:
        if self.refusals:
            self.refusals -= 1
            if self.lasts:
                eventually(lambda: deadline.remaining_seconds == 0)
            raise GitError("the remote refuses")
        self.pushed.append(branch)


class ProposingRepository:
    """Leases one worktree again and again; remembers of which commits."""

    def __init__(self, worktree: ProposingWorktree) -> None:
        self.worktree = worktree
        self.leased: list[str] = []

    @contextmanager
    def lease(self, commit: str, *_given: object) -> Iterator[ProposingWorktree]:
        self.leased.append(commit)
        yield self.worktree

    def prepare(self, _deadline: object) -> None:
        """Do nothing."""


class CountingAgent:
    """An agent that counts how often it is asked."""

    name = "counting"

    def __init__(self) -> None:
        self.asked = 0

    def propose(self, *_given: object) -> Proposal:
        self.asked += 1
        return Proposal("a change")


class Patient(Stop):
    """A stop during whose waits no time passes."""

    def wait(self, _seconds: float) -> None:
        self.check()


def queued_job(database: Database, ordinal: int = 0) -> str:
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(ROOT, {}))
    schedule.create(NewJob(JobKind.EVOLUTION, ordinal, 7, ROOT))
    return schedule.queue_pending()[-1]


def test_a_judged_commit_is_pushed_until_the_remote_takes_it(database: Database) -> None:
    worktree, agent, ends = ProposingWorktree(refusals=4), CountingAgent(), Ends()
    job_id = queued_job(database)

    evolve(database, agent, ends, repository=ProposingRepository(worktree)).run(job_id, Patient())

    assert job_row(database, job_id)["state"] == JobState.SUCCEEDED
    assert agent.asked == 1
    assert worktree.pushed == [f"loreley/{job_id}-1"]
    assert {row["fault"] for row in rows(database, "hindrances")} == {"host"}
    assert len(rows(database, "hindrances")) == 4


def test_a_judged_commit_that_found_no_time_is_delivered_by_its_next_attempt(
    database: Database,
) -> None:
    worktree, agent, ends = ProposingWorktree(refusals=1, lasts=True), CountingAgent(), Ends()
    repository = ProposingRepository(worktree)
    job_id = queued_job(database)
    evolution = evolve(database, agent, ends, repository=repository, time_limit_seconds=0.05)

    evolution.run(job_id, Patient())
    assert job_row(database, job_id)["state"] == JobState.QUEUED
    evolution.run(job_id, Patient())

    assert job_row(database, job_id)["state"] == JobState.SUCCEEDED
    assert agent.asked == 1
    assert repository.leased == [ROOT, "c" * 40]
    assert worktree.pushed == [f"loreley/{job_id}-2"]


def fail_several(database: Database, worker: str, ordinal: int) -> None:
    agent = FailingAgent(GitError("no room"))
    evolution = evolve(database, agent, Ends(), worker=worker)
    for number in range(3):
        evolution.run(queued_job(database, ordinal + number), stopping())


def test_a_worker_that_fails_alone_goes_offline(database: Database) -> None:
    fail_several(database, "broken", 0)
    good = evolve(database, FailingAgent(AgentFailed("nonsense")), Ends(), worker="good")
    good.run(queued_job(database, 10), Stop())

    with pytest.raises(WorkerUnfit, match="where others do not"):
        fail_several(database, "broken", 20)


def test_a_worker_that_fails_like_all_others_stays(database: Database) -> None:
    fail_several(database, "first", 0)
    fail_several(database, "second", 10)
    fail_several(database, "first", 20)


def test_evaluations_that_fail_alike_have_the_evaluator_looked_at() -> None:
    def check() -> None:
        raise EvaluatorUnusable("no module named numpy")

    suspicion = Suspicion(check)
    suspicion.look_into(EvaluationFailed("the evaluation failed", reason="exit code 1"))
    suspicion.look_into(EvaluationFailed("the evaluation failed", reason="a wrong answer"))
    suspicion.look_into(EvaluationFailed("the evaluation failed", reason="exit code 1"))

    with pytest.raises(EvaluatorUnusable):
        suspicion.look_into(EvaluationFailed("the evaluation failed", reason="exit code 1"))


def test_a_disk_that_a_candidate_filled_is_not_the_hosts_fault(tmp_path: Path) -> None:
    failure = EvaluationFailed("the evaluation failed", reason="No space left on device")

    assert find_host_trouble(failure, tmp_path) is None


def test_a_worktree_that_somebody_deleted_is_not_the_candidates_fault(database: Database) -> None:
    worktree = ProposingWorktree(refusals=0)
    worktree.is_there = False
    job_id = queued_job(database)
    agent = FailingAgent(AgentFailed("cannot open number.py"))

    evolve(database, agent, Ends(), repository=ProposingRepository(worktree)).run(
        job_id, stopping()
    )

    assert job_row(database, job_id)["state"] == JobState.QUEUED
    [hindrance] = rows(database, "hindrances")
    assert hindrance["fault"] == "host"
    assert "cannot open number.py" in hindrance["reason"]


class MissingAgent(CountingAgent):
    """An agent that finds no commit of the brief but the base."""

    def propose(self, *given: Any) -> Proposal:
        self.asked += 1
        for inspiration in given[1].inspirations:
            gone = CommitGone("a commit is gone")
            gone.commit = inspiration.commit
            raise gone
        return Proposal("a change")


def test_a_job_goes_on_without_inspirations_that_are_gone(database: Database) -> None:
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(ROOT, {}))
    elites = []
    for number in (1, 2):
        judged = judged_commit(number)
        succeeded(database, schedule.create(NewJob(JobKind.EVOLUTION, number, 7, ROOT)), judged)
        elites.append(judged.commit)
    schedule.create(NewJob(JobKind.EVOLUTION, 5, 7, ROOT, inspirations=tuple(elites)))
    job_id = schedule.queue_pending()[-1]
    agent, worktree = MissingAgent(), ProposingWorktree(refusals=0)

    evolve(database, agent, Ends(), repository=ProposingRepository(worktree)).run(job_id, Patient())

    assert job_row(database, job_id)["state"] == JobState.SUCCEEDED
    assert agent.asked == 3
    assert rows(database, "hindrances") == []
