"""Points of a job's way at which a test can hold a process; inert without one variable."""

import os
import time
from enum import StrEnum
from pathlib import Path

VARIABLE = "LORELEY_HOLD_FOLDER"
_LOOK_SECONDS = 0.01


class Failpoint(StrEnum):
    """What has just happened, in the order of a job's way."""

    QUEUED = "queued"  # the row says so, no message is sent
    SENT = "sent"  # the message is, the row does not say so
    CLAIMED = "claimed"
    LEASED = "leased"  # the worktree is there
    TRIED_VALUES = "tried_values"  # of numbers; the job goes on with others
    PROPOSED = "proposed"
    COMMITTED = "committed"
    TRIED = "tried"  # a candidate that failed is recorded, another one is to be drawn
    EVALUATED = "evaluated"
    PUSHED = "pushed"
    RECORDED = "recorded"  # the database knows, Redis does not
    ACKED = "acked"
    TAKEN_IN = "taken_in"  # the archive knows, nothing new was bred


def hit(point: Failpoint) -> None:
    """Wait here while a test wants it: when there is a file ``point`` in the variable's folder.

    The file is renamed to ``<point>.<pid>``, so that of several processes one is held; it goes
    on when that file is removed.
    """
    folder = os.environ.get(VARIABLE)
    if folder:
        _hold(Path(folder), point)


def _hold(folder: Path, point: Failpoint) -> None:
    held = folder / f"{point}.{os.getpid()}"
    try:
        (folder / point).rename(held)
    except FileNotFoundError:
        return
    while held.exists():
        time.sleep(_LOOK_SECONDS)
