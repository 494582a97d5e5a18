"""What agents have cost, as `invoke status` tells it."""

from collections.abc import Iterator

from loreley.core.budget import Account, BudgetUnit
from loreley.db.engine import Database
from loreley.views.costs import Expense, read_accounts, read_ending, read_expenses


def spending(database: Database) -> Iterator[str]:
    """Lines about each agent that has made calls, and about each limit; none without either."""
    expenses = read_expenses(database)
    if expenses:
        yield (
            f"  {'spent by':<12} {'calls':>6}  {'dollars':>9}  {'tokens':>11}  {'entered':>8}  "
            "dollars each"
        )
        yield from map(_expense, expenses)
    for account in read_accounts(database):
        yield _account(account)
    if ending := read_ending(database):
        yield f"budget      reached: {ending}"


def _expense(expense: Expense) -> str:
    each = expense.dollars_per_entered
    unknown = expense.unpriced_calls
    note = f"  ({unknown} of unknown price)" if unknown else ""
    return (
        f"  {expense.agent:<12} {expense.calls:>6}  {expense.dollars:>9.4f}  "
        f"{expense.tokens:>11,}  {expense.entered:>8}  "
        f"{'-' if each is None else f'{each:.4f}':>12}{note}"
    )


def _account(account: Account) -> str:
    digits = ".4f" if account.limit.unit is BudgetUnit.DOLLARS else ",.6g"
    reserved = f", {account.reserved:{digits}} reserved" if account.reserved else ""
    return f"budget      {account.limit}: {account.spent:{digits}} spent{reserved}"
