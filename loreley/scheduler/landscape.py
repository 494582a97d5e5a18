"""Where judged commits stand in the archive's grid."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from loguru import logger
from sqlalchemy import Connection

from loreley.core.jobs import JudgedCommit
from loreley.core.map_elites.cells import Grid, Measure
from loreley.core.map_elites.descriptor import unpacked, zero
from loreley.core.map_elites.fitness import Infeasible
from loreley.core.map_elites.projection import Projection, fit
from loreley.db.archive import Archive, Placed
from loreley.db.scores import scored_commits, write_projection

OWN_FIGURES = ("edit_distance", "code_size")  # of each commit, without an evaluator


class Landscape(Protocol):
    """Gives each judged commit its place."""

    @property
    def grid(self) -> Grid:
        """The cells."""
        ...

    def measures(self, judged: JudgedCommit) -> tuple[float, ...] | Infeasible:
        """The commit's place in the space that the grid divides."""
        ...

    def grow(self, connection: Connection, archive: Archive, judged_commits: int) -> None:
        """Learn from what there is now, after each ingested job."""
        ...


class NamedLandscape:
    """Places by figures that the user named: metrics, or the commit's own size and distance."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self.grid = Grid(tuple(measures))

    def measures(self, judged: JudgedCommit) -> tuple[float, ...] | Infeasible:
        """The figures in the order of the measures."""
        own = {name: float(getattr(judged, name)) for name in OWN_FIGURES}
        own |= {metric.name: metric.value for metric in judged.evaluation.metrics}
        missing = [measure.name for measure in self.grid.measures if measure.name not in own]
        if missing:
            return Infeasible(f"the evaluation lacks {', '.join(map(repr, missing))}")
        return tuple(own[measure.name] for measure in self.grid.measures)

    def grow(self, connection: Connection, archive: Archive, judged_commits: int) -> None:
        """Nothing is learnt: the names mean what they mean."""


class CodeLandscape:
    """Places by the principal components of the code descriptor.

    The components are fitted anew whenever the number of commits has doubled; then every stored
    commit gets its place again, so that a cell means the same for all of them. The cost per
    commit stays constant on average.
    """

    def __init__(self, axes: int, bins: int, projection: Projection | None) -> None:
        self.grid = Grid(
            tuple(Measure(f"component_{axis}", 0.0, 1.0, bins) for axis in range(1, axes + 1))
        )
        self._axes = axes
        self._projection = projection

    def measures(self, judged: JudgedCommit) -> tuple[float, ...] | Infeasible:
        """The commit's components, mostly in [0, 1]; the middle before there is a projection."""
        vector = unpacked(judged.vector)
        if vector is None:
            return Infeasible("its code descriptor was not computed, or by another version")
        if self._projection is None:
            return (0.5,) * self._axes
        return tuple(map(float, self._projection.project([vector])[0]))

    def grow(self, connection: Connection, archive: Archive, judged_commits: int) -> None:
        """Refit and place everything anew, when the number of commits has doubled."""
        fitted_on = self._projection.fitted_on if self._projection else 1
        if judged_commits < 2 * fitted_on:
            return
        known = [each for each in scored_commits(connection) if unpacked(each.vector)]
        if len(known) < 2:
            return
        vectors = [unpacked(each.vector) or zero() for each in known]
        fitted = fit(vectors, self._axes, self._projection)
        # Counted as they are asked for above: commits without a score have no vector here.
        self._projection = replace(fitted, fitted_on=judged_commits)
        write_projection(connection, self._projection.to_mapping())
        places = [tuple(map(float, place)) for place in self._projection.project(vectors)]
        archive.replace_all(
            [
                Placed(island, self.grid.cell_of(place), each.commit, each.estimate, place)
                for each, place in zip(known, places, strict=True)
                for island in each.islands
            ]
        )
        logger.info("the archive's axes were fitted on {} commits", len(known))
