"""The MAP-Elites archive: one row per island and cell, changed by single statements."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import Connection, select

from loreley.core.map_elites.sampler import Elite
from loreley.db.engine import Database, now
from loreley.db.models import elites


class AddResult(StrEnum):
    """What became of a candidate that was offered to the archive."""

    NEW = "new"
    IMPROVED = "improved"
    REJECTED = "rejected"


class Archive:
    """The elites of one experiment."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        connection: Connection,
        *,
        island: int,
        cell: int,
        commit: str,
        score: float,
        measures: Sequence[float],
    ) -> AddResult:
        """Keep the commit if its cell is empty or holds a lower score; one statement.

        ``score`` is higher for better candidates; of equal ones the first stays.
        """
        insert = self._database.insert(elites).values(
            island=island,
            cell=cell,
            commit=commit,
            score=score,
            measures=list(measures),
            improvements=0,
            updated_at=now(),
        )
        new = insert.excluded
        upsert = insert.on_conflict_do_update(
            index_elements=[elites.c.island, elites.c.cell],
            set_={
                "commit": new.commit,
                "score": new.score,
                "measures": new.measures,
                "improvements": elites.c.improvements + 1,
                "updated_at": new.updated_at,
            },
            where=new.score > elites.c.score,
        ).returning(elites.c.improvements)
        improvements = connection.execute(upsert).scalar_one_or_none()
        if improvements is None:
            return AddResult.REJECTED
        return AddResult.IMPROVED if improvements else AddResult.NEW

    def elites(self, island: int) -> list[Elite]:
        """All elites of an island, by cell."""
        query = (
            select(elites.c.cell, elites.c.commit, elites.c.score)
            .where(elites.c.island == island)
            .order_by(elites.c.cell)
        )
        with self._database.read() as connection:
            return [Elite(row.cell, row.commit, row.score) for row in connection.execute(query)]
