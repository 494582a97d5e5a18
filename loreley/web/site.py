"""What the pages are made from: the database, the settings, the logs, and what is kept of each."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Generic, TypeVar

from loreley.config import Settings
from loreley.core.budget import Account
from loreley.db.engine import Database
from loreley.ops.queue.health import QueueHealth, examine_if_running
from loreley.ops.runs.known import KnownRun, read_runs
from loreley.views.charts.history import History
from loreley.views.costs import Expense, read_accounts, read_ending, read_expenses
from loreley.web.session import Sessions

_HEALTH_SECONDS = 5.0
_SPEND_SECONDS = 3.0

T = TypeVar("T")


class TimedCache(Generic[T]):
    """What a function gave last, for so many seconds; threads that ask meanwhile wait for it."""

    def __init__(self, ask: Callable[[], T], seconds: float) -> None:
        self._ask = ask
        self._seconds = seconds
        self._lock = Lock()
        self._known: tuple[float, T] | None = None

    def __call__(self) -> T:
        """The answer, asked for anew when it is too old."""
        with self._lock:
            if self._known is None or time.monotonic() - self._known[0] > self._seconds:
                self._known = (time.monotonic(), self._ask())
            return self._known[1]


class LastAnswer:
    """What a function gave for the key that was asked for last."""

    def __init__(self) -> None:
        self._known: tuple[object, Any] = (None, None)

    def __call__(self, key: object, ask: Callable[[], T]) -> T:
        """The answer for ``key``, asked for anew when it is another than before."""
        known, answer = self._known
        if known != key:
            answer = ask()
            self._known = key, answer
        return answer  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Spending:
    """What agents have cost, beside what they may cost."""

    expenses: tuple[Expense, ...]
    accounts: tuple[Account, ...]
    ending: str | None  # which limit allowed no further call, if one did

    @property
    def calls(self) -> int:
        """How many calls there were."""
        return sum(each.calls for each in self.expenses)

    @property
    def unpriced_calls(self) -> int:
        """How many of them are not in the dollars, as nobody knows their price."""
        return sum(each.unpriced_calls for each in self.expenses)

    @property
    def dollars(self) -> float:
        """What they have cost together, as far as it is known."""
        return sum(each.dollars for each in self.expenses)

    @property
    def tokens(self) -> int:
        """Tokens of input and output together."""
        return sum(each.tokens for each in self.expenses)


@dataclass(slots=True)
class Site:
    """One experiment, as it is shown."""

    database: Database
    settings: Settings
    logs_base: Path
    sessions: Sessions
    of_best: LastAnswer = field(default_factory=LastAnswer)  # what it changes of the root
    history: History = field(init=False)
    queue: TimedCache[QueueHealth | None] = field(init=False)
    spend: TimedCache[Spending] = field(init=False)
    runs: TimedCache[list[KnownRun]] = field(init=False)

    def __post_init__(self) -> None:
        self.history = History(self.database)
        self.queue = TimedCache(lambda: examine_if_running(self.settings), _HEALTH_SECONDS)
        self.runs = TimedCache(lambda: read_runs(self.settings), _HEALTH_SECONDS)
        self.spend = TimedCache(lambda: _read_spending(self.database), _SPEND_SECONDS)

    @property
    def title(self) -> str:
        """What evolves, in a few words."""
        remote = self.settings.remote_target.rstrip("/").removesuffix(".git")
        name = remote.rpartition("/")[2] or "experiment"
        run = self.settings.loreley_run
        return f"{name}, {run}" if run else name


def _read_spending(database: Database) -> Spending:
    return Spending(
        tuple(read_expenses(database)), tuple(read_accounts(database)), read_ending(database)
    )
