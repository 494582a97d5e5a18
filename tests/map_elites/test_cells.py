from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loreley.map_elites.cells import Grid, Measure

figures = st.floats(-1e9, 1e9)
measures = st.builds(
    lambda low, width, bins: Measure("x", low, low + width, bins),
    st.floats(-1e6, 1e6),
    st.floats(1e-3, 1e6),
    st.integers(1, 50),
)
grids = st.builds(lambda axes: Grid(tuple(axes)), st.lists(measures, min_size=1, max_size=3))


def test_a_measure_is_read_from_its_setting() -> None:
    assert Measure.parse("score:-1.5:1e3:20") == Measure("score", -1.5, 1000.0, 20)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, 0), (0.99, 0), (1.0, 1), (9.99, 9), (10.0, 9), (-5.0, 0), (99.0, 9), (-0.0, 0)],
)
def test_bins_are_half_open_and_the_ends_take_what_lies_outside(
    value: float, expected: int
) -> None:
    assert Measure("x", 0.0, 10.0, 10).bin_of(value) == expected


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), 1e308, -1e308])
def test_the_farthest_values_still_have_a_bin(value: float) -> None:
    assert Measure("x", -1.0, 1.0, 7).bin_of(value) == (6 if value > 0 else 0)


@given(measures, figures)
def test_every_value_has_a_bin(measure: Measure, value: float) -> None:
    assert 0 <= measure.bin_of(value) < measure.bins


@given(measures, st.tuples(figures, figures))
def test_a_larger_value_is_never_in_a_lower_bin(
    measure: Measure, values: tuple[float, float]
) -> None:
    assert measure.bin_of(min(values)) <= measure.bin_of(max(values))


@given(grids, st.data())
def test_every_place_has_a_cell(grid: Grid, data: st.DataObject) -> None:
    values = [data.draw(figures) for _ in grid.measures]

    assert 0 <= grid.cell_of(values) < grid.cells


def test_cells_are_numbered_with_the_last_measure_fastest() -> None:
    grid = Grid((Measure("a", 0, 2, 2), Measure("b", 0, 3, 3)))

    places = product([0.5, 1.5], [0.5, 1.5, 2.5])

    assert [grid.cell_of(place) for place in places] == list(range(grid.cells))


def test_a_place_needs_a_value_for_each_measure() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Grid((Measure("a", 0, 2, 2), Measure("b", 0, 3, 3))).cell_of([1.0])


@given(
    st.lists(st.integers(1, 6), min_size=1, max_size=3), st.integers(0, 7), st.integers(0, 10**6)
)
def test_the_cells_around_are_those_at_most_so_many_bins_away(
    bins: list[int], reach: int, number: int
) -> None:
    grid = Grid(tuple(Measure("x", 0, size, size) for size in bins))
    places = list(product(*(range(size) for size in bins)))
    centre = places[number % grid.cells]

    near = {
        grid.cell_of(place)
        for place in places
        if all(abs(a - b) <= reach for a, b in zip(place, centre, strict=True))
    }

    around = grid.around(grid.cell_of(centre), reach)
    assert set(around) == near
    assert len(around) == len(near) <= grid.count_around(reach)
    assert grid.bins_of(grid.cell_of(centre)) == centre
