"""Where in the archive a candidate stands; pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from loreley.map_elites.cells import Grid
from loreley.map_elites.descriptor import unpack
from loreley.map_elites.fitness import Infeasible
from loreley.map_elites.objective import Objective
from loreley.map_elites.projection import Projection


@dataclass(frozen=True, slots=True)
class DescriptorSpace:
    """The space that the archive's grid divides: of named figures, or of the code descriptor."""

    objective: Objective
    projection: Projection | None = None  # of the code descriptor, once it was fitted

    @property
    def grid(self) -> Grid:
        """The cells."""
        return self.objective.grid

    def measure(
        self, figures: Mapping[str, float], vector: bytes
    ) -> tuple[float, ...] | Infeasible:
        """The place of a commit with these figures, or with this code descriptor.

        By its components the place is mostly in [0, 1], and in the middle before there are any.
        """
        if self.objective.measures:
            names = [measure.name for measure in self.objective.measures]
            missing = [name for name in names if name not in figures]
            if missing:
                return Infeasible(f"the evaluation lacks {', '.join(map(repr, missing))}")
            return tuple(figures[name] for name in names)
        found = unpack(vector)
        if found is None or (self.projection and len(found) != len(self.projection.mean)):
            return Infeasible("its code descriptor was not computed, or by another version")
        if self.projection is None:
            return (0.5,) * self.objective.code_axes
        return tuple(map(float, self.projection.project([found])[0]))
