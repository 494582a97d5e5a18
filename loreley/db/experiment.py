"""The one experiment of a database: what it seeks, how far it is, and where its commits stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import stdev
from typing import Any

from sqlalchemy import Connection, delete, select, update

from loreley.core.evaluation.evaluation import Evaluation, Metric
from loreley.core.evaluation.fingerprint import Fingerprint, explain_other_judge
from loreley.db.engine import Database, now
from loreley.db.judged_commits import read_metrics
from loreley.db.models import (
    challenges,
    commits,
    confirmations,
    evaluations,
    experiment,
    holdouts,
    hosts,
)
from loreley.errors import ConfigError, WorkerUnfit
from loreley.map_elites.descriptor_space import DescriptorSpace
from loreley.map_elites.objective import Objective
from loreley.map_elites.projection import Projection


@dataclass(frozen=True, slots=True)
class Experiment:
    """What stays fixed for the life of a database."""

    root_commit: str
    search: Mapping[str, Any]  # the settings that give scores and cells their meaning, by name
    root_metrics: tuple[Metric, ...] = ()  # none before the root commit was judged
    judge_digest: str | None = None  # of what commits are judged with; None before the first was

    @property
    def objective(self) -> Objective:
        """What is sought; before the root was judged nobody may have said in which direction."""
        return Objective.from_search(self.search).directed(self.said)

    @property
    def said(self) -> Mapping[str, bool]:
        """Whether more is better, by metric: where the evaluator said it of the root commit."""
        return Evaluation("", self.root_metrics).directions

    @property
    def spreads(self) -> Mapping[str, float]:
        """The standard deviation of a single measurement of the root commit, by metric.

        Without a metric that was measured once, and 0 of one that is exact.
        """
        measured = [each for each in self.root_metrics if len(each.samples) > 1]
        return {metric.name: stdev(metric.samples) for metric in measured}

    def describe_direction(self) -> str:
        """Which direction of the fitness is better and who says so, in words."""
        objective = self.objective
        if objective.metric is None:
            return "higher is better"
        way = f"{'higher' if objective.higher_is_better else 'lower'} is better"
        if self.search.get("mapelites_fitness_higher_is_better", True) is not None:
            return f"{way}, as is set"
        if objective.metric in self.said:
            return f"{way}, as the evaluator says"
        if self.root_metrics:
            return f"taken as {way}, as the evaluator does not say"
        return "as the evaluator will say of the root commit"

    @property
    def directions(self) -> Mapping[str, bool]:
        """Whether more is better, by metric, as it is fixed once the root commit was judged."""
        return {**self.said, **self.objective.directions} if self.root_metrics else {}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an experiment has come, counted as its jobs are ingested."""

    ended_jobs: int  # evolution jobs in a final state
    judged_commits: int
    migrations: int


def read_experiment(connection: Connection) -> Experiment | None:
    """The experiment of this database; None before its first start."""
    wanted = (experiment.c.root_commit, experiment.c.search, experiment.c.judge_digest)
    row = connection.execute(select(*wanted)).first()
    if row is None:
        return None
    root_metrics = read_metrics(connection, row.root_commit)
    return Experiment(row.root_commit, row.search, root_metrics, row.judge_digest)


def read_judge(connection: Connection) -> Fingerprint | None:
    """What commits are judged with; None before the first was, and in runs of earlier versions."""
    kept = connection.execute(select(experiment.c.judge)).scalar()
    return Fingerprint.from_mapping(kept) if kept else None


def require_judge(connection: Connection, judge: Fingerprint | None) -> None:
    """Make sure that the experiment has this judge; the first one that there is becomes its own.

    Raises `WorkerUnfit` for another one.
    """
    known = connection.execute(select(experiment.c.judge_digest)).scalar()
    if judge is None or judge.digest == known:
        return
    if known is not None:
        kept = read_judge(connection)
        assert kept is not None  # both are written at once
        raise explain_other_judge(WorkerUnfit, kept, judge)
    write_judge(connection, judge)


