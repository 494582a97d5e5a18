"""Now and then deletes the job branches on the remote that nothing needs any more."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from loguru import logger

from loreley.db.engine import Database
from loreley.db.retention import find_unneeded_branches, forget_branches, has_ended_before
from loreley.errors import GitError, TimeLimitReached
from loreley.git.git import Git
from loreley.git.remote import Remote
from loreley.host.deadline import Deadline

_EVERY_SECONDS = 3600.0
_AT_ONCE = 200  # a tick must not keep finished jobs waiting for long
_TICK_SECONDS = 30.0
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
    """Deletes branches some hours after their job ended, unless the archive needs them.

    The database forgets a branch first. So whatever happens in between, every recorded branch
    is on the remote, and what is on the remote unrecorded is deleted the next time.
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
        self._next = clock()

    def tick(self) -> None:
        """Delete what is not needed, at the first call and every hour, some at a time."""
        if self._find_branches is None or self._ttl_hours <= 0 or self._clock() < self._next:
            return
        self._next = self._clock() + _EVERY_SECONDS
        if not has_ended_before(self._database, self._ttl_hours):
            return
        forget_branches(self._database, older_than_hours=self._ttl_hours)
        try:
            self._delete(self._find_branches(), Deadline.after(_TICK_SECONDS))
        except (GitError, TimeLimitReached) as error:
            logger.warning("old job branches stay for another hour: {}", error.summary)

    def _delete(self, branches: JobBranches, deadline: Deadline) -> None:
        present = branches.by_job(deadline)
        unneeded = find_unneeded_branches(self._database, present, older_than_hours=self._ttl_hours)
        if not unneeded:
            return
        branches.delete(unneeded[:_AT_ONCE], deadline)
        logger.info(
            "deleted {} job branches older than {:g} h", len(unneeded[:_AT_ONCE]), self._ttl_hours
        )
        if len(unneeded) > _AT_ONCE:
            self._next = self._clock()
