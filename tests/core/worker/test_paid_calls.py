"""What an agent notes during an attempt: texts, and calls that cost something."""

from dataclasses import dataclass, field

import pytest

from loreley.core.budget import BudgetUnit, Limit, LimitReached, OpenCall, Period, Usage, Wait
from loreley.core.jobs import Claim, JobRecord
from loreley.core.worker.paid_calls import PaidCallRecorder
from loreley.core.worker.secret_scan import Secrets
from loreley.errors import AgentFailed, BudgetReached, JobInterrupted, TimeLimitReached
from loreley.host.deadline import Deadline, Stop
from tests.core.agents.support import claim

CALL = OpenCall("call")
LIMIT = Limit(BudgetUnit.DOLLARS, Period.RUN, 5.0)


@dataclass
class BudgetGate:
    """Answers as it is told to, and remembers what was paid."""

    answers: list[OpenCall | Wait | LimitReached] = field(default_factory=lambda: [CALL])
    dollars: bool = False
    closed: list[Usage] = field(default_factory=list)

    def needs_prices(self) -> bool:
        return self.dollars

    def open(self, _claim: Claim, _agent: str) -> OpenCall | Wait | LimitReached:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def close(self, _call_id: str, usage: Usage, _seconds: float) -> None:
        self.closed.append(usage)


def recorder(
    budget_gate: BudgetGate,
    record: JobRecord | None = None,
    budget_deadline: Deadline | None = None,
) -> PaidCallRecorder:
    secrets = Secrets({"KEY": "correct-horse-7"})
    return PaidCallRecorder(
        claim(), "stub", record or JobRecord(), budget_gate, secrets, budget_deadline
    )


def test_what_a_call_used_is_noted_even_when_it_fails() -> None:
    budget_gate = BudgetGate()

    def fail() -> None:
        with recorder(budget_gate).paid_call(Deadline.after(5), priced=True) as call:
            call.usage = Usage(1, 2, dollars=0.5)
            raise AgentFailed("no idea")

    with pytest.raises(AgentFailed):
        fail()

    assert budget_gate.closed == [Usage(1, 2, dollars=0.5)]


def test_a_call_that_was_repeated_is_paid_as_often() -> None:
    budget_gate = BudgetGate()

    with recorder(budget_gate).paid_call(Deadline.after(5), priced=True) as call:
        call.usage, call.times = Usage(3, None, 1, dollars=0.5), 2

    assert budget_gate.closed == [Usage(6, None, 2, dollars=1.0)]


@pytest.mark.slow
def test_a_call_waits_for_its_share() -> None:
    budget_gate = BudgetGate([Wait(), CALL])

    with recorder(budget_gate).paid_call(Deadline.after(5), priced=True):
        pass

    assert len(budget_gate.closed) == 1


@pytest.mark.slow
def test_a_wait_takes_nothing_of_the_time_of_the_call() -> None:
    deadline = Deadline.after(0.2)
    found = recorder(BudgetGate([Wait(), Wait(), CALL]), budget_deadline=Deadline.after(30))

    with found.paid_call(deadline, priced=True) as call:
        assert call.deadline.at - deadline.at >= 1.0
        assert call.deadline.remaining_seconds > 0


@pytest.mark.slow
def test_a_call_ends_with_its_job_all_the_same() -> None:
    budget_deadline = Deadline.after(5)
    found = recorder(BudgetGate([Wait(), CALL]), budget_deadline=budget_deadline)

    with found.paid_call(Deadline.after(4.9), priced=True) as call:
        assert call.deadline.at == budget_deadline.at


@pytest.mark.slow
def test_a_wait_ends_at_the_deadline() -> None:
    budget_gate = BudgetGate([Wait()])

    with (
        pytest.raises(TimeLimitReached),
        recorder(budget_gate).paid_call(Deadline.after(0.1), priced=True),
    ):
        pytest.fail("there was no share")

    assert budget_gate.closed == []


def test_a_stop_ends_the_wait() -> None:
    stop = Stop()
    stop.ask(JobInterrupted("stopping"))

    with (
        pytest.raises(JobInterrupted),
        recorder(BudgetGate([Wait()])).paid_call(Deadline.after(60, stop), priced=True),
    ):
        pytest.fail("there was no share")


def test_a_reached_limit_gives_the_job_back_and_says_which() -> None:
    budget_gate = BudgetGate([LimitReached(LIMIT, "5 dollars spent")])

    with (
        pytest.raises(BudgetReached) as raised,
        recorder(budget_gate).paid_call(Deadline.after(5), priced=True),
    ):
        pytest.fail("the budget was reached")

    assert "the run's 5 dollars: 5 dollars spent" in raised.value.summary


def test_a_call_without_a_price_is_not_made_where_dollars_are_limited() -> None:
    budget_gate = BudgetGate(dollars=True)

    with (
        pytest.raises(AgentFailed, match="price of stub's calls is not known"),
        recorder(budget_gate).paid_call(Deadline.after(5), priced=False),
    ):
        pytest.fail("the price was not known")

    assert budget_gate.closed == []


def test_texts_of_one_name_are_kept_together_without_secrets_and_bounded() -> None:
    record = JobRecord()
    found = recorder(BudgetGate(), record)

    found.keep("agent.log", "one correct-horse-7\n")
    found.keep("agent.log", "two\n")
    found.keep("prompt.md", "x" * 600_000)

    kept = {artifact.name: artifact.content for artifact in record.artifacts}
    assert kept["agent.log"] == b"one ***\ntwo\n"
    assert len(kept["prompt.md"]) == 512 * 1024
