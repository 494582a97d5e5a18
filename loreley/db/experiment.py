"""The one experiment of a database: what it seeks, how far it is, and where its commits stand."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select, update

from loreley.db.models import experiment
from loreley.map_elites.descriptor_space import DescriptorSpace
from loreley.map_elites.objective import Objective
from loreley.map_elites.projection import Projection


@dataclass(frozen=True, slots=True)
class Experiment:
    """What stays fixed for the life of a database."""

    root_commit: str
    search: Mapping[str, Any]  # the settings that give scores and cells their meaning, by name

    @property
    def objective(self) -> Objective:
        """What is sought."""
        return Objective.from_search(self.search)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an experiment has come, counted as its jobs are ingested."""

    ended_jobs: int  # evolution jobs in a final state
    judged_commits: int
    migrations: int


def read_experiment(connection: Connection) -> Experiment | None:
    """The experiment of this database; None before its first start."""
    row = connection.execute(select(experiment.c.root_commit, experiment.c.search)).first()
    return Experiment(row.root_commit, row.search) if row else None


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
