"""After how many failures that say the same a run ends."""

import pytest

from loreley.core.jobs import JobKind, JobState
from loreley.db.schedule import EndedJob
from loreley.errors import RunBraked
from loreley.scheduler.faults.equal_failures import EqualFailures


def ended(failure: str = "", *, agent: str = "chat", state: JobState | None = None) -> EndedJob:
    known = state or (JobState.FAILED if failure else JobState.SUCCEEDED)
    return EndedJob(
        "0b3d", JobKind.EVOLUTION, known, 0, "a" * 40, None, agent, None, 1.0, failure or None
    )


def brake_after(brake: EqualFailures, *jobs: EndedJob) -> None:
    for job in jobs:
        brake.note(job)
        brake.require_progress()


def test_ten_equal_failures_end_the_run_with_their_reason() -> None:
    brake = EqualFailures(10)
    brake_after(brake, *(ended(f"no edit fits '{number}' in line {number}") for number in range(9)))

    with pytest.raises(RunBraked, match=r"last 10 jobs failed alike.*\n.*no edit fits"):
        brake_after(brake, ended("no edit fits 'ten' in line 10"))


def test_failures_that_differ_end_no_run() -> None:
    words = ("no edit", "no answer", "a wrong path")

    brake_after(EqualFailures(10), *(ended(words[number % 3]) for number in range(60)))


def test_nonsense_one_time_in_three_is_no_brake() -> None:
    brake_after(
        EqualFailures(10), *(ended("nonsense" if number % 3 else "") for number in range(300))
    )


def test_failures_that_were_common_before_must_be_more_in_a_row() -> None:
    brake = EqualFailures(10)
    brake_after(
        brake, *(ended("wrong") if number % 5 else ended() for number in range(100)), ended()
    )

    brake_after(brake, *(ended("wrong") for _ in range(25)))

    with pytest.raises(RunBraked):
        brake_after(brake, *(ended("wrong") for _ in range(10)))


def test_zero_takes_the_brake_off() -> None:
    brake = EqualFailures(0)

    brake_after(brake, *(ended("no") for _ in range(100)))

    assert brake.room is None


def test_known_trees_of_the_genetic_agent_are_no_failures_of_it() -> None:
    twin = ended("the same tree was judged before: abc", agent="genetic", state=JobState.REJECTED)

    brake_after(EqualFailures(10), *(twin for _ in range(50)))


def test_known_trees_of_an_agent_that_costs_money_are() -> None:
    twin = ended("the same tree was judged before: abc", state=JobState.REJECTED)

    with pytest.raises(RunBraked):
        brake_after(EqualFailures(10), *(twin for _ in range(10)))


def test_no_more_jobs_are_under_way_than_may_fail() -> None:
    brake = EqualFailures(10)
    assert brake.room is None

    brake_after(brake, *(ended("no") for _ in range(7)))

    assert brake.room == 3
