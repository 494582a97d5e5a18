"""The archive cell by cell, as it is drawn."""

from dataclasses import dataclass

from sqlalchemy import select

from loreley.db.engine import Database
from loreley.db.experiment import read_experiment
from loreley.db.models import commits, elites, jobs
from loreley.map_elites.cells import Grid
from loreley.views.lineage import known_islands


@dataclass(frozen=True, slots=True)
class MapElite:
    """The fittest commit of a cell."""

    cell: int
    bins: tuple[int, ...]  # its interval on each axis, from 0
    commit: str
    fitness: float  # in the metric's own direction
    score: float  # higher is better
    subject: str
    ordinal: int  # of the job that made it
    improvements: int


@dataclass(frozen=True, slots=True)
class IslandMap:
    """An island's archive; ``islands`` are those that hold anything."""

    island: int
    islands: tuple[int, ...]
    grid: Grid
    root_commit: str
    elites: tuple[MapElite, ...]


def read_island(database: Database, island: int) -> IslandMap | None:
    """An island's elites by cell; None before there is an experiment."""
    with database.read() as connection:
        experiment = read_experiment(connection)
        if experiment is None:
            return None
        objective, grid = experiment.objective, experiment.objective.grid
        islands = tuple(known_islands(connection))
        query = (
            select(elites, commits.c.subject, jobs.c.ordinal)
            .join(commits, commits.c.commit == elites.c.commit)
            .join(jobs, jobs.c.id == commits.c.job_id)
            .where(elites.c.island == island)
            .order_by(elites.c.cell)
        )
        found = tuple(
            MapElite(
                cell=one["cell"],
                bins=grid.bins_of(one["cell"]),
                commit=one["commit"],
                fitness=objective.fitness(one["score"]),
                score=one["score"],
                subject=one["subject"],
                ordinal=one["ordinal"],
                improvements=one["improvements"],
            )
            for one in connection.execute(query).mappings()
        )
    return IslandMap(island, islands, grid, experiment.root_commit, found)
