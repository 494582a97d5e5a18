"""What agents have cost, counted across all workers, and whether a further call may be made."""

from collections.abc import Iterable, Mapping
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    func,
    not_,
    select,
    text,
    update,
)

from loreley.core.budget import (
    CALL_UNITS,
    Account,
    BudgetUnit,
    Expectation,
    Granted,
    Limit,
    LimitReached,
    OpenCall,
    Period,
    Usage,
    Wait,
    decide,
    limits_from_mapping,
    limits_to_mapping,
)
from loreley.core.jobs import Claim, JobState
from loreley.db.engine import Database, now
from loreley.db.models import calls, experiment, jobs

_TYPICAL_OF = 10  # the latest calls; the dearest of them is what the next one is expected to cost
_LOCK = 0xCA115  # an arbitrary key, the same in every process
DAY_SECONDS = 86_400


class Spend:
    """The `BudgetGate` on SQLAlchemy: one short transaction before and one after each call."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_limits(self, limits: Iterable[Limit]) -> None:
        """What holds from now on, for every worker; forgets that an earlier limit was reached."""
        with self._database.begin() as connection:
            set_at = float(connection.execute(select(now())).scalar_one())
            budget = {"limits": limits_to_mapping(limits), "set_at": set_at}
            connection.execute(update(experiment).values(budget=budget, budget_reached=None))

    def limits(self) -> tuple[Limit, ...]:
        """What holds now."""
        with self._database.read() as connection:
            return read_limits(connection)

    def needs_prices(self) -> bool:
        """Whether a limit is in dollars."""
        return any(limit.unit is BudgetUnit.DOLLARS for limit in self.limits())

    def reached(self) -> LimitReached | None:
        """Which limit ends the run, or allowed no further call of a worker."""
        with self._database.read() as connection:
            return read_reached(connection)

    def note_reached(self, over: LimitReached) -> None:
        """Keep which limit ends the run, for whoever asks."""
        with self._database.begin() as connection:
            _note_reached(connection, over)

    def open(self, claim: Claim, agent: str) -> OpenCall | Wait | LimitReached:
        """Begin a call if the budget allows it, with its expected cost reserved."""
        with self._database.begin() as connection:
            _await_turn(connection)
            limits = [each for each in read_limits(connection) if each.unit in CALL_UNITS]
            expected = {unit: _expect(connection, agent, unit) for unit in CALL_UNITS}
            accounts = [read_call_account(connection, limit) for limit in limits]
            decision = decide(accounts, expected)
            if isinstance(decision, LimitReached):
                _note_reached(connection, decision)
            if not isinstance(decision, Granted):
                return decision
            return OpenCall(_insert(connection, claim, agent, expected, decision.reserved))

    def close(self, call_id: str, usage: Usage, seconds: float) -> None:
        """Note what the call has used; whoever holds its job by now, it was paid for."""
        with self._database.begin() as connection:
            connection.execute(
                update(calls)
                .where(calls.c.id == call_id)
                .values(
                    closed_at=now(),
                    seconds=seconds,
                    input_tokens=usage.input_tokens,
                    output_tokens=usage.output_tokens,
                    cached_tokens=usage.cached_tokens,
                    dollars=usage.dollars,
                )
            )


def read_limits(connection: Connection) -> tuple[Limit, ...]:
    """What holds now, for every worker."""
    budget = connection.execute(select(experiment.c.budget)).scalar()
    return limits_from_mapping(budget["limits"] if budget else None)


def read_reached(connection: Connection) -> LimitReached | None:
    """Which limit ends the run, or allowed no further call of a worker."""
    said = connection.execute(select(experiment.c.budget_reached)).scalar()
    if said is None:
        return None
    [limit] = limits_from_mapping({said["limit"]: said["amount"]})
    return LimitReached(limit, said["why"])


def _note_reached(connection: Connection, over: LimitReached) -> None:
    said = {"limit": over.limit.key, "amount": over.limit.amount, "why": over.why}
    connection.execute(update(experiment).values(budget_reached=said))


def read_call_account(connection: Connection, limit: Limit) -> Account:
    """How a limit in dollars or tokens stands.

    A call of unknown cost, and one that was cut off, counts as what such calls were expected to
    cost when it began.
    """
    expected = func.coalesce(_expected_column(limit.unit), 0.0)
    used = func.coalesce(_used_column(limit.unit), expected)
    under_way = _under_way()
    spent = case((calls.c.closed_at.is_not(None), used), (under_way, 0.0), else_=expected)
    reserved = case((under_way, func.coalesce(_reserved_column(limit.unit), 0.0)), else_=0.0)
    query = (
        select(func.coalesce(func.sum(spent), 0.0), func.coalesce(func.sum(reserved), 0.0))
        .select_from(calls)
        .join(jobs, jobs.c.id == calls.c.job_id)
    )
    if limit.period is Period.DAY:
        query = query.where(calls.c.opened_at >= today(connection) * DAY_SECONDS)
    row = connection.execute(query).one()
    return Account(limit, float(row[0]), float(row[1]))


def today(connection: Connection) -> int:
    """The day by the database's clock in UTC, counted from 1970."""
    return int(connection.execute(select(now())).scalar_one() // DAY_SECONDS)


def _await_turn(connection: Connection) -> None:
    """Keep others from opening a call until the end of the transaction.

    A writing transaction of SQLite is alone anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def _under_way() -> ColumnElement[bool]:
    """Whether a call has begun and its worker still holds the job, as far as is known."""
    return and_(
        calls.c.closed_at.is_(None),
        jobs.c.state == JobState.RUNNING,
        jobs.c.attempt == calls.c.attempt,
    )


def _refused() -> ColumnElement[bool]:
    """Whether a call is known to have used nothing, as one that the endpoint turned away."""
    return and_(calls.c.input_tokens == 0, calls.c.output_tokens == 0).is_(True)


def _expect(connection: Connection, agent: str, unit: BudgetUnit) -> Expectation:
    used = _used_column(unit)
    latest = (
        select(used.label("used"))
        .where(calls.c.agent == agent, calls.c.closed_at.is_not(None), used.is_not(None))
        .where(not_(_refused()))  # says nothing of what those cost that are not
        .order_by(calls.c.closed_at.desc())
        .limit(_TYPICAL_OF)
        .subquery()
    )
    found = connection.execute(select(func.max(latest.c.used))).scalar()
    if found is None:
        return Expectation(None, _count_blind_calls(connection, agent, unit))
    return Expectation(float(found))


def _count_blind_calls(connection: Connection, agent: str, unit: BudgetUnit) -> int:
    """How many calls have ended since the limits were set and have not reported what they used."""
    budget = connection.execute(select(experiment.c.budget)).scalar() or {}
    query = (
        select(func.count())
        .select_from(calls)
        .join(jobs, jobs.c.id == calls.c.job_id)
        .where(
            calls.c.agent == agent,
            calls.c.opened_at >= budget.get("set_at", 0.0),
            _used_column(unit).is_(None),
            not_(_under_way()),
        )
    )
    return connection.execute(query).scalar_one()


def _insert(
    connection: Connection,
    claim: Claim,
    agent: str,
    expected: Mapping[BudgetUnit, Expectation],
    reserved: Mapping[BudgetUnit, float],
) -> str:
    call_id = str(uuid4())
    connection.execute(
        calls.insert().values(
            id=call_id,
            job_id=claim.job_id,
            attempt=claim.attempt,
            agent=agent,
            opened_at=now(),
            expected_dollars=expected[BudgetUnit.DOLLARS].amount,
            expected_tokens=expected[BudgetUnit.TOKENS].amount,
            reserved_dollars=reserved.get(BudgetUnit.DOLLARS),
            reserved_tokens=reserved.get(BudgetUnit.TOKENS),
        )
    )
    return call_id


def _used_column(unit: BudgetUnit) -> ColumnElement[float]:
    if unit is BudgetUnit.DOLLARS:
        return calls.c.dollars
    some = func.coalesce(calls.c.input_tokens, calls.c.output_tokens)
    both = func.coalesce(calls.c.input_tokens, 0) + func.coalesce(calls.c.output_tokens, 0)
    return case((some.is_not(None), both), else_=None)


def _expected_column(unit: BudgetUnit) -> ColumnElement[float]:
    return calls.c.expected_dollars if unit is BudgetUnit.DOLLARS else calls.c.expected_tokens


def _reserved_column(unit: BudgetUnit) -> ColumnElement[float]:
    return calls.c.reserved_dollars if unit is BudgetUnit.DOLLARS else calls.c.reserved_tokens
