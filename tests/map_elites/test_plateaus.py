"""When the best stays where it is for longer than it usually does."""

import pytest

from loreley.map_elites.plateaus import Plateau, find_plateaus


@pytest.mark.parametrize(
    ("moves", "now", "found"),
    [
        ([], 1_000, []),
        ([0], 50, []),
        ([0], 51, [Plateau(50)]),
        ([0, 2, 5, 9], 59, []),  # fifty jobs are waited for in any case
        ([0, 2, 5, 9], 60, [Plateau(59)]),
        ([0, 40, 80, 120], 240, []),  # three times as long as moves have taken
        ([0, 40, 80, 120], 241, [Plateau(240)]),
        ([0, 40, 80, 300, 310], 320, [Plateau(200, 300)]),
        ([0, 60, 63], 300, [Plateau(50, 60), Plateau(157)]),
        ([0, *range(500, 512)], 600, [Plateau(50, 500), Plateau(561)]),  # the latest ten count
    ],
)
def test_a_plateau_is_longer_than_moves_have_usually_taken(
    moves: list[int], now: int, found: list[Plateau]
) -> None:
    assert list(find_plateaus(moves, now)) == found
