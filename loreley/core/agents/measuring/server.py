"""A socket on which the programs of one agent ask the worker; a thread answers one at a time."""

import contextvars
import json
import os
import select
import shutil
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from loguru import logger

from loreley.core.agents.protocol import TrialAnswer, TrialOutcome, Trials
from loreley.core.findings import TOLD as FINDINGS_TOLD
from loreley.host.tempdirs import temporary_folder

VARIABLE = "LORELEY_EVALUATE"
_PROGRAM, _MCP_PROGRAM, _SOCKET = "evaluate", "mcp", "socket"
_SOURCES = {_PROGRAM: "client.py", _MCP_PROGRAM: "mcp_server.py"}  # what these scripts start
_QUESTION_BYTES = 64 * 1024
_QUESTION_SECONDS = 5.0  # for a question to be asked in, and for an answer to be taken
_WAITING = 64  # programs that may wait for their turn
_PAUSE_SECONDS = 0.5
_PEER = struct.Struct("3i")  # process, user and group

Questions = Mapping[str, Callable[[], TrialAnswer]]


@dataclass(frozen=True, slots=True)
class AskingPlace:
    """A folder that an agent may read, with the program and the socket that it asks through."""

    folder: Path

    @property
    def program(self) -> Path:
        """What an agent runs."""
        return self.folder / _PROGRAM

    @property
    def mcp_program(self) -> Path:
        """What an agent starts as a server of tools."""
        return self.folder / _MCP_PROGRAM

    @property
    def mcp_settings(self) -> Path:
        """Where settings that name that server are read from."""
        return self.folder / "settings.json"

    @property
    def environment(self) -> Mapping[str, str]:
        """What tells an agent of it."""
        return {VARIABLE: str(self.program)}


def describe_command(trials: Trials, *, has_tools: bool) -> str:
    """What an agent is told of the program, in its brief, and whether it has tools beside it."""
    tools = (
        " You have the same as the tool `evaluate` of the server `loreley`, beside `best`, "
        "`lineage`, `inspirations` and `notes`."
    )
    told = (
        "# Measuring\n\n"
        f'You can measure: run `env "${VARIABLE}"` in a shell. The evaluator then judges your '
        "worktree as it is. The answer is JSON: the metrics, the gain on where you started and on "
        "the best so far (above 0 is better), the noise, and the end of the evaluator's log. The "
        "exit code is 0 for figures, 1 where the candidate fails or is refused, with the reason, "
        f"and 3 where your {trials.left} evaluations are used up. Equal files are measured once, "
        "and asking again costs nothing: where your shell has cut a long one off, run it again. "
        "Measure before you settle, go on from what is better, and undo what is not; the best "
        f"state that was measured counts, should the last one be worse.\n\n{FINDINGS_TOLD}"
    )
    return told + tools if has_tools else told


@contextmanager
def answer_agent(trials: Trials, questions: Questions) -> Iterator[AskingPlace]:
    """Answer whoever asks in the folder as long as this lasts; then the trials have ended."""
    with temporary_folder() as folder, socket.socket(socket.AF_UNIX) as listening:
        place = AskingPlace(folder)
        for name, source in _SOURCES.items():
            shutil.copyfile(Path(__file__).with_name(source), folder / source)
            (folder / name).write_text(_write_program(folder / source))
            (folder / name).chmod(0o755)
        _bind(listening, folder)
        listening.listen(_WAITING)
        listening.setblocking(False)
        server = _Server(listening, questions)
        context = contextvars.copy_context()  # the log tells of which job it is
        thread = threading.Thread(target=context.run, args=(server.serve,), name="trials")
        thread.start()
        try:
            yield place
        finally:
            trials.end()
            server.end()
            thread.join()


def _bind(listening: socket.socket, folder: Path) -> None:
    """Make the socket in the folder, whose path may be longer than that of a socket."""
    descriptors = Path("/proc/self/fd")
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        place = descriptors / str(held) if descriptors.exists() else folder
        listening.bind(str(place / _SOCKET))
    finally:
        os.close(held)


def _write_program(source: Path) -> str:
    """A shell script, as the path of an interpreter may be too long for a first line."""
    command = f"exec {quote(sys.executable)} -I -S {quote(str(source))}"
    return f"#!/bin/sh\n{command}\n"


class _Server:
    def __init__(self, listening: socket.socket, questions: Questions) -> None:
        self._listening = listening
        self._questions = questions
        self._waking, self._woken = socket.socketpair()
        self._is_over = threading.Event()

    def end(self) -> None:
        """Answer nobody any more."""
        self._is_over.set()
        self._waking.close()

    def serve(self) -> None:
        """Answer one program after the other until it is over."""
        poll = select.poll()
        poll.register(self._listening, select.POLLIN)
        poll.register(self._woken, select.POLLIN)
        with self._woken, self._listening:
            while poll.poll() and not self._is_over.is_set():
                self._serve_next()

    def _serve_next(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except BlockingIOError:
            return
        except OSError as error:  # no file can be opened, say
            logger.warning("nobody can ask for an evaluation at the moment: {}", error)
            self._is_over.wait(_PAUSE_SECONDS)
            return
        with connection, suppress(OSError):  # whoever asks may be gone
            if _is_ours(connection):
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        question = _read_question(connection)
        if question is None:
            return
        ask = self._questions.get(question)
        if ask is None:
            known = ", ".join(self._questions)
            answer = TrialAnswer(TrialOutcome.UNAVAILABLE, {"error": f"ask one of {known}"})
        else:
            answer = ask()
        text = json.dumps(answer.content, indent=2)
        connection.settimeout(_QUESTION_SECONDS)
        connection.sendall(f"{int(answer.outcome)}\n{text}\n".encode())


def _is_ours(connection: socket.socket) -> bool:
    """Whether the program that asks still runs, and this process or one below it has started it.

    A candidate that was judged here is dead by now, whatever it has asked meanwhile; one that is
    judged elsewhere on this host, where no sandbox hides the socket, is not ours.
    """
    if not hasattr(socket, "SO_PEERCRED"):
        return True
    peer = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size)
    process, _, _ = _PEER.unpack(peer)
    while process > 1 and process != os.getpid():
        process = _find_parent(process)
    return bool(process == os.getpid())


def _find_parent(process: int) -> int:
    """The id of a process's parent; 0 where it has ended."""
    try:
        _, _, after_name = Path("/proc", str(process), "stat").read_bytes().rpartition(b") ")
        return int(after_name.split()[1])
    except (OSError, ValueError, IndexError):
        return 0


def _read_question(connection: socket.socket) -> str | None:
    """What is asked, in a line of JSON; empty for nonsense, None for nothing in time."""
    ends_at = time.monotonic() + _QUESTION_SECONDS
    read = b""
    while b"\n" not in read and len(read) < _QUESTION_BYTES:
        remaining = ends_at - time.monotonic()
        if remaining <= 0:
            return None
        connection.settimeout(remaining)
        piece = connection.recv(_QUESTION_BYTES)
        if not piece:
            break
        read += piece
    if not read:
        return None
    try:
        said: Any = json.loads(read.partition(b"\n")[0])
        return str(said["ask"])
    except (ValueError, RecursionError, TypeError, KeyError):
        return ""
