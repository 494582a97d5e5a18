"""How a commit came to be, read from the database: its steps from the root, and its figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, RowMapping, Select, func, literal, select

from loreley.core.evaluation.evaluation import Metric
from loreley.db.engine import Database
from loreley.db.experiment import Experiment, read_experiment
from loreley.db.models import commits, elites, evaluations, jobs, metrics
from loreley.map_elites.objective import Objective
from loreley.views.gains import Gain, read_gain

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
    gain: float | None  # by how much it was measured as fitter than the step before


@dataclass(frozen=True, slots=True)
class Lineage:
    """A judged commit with its way from the root."""

    root_commit: str
    objective: Objective
    steps: tuple[Step, ...]  # from the root to the commit, both included
    summary: str  # what the evaluator said of the commit
    metrics: tuple[Metric, ...]
    root_metrics: tuple[Metric, ...]
    confirmation: Gain | None = None  # of the commit; None: it is the root

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
        """By how much the commit was measured as fitter than the root; positive is fitter.

        Whether it is better, `confirmation` says.
        """
        return self.objective.gain(self.last.fitness, self.root.fitness)


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
        about = read_experiment(connection)
        rows = connection.execute(_select_path_to(commit)).mappings().all()
        if about is None or not rows:
            return None
        objective = about.objective
        steps = _to_steps(rows, objective)
        said = select(evaluations.c.summary).where(evaluations.c.commit == commit)
        return Lineage(
            root_commit=about.root_commit,
            objective=objective,
            steps=steps,
            summary=connection.execute(said).scalar() or "",
            metrics=_read_metrics(connection, commit, about),
            root_metrics=_read_metrics(connection, steps[0].commit, about),
            confirmation=read_gain(connection, commit, about.root_commit, objective),
        )


def read_path_to(connection: Connection, commit: str) -> tuple[str, ...]:
    """The commits from the root to a judged commit, both included."""
    return tuple(row.commit for row in connection.execute(_select_path_to(commit)))


def _select_path_to(commit: str) -> Select[tuple[object, ...]]:
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


def _to_steps(rows: Sequence[RowMapping], objective: Objective) -> tuple[Step, ...]:
    steps: list[Step] = []
    for row in rows:
        fitness = None if row["score"] is None else objective.fitness(row["score"])
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
                gain=objective.gain(fitness, before),
            )
        )
    return tuple(steps)


def _read_metrics(connection: Connection, commit: str, about: Experiment) -> tuple[Metric, ...]:
    """The commit's figures, in the direction that the experiment knows, or that was said of it."""
    known = {**about.said, **about.objective.directions}
    query = select(metrics).where(metrics.c.commit == commit).order_by(metrics.c.position)
    return tuple(
        Metric(
            row["name"],
            row["value"],
            row["unit"],
            known.get(row["name"], row["higher_is_better"]),
            tuple(row["samples"]),
            row["name"] in known or row["says_direction"],
        )
        for row in connection.execute(query).mappings()
    )
