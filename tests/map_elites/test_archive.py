"""When a candidate enters the archive."""

import pytest

from loreley.map_elites.archive import AddResult, compare
from loreley.map_elites.fitness import Estimate


@pytest.mark.parametrize(
    ("candidate", "elite", "result"),
    [
        (Estimate(1.0), None, AddResult.NEW),
        (Estimate(1.1), Estimate(1.0), AddResult.IMPROVED),
        (Estimate(1.0), Estimate(1.0), AddResult.REJECTED),
        (Estimate(0.9), Estimate(1.0), AddResult.REJECTED),
        (Estimate(1.2, 0.1), Estimate(1.0, 0.1), AddResult.CHALLENGING),
        (Estimate(1.3, 0.1), Estimate(1.0, 0.1), AddResult.IMPROVED),
    ],
)
def test_an_elite_gives_way_to_what_is_better_beyond_the_noise(
    candidate: Estimate, elite: Estimate | None, result: AddResult
) -> None:
    assert compare(candidate, elite) is result


def test_a_candidate_is_an_elite_when_its_cell_was_empty_or_it_improves_on_the_elite() -> None:
    assert {each for each in AddResult if each.enters} == {AddResult.NEW, AddResult.IMPROVED}
