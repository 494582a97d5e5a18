"""A worker in the table of workers: online, heard of every few seconds, asked to drain, gone."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from loguru import logger

from loreley.db.engine import Database
from loreley.db.workers import (
    WorkerProcess,
    find_namesakes,
    is_draining,
    note_leaving,
    note_presence,
    register,
)
from loreley.errors import ServiceUnavailable
from loreley.host.health import Health
from loreley.invocation import installed_version
from loreley.masking import masked

if TYPE_CHECKING:
    from loguru import Message

_LOOK_SECONDS = 1.0
_LEAVE_SECONDS = 1.0
_BEAT_LOOKS = 5  # looks for each time that it says that it lives
_LONGEST_WORD = 300
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Presence:
    """What the database is told of this worker, and what it has asked of it."""

    def __init__(self, database: Database, worker: WorkerProcess, health: Health) -> None:
        self.is_draining = False
        self._database = database
        self._worker = worker
        self._health = health
        self._done = threading.Event()
        self._last_word: str | None = None

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Be online until the end of it."""
        with self._database.begin() as connection:
            namesakes = find_namesakes(connection, self._worker)
            register(connection, self._worker)
        if namesakes:
            logger.warning(
                "another machine has this host name, {}: give each its own, or nobody can tell "
                "{} from this worker",
                self._worker.host,
                namesakes[0],
            )
        sink = logger.add(self._keep_word, level="WARNING", format="{message}")
        thread = threading.Thread(target=self._beat, name="presence", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._done.set()
            with suppress(ValueError):  # logging was set up anew
                logger.remove(sink)
            # A database that is silent holds nobody up: there the worker counts as gone soon.
            leaving = threading.Thread(
                target=self._leave, args=(thread,), name="leaving", daemon=True
            )
            leaving.start()
            leaving.join(_LEAVE_SECONDS)

    def _leave(self, beat: threading.Thread) -> None:
        beat.join()  # else its last word could come after this one
        with suppress(ServiceUnavailable), self._database.begin() as connection:
            note_leaving(connection, self._worker.id)

    def _beat(self) -> None:
        looks = 0
        while not self._done.wait(_LOOK_SECONDS):
            looks += 1
            try:
                self._look(says_so=looks % _BEAT_LOOKS == 0)
            except ServiceUnavailable as error:  # the lease and the next claim tell others
                self._health.beat(error.problems[0].what)
            else:
                self._health.beat("drained" if self.is_draining else "")

    def _look(self, *, says_so: bool) -> None:
        if says_so:
            with self._database.begin() as connection:
                note_presence(connection, self._worker.id, self._last_word)
        if not self.is_draining:
            with self._database.read() as connection:
                self.is_draining = is_draining(connection, self._worker.id)

    def _keep_word(self, message: "Message") -> None:
        self._last_word = masked(message.record["message"]).strip()[:_LONGEST_WORD]


def describe_worker(sandbox: str) -> WorkerProcess:
    """This process as a worker."""
    host = socket.gethostname()
    boot = _BOOT.read_text().strip() if _BOOT.exists() else ""
    name = f"{host}:{os.getpid()}"[:255]
    return WorkerProcess(
        str(uuid4()), name, host[:255], boot, installed_version()[:32], sandbox[:32]
    )