def refuse_other_judge(connection: Connection, judge: Fingerprint) -> None:
    """Raise `ConfigError` when the experiment has another judge than this host."""
    known = read_judge(connection)
    if known is not None and known != judge:
        raise explain_other_judge(ConfigError, known, judge)


def write_judge(connection: Connection, judge: Fingerprint) -> None:
    """Let the experiment have this judge from now on."""
    connection.execute(
        update(experiment).values(judge=judge.to_mapping(), judge_digest=judge.digest)
    )


def begin_judging_anew(connection: Connection, judge: Fingerprint) -> None:
    """Let the experiment have this judge, and forget what an earlier one has decided.

    Scores of commits that were measured by another one are gone until they are measured anew.
    """
    write_judge(connection, judge)
    connection.execute(update(experiment).values(judges_anew=True))
    others = select(evaluations.c.commit).where(evaluations.c.judge.is_distinct_from(judge.digest))
    connection.execute(
        update(commits).where(commits.c.commit.in_(others)).values(score=None, error=None)
    )
    for table in (confirmations, holdouts, challenges):
        connection.execute(delete(table))


def is_judging_anew(connection: Connection) -> bool:
    """Whether root and elites are being measured by another judge than before."""
    return bool(connection.execute(select(experiment.c.judges_anew)).scalar())


def end_judging_anew(connection: Connection) -> None:
    """Note that root and elites have been measured."""
    connection.execute(update(experiment).values(judges_anew=False))


def adopt_judge(connection: Connection, judge: Fingerprint) -> bool:
    """Take this one for the judge of a run of an earlier version; False where there is no need."""
    adopted = connection.execute(
        update(experiment)
        .where(experiment.c.judge_digest.is_(None), select(evaluations.c.commit).exists())
        .values(judge=judge.to_mapping(), judge_digest=judge.digest)
    )
    if adopted.rowcount:
        connection.execute(update(evaluations).values(judge=judge.digest))
    return adopted.rowcount > 0


def read_hosts(connection: Connection) -> dict[str, list[float]]:
    """What each host makes of the root commit with the experiment's judge: fitness by host."""
    judge = select(experiment.c.judge_digest).scalar_subquery()
    query = select(hosts.c.name, hosts.c.root_fitness).where(
        hosts.c.judge.is_not_distinct_from(judge)
    )
    return {row.name: row.root_fitness for row in connection.execute(query.order_by(hosts.c.name))}


def write_host(
    database: Database,
    connection: Connection,
    name: str,
    machine: str,
    root_fitness: Sequence[float],
) -> None:
    """Keep what a host makes of the root commit, in place of what it made of it before."""
    row = {
        "judge": connection.execute(select(experiment.c.judge_digest)).scalar(),
        "machine": machine,
        "root_fitness": list(root_fitness),
        "measured_at": now(),
    }
    insert = database.insert(hosts).values(name=name, **row)
    connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=row))


def read_progress(connection: Connection) -> Progress:
    """How far the experiment has come."""
    row = connection.execute(select(experiment)).one()
    return Progress(row.ended_jobs, row.judged_commits, row.migrations)


def read_descriptor_space(connection: Connection, objective: Objective) -> DescriptorSpace:
    """Where commits stand by now; of the code descriptor the projection is read anew each time.

    So what another scheduler has fitted counts at once, and what was rolled back never does.
    """
    if objective.measures:
        return DescriptorSpace(objective)
    kept = read_projection(connection)
    return DescriptorSpace(objective, Projection.from_mapping(kept) if kept else None)


def read_projection(connection: Connection) -> Mapping[str, Any] | None:
    """The axes of the code descriptor, once they were fitted."""
    found: Mapping[str, Any] | None = connection.execute(select(experiment.c.projection)).scalar()
    return found


def write_projection(connection: Connection, projection: Mapping[str, Any]) -> None:
    """Keep the axes of the code descriptor."""
    connection.execute(update(experiment).values(projection=dict(projection)))


def write_migrations(connection: Connection, count: int) -> None:
    """Note how many migrations between islands there have been."""
    connection.execute(update(experiment).values(migrations=count))
