"""Where judged commits stand in the archive's grid."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from loguru import logger
from sqlalchemy import Connection

from loreley.core.jobs import JudgedCommit
from loreley.db.archive import Archive, Placed
from loreley.db.scores import read_projection, scored_commits, write_projection
from loreley.errors import ConfigError
from loreley.map_elites.cells import Grid, Measure
from loreley.map_elites.descriptor import DIMENSIONS, unpacked, zero
from loreley.map_elites.fitness import Infeasible
from loreley.map_elites.projection import Projection, fit

OWN_FIGURES = ("edit_distance", "code_size")  # of each commit, without an evaluator


class Landscape(Protocol):
    """Gives each judged commit its place."""

    @property
    def grid(self) -> Grid:
        """The cells."""
        ...

    def measures(
        self, connection: Connection, judged: JudgedCommit
    ) -> tuple[float, ...] | Infeasible:
        """The commit's place in the space that the grid divides."""
        ...

    def grow(self, connection: Connection, archive: Archive, judged_commits: int) -> None:
        """Learn from what there is now, after each ingested job."""
        ...


class NamedLandscape:
    """Places by figures that the user named: metrics, or the commit's own size and distance."""

    def __init__(self, measures: Sequence[Measure]) -> None:
        self.grid = Grid(tuple(measures))

    def measures(
        self,
        connection: Connection,  # noqa: ARG002 - the names mean the same whatever is stored
        judged: JudgedCommit,
    ) -> tuple[float, ...] | Infeasible:
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
    commit stays constant on average. They are read anew each time: what another scheduler has
    fitted counts at once, and what was rolled back never does.
    """

    def __init__(self, axes: int, bins: int) -> None:
        self.grid = Grid(
            tuple(Measure(f"component_{axis}", 0.0, 1.0, bins) for axis in range(1, axes + 1))
        )
        self._axes = axes

    def measures(
        self, connection: Connection, judged: JudgedCommit
    ) -> tuple[float, ...] | Infeasible:
        """The commit's components, mostly in [0, 1]; the middle before there is a projection."""
        vector = unpacked(judged.vector)
        if vector is None:
            return Infeasible("its code descriptor was not computed, or by another version")
        projection = _fitted(connection)
        if projection is None:
            return (0.5,) * self._axes
        return tuple(map(float, projection.project([vector])[0]))

    def grow(self, connection: Connection, archive: Archive, judged_commits: int) -> None:
        """Refit and place everything anew, when the number of commits has doubled."""
        last = _fitted(connection)
        if judged_commits < 2 * (last.fitted_on if last else 1):
            return
        known = [each for each in scored_commits(connection) if unpacked(each.vector)]
        if len(known) < 2:
            return
        vectors = [unpacked(each.vector) or zero() for each in known]
        # Counted as they are asked for above: commits without a score have no vector here.
        projection = replace(fit(vectors, self._axes, last), fitted_on=judged_commits)
        write_projection(connection, projection.to_mapping())
        places = [tuple(map(float, place)) for place in projection.project(vectors)]
        archive.replace_all(
            [
                Placed(island, self.grid.cell_of(place), each.commit, each.estimate, place)
                for each, place in zip(known, places, strict=True)
                for island in each.islands
            ]
        )
        logger.info("the archive's axes were fitted on {} commits", len(known))


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


def _fitted(connection: Connection) -> Projection | None:
    known = read_projection(connection)
    return None if known is None else Projection.from_mapping(known)
