"""Deletes the job branches on the remote that nothing needs any more."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from loguru import logger

from loreley.db.engine import Database
from loreley.db.retention import find_unneeded_branches, forget_branches, has_ended_before
from loreley.errors import GitError, JobInterrupted, ServiceUnavailable, TimeLimitReached
from loreley.git.git import Git
from loreley.git.remote import Remote
from loreley.host.deadline import Deadline, Stop

_EVERY_SECONDS = 30.0
_LISTED_EVERY_SECONDS = 3600.0  # though nothing was forgotten: attempts that failed leave branches
_LONGEST_SECONDS = 600.0
_NAME = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})-[0-9]+")


@dataclass(frozen=True, slots=True)
class JobBranches:
    """The branches below ``prefix`` on the remote, named by job and attempt."""

    git: Git
    remote: Remote
    prefix: str

    def by_job(self, deadline: Deadline) -> dict[str, str]:
        """The id of each branch's job; branches of other names are left out."""
        present = self.git.list_remote_branches(self.remote, self.prefix, deadline)
        matches = {name: _NAME.fullmatch(name.removeprefix(f"{self.prefix}/")) for name in present}
        return {name: match[1] for name, match in matches.items() if match}

    def delete(self, names: list[str], deadline: Deadline) -> None:
        """Delete these branches; one that is not there counts as deleted."""
        self.git.delete_remote_branches(self.remote, names, deadline)


class Pruning:
    """Deletes branches some time after their job ended, unless the archive needs them.

    The database forgets a branch first. So whatever happens in between, every recorded branch
    is on the remote, and what is on the remote unrecorded is deleted the next time. The remote is
    asked by a thread, as it may take its time.
    """

    def __init__(
        self,
        database: Database,
        find_branches: Callable[[], JobBranches] | None,
        ttl_hours: float,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``ttl_hours``: 0 keeps everything for ever, as does None for ``find_branches``.

        It is called each time, as the credentials may have been renewed.
        """
        self._database = database
        self._find_branches = find_branches
        self._ttl_hours = ttl_hours
        self._clock = clock
        self._next = self._next_listing = clock()
        self._stop = Stop()
        self._thread: threading.Thread | None = None

    def tick(self) -> None:
        """Forget what is not needed, and have it deleted; now and then look what else there is."""
        if self._find_branches is None or self._ttl_hours <= 0 or self._clock() < self._next:
            return
        if self._thread is not None and self._thread.is_alive():
            return
        self._next = self._clock() + _EVERY_SECONDS
        is_due = self._clock() >= self._next_listing
        if is_due and not has_ended_before(self._database, self._ttl_hours):
            return
        if forget_branches(self._database, older_than_hours=self._ttl_hours) or is_due:
            self._next_listing = self._clock() + _LISTED_EVERY_SECONDS
            self._thread = threading.Thread(target=self._delete_unneeded, name="pruning")
            self._thread.start()

    def wait(self) -> None:
        """Wait until what was begun is done."""
        if self._thread is not None:
            self._thread.join()

    def close(self) -> None:
        """Leave what is not deleted yet for the next time."""
        self._stop.ask(JobInterrupted("the scheduler ends"))
        self.wait()

    def _delete_unneeded(self) -> None:
        assert self._find_branches is not None
        deadline = Deadline.after(_LONGEST_SECONDS, self._stop)
        try:
            self._delete(self._find_branches(), deadline)
        except JobInterrupted:
            logger.info("old job branches stay until the next start")
        except (GitError, TimeLimitReached, ServiceUnavailable) as error:
            logger.warning("old job branches stay for the time being: {}", error.summary)

    def _delete(self, branches: JobBranches, deadline: Deadline) -> None:
        present = branches.by_job(deadline)
        unneeded = find_unneeded_branches(self._database, present, older_than_hours=self._ttl_hours)
        if unneeded:
            branches.delete(unneeded, deadline)
            logger.info("deleted {} job branches that nothing needs", len(unneeded))
