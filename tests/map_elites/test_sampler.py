from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loreley.map_elites.cells import Grid, Measure
from loreley.map_elites.sampler import BaseChoice, Elite, Sampler, Selection

GRID = Grid((Measure("x", 0, 100, 100),))


@dataclass
class Elites:
    """A population in a list, which counts what is asked of it."""

    elites: Sequence[Elite]
    looked_at: int = 0

    def size(self) -> int:
        return len(self.elites)

    def at(self, positions: Sequence[int]) -> list[Elite]:
        self.looked_at += len(positions)
        return [self.elites[position] for position in positions]

    def in_cells(self, cells: Sequence[int]) -> list[Elite]:
        found = [elite for elite in self.elites if elite.cell in set(cells)]
        self.looked_at += len(found)
        return found

    def ranked(self, rank: int) -> Elite:
        self.looked_at += 1
        return sorted(self.elites, key=lambda elite: (-elite.score, elite.cell))[rank]


def population(count: int) -> Elites:
    """The cells from 0 on; the higher the fitter, and the lower the more curious."""
    return Elites([Elite(cell, f"c{cell}", float(cell), float(-cell)) for cell in range(count)])


def sampler(shares: Mapping[str, float] | None = None, **options: int) -> Sampler:
    return Sampler(GRID, shares or {BaseChoice.FITNESS: 0.5, BaseChoice.UNIFORM: 0.5}, **options)


def chosen(choice: Selection | None) -> Selection:
    assert choice is not None
    return choice


def bases(way: BaseChoice, count: int = 50) -> Counter[int]:
    elites, random = population(count), Random(1)
    picks = [chosen(sampler({way: 1}).choose(elites, random)).base for _ in range(2000)]
    return Counter(int(pick[1:]) for pick in picks)


def test_without_elites_there_is_no_choice() -> None:
    assert sampler().choose(Elites([]), Random(1)) is None


def test_a_single_elite_is_chosen_alone() -> None:
    assert sampler().choose(population(1), Random(1)) == Selection("c0", ())


@given(st.integers(1, 60), st.integers(0, 2**32), st.integers(0, 3), st.integers(0, 3))
def test_base_and_inspirations_are_different_elites(
    count: int, seed: int, near: int, far: int
) -> None:
    choice = chosen(sampler(near=near, far=far).choose(population(count), Random(seed)))

    names = [choice.base, *choice.inspirations]
    assert len(names) == len(set(names))
    assert set(names) <= {f"c{cell}" for cell in range(count)}
    assert len(choice.inspirations) <= near + far


@pytest.mark.slow
@given(st.integers(1, 60), st.integers(0, 2**32))
def test_equal_input_gives_equal_choices_whatever_the_order_of_rows(count: int, seed: int) -> None:
    class Shuffled(Elites):
        def at(self, positions: Sequence[int]) -> list[Elite]:
            return list(reversed(super().at(positions)))

        def in_cells(self, cells: Sequence[int]) -> list[Elite]:
            return list(reversed(super().in_cells(cells)))

    elites = population(count)

    assert sampler().choose(elites, Random(seed)) == sampler().choose(
        Shuffled(elites.elites), Random(seed)
    )


@pytest.mark.parametrize("way", list(BaseChoice))
def test_every_elite_may_become_a_base_where_chance_is_all(way: BaseChoice) -> None:
    counts = bases(way)

    if way is BaseChoice.UNIFORM:
        assert set(counts) == set(range(50))
        assert max(counts.values()) < 4 * min(counts.values())


def test_the_fittest_is_the_base_half_of_the_time_and_each_next_one_half_as_often() -> None:
    counts = bases(BaseChoice.FITNESS)

    shares = [counts[49 - rank] / counts.total() for rank in range(4)]
    assert shares == pytest.approx([1 / 2, 1 / 4, 1 / 8, 1 / 16], abs=0.04)
    assert len(counts) > 7


def test_the_least_fit_of_two_is_a_base_half_of_the_time() -> None:
    counts = bases(BaseChoice.FITNESS, count=2)

    assert counts[0] / counts.total() == pytest.approx(0.5, abs=0.04)


def test_the_curious_are_bases_more_often() -> None:
    counts = bases(BaseChoice.CURIOSITY)

    assert sum(count for cell, count in counts.items() if cell < 25) > 0.95 * counts.total()


def test_the_shares_are_kept() -> None:
    elites, random = population(50), Random(1)
    mixed = sampler({BaseChoice.FITNESS: 3, BaseChoice.CURIOSITY: 1})

    picks = [int(chosen(mixed.choose(elites, random)).base[1:]) for _ in range(2000)]

    assert 0.7 < sum(pick >= 25 for pick in picks) / len(picks) < 0.8


def test_a_near_inspiration_is_a_neighbour_where_there_is_one() -> None:
    random = Random(1)
    for _ in range(50):
        choice = chosen(sampler(near=1, far=0).choose(population(100), random))
        [near] = choice.inspirations
        assert abs(int(near[1:]) - int(choice.base[1:])) == 1


def test_farther_cells_are_looked_at_where_the_near_ones_are_empty() -> None:
    elites = Elites([Elite(cell, f"c{cell}", 1.0) for cell in (10, 14, 50)])

    choices = {
        choice.base: choice.inspirations
        for choice in (
            chosen(sampler(near=1, far=0).choose(elites, Random(seed))) for seed in range(50)
        )
    }

    assert choices == {"c10": ("c14",), "c14": ("c10",), "c50": ("c14",)}


def test_a_base_far_from_all_others_is_inspired_by_one_of_the_nearest() -> None:
    grid = Grid((Measure("x", 0, 1, 100), Measure("y", 0, 1, 100)))
    cells = [5050, 1, 6040, 9999, 4060]  # two of them 20 steps from the first
    elites = Elites([Elite(cell, f"c{cell}", float(cell == 5050)) for cell in cells])
    one = Sampler(grid, {BaseChoice.FITNESS: 1}, near=1, far=0)

    choices = [chosen(one.choose(elites, Random(seed))) for seed in range(60)]

    near = {choice.inspirations for choice in choices if choice.base == "c5050"}
    assert near == {("c6040",), ("c4060",)}


@pytest.mark.parametrize(("axes", "bins"), [(6, 9), (8, 10), (30, 2), (7, 8)])
def test_many_axes_cost_no_more_than_few(axes: int, bins: int) -> None:
    """All cells around one would be thousands to billions."""
    grid = Grid(tuple(Measure(f"m{axis}", 0, 1, bins) for axis in range(axes)))
    elites = Elites(
        [Elite(cell, f"c{cell}", 1.0) for cell in range(0, grid.cells, grid.cells // 9)]
    )
    one = Sampler(grid, {BaseChoice.UNIFORM: 1}, near=1, far=0)

    choice = chosen(one.choose(elites, Random(1)))

    assert len(choice.inspirations) == 1
    assert elites.looked_at < 100


def test_a_choice_costs_the_same_in_a_large_archive() -> None:
    costs = []
    for count in (100, 100_000):
        elites = Elites([Elite(cell, f"c{cell}", 1.0) for cell in range(count)])
        Sampler(Grid((Measure("x", 0, count, count),)), {BaseChoice.FITNESS: 1}).choose(
            elites, Random(1)
        )
        costs.append(elites.looked_at)

    assert costs[1] <= costs[0] + 2
