"""Constraints, terms, and what counts as better beyond the noise."""

import pytest

from loreley.map_elites.fitness import Constraint, Estimate, Term


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("overlap <= 0", Constraint("overlap", True, 0.0)),
        ("tests passed>=1e2", Constraint("tests passed", False, 100.0)),
        (" a<=b <= -1 ", Constraint("a<=b", True, -1.0)),
    ],
)
def test_constraints_are_read_as_people_write_them(text: str, expected: Constraint) -> None:
    assert Constraint.parse(text) == expected


@pytest.mark.parametrize("text", ["", "a", "a < 1", "<= 1", "a <=", "a <= x"])
def test_what_is_no_constraint_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        Constraint.parse(text)


def test_without_known_errors_any_gain_is_better() -> None:
    assert Estimate(1.0 + 1e-12).beats(Estimate(1.0))
    assert Estimate(3e-200).beats(Estimate(1e-200))
    assert not Estimate(1.0).beats(Estimate(1.0))


def test_a_gain_within_the_noise_of_both_is_not_better() -> None:
    assert not Estimate(1.2, 0.1).beats(Estimate(1.0, 0.1))
    assert Estimate(1.3, 0.1).beats(Estimate(1.0, 0.1))


@pytest.mark.parametrize("text", ["", "speed", ":1", "speed:fast", "speed:nan"])
def test_what_is_no_term_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not"):
        Term.parse(text)
