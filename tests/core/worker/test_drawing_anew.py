"""A candidate that fails is followed by another one in its job: real git, a real database."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from loreley.core.agents.genetic.agent import GeneticAgent
from loreley.core.agents.protocol import Proposal
from loreley.core.evaluation.evaluation import Evaluation, Metric
from loreley.core.evaluation.evaluator import Judgement
from loreley.core.evaluation.fingerprint import Fingerprint
from loreley.core.jobs import Claim, FailedTry, JobKind, JobRecord, JobState
from loreley.core.worker.briefing import Briefing
from loreley.core.worker.drawing_anew import DrawingAnew
from loreley.core.worker.evolution import Evolution
from loreley.core.worker.job_run import JobOptions
from loreley.core.worker.own_judge import OwnJudge
from loreley.core.worker.repository import WorkerRepository
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import EvaluationFailed, JobFailed, TimeLimitReached, WorkerUnfit
from loreley.host.deadline import Stop
from tests.core.worker.test_job_run import Ends
from tests.core.worker.upstream import Upstream, git, leftovers
from tests.db.support import claimed, job_row, judged_commit, rows

SOURCE = "src/pack.py"


@dataclass
class Judge:
    """Refuses the first candidates that it sees, so many of them; what it was shown."""

    refusals: int
    kind: type[JobFailed] = EvaluationFailed
    shown: list[bytes] = field(default_factory=list)

    def judge(self, tree: Any, *_given: object, **_options: object) -> Judgement:
        self.shown.append((tree.path / SOURCE).read_bytes())
        if len(self.shown) <= self.refusals:
            raise self.kind("the evaluation failed", reason="a test fails", log="E  1 != 2\n")
        return Judgement(Evaluation("", (Metric("score", 2.0),), (), 0.1), "judged\n", ())

    def check(self) -> None:
        """It can always be started."""


@dataclass
class Run:
    """An experiment whose root is judged, with one evolution job that waits."""

    database: Database
    upstream: Upstream
    repository: WorkerRepository
    job_id: str
    ends: Ends = field(default_factory=Ends)

    def go(self, judge: Any, agent: Any = None, jobs: Jobs | None = None, **options: Any) -> None:
        """Let a worker do the job."""
        evolution = Evolution(
            jobs=jobs or Jobs(self.database),
            repository=self.repository,
            agent=agent or GeneticAgent(),
            judge=judge,
            options=replace(
                JobOptions("w", 30.0, 60.0, "evolution/job", 60.0, Briefing("Improve.")),
                count_end=self.ends.count,
                **options,
            ),
        )
        evolution.run(self.job_id, Stop())

    @property
    def job(self) -> dict[str, Any]:
        return job_row(self.database, self.job_id)

    @property
    def tries(self) -> list[dict[str, Any]]:
        return rows(self.database, "failed_tries")

    def branches(self) -> list[str]:
        found = git("branch", "--format=%(refname:short)", cwd=self.upstream.path)
        return [name for name in found.splitlines() if name.startswith("evolution/")]


@pytest.fixture
def run(database: Database, upstream: Upstream, repository: WorkerRepository) -> Run:
    root = upstream.head()
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(root, {}))
    baseline = schedule.create(NewJob(JobKind.BASELINE, -1, 7, root))
    judged = replace(judged_commit(), commit=root, tree="e" * 40, parent=None, branch=None)
    evaluation = replace(judged.evaluation, seconds=30.0)
    Jobs(database).succeed(
        claimed(database, baseline), replace(judged, evaluation=evaluation), JobRecord()
    )
    job_id = schedule.create(NewJob(JobKind.EVOLUTION, 0, 7, root))
    schedule.queue_pending()
    return Run(database, upstream, repository, job_id)


def test_a_candidate_that_fails_is_followed_by_another_in_its_job(run: Run) -> None:
    judge = Judge(refusals=2)

    run.go(judge)

    assert (run.job["state"], run.job["attempt"]) == (JobState.SUCCEEDED, 1)
    assert len(set(judge.shown)) == 3
    assert run.ends.outcomes == ["succeeded"]
    assert run.branches() == [f"evolution/job/{run.job_id}-1"]
    pushed = git("show", f"evolution/job/{run.job_id}-1:{SOURCE}", cwd=run.upstream.path)
    assert f"{pushed}\n".encode() == judge.shown[-1]
    assert leftovers(run.repository) == []


def test_each_failed_candidate_is_recorded_with_its_files(run: Run) -> None:
    run.go(Judge(refusals=2))

    assert [(row["attempt"], row["number"]) for row in run.tries] == [(1, 1), (1, 2)]
    assert all("a test fails" in row["failure"] and row["operator"] for row in run.tries)
    assert len({row["tree"] for row in run.tries} | {run.job["tree"]}) == 3
    kept = {row["name"]: row["content"] for row in rows(run.database, "artifacts")}
    assert {"patch.diff", "try-1-patch.diff", "try-2-patch.diff"} < set(kept)
    assert kept["try-2-failure.log"] == b"E  1 != 2\n"
    assert kept["evaluation.log"] == b"judged\n"


def test_places_are_learnt_from_each_failed_candidate(run: Run) -> None:
    run.go(Judge(refusals=2))

    learnt = {(row["changed"], row["moved"]) for row in rows(run.database, "places")}
    assert (2, 0) in learnt  # the file of both
    assert (1, 1) in learnt  # what was drawn instead


def test_the_last_of_a_few_failures_ends_the_job(run: Run) -> None:
    judge = Judge(refusals=99)

    run.go(judge)

    assert (run.job["state"], run.job["failure_kind"]) == (JobState.FAILED, "evaluation")
    assert len(set(judge.shown)) == len(judge.shown) == 5
    assert len(run.tries) == 4
    assert run.ends.outcomes == ["failed_evaluation"]
    assert run.branches() == []


def test_a_candidate_that_takes_too_long_ends_its_job(run: Run) -> None:
    run.go(Judge(refusals=1, kind=TimeLimitReached))

    assert run.job["failure_kind"] == "timeout"
    assert run.tries == []


class Writing:
    """An agent that may be paid for its change."""

    name = "writing"
    asked = 0

    def propose(self, workspace: Any, *_given: object) -> Proposal:
        self.asked += 1
        (workspace.path / SOURCE).write_text(f"radius = {self.asked}\n")
        return Proposal("a change")


def test_an_agent_that_costs_money_is_asked_once(run: Run) -> None:
    agent = Writing()

    run.go(Judge(refusals=1), agent)

    assert (run.job["state"], agent.asked, run.tries) == (JobState.FAILED, 1, [])


def test_nothing_is_drawn_where_the_job_has_no_time_for_it(run: Run) -> None:
    run.go(Judge(refusals=1), time_limit_seconds=30.0)  # as the judgement of the base took

    assert (run.job["state"], run.tries) == (JobState.FAILED, [])


def test_failures_that_cost_as_much_as_results_end_the_job_soon() -> None:
    by_time, by_count = DrawingAnew(), DrawingAnew(by_time=False)

    assert by_time.allows(1, 1.9, 1.0)
    assert not by_time.allows(1, 2.0, 1.0)
    assert by_time.allows(4, 0.4, 1.0)
    assert not by_time.allows(5, 0.5, 1.0)
    assert by_count.allows(4, 400.0, 1.0)
    assert not by_count.allows(5, 0.0, 1.0)


class Killed(BaseException):
    """Stands for a death that leaves no word."""


class Dying(Jobs):
    """A store whose process dies once a failed candidate is recorded."""

    def retrying_until(self, _stop: Stop) -> "Dying":
        return self

    def add_failed_try(self, claim: Claim, failed: FailedTry, record: JobRecord) -> None:
        super().add_failed_try(claim, failed, record)
        self.release(claim)  # as the scheduler does when the lease is over
        raise Killed

    def fail(self, *_given: Any) -> None:
        """Dead workers record nothing."""


def test_a_death_after_a_failed_candidate_costs_neither_the_job_nor_the_knowledge(
    run: Run,
) -> None:
    first, second = Judge(refusals=1), Judge(refusals=0)

    with pytest.raises(Killed):
        run.go(first, jobs=Dying(run.database))
    Schedule(run.database).queue_pending()
    run.go(second)

    assert (run.job["state"], run.job["attempt"]) == (JobState.SUCCEEDED, 2)
    assert [(row["attempt"], row["number"]) for row in run.tries] == [(1, 1)]
    assert first.shown != second.shown  # though it has the same seed


def test_a_failure_by_an_evaluator_that_has_changed_is_not_recorded(run: Run) -> None:
    prints: Iterator[Fingerprint] = (Fingerprint(name, {}, {}) for name in ("one", "two"))
    judge = OwnJudge(lambda: next(prints), "host")

    with pytest.raises(WorkerUnfit):
        run.go(Judge(refusals=1), own_judge=judge)

    assert (run.job["state"], run.tries) == (JobState.QUEUED, [])
