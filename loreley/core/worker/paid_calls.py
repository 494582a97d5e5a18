"""What is recorded of an agent during one attempt: its texts, and each call that may cost money."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from loguru import logger

from loreley.core.budget import CallUsage, LimitReached, OpenCall, Usage, Wait
from loreley.core.evaluation.evaluation import Artifact
from loreley.core.jobs import Claim, JobRecord
from loreley.core.worker.secret_scan import Secrets
from loreley.errors import AgentFailed, BudgetReached
from loreley.host.deadline import Deadline

_TEXT_BYTES = 512 * 1024  # of one kept text; of a longer one the end is kept
_ASK_AGAIN_SECONDS = 0.5


class BudgetGate(Protocol):
    """What a worker asks of the database about money."""

    def needs_prices(self) -> bool:
        """Whether a limit is in dollars."""
        ...

    def open(self, claim: Claim, agent: str) -> OpenCall | Wait | LimitReached:
        """Begin a call if the budget allows it, with its expected cost reserved."""
        ...

    def close(self, call_id: str, usage: Usage, seconds: float) -> None:
        """Note what the call has used."""
        ...


class NoBudget:
    """Grants everything and counts nothing, as where there is no database."""

    def needs_prices(self) -> bool:
        """No."""
        return False

    def open(self, _claim: Claim, _agent: str) -> OpenCall:
        """Begin a call."""
        return OpenCall("")

    def close(self, _call_id: str, _usage: Usage, _seconds: float) -> None:
        """Forget about it."""


@dataclass(slots=True)
class PaidCallRecorder:
    """The `CallRecorder` of one attempt; what is kept goes into its record, without secrets."""

    claim: Claim
    agent: str
    record: JobRecord
    budget_gate: BudgetGate
    secrets: Secrets
    budget_deadline: Deadline | None = None  # how long to wait for a share; None: as the call's own
    waited_seconds: float = 0.0  # for shares, so far

    @contextmanager
    def paid_call(self, deadline: Deadline, *, priced: bool) -> Iterator[CallUsage]:
        """Around each call that may cost money; waits for its share of the budget.

        Raises `BudgetReached` when the budget allows no further call, `AgentFailed` when it
        cannot be kept without a price.
        """
        if not priced and self.budget_gate.needs_prices():
            raise _price_unknown(self.agent)
        asked = time.monotonic()
        budget_deadline = self.budget_deadline or deadline
        call_id = self._open(budget_deadline)
        began = time.monotonic()
        self.waited_seconds += began - asked
        # A call that was paid for must not be cut off because others were paid before.
        call = CallUsage(deadline=deadline.postponed(self.waited_seconds, budget_deadline))
        try:
            yield call
        finally:
            usage = call.usage.times(call.times)
            self.budget_gate.close(call_id, usage, time.monotonic() - began)

    def keep(self, name: str, text: str) -> None:
        """Keep a text with the job; again under the same name adds to it."""
        artifacts = self.record.artifacts
        known = next((each for each in artifacts if each.name == name), None)
        content = self.secrets.hide_in(text).encode(errors="replace")
        if known is not None:
            artifacts.remove(known)
            content = known.content + content
        artifacts.append(Artifact(name, "text/plain", content[-_TEXT_BYTES:]))

    def _open(self, deadline: Deadline) -> str:
        waited = False
        while True:
            answer = self.budget_gate.open(self.claim, self.agent)
            if isinstance(answer, LimitReached):
                raise BudgetReached(
                    "the budget allows no further call",
                    target=str(answer.limit),
                    reason=answer.why,
                )
            if isinstance(answer, OpenCall):
                return answer.call_id
            if not waited:
                waited = True
                logger.info("waiting for what the calls under way will have cost")
            deadline.stop.wait(_ASK_AGAIN_SECONDS)
            deadline.check("waiting for a share of the budget")


def _price_unknown(agent: str) -> AgentFailed:
    return AgentFailed(
        f"the price of {agent}'s calls is not known, but the budget is in dollars",
        setting="WORKER_AGENT_PRICES, WORKER_AGENT_CALL_PRICES",
        fix=f"set WORKER_AGENT_PRICES to {agent}:<dollars per million input tokens>:<output>, or "
        f"WORKER_AGENT_CALL_PRICES to {agent}:<dollars>, or limit tokens instead of dollars",
    )
