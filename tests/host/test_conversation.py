"""A child that answers many questions, and what becomes of one that stops doing so."""

import gc
import os
import signal
import sys
from pathlib import Path

import pytest

from loreley.errors import CommandFailed
from loreley.host.conversation import Conversation, Lines

ECHO = "import sys\nfor line in sys.stdin:\n    print(line.strip().upper(), flush=True)\n"
# Answers the first question of its life by half, and ends.
HALF = """
import os, sys
line = sys.stdin.readline()
if os.path.exists("asked"):
    print(line.strip().upper(), flush=True)
    sys.stdin.readline()
open("asked", "w").close()
print("HAL", end="", flush=True)
"""


def line(lines: Lines) -> str:
    return lines.read_until(b"\n").decode()


def conversation(folder: Path, program: str = ECHO) -> Conversation:
    return Conversation([sys.executable, "-c", program], dict(os.environ), folder)


def pid(asked: Conversation) -> int:
    assert asked._program is not None
    return asked._program.process.pid


def test_one_process_answers_all_questions(tmp_path: Path) -> None:
    asked = conversation(tmp_path)

    assert asked.ask(b"one\n", line, 30) == "ONE"
    first = pid(asked)
    assert asked.ask(b"two\nthree\n", lambda lines: [line(lines), line(lines)], 30) == [
        "TWO", "THREE",
    ]  # fmt: skip
    assert pid(asked) == first
    asked.close()


def test_a_process_that_was_killed_is_started_anew(tmp_path: Path) -> None:
    asked = conversation(tmp_path)
    asked.ask(b"one\n", line, 30)

    os.kill(pid(asked), signal.SIGKILL)

    assert asked.ask(b"two\n", line, 30) == "TWO"
    asked.close()


def test_half_an_answer_is_none(tmp_path: Path) -> None:
    asked = conversation(tmp_path, HALF)

    assert asked.ask(b"whole\n", line, 30) == "WHOLE"
    asked.close()


@pytest.mark.parametrize(
    "program", ["raise SystemExit(1)", "print('what it was not asked', flush=True)"]
)
def test_a_program_that_does_not_answer_twice_is_reported(tmp_path: Path, program: str) -> None:
    with pytest.raises(CommandFailed):
        conversation(tmp_path, program).ask(b"a\n", lambda lines: lines.read_until(b"A\n"), 30)


def test_more_than_the_answer_is_not_taken_for_the_next_one(tmp_path: Path) -> None:
    asked = conversation(tmp_path, ECHO.replace("upper()", "upper() + '\\n' + 'MORE'"))

    with pytest.raises(CommandFailed):
        asked.ask(b"one\n", line, 30)
    assert asked._program is None


def test_a_silent_program_is_stopped_and_reported(tmp_path: Path) -> None:
    asked = conversation(tmp_path, "import time; time.sleep(600)")

    with pytest.raises(CommandFailed, match="too slow"):
        asked.ask(b"one\n", line, 0.2)
    assert asked._program is None


def test_what_cannot_be_started_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match="cannot start"):
        Conversation(["/no/such/program"], {}, tmp_path).ask(b"a\n", line, 30)


def test_a_process_that_nobody_closed_ends_when_the_next_one_starts(tmp_path: Path) -> None:
    asked, next_one = conversation(tmp_path), conversation(tmp_path)
    asked.ask(b"one\n", line, 30)
    number = pid(asked)

    del asked
    gc.collect()
    next_one.ask(b"two\n", line, 30)

    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)
    next_one.close()
