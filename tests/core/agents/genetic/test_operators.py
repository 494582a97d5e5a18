"""Each operator by itself: what it makes is accepted and different, and the rest stays."""

import time
from collections import Counter
from difflib import SequenceMatcher
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loreley.core.agents.genetic.operators import line_crossover
from loreley.core.agents.genetic.operators.line_crossover import find_changes, without_overlaps
from loreley.core.agents.genetic.operators.material import Mate, Material, Mutant, Operator
from loreley.core.agents.genetic.operators.table import OPERATORS
from loreley.core.agents.genetic.source.languages import PYTHON, C, Language
from loreley.core.agents.genetic.source.python_literals import find_python_literals
from tests.core.agents.genetic import sources

_SEEDS = range(16)
_WHOLE_FILE = {
    "mix-numbers",
    "blend-numbers",
    "differ-numbers",
    "shake-numbers",
    "merge-lines",
    "recombine-lines",
}

MATERIALS = {
    "python": Material(
        sources.PYTHON,
        [Mate(sources.PYTHON_MATE, sources.PYTHON), Mate(sources.PYTHON_OTHER)],
        [sources.PYTHON_MATE],
    ),
    "c": Material(
        sources.C,
        [Mate(sources.C_MATE, sources.C), Mate(sources.C_OTHER)],
        [sources.C_MATE],
        C,
    ),
}
each_operator = pytest.mark.parametrize("operator", OPERATORS, ids=lambda each: each.name)
in_each_language = pytest.mark.parametrize("language", MATERIALS)


def mutants(operator: Operator, material: Material) -> list[Mutant]:
    """What the operator makes with different seeds, where that is accepted and new."""
    made = [operator.mutant(material, Random(seed)) for seed in _SEEDS]
    return [
        mutant
        for mutant in made
        if mutant is not None
        and mutant.source != material.source
        and material.language.accepts(mutant.source.encode())
    ]


@each_operator
@in_each_language
def test_an_operator_makes_something_new_and_keeps_the_rest(
    operator: Operator, language: str
) -> None:
    material = MATERIALS[language]
    old = material.source.splitlines(keepends=True)

    made = mutants(operator, material)

    # Not always: some drawn places offer nothing, as where two numbers are needed and one is.
    assert len(made) >= len(_SEEDS) // 8
    for mutant in made:
        assert mutant.change
        new = mutant.source.splitlines(keepends=True)
        changed = sum(
            max(i2 - i1, j2 - j1)
            for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, False).get_opcodes()
            if tag != "equal"
        )
        assert 1 <= changed <= (len(old) if operator.name in _WHOLE_FILE else 8), mutant.change


@each_operator
@in_each_language
def test_an_operator_is_a_function_of_material_and_seed(operator: Operator, language: str) -> None:
    for seed in range(3):
        once = operator.mutant(MATERIALS[language], Random(seed))
        assert once == operator.mutant(MATERIALS[language], Random(seed))


@each_operator
def test_an_operator_finds_no_hold_in_an_empty_file(operator: Operator) -> None:
    for source in ("", "\n", "# nothing\n", '"""Only words."""\n', "pass\n"):
        for language in (PYTHON, C):
            mutant = operator.mutant(Material(source, language=language), Random(1))
            assert mutant is None or mutant.source != source


def test_names_are_different_and_weights_positive() -> None:
    assert max(Counter(operator.name for operator in OPERATORS).values()) == 1
    assert all(operator.weight > 0 for operator in OPERATORS)


@pytest.mark.parametrize(
    ("source", "language"),
    [("x = (-  # down\n    5)\n", PYTHON), ("int x = - /* down */ 5;\n", C)],
)
def test_a_comment_between_a_sign_and_its_number_stays(source: str, language: Language) -> None:
    for operator in OPERATORS:
        if "number" in operator.name:
            for seed in range(20):
                mutant = operator.mutant(Material(source, language=language), Random(seed))
                assert mutant is None or "down" in mutant.source


def test_a_zero_with_a_large_exponent_is_no_stumbling_block() -> None:
    source = "x = 0e999\n"

    for operator in OPERATORS:
        operator.mutant(Material(source), Random(1))


def test_strings_and_comments_keep_their_numbers() -> None:
    source = '# 11 of them\nNAME = "22 birds"  # 33\nCOUNT = 44\n'

    for operator in OPERATORS:
        for mutant in mutants(operator, Material(source)):
            if "statement" not in operator.name:
                assert '# 11 of them\nNAME = "22 birds"  # 33\n' in mutant.source


def test_a_merge_makes_the_mates_changes_and_keeps_ours() -> None:
    ancestor = "A = 1\nB = 2\nC = 3\nD = 4\nE = 5\n"
    ours = ancestor.replace("A = 1", "A = 10")
    theirs = ancestor.replace("E = 5", "E = 50").replace("A = 1", "A = 99")
    [merge] = [operator for operator in OPERATORS if operator.name == "merge-lines"]

    mutant = merge.mutant(Material(ours, [Mate(theirs, ancestor)]), Random(1))

    assert mutant is not None
    assert mutant.source == "A = 10\nB = 2\nC = 3\nD = 4\nE = 50\n"


def test_a_blend_lies_on_the_line_through_both() -> None:
    ours, theirs = "X = 1.0\nY = 10.0\n", "X = 2.0\nY = 20.0\n"
    [blend] = [operator for operator in OPERATORS if operator.name == "blend-numbers"]

    for mutant in mutants(blend, Material(ours, [Mate(theirs)])):
        x, y = (float(line.split("=")[1]) for line in mutant.source.splitlines())
        assert y == pytest.approx(10 * x, rel=0.02)


@given(
    old=st.lists(st.sampled_from("abc")),
    ours=st.lists(st.sampled_from("abc")),
    theirs=st.lists(st.sampled_from("abc")),
)
def test_changes_without_overlaps_are_those_that_meet_no_other(
    old: list[str], ours: list[str], theirs: list[str]
) -> None:
    text, mine, other = ("".join(f"{line}\n" for line in lines) for lines in (old, ours, theirs))
    here, there = find_changes(text, mine), find_changes(text, other)

    assert without_overlaps(there, here) == [
        hunk for hunk in there if not any(hunk.overlaps(own) for own in here)
    ]


def test_a_merge_of_long_files_takes_no_time() -> None:
    ancestor, ours, theirs = (
        "".join(f"x{line} = {line}{sign}\n" for line in range(4000)) for sign in ("", "1", "2")
    )
    began = time.process_time()

    line_crossover.merge(Material(ours, [Mate(theirs, ancestor)]), Random(1))

    assert time.process_time() - began < 2


@pytest.mark.slow
def test_the_time_to_find_numbers_grows_with_their_count() -> None:
    def seconds(count: int) -> float:
        began = time.process_time()
        assert len(find_python_literals("x = [" + "1.5, " * count + "]\n")) == count
        return time.process_time() - began

    assert seconds(32_000) < 200 * seconds(1_000)  # the square would be 1,024 times as long
