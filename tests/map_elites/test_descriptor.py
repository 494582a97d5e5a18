"""Vectors of code: sums over files, derived from the parent's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loreley.map_elites.descriptor import (
    DIMENSIONS,
    FileVectors,
    Vector,
    combine,
    file_vector,
    pack,
    unpack,
    zero,
)


def near(one: Vector, other: Vector) -> bool:
    return all(abs(a - b) < 1e-3 for a, b in zip(one, other, strict=True))


def test_the_same_tokens_give_the_same_vector_whatever_the_layout() -> None:
    assert file_vector(b"x = a+b\n") == file_vector(b"x=a + b")
    assert file_vector(b"x = a+b\n") != file_vector(b"x = a-c\n")


def test_binary_and_empty_files_weigh_nothing() -> None:
    assert file_vector(b"\x7fELF\0\0def f") == file_vector(b"") == zero()


def test_a_small_change_moves_less_than_a_large_one() -> None:
    text = b"def area(radius):\n    return 3.14 * radius ** 2\n" * 5
    original = file_vector(text)

    def distance(other: bytes) -> float:
        return sum((a - b) ** 2 for a, b in zip(original, file_vector(other), strict=True))

    small = distance(text.replace(b"3.14", b"3.2", 1))
    large = distance(b"for i in range(10):\n    print(i, sep='')\n")

    assert 0 < small < large / 5


@given(st.lists(st.binary(max_size=40), max_size=6), st.lists(st.binary(max_size=40), max_size=6))
def test_a_child_derived_from_its_parent_equals_its_own_sum(
    before: list[bytes], after: list[bytes]
) -> None:
    parent = combine(zero(), added=map(file_vector, before), removed=())

    child = combine(parent, added=map(file_vector, after), removed=map(file_vector, before))

    assert near(child, combine(zero(), added=map(file_vector, after), removed=()))


@pytest.mark.slow
@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=DIMENSIONS, max_size=DIMENSIONS))
def test_vectors_survive_storage(values: list[float]) -> None:
    vector = zero()
    for place, value in enumerate(values):
        vector[place] = value

    assert unpack(pack(vector)) == vector


def test_what_was_stored_with_other_dimensions_is_not_taken_for_a_vector() -> None:
    assert unpack(b"") is None
    assert unpack(bytes(4 * DIMENSIONS - 4)) is None


def test_each_content_is_learnt_once() -> None:
    files = FileVectors()
    assert files.missing(["a", "b", "a"]) == ["a", "b"]

    files.learn("a", b"x = 1")

    assert files.missing(["a", "b"]) == ["b"]
    assert files["a"] == file_vector(b"x = 1")
