"""How each limit of the budget stands, and what is counted for it."""

from sqlalchemy import Connection, func, select

from loreley.core.budget import Account, BudgetUnit, Limit, Period
from loreley.core.jobs import JobState
from loreley.db.engine import Database
from loreley.db.models import activity, jobs
from loreley.db.spend import DAY_SECONDS, read_call_account, today

_HOUR_SECONDS = 3600.0


def read_account(connection: Connection, limit: Limit) -> Account:
    """How much of a limit is spent and reserved."""
    match limit.unit:
        case BudgetUnit.DOLLARS | BudgetUnit.TOKENS:
            return read_call_account(connection, limit)
        case BudgetUnit.JOBS:
            return Account(limit, count_created_today(connection))
        case BudgetUnit.HOURS:
            return Account(limit, _count_active_hours(connection, limit.period))


def add_activity(database: Database, seconds: float) -> None:
    """Count some more time for the present day."""
    with database.begin() as connection:
        insert = database.insert(activity).values(day=today(connection), seconds=seconds)
        connection.execute(
            insert.on_conflict_do_update(
                index_elements=[activity.c.day],
                set_={"seconds": activity.c.seconds + insert.excluded.seconds},
            )
        )


def _count_active_hours(connection: Connection, period: Period) -> float:
    """The time counted for the whole run, or for the present day."""
    query = select(func.coalesce(func.sum(activity.c.seconds), 0.0))
    if period is Period.DAY:
        query = query.where(activity.c.day == today(connection))
    return float(connection.execute(query).scalar_one()) / _HOUR_SECONDS


def count_created_today(connection: Connection) -> int:
    """How many jobs of the budget were created on the present day and not cancelled."""
    query = (
        select(func.count())
        .select_from(jobs)
        .where(
            jobs.c.ordinal >= 0,
            jobs.c.state != JobState.CANCELLED,
            jobs.c.created_at >= today(connection) * DAY_SECONDS,
        )
    )
    return connection.execute(query).scalar_one()
