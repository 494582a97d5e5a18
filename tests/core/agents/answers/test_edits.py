"""Answers of chat models: what is read, what is applied, what is complained about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loreley.core.agents.answers.edits import Edit, apply_edits
from loreley.core.agents.answers.reader import ParsedEdits, read_answer

FILES = {"a.py": "one\ntwo\nthree\ntwo\n", "deep/b.py": "alpha\nbeta  \ngamma\n"}


def block(path: str, *pairs: tuple[str, str]) -> str:
    parts = [f"<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n" for old, new in pairs]
    return f"{path}\n```\n{''.join(parts)}```\n"


def parse_edits(text: str) -> ParsedEdits:
    return read_answer(text, FILES.get)


def outcome(*edits: Edit) -> tuple[dict[str, str], list[str]]:
    contents, errors = apply_edits(edits, FILES.get, lambda _path: None)
    return dict(contents), list(errors)


def test_edits_of_several_files_are_read_in_order() -> None:
    answer = parse_edits(
        "Swap the numbers.\n\n"
        + block("a.py", ("one\n", "1\n"), ("three\n", "3\n"))
        + "Some words between.\n"
        + block("`deep/b.py`:", ("alpha\n", "omega\n"))
    )

    assert answer.edits == (
        Edit("a.py", "1\n", "one\n"),
        Edit("a.py", "3\n", "three\n"),
        Edit("deep/b.py", "omega\n", "alpha\n"),
    )
    assert answer.summary == "Swap the numbers."
    assert answer.errors == ()


def test_a_block_without_marks_is_a_whole_file() -> None:
    assert parse_edits("new.py\n```python\nx = 1\n\ny = 2\n```\n").edits == (
        Edit("new.py", "x = 1\n\ny = 2\n"),
    )


def test_a_longer_fence_holds_shorter_ones() -> None:
    text = "notes.md\n````\n```\ncode\n```\n````\n"

    assert parse_edits(text).edits == (Edit("notes.md", "```\ncode\n```\n"),)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no edit"),
        ("I cannot help with that.", "no edit"),
        ("a.py\n```\nx = 1\n", "not closed"),
        ("```\nx = 1\n```", "no path"),
        ("a.py\n```\n<<<<<<< SEARCH\none\n=======\n```", "do not follow each other"),
        ("a.py\n```\n<<<<<<< SEARCH\none\n>>>>>>> REPLACE\n```", "do not follow each other"),
        ("a.py\n```\none\n=======\ntwo\n>>>>>>> REPLACE\n```", "REPLACE without SEARCH"),
    ],
)
def test_what_has_not_the_form_is_an_error(text: str, said: str) -> None:
    answer = parse_edits(text)

    assert len(answer.errors) == 1
    assert said in answer.errors[0]


@pytest.mark.parametrize(
    "words", ["Now run it:", "Then change a.py", "Result:", "**Before**", "e.g.", "and/or", "src/"]
)
def test_words_before_a_block_are_no_new_file(words: str) -> None:
    answer = parse_edits(f"{words}\n```\nx = 1\n```\n")
    contents, errors = outcome(*answer.edits)

    assert contents == {}
    assert len([*answer.errors, *errors]) == 1


@pytest.mark.parametrize(
    "path", ["new.py", "a/b-c/d_1.c++", ".env.sample", "x/.hidden", "Makefile", "src/Dockerfile"]
)
def test_a_new_file_is_called_as_files_are(path: str) -> None:
    contents, errors = outcome(*parse_edits(f"`{path}`:\n```\nx = 1\n```\n").edits)

    assert contents == {path: "x = 1\n"}
    assert errors == []


def test_later_edits_see_what_earlier_ones_made() -> None:
    contents, errors = outcome(
        Edit("a.py", "1\n", "one\n"), Edit("a.py", "uno\n", "1\n"), Edit("a.py", "", "three\n")
    )

    assert contents == {"a.py": "uno\ntwo\ntwo\n"}
    assert errors == []


def test_lines_that_occur_twice_are_not_guessed_at() -> None:
    _, [error] = outcome(Edit("a.py", "2\n", "two\n"))

    assert error == "a.py: the lines in SEARCH occur 2 times; add lines around them"


@pytest.mark.parametrize(
    ("old", "new"),
    [("max = 1\nx = 1\n", "max = 1\nx = 2\n"), ("x = 1\nmax = 1\n", "x = 2\nmax = 1\n")],
)
def test_only_whole_lines_are_found(old: str, new: str) -> None:
    contents, errors = apply_edits(
        [Edit("a.py", "x = 2\n", "x = 1\n")], lambda _: old, lambda _: None
    )

    assert (contents, errors) == ({"a.py": new}, [])


def test_the_end_of_a_line_is_not_taken_for_the_line() -> None:
    contents, [error] = apply_edits(
        [Edit("a.py", "x = 2\n", "x = 1\n")], lambda _: "max = 1\n", lambda _: None
    )

    assert contents == {}
    assert "do not occur" in error


def test_lines_that_overlap_are_not_guessed_at() -> None:
    edit = Edit("a.py", "1\n", "two\ntwo\n")

    _, [error] = apply_edits([edit], lambda _: "two\n" * 3, lambda _: None)

    assert "occur 2 times" in error


def test_blanks_at_the_ends_of_lines_do_not_matter() -> None:
    contents, errors = outcome(Edit("deep/b.py", "beta\n", "beta\n"))

    assert contents == {"deep/b.py": "alpha\nbeta\ngamma\n"}
    assert errors == []


def test_the_most_similar_lines_are_shown() -> None:
    _, [error] = outcome(Edit("a.py", "x\n", "one\ntwo\nfour\n"))

    assert "the most similar ones are:\none\ntwo\nthree" in error


def test_where_nothing_is_similar_nothing_is_shown() -> None:
    _, [error] = outcome(Edit("a.py", "x\n", "@@@@@@@@\n"))

    assert error == "a.py: the lines in SEARCH do not occur in it"


def test_a_new_file_may_come_from_an_empty_search() -> None:
    assert outcome(Edit("new.py", "x\n", ""))[0] == {"new.py": "x\n"}
    assert "there is no such text file" in outcome(Edit("new.py", "x\n", "y\n"))[1][0]
    assert "SEARCH is empty" in outcome(Edit("a.py", "x\n", "\n"))[1][0]


@pytest.mark.parametrize(
    "path",
    [
        *("/etc/passwd", "../a.py", "x/../../a.py", "a\\b.py", ".git/hooks/x", "x//y", "./a.py"),
        *("Here is what I have changed, and why. " * 8, "a\ud800.py", "a/" * 600, "a\x1b.py"),
    ],
)
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    contents, [error] = outcome(Edit(path, "x\n"))

    assert contents == {}
    assert error.startswith(f"{path}: ")


def test_the_objection_to_a_path_is_reported() -> None:
    _, errors = apply_edits([Edit("a.py", "x\n")], FILES.get, lambda path: f"{path} is locked")

    assert list(errors) == ["a.py: a.py is locked"]


lines = st.lists(st.text(st.characters(codec="ascii", exclude_categories=["Cc"])), min_size=1)


@pytest.mark.slow
@given(before=lines, old=lines, after=lines, new=lines)
def test_whatever_occurs_once_is_replaced_exactly(
    before: list[str], old: list[str], after: list[str], new: list[str]
) -> None:
    def joined(parts: list[str]) -> str:
        return "".join(f"{line}\n" for line in parts)

    text = joined(before) + joined(old) + joined(after)

    contents, errors = apply_edits(
        [Edit("x", joined(new), joined(old))], lambda _: text, lambda _: None
    )

    every = [*before, *old, *after]
    places = sum(every[at : at + len(old)] == old for at in range(len(every)))
    if places == 1 and joined(old).strip():
        assert (contents, errors) == ({"x": joined([*before, *new, *after])}, [])
    else:
        assert errors


@pytest.mark.slow
@given(st.text())
def test_no_answer_makes_the_reader_fail(text: str) -> None:
    answer = parse_edits(text)

    assert bool(answer.edits) or bool(answer.errors)


def test_a_file_that_was_shown_in_parts_is_not_written_anew() -> None:
    whole, quoted = Edit("a.py", "one\ntwo\nthree\n2\n"), Edit("a.py", "1\n", "one\n")
    added = Edit("new.py", "x = 1\n")

    contents, [error] = apply_edits([whole], FILES.get, lambda _path: None, {"a.py"})
    others, errors = apply_edits([quoted, added], FILES.get, lambda _path: None, {"a.py", "new.py"})

    assert contents == {}
    assert error.startswith("a.py: you were shown parts of this file only")
    assert others == {"a.py": "1\ntwo\nthree\ntwo\n", "new.py": "x = 1\n"}
    assert errors == []
