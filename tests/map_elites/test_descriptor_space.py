"""Where a candidate stands."""

import pytest

from loreley.map_elites.cells import Measure
from loreley.map_elites.descriptor import pack, zero
from loreley.map_elites.descriptor_space import DescriptorSpace
from loreley.map_elites.fitness import Infeasible
from loreley.map_elites.objective import Objective
from loreley.map_elites.projection import fit

NAMED = DescriptorSpace(Objective(measures=(Measure("b", 0, 9, 3), Measure("a", 0, 9, 3))))
OF_CODE = Objective(code_axes=2, code_bins=10)


def test_named_figures_place_a_commit_in_the_order_of_the_measures() -> None:
    assert NAMED.measure({"a": 1.0, "b": 2.0, "c": 3.0}, b"") == (2.0, 1.0)


def test_a_commit_that_lacks_a_figure_has_no_place() -> None:
    assert NAMED.measure({"a": 1.0}, b"") == Infeasible("the evaluation lacks 'b'")


def test_every_vector_is_in_the_middle_before_axes_are_fitted() -> None:
    assert DescriptorSpace(OF_CODE).measure({}, pack(zero())) == (0.5, 0.5)


def test_a_vector_is_placed_by_the_axes_once_they_are_fitted() -> None:
    vector = zero()
    vector[3] = 1.0
    space = DescriptorSpace(OF_CODE, fit([zero(), vector], axes=2))

    assert space.measure({}, pack(zero())) != space.measure({}, pack(vector))


@pytest.mark.parametrize("vector", [b"", b"other", pack(zero())])
def test_a_vector_of_another_length_has_no_place(vector: bytes) -> None:
    space = DescriptorSpace(OF_CODE, fit([[0.0], [1.0]], axes=1))

    assert isinstance(space.measure({}, vector), Infeasible)
