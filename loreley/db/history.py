"""How an experiment came to where it is: best fitness, archive and coverage, job by job."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock

from sqlalchemy import Connection, RowMapping, and_, select

from loreley.core.jobs import JobKind
from loreley.db.engine import Database
from loreley.db.landscape import Places, read_places
from loreley.db.models import commits, experiment, jobs, metrics

_PIECE = 400  # commits whose figures are read at once


@dataclass(frozen=True, slots=True)
class Moment:
    """The archive, all islands taken as one, after a number of evaluations."""

    at: float  # seconds since 1970 UTC
    evaluations: int  # judged commits of evolution jobs so far
    best: float  # fitness, in the metric's own direction
    cells: int  # filled by any island
    qd_score: float  # by how much the best of each cell is better than the root, added up


@dataclass(slots=True)
class _Archive:
    """The replay so far."""

    key: object
    sign: float
    places: Places
    taken_at: float = 0.0
    taken: set[str] = field(default_factory=set)  # jobs of that very moment
    root: float | None = None
    evaluations: int = 0
    holders: dict[int, tuple[str, float]] = field(default_factory=dict)
    gains: float = 0.0  # of the holders on the root
    best: float | None = None
    moments: list[Moment] = field(default_factory=list)

    def gain_of(self, score: float) -> float:
        """By how much a score is better than the root's; 0 where it is not."""
        return max(0.0, score - (self.root or 0.0))


class History:
    """Replays the judged commits in the order in which the scheduler took them in.

    Each has the score that is known today and stands in the cell that it has today; so the last
    moment agrees with the archive, but for what noise keeps from replacing an elite. What was
    read once is kept: a later call reads what is new. Threads may share one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._archive: _Archive | None = None
        self._lock = Lock()

    def read(self, *, at_most: int) -> list[Moment]:
        """The moments from the first to the latest; evenly thinned where there are more."""
        with self._lock, self._database.read() as connection:
            archive = self._current(connection)
            if archive is None:
                return []
            for row, figures in _news(connection, archive):
                _take(archive, row, figures)
            return _thinned(archive.moments, at_most)

    def _current(self, connection: Connection) -> _Archive | None:
        """The replay to go on with: a new one when cells have got another meaning."""
        row = connection.execute(select(experiment)).first()
        places = read_places(connection)
        if row is None or places is None:
            return None
        fitted_on = places.projection.fitted_on if places.projection else 0
        key = (row.root_commit, row.created_at, fitted_on)
        if self._archive is None or self._archive.key != key:
            higher = row.search.get("mapelites_fitness_higher_is_better", True)
            self._archive = _Archive(key, 1.0 if higher else -1.0, places)
        return self._archive


def _news(
    connection: Connection, archive: _Archive
) -> Iterator[tuple[RowMapping, dict[str, float]]]:
    query = (
        select(
            jobs.c.id,
            jobs.c.kind,
            jobs.c.ingested_at,
            commits.c.commit,
            commits.c.score,
            commits.c.edit_distance,
            commits.c.code_size,
            commits.c.vector,
        )
        .select_from(jobs)
        .join(commits, commits.c.commit == jobs.c.commit)
        .where(
            jobs.c.ingested_at >= archive.taken_at,
            commits.c.score.is_not(None),
        )
        .order_by(jobs.c.ingested_at, jobs.c.ordinal)
    )
    rows = [row for row in connection.execute(query).mappings() if row["id"] not in archive.taken]
    for start in range(0, len(rows), _PIECE):
        piece = rows[start : start + _PIECE]
        figures = _figures(connection, archive.places, [row["commit"] for row in piece])
        for row in piece:
            yield row, figures.get(row["commit"], {})


def _figures(
    connection: Connection, places: Places, names: list[str]
) -> dict[str, dict[str, float]]:
    if not places.names_figures:
        return {}
    wanted = [measure.name for measure in places.grid.measures]
    query = select(metrics.c.commit, metrics.c.name, metrics.c.value).where(
        and_(metrics.c.commit.in_(names), metrics.c.name.in_(wanted))
    )
    found: dict[str, dict[str, float]] = {}
    for row in connection.execute(query):
        found.setdefault(row.commit, {})[row.name] = row.value
    return found


def _take(archive: _Archive, row: RowMapping, figures: dict[str, float]) -> None:
    if row["ingested_at"] > archive.taken_at:
        archive.taken_at, archive.taken = row["ingested_at"], set()
    archive.taken.add(row["id"])
    score: float = row["score"]
    if archive.root is None:
        archive.root = score  # the root commit's job is the first of all
    if row["kind"] == JobKind.EVOLUTION:
        archive.evaluations += 1
    archive.best = score if archive.best is None else max(archive.best, score)
    own = {"edit_distance": float(row["edit_distance"]), "code_size": float(row["code_size"])}
    _place(
        archive, row["commit"], score, archive.places.cell_of(own | figures, row["vector"] or b"")
    )
    archive.moments.append(
        Moment(
            at=row["ingested_at"],
            evaluations=archive.evaluations,
            best=archive.best * archive.sign,
            cells=len(archive.holders),
            qd_score=archive.gains,
        )
    )


def _place(archive: _Archive, commit: str, score: float, cell: int | None) -> None:
    if cell is None:
        return
    holder, best = archive.holders.get(cell, (None, 0.0))
    if holder is None or score > best or holder == commit:
        archive.holders[cell] = commit, score
        before = 0.0 if holder is None else archive.gain_of(best)
        archive.gains += archive.gain_of(score) - before


def _thinned(moments: list[Moment], at_most: int) -> list[Moment]:
    if len(moments) <= at_most:
        return list(moments)
    step = (len(moments) - 1) / (at_most - 1)
    return [moments[round(step * number)] for number in range(at_most)]
