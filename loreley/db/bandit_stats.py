"""What the choice among agents and operators has learnt, kept between starts."""

from collections.abc import Mapping

from sqlalchemy import Connection, select

from loreley.db.engine import Database
from loreley.db.models import arms
from loreley.map_elites.bandit import Arm


def read_arms(connection: Connection, kind: str) -> Mapping[str, Arm]:
    """The arms of a kind, ``agent`` or ``operator``, by name."""
    rows = connection.execute(select(arms).where(arms.c.kind == kind))
    return {row.name: Arm(row.trials, row.successes, row.cost) for row in rows}


def write_arm(
    database: Database, connection: Connection, *, kind: str, name: str, arm: Arm
) -> None:
    """Keep what an arm has done."""
    values = {"trials": arm.trials, "successes": arm.successes, "cost": arm.cost}
    insert = database.insert(arms).values(kind=kind, name=name, **values)
    connection.execute(
        insert.on_conflict_do_update(index_elements=[arms.c.kind, arms.c.name], set_=values)
    )
