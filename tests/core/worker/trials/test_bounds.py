"""What trials may take of the worker, and what they may rest on."""

import threading
from dataclasses import replace

import pytest

from loreley.core.evaluation.fingerprint import Fingerprint
from loreley.core.jobs import JobState
from loreley.core.worker.own_judge import OwnJudge
from loreley.errors import JobInterrupted, WorkerUnfit
from loreley.host.deadline import Stop
from tests.core.worker.trials.support import Session
from tests.support import eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]

JUDGE = Fingerprint("judge", {}, {})


def test_an_agent_cannot_fill_the_workers_clone_by_asking(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loreley.core.worker.trials.job_trials._MOST_STAGED_BYTES", 2500)
    session.run(
        "put(5); ask()\nfor n in range(4):\n    put(f'{n}' * 1000, 'big'); ask(); ask()\nput(6)"
    )

    codes = [code for code, _ in session.asked()]
    assert codes == [0, 0, 0, 0, 0, 0, 1, 1, 1]
    assert "together" in session.asked()[-1][1]["error"]
    assert session.file() == "6"  # the job itself judges what it ends with


def test_figures_of_an_evaluator_that_was_changed_meanwhile_are_not_recorded(
    session: Session,
) -> None:
    taken = iter([JUDGE])

    def take() -> Fingerprint:
        return next(taken, replace(JUDGE, evaluator="another"))

    session.options = {"own_judge": OwnJudge(take, "here")}

    with pytest.raises(WorkerUnfit, match="judges otherwise"):
        session.run("put(5); ask()")

    assert session.trials() == []


def test_a_worker_that_is_stopped_leaves_its_best_to_the_next_attempt(session: Session) -> None:
    stop = Stop()
    session.begin()

    def interrupt() -> None:
        eventually(lambda: len(session.trials()) == 2, within=30)
        stop.ask(JobInterrupted("the worker is stopping"))

    stopping = threading.Thread(target=interrupt)
    stopping.start()
    job = session.run(
        "put(6); ask(); put(5); ask(); import time; time.sleep(60)", stop=stop, trials=3
    )
    stopping.join()
    assert (job["state"], job["tries"]) == (JobState.QUEUED, 2)

    job = session.run("put(2); ask(); put(3); ask()", trials=3)

    assert [code for code, _ in session.asked()] == [0, 3]
    assert (job["state"], session.file()) == (JobState.SUCCEEDED, "6")
    assert job["tries"] == 3 + 1 - 1
