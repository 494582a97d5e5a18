"""What agents have cost and what came of it: for people, not for decisions."""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from loreley.core.budget import Account
from loreley.core.jobs import SEARCHING
from loreley.db.budget_status import read_account
from loreley.db.engine import Database
from loreley.db.models import calls, jobs
from loreley.db.spend import read_limits, read_reached
from loreley.map_elites.archive import AddResult


@dataclass(frozen=True, slots=True)
class Expense:
    """What one agent has cost, and how often its candidates were worth it."""

    agent: str
    calls: int
    unpriced_calls: int  # of them; what they have cost is not in the dollars
    dollars: float
    tokens: int
    seconds: float
    entered: int  # candidates that entered the archive, better than their base or not

    @property
    def dollars_per_entered(self) -> float | None:
        """What a candidate that entered has cost on average; None before there is one."""
        return self.dollars / self.entered if self.entered else None


def read_expenses(database: Database) -> list[Expense]:
    """Every agent that has made calls, the dearest first."""
    tokens = func.coalesce(calls.c.input_tokens, 0) + func.coalesce(calls.c.output_tokens, 0)
    query = (
        select(
            calls.c.agent,
            func.count().label("calls"),
            (func.count() - func.count(calls.c.dollars)).label("unpriced"),
            func.coalesce(func.sum(calls.c.dollars), 0.0).label("dollars"),
            func.sum(tokens).label("tokens"),
            func.coalesce(func.sum(calls.c.seconds), 0.0).label("seconds"),
        )
        .group_by(calls.c.agent)
        .order_by(func.coalesce(func.sum(calls.c.dollars), 0.0).desc(), calls.c.agent)
    )
    with database.read() as connection:
        entered = _count_entered(connection)
        return [
            Expense(
                agent=row.agent,
                calls=row.calls,
                unpriced_calls=row.unpriced,
                dollars=float(row.dollars),
                tokens=int(row.tokens),
                seconds=float(row.seconds),
                entered=entered.get(row.agent, 0),
            )
            for row in connection.execute(query)
        ]


def read_accounts(database: Database) -> list[Account]:
    """How each limit of the budget stands."""
    with database.read() as connection:
        return [read_account(connection, limit) for limit in read_limits(connection)]


def read_ending(database: Database) -> str | None:
    """Which limit of the budget ends the run, and why; None where none does."""
    with database.read() as connection:
        over = read_reached(connection)
    return f"{over.limit}: {over.why}" if over else None


def _count_entered(connection: Connection) -> dict[str, int]:
    query = (
        select(jobs.c.agent, func.count().label("entered"))
        .where(
            jobs.c.kind.in_(SEARCHING),
            jobs.c.agent.is_not(None),
            jobs.c.archive_outcome.in_([each for each in AddResult if each.enters]),
        )
        .group_by(jobs.c.agent)
    )
    return {row.agent: row.entered for row in connection.execute(query)}
