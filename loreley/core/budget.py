"""What agents may cost: prices, limits, and whether a further call may be made; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from loreley.host.deadline import Deadline

_MILLION = 1_000_000
_MOST_TOLD = 10**12  # tokens or dollars of one call; more is no figure but a mistake
_MOST_BLIND_CALLS = 3  # that may be made while none has reported what it cost


@dataclass(frozen=True, slots=True)
class Usage:
    """What calls of a model have used; None where nobody said."""

    input_tokens: int | None = None  # cached ones included
    output_tokens: int | None = None
    cached_tokens: int = 0  # of the input, read from the provider's cache
    dollars: float | None = None

    @property
    def tokens(self) -> int | None:
        """Input and output together; None where neither is known."""
        if self.input_tokens is None and self.output_tokens is None:
            return None
        return (self.input_tokens or 0) + (self.output_tokens or 0)

    def times(self, number: int) -> "Usage":
        """That of so many calls of which each has used as much."""
        return Usage(
            None if self.input_tokens is None else self.input_tokens * number,
            None if self.output_tokens is None else self.output_tokens * number,
            self.cached_tokens * number,
            None if self.dollars is None else self.dollars * number,
        )


@dataclass(slots=True)
class CallUsage:
    """What one paid call has used; to be filled in by the agent, before or after it failed."""

    usage: Usage = field(default_factory=Usage)
    deadline: Deadline = field(default_factory=Deadline)  # of the call itself
    times: int = 1  # the call was made; each is charged, and only the last has reported its usage


def parse_amount(value: object) -> float | None:
    """What someone else's program says of tokens or dollars; None where it can be neither."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= _MOST_TOLD else None


def parse_tokens(value: object) -> int | None:
    """What someone else's program says of a number of tokens; None where it can be none."""
    amount = parse_amount(value)
    return None if amount is None else int(amount)


@dataclass(frozen=True, slots=True)
class Tariff:
    """What an agent's calls cost, as far as the operator said; US dollars."""

    per_million_input: float | None = None
    per_million_output: float | None = None
    per_million_cached: float | None = None  # input from the cache; unset: as other input
    per_call: float | None = None

    @property
    def is_known(self) -> bool:
        """Whether it says anything."""
        return self.per_call is not None or self.per_million_input is not None

    def priced(self, usage: Usage) -> Usage:
        """The usage with its price: by this tariff, else what was reported, else unknown."""
        own = self._price(usage)
        return usage if own is None else replace(usage, dollars=own)

    def _price(self, usage: Usage) -> float | None:
        if self.per_million_input is None:
            return self.per_call
        if usage.tokens is None:
            return self.per_call
        cached = min(usage.cached_tokens, usage.input_tokens or 0)
        fresh = (usage.input_tokens or 0) - cached
        cached_price = self.per_million_input
        if self.per_million_cached is not None:
            cached_price = self.per_million_cached
        tokens = (
            fresh * self.per_million_input
            + cached * cached_price
            + (usage.output_tokens or 0) * (self.per_million_output or 0.0)
        )
        return tokens / _MILLION + (self.per_call or 0.0)


class BudgetUnit(StrEnum):
    """What a budget is counted in."""

    DOLLARS = "dollars"
    TOKENS = "tokens"
    JOBS = "jobs"
    HOURS = "hours"


CALL_UNITS = (BudgetUnit.DOLLARS, BudgetUnit.TOKENS)  # those a single call adds to


class Period(StrEnum):
    """Over what a budget is counted."""

    RUN = "run"  # the whole experiment, whenever its processes were started
    DAY = "day"  # of the database's clock, in UTC


@dataclass(frozen=True, slots=True)
class Limit:
    """So much and no more; ``amount`` is above zero."""

    unit: BudgetUnit
    period: Period
    amount: float

    def __str__(self) -> str:
        whole = {Period.RUN: "the run's", Period.DAY: "the day's"}[self.period]
        return f"{whole} {self.amount:g} {self.unit}"

    @property
    def key(self) -> str:
        """Its name in a mapping."""
        return f"{self.unit}/{self.period}"


def limits_to_mapping(limits: Iterable[Limit]) -> dict[str, float]:
    """The limits as JSON can hold them."""
    return {limit.key: limit.amount for limit in limits}


def limits_from_mapping(mapping: Mapping[str, float] | None) -> tuple[Limit, ...]:
    """What `limits_to_mapping` made a mapping of."""
    pairs = [(key.partition("/"), amount) for key, amount in (mapping or {}).items()]
    return tuple(
        Limit(BudgetUnit(unit), Period(period), amount) for (unit, _, period), amount in pairs
    )


@dataclass(frozen=True, slots=True)
class Account:
    """How a limit stands."""

    limit: Limit
    spent: float
    reserved: float = 0.0  # for calls that are under way

    @property
    def left(self) -> float:
        """What has been neither spent nor reserved; may be negative."""
        return self.limit.amount - self.spent - self.reserved


@dataclass(frozen=True, slots=True)
class Granted:
    """The call may be made; so much is reserved for it."""

    reserved: Mapping[BudgetUnit, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wait:
    """It depends on what the calls under way will have cost."""


@dataclass(frozen=True, slots=True)
class LimitReached:
    """No further call may be made."""

    limit: Limit
    why: str


Decision = Granted | Wait | LimitReached


@dataclass(frozen=True, slots=True)
class OpenCall:
    """A call that was granted and has begun."""

    call_id: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the next call may use of a unit."""

    amount: float | None = None  # None: no earlier call has reported any
    blind_calls: int = 0  # lately, that ended and reported none


_NOTHING_KNOWN = Expectation()


def decide(accounts: Sequence[Account], expected: Mapping[BudgetUnit, Expectation]) -> Decision:
    """Whether a call that is expected to use so much of each unit may be made now.

    One of which nothing is known is made alone, with all that is left reserved for it, so that
    any number of workers overshoots by one call at most; and when a few have not reported what they
    used, no further one is made.
    """
    decisions = [
        _decide(account, expected.get(account.limit.unit, _NOTHING_KNOWN)) for account in accounts
    ]
    for kind in (LimitReached, Wait):
        if found := next((each for each in decisions if isinstance(each, kind)), None):
            return found
    reserved: dict[BudgetUnit, float] = {}
    for account in accounts:
        unit = account.limit.unit
        wanted = expected.get(unit, _NOTHING_KNOWN).amount
        amount = account.left if wanted is None else wanted
        reserved[unit] = min(amount, reserved.get(unit, amount))
    return Granted(reserved)


def find_reached_limit(account: Account) -> LimitReached | None:
    """Whether the limit is used up by what has been spent already."""
    if account.spent < account.limit.amount:
        return None
    return LimitReached(account.limit, f"{account.spent:.6g} {account.limit.unit} spent")


def _decide(account: Account, expected: Expectation) -> Decision:
    if over := find_reached_limit(account):
        return over
    unit, needed = account.limit.unit, expected.amount
    if needed is None:
        if expected.blind_calls >= _MOST_BLIND_CALLS:
            why = f"{expected.blind_calls} calls have not told how many {unit} they used"
            return LimitReached(account.limit, why)
        return Granted() if account.left > 0 else Wait()
    if needed <= account.left:
        return Granted()
    if account.reserved > 0:
        return Wait()
    return LimitReached(
        account.limit,
        f"{account.spent:.6g} {unit} spent, and the next call may need {needed:.4g}",
    )
