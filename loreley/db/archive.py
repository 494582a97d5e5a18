"""The MAP-Elites archive: one row per island and cell, changed by single statements."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    Select,
    delete,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningInsert

from loreley.db.engine import Database, now
from loreley.db.models import challenges, commits, elites
from loreley.map_elites.archive import AddResult, compare
from loreley.map_elites.fitness import CONFIDENCE, Estimate
from loreley.map_elites.sampler import Elite

_LOCK = 1_279_350_341  # of advisory locks; any number that nobody else uses
_CURIOSITY_GAIN, _CURIOSITY_LOSS = 1.0, 0.5  # Cully & Demiris 2017 (arXiv:1708.09251)


@dataclass(frozen=True, slots=True)
class PlacedCommit:
    """A judged commit with its place in an archive."""

    island: int
    cell: int
    commit: str
    estimate: Estimate
    measures: tuple[float, ...]

    def as_row(self) -> dict[str, object]:
        """What is kept of an elite that has just entered, but for its position and time."""
        return {
            "island": self.island,
            "cell": self.cell,
            "commit": self.commit,
            "score": self.estimate.score,
            "error": self.estimate.error,
            "curiosity": 0.0,
            "measures": list(self.measures),
            "improvements": 0,
        }


class Archive:
    """The elites of one experiment, seen within one transaction."""

    def __init__(self, database: Database, connection: Connection) -> None:
        self._database = database
        self._connection = connection

    def add(self, candidate: PlacedCommit) -> AddResult:
        """Keep the commit if it `enters` by `compare`, in one statement.

        Safe against others that add at the same time.
        """
        self._await_turn(candidate.island)
        improvements = self._connection.execute(self._upsert(candidate)).scalar_one_or_none()
        if improvements == 0:
            return AddResult.NEW
        if improvements is not None:
            return AddResult.IMPROVED
        elite = self.elite(candidate.island, candidate.cell)
        if elite is None or elite.commit == candidate.commit:
            return AddResult.REJECTED
        return compare(candidate.estimate, elite.estimate)

    def elite(self, island: int, cell: int) -> Elite | None:
        """The elite of a cell, if it is filled."""
        query = select(elites).where(elites.c.island == island, elites.c.cell == cell)
        row = self._connection.execute(query).mappings().first()
        return _to_elite(row) if row else None

    def best(self, island: int, count: int) -> list[PlacedCommit]:
        """The fittest elites of an island, best first."""
        query = (
            select(elites)
            .where(elites.c.island == island)
            .order_by(elites.c.score.desc(), elites.c.cell)
            .limit(count)
        )
        return [
            PlacedCommit(
                island=row["island"],
                cell=row["cell"],
                commit=row["commit"],
                estimate=Estimate(row["score"], row["error"]),
                measures=tuple(row["measures"]),
            )
            for row in self._connection.execute(query).mappings()
        ]

    def credit(self, island: int, commit: str, *, entered: bool) -> None:
        """Let an elite's curiosity grow when a child of it entered the archive, else shrink."""
        change = _CURIOSITY_GAIN if entered else -_CURIOSITY_LOSS
        value = elites.c.curiosity + change
        floor = func.max if self._database.engine.dialect.name == "sqlite" else func.greatest
        self._connection.execute(
            update(elites)
            .where(elites.c.island == island, elites.c.commit == commit)
            .values(curiosity=floor(value, literal(0.0)))
        )

    def reestimate(self, commit: str, estimate: Estimate) -> None:
        """Note that an elite was measured again."""
        self._connection.execute(
            update(elites)
            .where(elites.c.commit == commit)
            .values(score=estimate.score, error=estimate.error, updated_at=now())
        )

    def remove(self, commit: str) -> None:
        """Empty every cell whose elite is this commit; the last elite takes its position."""
        removed = self._connection.execute(
            delete(elites)
            .where(elites.c.commit == commit)
            .returning(elites.c.island, elites.c.position)
        ).all()
        for row in removed:
            last = select(func.max(elites.c.position)).where(elites.c.island == row.island)
            self._connection.execute(
                update(elites)
                .where(
                    elites.c.island == row.island,
                    elites.c.position == last.scalar_subquery(),
                    elites.c.position > row.position,
                )
                .values(position=row.position)
            )

    def residents(self) -> list[tuple[int, str]]:
        """Island and commit of every elite, each pair once, the oldest commits first."""
        query = (
            select(elites.c.island, elites.c.commit, commits.c.created_at)
            .join(commits, commits.c.commit == elites.c.commit)
            .distinct()
            .order_by(commits.c.created_at, elites.c.commit, elites.c.island)
        )
        return [(row.island, row.commit) for row in self._connection.execute(query)]

    def replace_all(self, candidates: Sequence[PlacedCommit]) -> None:
        """Empty the archive and fill it anew: for when cells have got another meaning.

        As if the candidates had been offered in this order, but none is measured again, and
        a commit that stays an elite stays as curious.
        """
        known = select(elites.c.island, elites.c.commit, elites.c.curiosity)
        curious = {(row[0], row[1]): row[2] for row in self._connection.execute(known)}
        self._connection.execute(delete(challenges))
        self._connection.execute(delete(elites))
        best: dict[tuple[int, int], PlacedCommit] = {}
        for candidate in candidates:
            place = candidate.island, candidate.cell
            elite = best.get(place)
            if compare(candidate.estimate, elite.estimate if elite else None).enters:
                best[place] = candidate
        positions = defaultdict[int, "count[int]"](count)
        rows = [
            each.as_row()
            | {
                "position": next(positions[each.island]),
                "curiosity": curious.get((each.island, each.commit), 0.0),
            }
            for each in best.values()
        ]
        if rows:
            self._connection.execute(elites.insert().values(updated_at=now()), rows)

    def _await_turn(self, island: int) -> None:
        """Keep others from adding to the island until the end of the transaction.

        Two new cells would get the same position. SQLite has one writer anyway.
        """
        if self._database.engine.dialect.name == "postgresql":
            self._connection.execute(select(func.pg_advisory_xact_lock(_LOCK, island)))

    def _upsert(self, candidate: PlacedCommit) -> ReturningInsert[int]:
        insert = self._database.insert(elites).values(
            candidate.as_row() | {"position": _next_position(candidate.island), "updated_at": now()}
        )
        new = insert.excluded
        gain = new.score - elites.c.score
        noise = new.error * new.error + elites.c.error * elites.c.error
        return insert.on_conflict_do_update(
            index_elements=[elites.c.island, elites.c.cell],
            set_={
                "commit": new.commit,
                "score": new.score,
                "error": new.error,
                "curiosity": new.curiosity,
                "measures": new.measures,
                "improvements": elites.c.improvements + 1,
                "updated_at": new.updated_at,
            },
            where=(gain > 0) & (gain > CONFIDENCE * func.sqrt(noise)),
        ).returning(elites.c.improvements)


