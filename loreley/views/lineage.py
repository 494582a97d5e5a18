"""How a commit came to be, read from the database: its steps from the root, and its figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, func, literal, select

from loreley.core.evaluation.evaluation import Metric
from loreley.db.engine import Database
from loreley.db.models import commits, elites, evaluations, experiment, jobs, metrics
from loreley.map_elites.fitness import Term

MOST_MATCHES = 5


@dataclass(frozen=True, slots=True)
class Step:
    """A commit on the way from the root, by what made it; fitness in the metric's direction."""

    commit: str
    parent: str | None
    branch: str | None
    subject: str
    job_id: str
    ordinal: int  # of the job that made it; negative for the root
    island: int
    agent: str | None
    operator: str | None
    made_at: datetime
    fitness: float | None  # None: it broke a constraint, or is not scored yet
    error: float  # standard error of the fitness; 0: not known
    gain: float | None  # how much better than the step before; positive is better


@dataclass(frozen=True, slots=True)
class Lineage:
    """A judged commit with its way from the root."""

    root_commit: str
    fitness_name: str
    higher_is_better: bool
    steps: tuple[Step, ...]  # from the root to the commit, both included
    summary: str  # what the evaluator said of the commit
    metrics: tuple[Metric, ...]
    root_metrics: tuple[Metric, ...]

    @property
    def last(self) -> Step:
        """The commit itself."""
        return self.steps[-1]

    @property
    def root(self) -> Step:
        """Where it began."""
        return self.steps[0]

    @property
    def gain(self) -> float | None:
        """How much better the commit is than the root; positive is better."""
        return _gain(self.last.fitness, self.root.fitness, higher=self.higher_is_better)


def known_islands(connection: Connection) -> list[int]:
    """The islands that hold an elite."""
    query = select(elites.c.island).distinct().order_by(elites.c.island)
    return list(connection.execute(query).scalars())


def commits_beginning(connection: Connection, beginning: str) -> list[str]:
    """Judged commits whose ids begin so; at most `MOST_MATCHES`."""
    query = (
        select(commits.c.commit)
        .where(commits.c.commit.startswith(beginning.lower(), autoescape=True))
        .order_by(commits.c.commit)
        .limit(MOST_MATCHES)
    )
    return list(connection.execute(query).scalars())


def commit_of_job(connection: Connection, job_id: str) -> str | None:
    """The commit a job made or measured; None when it has none."""
    return connection.execute(select(jobs.c.commit).where(jobs.c.id == job_id)).scalar()


def read_lineage(database: Database, commit: str) -> Lineage | None:
    """The way to a judged commit; None when the database does not know it."""
    with database.read() as connection:
        about = connection.execute(select(experiment)).first()
        rows = connection.execute(_way_to(commit)).mappings().all()
        if about is None or not rows:
            return None
        higher = bool(about.search["mapelites_fitness_higher_is_better"])
        steps = _steps(rows, higher=higher)
        said = select(evaluations.c.summary).where(evaluations.c.commit == commit)
        return Lineage(
            root_commit=about.root_commit,
            fitness_name=about.search["mapelites_fitness_metric"] or "weighted fitness",
            higher_is_better=higher,
            steps=steps,
            summary=connection.execute(said).scalar() or "",
            metrics=_metrics(connection, commit, about.search),
            root_metrics=_metrics(connection, steps[0].commit, about.search),
        )


def _way_to(commit: str) -> Select[tuple[object, ...]]:
    """The commit and all before it, the root first."""
    way = (
        select(commits.c.commit, commits.c.parent, literal(0).label("back"))
        .where(commits.c.commit == commit)
        .cte("way", recursive=True)
    )
    way = way.union_all(
        select(commits.c.commit, commits.c.parent, way.c.back + 1).join(
            way, commits.c.commit == way.c.parent
        )
    )
    return (
        select(
            *(commits.c[name] for name in ("commit", "parent", "branch", "subject", "score")),
            func.coalesce(commits.c.error, 0.0).label("error"),
            commits.c.created_at,
            *(jobs.c[name] for name in ("ordinal", "island", "agent", "operator")),
            jobs.c.id.label("job_id"),
        )
        .join(way, way.c.commit == commits.c.commit)
        .join(jobs, jobs.c.id == commits.c.job_id)
        .order_by(way.c.back.desc())
    )


def _steps(rows: Sequence[RowMapping], *, higher: bool) -> tuple[Step, ...]:
    sign = 1.0 if higher else -1.0
    steps: list[Step] = []
    for row in rows:
        fitness = None if row["score"] is None else row["score"] * sign
        before = steps[-1].fitness if steps else None
        steps.append(
            Step(
                commit=row["commit"],
                parent=row["parent"],
                branch=row["branch"],
                subject=row["subject"],
                job_id=row["job_id"],
                ordinal=row["ordinal"],
                island=row["island"],
                agent=row["agent"],
                operator=row["operator"],
                made_at=datetime.fromtimestamp(row["created_at"], UTC),
                fitness=fitness,
                error=row["error"],
                gain=_gain(fitness, before, higher=higher),
            )
        )
    return tuple(steps)


def _gain(fitness: float | None, before: float | None, *, higher: bool) -> float | None:
    if fitness is None or before is None:
        return None
    return fitness - before if higher else before - fitness


def _metrics(connection: Connection, commit: str, search: Mapping[str, Any]) -> tuple[Metric, ...]:
    """The commit's figures; of those that make the fitness, the experiment knows the direction."""
    sought = _directions(search)
    query = select(metrics).where(metrics.c.commit == commit).order_by(metrics.c.position)
    return tuple(
        Metric(
            row["name"],
            row["value"],
            row["unit"],
            sought.get(row["name"], row["higher_is_better"]),
            tuple(row["samples"]),
        )
        for row in connection.execute(query).mappings()
    )


def _directions(search: Mapping[str, Any]) -> Mapping[str, bool]:
    """Whether more is better, by metric."""
    if metric := search.get("mapelites_fitness_metric"):
        return {metric: bool(search["mapelites_fitness_higher_is_better"])}
    terms = map(Term.parse, search.get("mapelites_fitness_weights") or ())
    return {term.metric: term.weight > 0 for term in terms if term.weight}
