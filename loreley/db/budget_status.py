"""How each limit of the budget stands."""

from sqlalchemy import Connection

from loreley.core.budget import Account, BudgetUnit, Limit
from loreley.db.activity import active_hours, created_today
from loreley.db.spend import call_account


def account(connection: Connection, limit: Limit) -> Account:
    """How much of a limit is spent and reserved."""
    match limit.unit:
        case BudgetUnit.DOLLARS | BudgetUnit.TOKENS:
            return call_account(connection, limit)
        case BudgetUnit.JOBS:
            return Account(limit, created_today(connection))
        case BudgetUnit.HOURS:
            return Account(limit, active_hours(connection, limit.period))
