"""When a candidate enters the archive, and when the elite of its cell gives way; pure.

Replacement as in MAP-Elites (Mouret & Clune 2015, arXiv:1504.04909), but for noise: an elite stays
until another is better beyond what chance explains.
"""

from enum import StrEnum

from loreley.map_elites.fitness import Estimate


class AddResult(StrEnum):
    """What becomes of a candidate that is offered to the archive."""

    NEW = "new"
    IMPROVED = "improved"
    REJECTED = "rejected"
    CHALLENGING = "challenging"  # better, but not beyond the noise

    @property
    def enters(self) -> bool:
        """Whether the candidate is the elite of its cell now."""
        return self in (AddResult.NEW, AddResult.IMPROVED)


def compare(candidate: Estimate, elite: Estimate | None) -> AddResult:
    """What becomes of a candidate whose cell has this elite, or none. Of equals the first stays."""
    if elite is None:
        return AddResult.NEW
    if candidate.beats(elite):
        return AddResult.IMPROVED
    return AddResult.CHALLENGING if candidate.score > elite.score else AddResult.REJECTED
