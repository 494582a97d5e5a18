"""How each limit of the budget stands."""

from sqlalchemy import Connection

from loreley.core.budget import Account, Limit, Measure
from loreley.db.activity import active_hours, created_today
from loreley.db.spend import call_account


def account(connection: Connection, limit: Limit) -> Account:
    """How much of a limit is spent and reserved."""
    match limit.measure:
        case Measure.DOLLARS | Measure.TOKENS:
            return call_account(connection, limit)
        case Measure.JOBS:
            return Account(limit, created_today(connection))
        case Measure.HOURS:
            return Account(limit, active_hours(connection, limit.period))
