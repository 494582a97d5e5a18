"""Failures that look like a candidate's, and are those of the host or of the evaluator."""

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from loreley.errors import EvaluationFailed, HostTrouble, JobFailed
from loreley.likeness import likeness

_LEAST_BYTES = 1024 * 1024
_LOOKED_AT = (2, 4, 8)  # of equal failures in a row: each look costs a start of the evaluator


def find_host_trouble(failure: JobFailed, folder: Path | None) -> HostTrouble | None:
    """The disk that was full when a job failed, if it still is now that the job is gone.

    Whatever the failure says: what a program has to say of a full disk may be lost to it.
    """
    for place in filter(None, (folder, Path(tempfile.gettempdir()))):
        if place.exists() and shutil.disk_usage(place).free < _LEAST_BYTES:
            return HostTrouble.of_full_disk(failure.summary, str(place))
    return None


class Suspicion:
    """Notices on one worker that evaluations fail alike, and asks whether the evaluator starts."""

    def __init__(self, check: Callable[[], None]) -> None:
        """``check`` raises `EvaluatorUnusable` when it does not."""
        self._check = check
        self._last = ""
        self._count = 0

    def clear(self) -> None:
        """An evaluation succeeded."""
        self._count = 0

    def look_into(self, failure: EvaluationFailed) -> None:
        """Raise `EvaluatorUnusable` where any candidate would have failed so."""
        found = likeness(failure.summary)
        self._count = self._count + 1 if found == self._last else 1
        self._last = found
        if self._count in _LOOKED_AT:
            self._check()
