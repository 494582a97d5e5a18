"""What an agent notes during an attempt: texts, and calls that cost something."""

from dataclasses import dataclass, field

import pytest

from loreley.core.budget import Limit, Measure, Period, Reached, Usage, Wait
from loreley.core.jobs import Claim, Record
from loreley.core.worker.paid_calls import AttemptJournal, Opened
from loreley.core.worker.secret_scan import Secrets
from loreley.errors import AgentFailed, BudgetReached, JobInterrupted, TimeLimitReached
from loreley.host.deadline import Deadline, Stop
from tests.core.agents.support import claim

LIMIT = Limit(Measure.DOLLARS, Period.RUN, 5.0)


@dataclass(frozen=True, slots=True)
class Call:
    call_id: str = "call"


@dataclass
class Treasury:
    """Answers as it is told to, and remembers what was paid."""

    answers: list[Opened | Wait | Reached] = field(default_factory=lambda: [Call()])
    dollars: bool = False
    closed: list[Usage] = field(default_factory=list)

    def needs_prices(self) -> bool:
        return self.dollars

    def open(self, _claim: Claim, _agent: str) -> Opened | Wait | Reached:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def close(self, _call_id: str, usage: Usage, _seconds: float) -> None:
        self.closed.append(usage)


def journal(
    treasury: Treasury, record: Record | None = None, patience: Deadline | None = None
) -> AttemptJournal:
    secrets = Secrets({"KEY": "correct-horse-7"})
    return AttemptJournal(claim(), "stub", record or Record(), treasury, secrets, patience)


def test_what_a_call_used_is_noted_even_when_it_fails() -> None:
    treasury = Treasury()

    def fail() -> None:
        with journal(treasury).paid_call(Deadline.after(5), priced=True) as call:
            call.usage = Usage(1, 2, dollars=0.5)
            raise AgentFailed("no idea")

    with pytest.raises(AgentFailed):
        fail()

    assert treasury.closed == [Usage(1, 2, dollars=0.5)]


def test_a_call_that_was_repeated_is_paid_as_often() -> None:
    treasury = Treasury()

    with journal(treasury).paid_call(Deadline.after(5), priced=True) as call:
        call.usage, call.times = Usage(3, None, 1, dollars=0.5), 2

    assert treasury.closed == [Usage(6, None, 2, dollars=1.0)]


def test_a_call_waits_for_its_share() -> None:
    treasury = Treasury([Wait(), Call()])

    with journal(treasury).paid_call(Deadline.after(5), priced=True):
        pass

    assert len(treasury.closed) == 1


def test_a_wait_takes_nothing_of_the_time_of_the_call() -> None:
    deadline = Deadline.after(0.2)
    found = journal(Treasury([Wait(), Wait(), Call()]), patience=Deadline.after(30))

    with found.paid_call(deadline, priced=True) as call:
        assert call.deadline.at - deadline.at >= 1.0
        assert call.deadline.remaining_seconds > 0


def test_a_call_ends_with_its_job_all_the_same() -> None:
    patience = Deadline.after(5)
    found = journal(Treasury([Wait(), Call()]), patience=patience)

    with found.paid_call(Deadline.after(4.9), priced=True) as call:
        assert call.deadline.at == patience.at


def test_a_wait_ends_at_the_deadline() -> None:
    treasury = Treasury([Wait()])

    with (
        pytest.raises(TimeLimitReached),
        journal(treasury).paid_call(Deadline.after(0.1), priced=True),
    ):
        pytest.fail("there was no share")

    assert treasury.closed == []


def test_a_stop_ends_the_wait() -> None:
    stop = Stop()
    stop.ask(JobInterrupted("stopping"))

    with (
        pytest.raises(JobInterrupted),
        journal(Treasury([Wait()])).paid_call(Deadline.after(60, stop), priced=True),
    ):
        pytest.fail("there was no share")


def test_a_reached_limit_gives_the_job_back_and_says_which() -> None:
    treasury = Treasury([Reached(LIMIT, "5 dollars spent")])

    with (
        pytest.raises(BudgetReached) as raised,
        journal(treasury).paid_call(Deadline.after(5), priced=True),
    ):
        pytest.fail("the budget was reached")

    assert "the run's 5 dollars: 5 dollars spent" in raised.value.summary


def test_a_call_without_a_price_is_not_made_where_dollars_are_limited() -> None:
    treasury = Treasury(dollars=True)

    with (
        pytest.raises(AgentFailed, match="price of stub's calls is not known"),
        journal(treasury).paid_call(Deadline.after(5), priced=False),
    ):
        pytest.fail("the price was not known")

    assert treasury.closed == []


def test_texts_of_one_name_are_kept_together_without_secrets_and_bounded() -> None:
    record = Record()
    found = journal(Treasury(), record)

    found.keep("agent.log", "one correct-horse-7\n")
    found.keep("agent.log", "two\n")
    found.keep("prompt.md", "x" * 600_000)

    kept = {artifact.name: artifact.content for artifact in record.artifacts}
    assert kept["agent.log"] == b"one ***\ntwo\n"
    assert len(kept["prompt.md"]) == 512 * 1024