class IslandPopulation:
    """The elites of one island as the sampler draws them."""

    def __init__(self, connection: Connection, island: int) -> None:
        self._connection = connection
        self._island = island

    def size(self) -> int:
        """How many there are."""
        query = select(func.max(elites.c.position)).where(elites.c.island == self._island)
        last = self._connection.execute(query).scalar()
        return 0 if last is None else last + 1

    def at(self, positions: Sequence[int]) -> list[Elite]:
        """The elites at these positions, in no order."""
        return self._where(elites.c.position.in_(positions))

    def in_cells(self, cells: Sequence[int]) -> list[Elite]:
        """The elites of these cells, as far as they are filled, in no order."""
        return self._where(elites.c.cell.in_(cells))

    def ranked(self, rank: int) -> Elite:
        """The elite before which so many others come, the fittest first; equals by cell."""
        query = (
            select(elites)
            .where(elites.c.island == self._island)
            .order_by(elites.c.score.desc(), elites.c.cell)
            .offset(rank)
            .limit(1)
        )
        return _to_elite(self._connection.execute(query).mappings().one())

    def _where(self, condition: ColumnElement[bool]) -> list[Elite]:
        query = select(elites).where(elites.c.island == self._island, condition)
        return [_to_elite(row) for row in self._connection.execute(query).mappings()]


def _next_position(island: int) -> ColumnElement[int]:
    last = select(func.max(elites.c.position)).where(elites.c.island == island).scalar_subquery()
    return func.coalesce(last, -1) + 1


def _to_elite(row: RowMapping) -> Elite:
    return Elite(row["cell"], row["commit"], row["score"], row["curiosity"], row["error"])


def fittest_elites() -> Select[int, str, float]:
    """Island, commit and score of the elites of which each island has no fitter."""
    highest = select(elites.c.island, func.max(elites.c.score).label("score"))
    top = highest.group_by(elites.c.island).subquery()
    return select(elites.c.island, elites.c.commit, elites.c.score).join(
        top, (top.c.island == elites.c.island) & (top.c.score == elites.c.score)
    )
