"""A leased worktree, a recorder and stub programs for tests of agents."""

import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from loreley.core.agents.protocol import Brief, BriefCommit, TrialAnswer, TrialOutcome
from loreley.core.budget import OpenCall, Usage
from loreley.core.jobs import Claim, JobKind, JobRecord
from loreley.core.worker.paid_calls import PaidCallRecorder
from loreley.core.worker.repository import Worktree
from loreley.core.worker.secret_scan import Secrets
from tests.core.worker.upstream import Upstream, opened, soon

ROOT = "a" * 40


def claim(base: str = ROOT, attempt: int = 1, agent: str | None = None) -> Claim:
    return Claim(
        job_id=str(UUID(int=1)), kind=JobKind.EVOLUTION, attempt=attempt, token="t", ordinal=0,
        island=0, seed=7, root_commit=base, base_commit=base, inspirations=(), agent=agent,
    )  # fmt: skip


@dataclass
class BudgetGate:
    """Grants every call and remembers what it has used."""

    dollars: bool = False
    usages: list[Usage] = field(default_factory=list)

    def needs_prices(self) -> bool:
        return self.dollars

    def open(self, _claim: Claim, _agent: str) -> OpenCall:
        return OpenCall("x")

    def close(self, _call_id: str, usage: Usage, _seconds: float) -> None:
        self.usages.append(usage)


@dataclass
class CountingTrials:
    """Answers each question with the same figures, and counts them; the `Trials` of no job."""

    left: int = 5
    is_judging: bool = False
    asked: int = 0

    def evaluate(self) -> TrialAnswer:
        self.asked += 1
        return TrialAnswer(TrialOutcome.MEASURED, {"metrics": {"score": 2.0}})

    best = lineage = evaluate

    def end(self) -> None:
        """Nothing is under way."""


@dataclass
class Bench:
    """Everything an agent is given for one job."""

    worktree: Worktree
    budget_gate: BudgetGate = field(default_factory=BudgetGate)
    record: JobRecord = field(default_factory=JobRecord)
    secrets: Secrets = field(default_factory=Secrets)

    @property
    def brief(self) -> Brief:
        base = self.worktree.base_commit
        return Brief(7, "Make it better.", BriefCommit(base, {"score": 1.0}))

    @property
    def recorder(self) -> PaidCallRecorder:
        base = self.worktree.base_commit
        return PaidCallRecorder(claim(base), "stub", self.record, self.budget_gate, self.secrets)

    def kept(self, name: str) -> str:
        [found] = [each.content.decode() for each in self.record.artifacts if each.name == name]
        return found

    def read(self, path: str) -> str:
        return (self.worktree.path / path).read_text()


@contextmanager
def bench(folder: Path) -> Iterator[Bench]:
    """A leased worktree of the usual upstream."""
    upstream = Upstream.create(folder / "upstream")
    repository = opened(upstream, folder / "clones" / "base")
    try:
        with repository.lease(upstream.head(), "job-1", soon()) as worktree:
            yield Bench(worktree)
    finally:
        repository.close()


def program(path: Path, body: str) -> Path:
    """An executable Python script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{sys.executable} -I\nimport json, os, subprocess, sys, time\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path
