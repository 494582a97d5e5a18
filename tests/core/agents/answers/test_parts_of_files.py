"""Answers about files of which a model was shown parts: neighbours of rows 3 and 5."""

import pytest

from loreley.core.agents.answers.edits import Edit
from loreley.core.agents.answers.reader import read_answer

FILES = {"src/long.py": "a\nb\nc\n", "src/line 5.py": "x\n"}
QUOTED = "<<<<<<< SEARCH\na\n=======\nx\n>>>>>>> REPLACE"
HEADS = [
    "src/long.py, lines 1 to 2 of 400, in Shop.open:",
    "`src/long.py`, lines 1-2",
    "**src/long.py (lines 1-2)**",
    "### src/long.py, lines 1 to 2 of 3:",
    "src/long.py:1-2",
    "File: src/long.py line 7",
]


@pytest.mark.parametrize("head", HEADS)
def test_row_5_a_path_with_lines_behind_it_is_that_path(head: str) -> None:
    answer = read_answer(f"Do it.\n\n{head}\n```\n{QUOTED}\n```\n", FILES.get)

    assert answer.edits == (Edit("src/long.py", "x\n", "a\n"),)
    assert answer.errors == ()


@pytest.mark.parametrize("head", HEADS)
def test_row_3_a_block_that_stands_for_lines_is_never_the_whole_file(head: str) -> None:
    answer = read_answer(f"Do it.\n\n{head}\n```\nx\nb\n```\n", FILES.get)

    assert answer.edits == ()
    assert "stands for some lines of the file" in answer.errors[0]


def test_row_5_a_file_that_is_called_after_a_line_is_found() -> None:
    answer = read_answer("Do it.\n\nsrc/line 5.py\n```\ny\n```\n", FILES.get)

    assert answer.edits == (Edit("src/line 5.py", "y\n"),)


def test_row_5_a_sentence_of_one_word_is_no_path() -> None:
    answer = read_answer(f"Done.\n\n```\n{QUOTED}\n```\n", FILES.get)

    assert answer.errors == ("a block has no path on the line before it",)
