"""The axes of the code descriptor, fitted anew as there are more commits."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from loguru import logger
from sqlalchemy import Connection

from loreley.db.archive import Archive, PlacedCommit
from loreley.db.experiment import read_descriptor_space, write_projection
from loreley.db.scores import read_scored_commits
from loreley.errors import ConfigError
from loreley.map_elites.descriptor import DIMENSIONS, unpack
from loreley.map_elites.objective import Objective
from loreley.map_elites.projection import fit


def refit(
    connection: Connection, archive: Archive, objective: Objective, judged_commits: int
) -> None:
    """Fit the axes and place every commit anew, when the number of commits has doubled.

    So a cell means the same for all of them, and the cost per commit stays constant on average.
    Axes that were named stay as they are.
    """
    last = read_descriptor_space(connection, objective).projection
    if objective.measures or judged_commits < 2 * (last.fitted_on if last else 1):
        return
    placeable = [
        (commit, vector)
        for commit in read_scored_commits(connection)
        if (vector := unpack(commit.vector))
    ]
    if len(placeable) < 2:
        return
    vectors = [vector for _, vector in placeable]
    # Counted as they are asked for above: commits without a score have no vector here.
    projection = replace(fit(vectors, objective.code_axes, last), fitted_on=judged_commits)
    write_projection(connection, projection.to_mapping())
    places = [tuple(map(float, place)) for place in projection.project(vectors)]
    grid = objective.grid
    archive.replace_all(
        [
            PlacedCommit(island, grid.cell_of(place), commit.commit, commit.estimate, place)
            for (commit, _), place in zip(placeable, places, strict=True)
            for island in commit.islands
        ]
    )
    logger.info("the archive's axes were fitted on {} commits", len(placeable))


def require_same_dimensions(projection: Mapping[str, Any] | None) -> None:
    """Raise `ConfigError` when the axes, as they are kept, are of vectors of another length."""
    if projection is not None and len(projection["mean"]) != DIMENSIONS:
        raise ConfigError(
            "the experiment was begun by a version of Loreley that describes code otherwise",
            setting="DATABASE_URL, LORELEY_STATE_DIR",
            reason=f"its descriptor has {len(projection['mean'])} dimensions, this version's "
            f"{DIMENSIONS}",
            fix="go on with that version, or begin anew with another database",
        )
