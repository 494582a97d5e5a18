"""The axes of the code descriptor."""

import numpy as np
import pytest

from loreley.map_elites.projection import Projection, fit


def cloud(count: int, seed: int = 1) -> list[list[float]]:
    """Points in six dimensions that spread most along the first and then the third."""
    random = np.random.default_rng(seed)
    spread = np.array([10.0, 0.1, 4.0, 0.1, 0.1, 0.1])
    points: list[list[float]] = (random.normal(size=(count, 6)) * spread + 5).tolist()
    return points


def test_the_first_axes_are_those_of_most_spread() -> None:
    projection = fit(cloud(200), axes=2)

    first, second = np.abs(np.array(projection.components))
    assert first.argmax() == 0
    assert second.argmax() == 2
    assert np.linalg.norm(projection.components, axis=1) == pytest.approx([1, 1])


def test_places_lie_within_the_unit_square_with_room_to_spare() -> None:
    points = cloud(200)

    places = fit(points, axes=2).project(points)

    assert places.min() > 0.1
    assert places.max() < 0.9


def test_a_refit_keeps_order_and_direction_of_the_axes() -> None:
    points = cloud(100)
    before = fit(points, axes=2)
    flipped = Projection(
        before.mean,
        (tuple(-x for x in before.components[1]), before.components[0]),
        before.low,
        before.high,
        before.fitted_on,
    )

    after = fit(points + cloud(100, seed=2), axes=2, previous=flipped)

    assert np.dot(after.components[0], flipped.components[0]) > 0.9
    assert np.dot(after.components[1], flipped.components[1]) > 0.9


@pytest.mark.parametrize("points", [[[1.0, 2.0, 3.0]], [[1.0, 2.0, 3.0]] * 5])
def test_points_without_spread_are_placed_all_the_same(points: list[list[float]]) -> None:
    places = fit(points, axes=2).project(points)

    assert np.isfinite(places).all()
    assert (places == places[0]).all()


def test_a_projection_survives_storage() -> None:
    projection = fit(cloud(20), axes=2)

    assert Projection.from_mapping(projection.to_mapping()) == projection
