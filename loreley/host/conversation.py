"""A child that is asked many things, one after the other, and stays in between."""

import os
import select
import subprocess
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from loreley.errors import CommandFailed, LoreleyError
from loreley.host.children import CAPTURE_LIMIT_BYTES, end_tree, start_tree

_CHUNK_BYTES = 1024 * 1024

Answer = TypeVar("Answer")


class Ended(LoreleyError):
    """The program stopped in the middle of an answer, or is too slow."""


class Lines:
    """What a program is writing, read as it is asked for."""

    def __init__(self, pipe: int, ends_at: float) -> None:
        self._pipe = pipe
        self._poll = select.poll()
        self._poll.register(pipe, select.POLLIN)
        self._ends_at = ends_at
        self._taken = 0
        self._buffer = bytearray()

    @property
    def is_empty(self) -> bool:
        """Whether nothing came beside what was read."""
        return not self._buffer

    def read(self, size_bytes: int) -> bytes:
        """The next so many bytes; raises `Ended`."""
        while len(self._buffer) < size_bytes:
            self._fill()
        return self._take(size_bytes)

    def read_until(self, end: bytes) -> bytes:
        """What comes before ``end``, which is read as well; raises `Ended`."""
        searched = 0
        while (at := self._buffer.find(end, searched)) < 0:
            searched = max(0, len(self._buffer) - len(end))
            self._fill()
        return self._take(at + len(end))[: -len(end)]

    def _take(self, size_bytes: int) -> bytes:
        taken = bytes(self._buffer[:size_bytes])
        del self._buffer[:size_bytes]
        return taken

    def _fill(self) -> None:
        if not self._poll.poll(max(0.0, self._ends_at - time.monotonic()) * 1000):
            raise Ended("a program that answers questions is too slow")
        chunk = os.read(self._pipe, _CHUNK_BYTES)
        if not chunk:
            raise Ended("a program that answers questions has ended")
        self._taken += len(chunk)
        if self._taken > CAPTURE_LIMIT_BYTES:
            raise CommandFailed(
                "an answer is too long", reason=f"more than {CAPTURE_LIMIT_BYTES} bytes"
            )
        self._buffer += chunk


class Conversation:
    """A program that reads questions from stdin and answers each on stdout, in their order.

    It is started by the first question and again by the next one after it has ended; a question
    that it leaves unanswered is asked once more. One that nobody has closed ends with us at the
    latest, as its input does.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> None:
        self._argv = tuple(argv)
        self._env = dict(env)
        self._cwd = cwd
        self._lock = threading.Lock()
        self._program: _Program | None = None
        self._forget: weakref.finalize[..., Conversation]

    def ask(
        self, question: bytes, read: Callable[[Lines], Answer], timeout_seconds: float
    ) -> Answer:
        """What ``read`` makes of the answer; it must read all of it, and nothing else.

        A question is shorter than a pipe: 64 KiB. Raises `CommandFailed` when the program cannot
        be started, does not answer twice, is slower than ``timeout_seconds``, or says more than
        `CAPTURE_LIMIT_BYTES`.
        """
        ends_at = time.monotonic() + timeout_seconds
        with self._lock:
            try:
                return self._ask(question, read, ends_at)
            except Ended:
                if time.monotonic() >= ends_at:
                    raise CommandFailed(
                        "a program that answers questions was too slow",
                        target=" ".join(self._argv)[:500],
                        reason=f"no answer after {timeout_seconds:.0f} s",
                    ) from None
            try:
                return self._ask(question, read, ends_at)
            except Ended as error:
                raise CommandFailed(error.summary, target=" ".join(self._argv)[:500]) from error

    def close(self) -> None:
        """End the program; the next question starts it anew."""
        with self._lock:
            self._stop()

    def _ask(self, question: bytes, read: Callable[[Lines], Answer], ends_at: float) -> Answer:
        program = self._running()
        try:
            try:
                os.write(program.stdin, question)
            except OSError as error:
                raise Ended("a program that answers questions has ended") from error
            lines = Lines(program.stdout, ends_at)
            answer = read(lines)
            if not lines.is_empty:
                raise Ended("a program answered what it was not asked")
        except BaseException:
            self._stop()  # what is still to come would be taken for the next answer
            raise
        return answer

    def _running(self) -> "_Program":
        if self._program is not None and self._program.process.poll() is not None:
            self._stop()
        if self._program is None:
            while _forgotten:
                _forgotten.pop().end()
            self._program = _Program.start(self._argv, self._env, self._cwd)
            self._forget = weakref.finalize(self, self._program.forget)
        return self._program

    def _stop(self) -> None:
        if self._program is not None and self._forget.detach():
            self._program.end()
        self._program = None


@dataclass(frozen=True, slots=True)
class _Program:
    process: subprocess.Popen[bytes]
    stdin: int  # our ends of two pipes
    stdout: int

    @classmethod
    def start(cls, argv: Sequence[str], env: Mapping[str, str], cwd: Path) -> "_Program":
        """Start it; raises `CommandFailed`."""
        (questions, stdin), (stdout, answers) = os.pipe(), os.pipe()
        try:
            process = start_tree(argv, env, cwd, questions, answers, subprocess.DEVNULL)
        except BaseException:
            _close(stdin, stdout)
            raise
        finally:
            _close(questions, answers)
        return cls(process, stdin, stdout)

    def end(self) -> None:
        """Kill it."""
        end_tree(self.process)
        _close(self.stdin, self.stdout)

    def forget(self) -> None:
        """Have it killed before the next one starts, as locks cannot be taken here."""
        _forgotten.append(self)


_forgotten: list[_Program] = []


def _close(*pipes: int) -> None:
    for pipe in pipes:
        os.close(pipe)
