"""Who is answered on the socket through which an agent asks."""

import subprocess
import sys
from pathlib import Path

import pytest

from loreley.core.agents.measuring.server import AskingPlace, answer_agent
from tests.core.agents.support import CountingTrials
from tests.support import eventually


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells who asks")
def test_a_program_that_the_worker_did_not_start_is_not_answered(tmp_path: Path) -> None:
    trials, told = CountingTrials(), tmp_path / "told"
    with answer_agent(trials, {"evaluate": trials.evaluate}) as place:
        # Its parent ends at once, and it is nobody's child then.
        asks = f"{place.program} > {told}.new; echo $? >> {told}.new; mv {told}.new {told}"
        script = f"(sleep 0.2; {asks}) &"
        subprocess.run(["setsid", "sh", "-c", script], check=True, stdout=subprocess.DEVNULL)
        eventually(told.exists)

    assert told.read_text() == "2\n"
    assert trials.asked == 0


def test_a_child_is_answered() -> None:
    trials = CountingTrials()
    with answer_agent(trials, {"evaluate": trials.evaluate}) as place:
        assert ask(place) == (0, '{\n  "metrics": {\n    "score": 2.0\n  }\n}\n')
    assert trials.asked == 1


def test_nobody_is_answered_afterwards() -> None:
    trials = CountingTrials()
    with answer_agent(trials, {"evaluate": trials.evaluate}) as place:
        pass
    assert not place.folder.exists()


def ask(place: AskingPlace) -> tuple[int, str]:
    done = subprocess.run([place.program], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout
