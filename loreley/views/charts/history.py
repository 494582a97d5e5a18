"""How an experiment came to where it is: best fitness, archive and coverage, job by job."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock

from sqlalchemy import Connection, RowMapping, and_, select

from loreley.core.jobs import SEARCHING, JobKind
from loreley.core.worktrees.footprint import BUILT_IN_MEASURES
from loreley.db.engine import Database
from loreley.db.experiment import read_descriptor_space, read_experiment
from loreley.db.models import commits, experiment, jobs, metrics
from loreley.db.scores import read_score
from loreley.map_elites.archive import compare
from loreley.map_elites.descriptor_space import DescriptorSpace
from loreley.map_elites.fitness import Estimate, Infeasible

_READ_AT_ONCE = 400  # commits whose figures are read at once
_NOWHERE = -1  # in place of a cell, for commits whose figures give none


@dataclass(frozen=True, slots=True)
class Moment:
    """The archive, all islands taken as one, after a number of evaluations."""

    at: float  # seconds since 1970 UTC
    evaluations: int  # of judged candidates, and tries of those that were tuned, so far
    best: float  # fitness of the fittest elite, in the metric's own direction
    cells: int  # filled by any island
    qd_score: float  # by how much the best of each cell is fitter than the root, added up


@dataclass(slots=True)
class _Replay:
    """The replay so far: each island's elites by cell, as the scheduler would have them."""

    key: object
    space: DescriptorSpace
    taken_at: float = 0.0
    taken: set[str] = field(default_factory=set)  # jobs of that very moment
    root: float | None = None
    evaluations: int = 0
    cells: dict[int, dict[int, str]] = field(default_factory=dict)  # elites by cell, by island
    held: dict[str, tuple[int, int, Estimate]] = field(default_factory=dict)  # cell, island
    gains: float = 0.0  # of each cell's best on the root
    best: float | None = None
    moments: list[Moment] = field(default_factory=list)

    def offer(self, commit: str, cell: int, island: int, estimate: Estimate) -> None:
        """Let a commit hold its cell if it enters the archive."""
        before = self._measure_gain(cell)
        elites = self.cells.setdefault(cell, {})
        elite = elites.get(island)
        if not compare(estimate, self.held[elite][2] if elite else None).enters:
            return
        if elite is not None:
            del self.held[elite]
        elites[island] = commit
        self.held[commit] = cell, island, estimate
        self.gains += self._measure_gain(cell) - before
        self.best = estimate.score if self.best is None else max(self.best, estimate.score)

    def remeasure(self, commit: str, estimate: Estimate | None) -> None:
        """Let an elite have another score; None: it has none any more, and leaves its cell."""
        cell, island, _ = self.held[commit]
        before = self._measure_gain(cell)
        if estimate is not None:
            self.held[commit] = cell, island, estimate
        else:
            del self.held[commit], self.cells[cell][island]
            if not self.cells[cell]:
                del self.cells[cell]
        self.gains += self._measure_gain(cell) - before
        self.best = max((held[2].score for held in self.held.values()), default=None)

    def _measure_gain(self, cell: int) -> float:
        """By how much the best elite of a cell is fitter than the root; 0 where none is."""
        if cell == _NOWHERE:
            return 0.0
        scores = [self.held[name][2].score for name in self.cells.get(cell, {}).values()]
        return max(0.0, max(scores) - (self.root or 0.0)) if scores else 0.0


class History:
    """Replays the judged commits in the order in which the scheduler took them in.

    Each has the score that was known when it was read and stands in the cell that it has today;
    so the last moment agrees with the archive. What was read once is kept: a later call reads
    what is new. Threads may share one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._replay: _Replay | None = None
        self._lock = Lock()

    def read(self, *, at_most: int) -> list[Moment]:
        """The moments from the first to the latest; evenly thinned where there are more."""
        with self._lock, self._database.read() as connection:
            replay = self._find_or_begin_replay(connection)
            if replay is None:
                return []
            for row, figures in _read_new(connection, replay):
                _add_job(replay, row, figures)
            return _thin(replay.moments, at_most)

    def _find_or_begin_replay(self, connection: Connection) -> _Replay | None:
        """The replay to go on with: a new one when cells or gains have got another meaning."""
        known = read_experiment(connection)
        if known is None:
            return None
        space = read_descriptor_space(connection, known.objective)
        fitted_on = space.projection.fitted_on if space.projection else 0
        began_at = connection.execute(select(experiment.c.created_at)).scalar()
        root = read_score(connection, known.root_commit)
        key = (known.root_commit, began_at, fitted_on, root.score if root else None)
        if self._replay is None or self._replay.key != key:
            self._replay = _Replay(key, space)
        return self._replay


def _read_new(
    connection: Connection, replay: _Replay
) -> Iterator[tuple[RowMapping, dict[str, float]]]:
    query = (
        select(
            jobs.c.id,
            jobs.c.kind,
            jobs.c.ingested_at,
            jobs.c.tries,
            commits.c.commit,
            commits.c.island,
            commits.c.score,
            commits.c.error,
            *(commits.c[name] for name in BUILT_IN_MEASURES),
            commits.c.vector,
        )
        .select_from(jobs)
        .join(commits, commits.c.commit == jobs.c.commit)
        .where(
            jobs.c.ingested_at >= replay.taken_at,
            jobs.c.kind != JobKind.CONFIRMATION,
            commits.c.score.is_not(None) | (jobs.c.kind == JobKind.MEASUREMENT),
        )
        .order_by(jobs.c.ingested_at, jobs.c.ordinal)
    )
    rows = [row for row in connection.execute(query).mappings() if row["id"] not in replay.taken]
    for start in range(0, len(rows), _READ_AT_ONCE):
        piece = rows[start : start + _READ_AT_ONCE]
        figures = _read_metrics(connection, replay.space, [row["commit"] for row in piece])
        for row in piece:
            yield row, figures.get(row["commit"], {})


def _read_metrics(
    connection: Connection, space: DescriptorSpace, names: list[str]
) -> dict[str, dict[str, float]]:
    wanted = [measure.name for measure in space.objective.measures]
    if not wanted:
        return {}
    query = select(metrics.c.commit, metrics.c.name, metrics.c.value).where(
        and_(metrics.c.commit.in_(names), metrics.c.name.in_(wanted))
    )
    found: dict[str, dict[str, float]] = {}
    for row in connection.execute(query):
        found.setdefault(row.commit, {})[row.name] = row.value
    return found


def _add_job(replay: _Replay, row: RowMapping, figures: dict[str, float]) -> None:
    if row["ingested_at"] > replay.taken_at:
        replay.taken_at, replay.taken = row["ingested_at"], set()
    replay.taken.add(row["id"])
    commit = row["commit"]
    estimate = None if row["score"] is None else Estimate(row["score"], row["error"] or 0.0)
    if replay.root is None and estimate is not None:
        replay.root = estimate.score  # the root commit's job is the first of all
    if row["kind"] in SEARCHING:
        replay.evaluations += 1 + row["tries"]
    if commit in replay.held:
        replay.remeasure(commit, estimate)
    elif estimate is not None:
        own = {name: float(row[name]) for name in BUILT_IN_MEASURES}
        place = replay.space.measure(own | figures, row["vector"] or b"")
        cell = _NOWHERE if isinstance(place, Infeasible) else replay.space.grid.cell_of(place)
        replay.offer(commit, cell, row["island"] or 0, estimate)
    if replay.best is not None:
        replay.moments.append(
            Moment(
                at=row["ingested_at"],
                evaluations=replay.evaluations,
                best=replay.space.objective.fitness(replay.best),
                cells=len(replay.cells) - (_NOWHERE in replay.cells),
                qd_score=replay.gains,
            )
        )


def _thin(moments: list[Moment], at_most: int) -> list[Moment]:
    if len(moments) <= at_most:
        return list(moments)
    step = (len(moments) - 1) / (at_most - 1)
    return [moments[round(step * number)] for number in range(at_most)]
