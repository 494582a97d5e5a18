"""The archive's grid as the database knows it, and where its commits stand in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from loreley.db.models import experiment
from loreley.map_elites.cells import Grid, Measure
from loreley.map_elites.descriptor import unpacked
from loreley.map_elites.projection import Projection


@dataclass(frozen=True, slots=True)
class Places:
    """Gives a judged commit its cell, as the scheduler does; None where it has no place."""

    grid: Grid
    names_figures: bool  # else cells are of the code descriptor
    projection: Projection | None

    def cell_of(self, figures: Mapping[str, float], vector: bytes) -> int | None:
        """The cell of a commit with these figures or this vector."""
        names = [measure.name for measure in self.grid.measures]
        if self.names_figures:
            if any(name not in figures for name in names):
                return None
            return self.grid.cell_of([figures[name] for name in names])
        if self.projection is None:
            return self.grid.cell_of([0.5] * len(names))
        found = unpacked(vector)
        if found is None or len(found) != len(self.projection.mean):
            return None
        return self.grid.cell_of(list(map(float, self.projection.project([found])[0])))


def read_places(connection: Connection) -> Places | None:
    """The grid of the experiment; None before there is one."""
    row = connection.execute(select(experiment.c.search, experiment.c.projection)).first()
    if row is None:
        return None
    search: Mapping[str, Any] = row.search
    named = [Measure.parse(text) for text in search.get("mapelites_measures") or ()]
    projection = Projection.from_mapping(row.projection) if row.projection else None
    return Places(Grid(tuple(named or _axes(search))), bool(named), projection)


def _axes(search: Mapping[str, Any]) -> list[Measure]:
    axes = int(search.get("mapelites_descriptor_axes") or 0)
    bins = int(search.get("mapelites_descriptor_bins") or 1)
    return [Measure(f"component_{axis}", 0.0, 1.0, bins) for axis in range(1, axes + 1)]
