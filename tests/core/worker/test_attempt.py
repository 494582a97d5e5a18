"""What is kept of an attempt whose agent fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loreley.core.jobs import JobRecord
from loreley.core.worker.attempt import Attempt, AttemptOptions
from loreley.core.worker.briefing import Briefing
from loreley.core.worker.secret_scan import Secrets
from loreley.errors import AgentFailed
from tests.core.agents.support import Bench, bench, claim
from tests.core.worker.upstream import soon


@pytest.fixture
def found(tmp_path: Path) -> Iterator[Bench]:
    with bench(tmp_path) as leased:
        yield leased


class Unjudged:
    """A job store that knows no commit."""

    def judged(self, _commits: object) -> list[Any]:
        return []


class Talkative:
    """An agent that fails and tells its key."""

    name = "talkative"

    def propose(self, *_given: object) -> Any:
        said = "the key correct-horse-7 is wrong"
        raise AgentFailed("talkative failed", reason=said, log=f"{said}\n")


def test_a_failure_of_an_agent_is_told_without_secrets(found: Bench) -> None:
    briefing = Briefing("Improve.", secrets=Secrets({"TEAM_KEY": "correct-horse-7"}))
    jobs: Any = Unjudged()
    judge: Any = None
    attempt = Attempt(
        claim=claim(found.worktree.base_commit),
        worktree=found.worktree,
        deadline=soon(),
        jobs=jobs,
        agent=Talkative(),
        judge=judge,
        options=AttemptOptions("loreley", 60.0, briefing),
        record=JobRecord(),
    )

    with pytest.raises(AgentFailed) as raised:
        attempt.judged_commit()

    assert raised.value.summary == "talkative failed: the key *** is wrong"
    assert raised.value.log == "the key *** is wrong\n"
