"""Manners that stand in no report: neighbours of rows 2 to 6."""

import pytest

from tests.core.agents.answers.support import PACK, SEARCH, outcome_of
from tests.core.agents.answers.test_manners import DROPPED, FENCED, GIT, HUNK

SIX = SEARCH.replace("<<<<<<<", "<<<<<<").replace(">>>>>>>", ">>>>>>").replace("=======", "======")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(f"<thought>\n{DROPPED}</thought>\n{FENCED}", id="thought"),
        pytest.param(f"<seed:think>\n{DROPPED}</seed:think>\n{FENCED}", id="seed"),
        pytest.param(f'<think id="1">\n{DROPPED}</think>\n{FENCED}', id="an attribute"),
        pytest.param(f"<think>\n<think>a</think>\n{DROPPED}</think>\n{FENCED}", id="nested"),
        pytest.param(f"<think>a</think>\nHm.\n<think>\n{DROPPED}</think>\n{FENCED}", id="twice"),
        pytest.param(
            f"<|begin_of_thought|>\n{DROPPED}<|end_of_thought|>\n{FENCED}", id="begin_of_thought"
        ),
        pytest.param(f"<unused94>thought\n{DROPPED}<unused95>\n{FENCED}", id="unused tokens"),
        pytest.param(f"Thinking...\nFirst:\n{DROPPED}\n...done thinking.\n\n{FENCED}", id="ollama"),
        pytest.param(
            f"<details><summary>Thinking</summary>\n\n{DROPPED}\n</details>\n{FENCED}", id="folded"
        ),
        pytest.param(
            f"<inner_monologue>\n{DROPPED}</inner_monologue>\n{FENCED}", id="inner monologue"
        ),
        pytest.param(f"<think>x</think>\n<answer>\n{FENCED}</answer>", id="answer in a tag"),
    ],
)  # fmt: skip
def test_row_2_other_thoughts_are_no_answer(answer: str) -> None:
    assert outcome_of(answer).is_better


def test_row_2_words_that_begin_like_a_thought_are_words() -> None:
    assert outcome_of(f"Thinking...\nRaise the limit.\n\n{FENCED}").is_better


@pytest.mark.parametrize(
    "mark",
    [
        *("# (omitted for brevity)", "# --- snip ---", "# Code above remains the same"),
        *("# previous code here", "# imports unchanged", "# no changes below", "# truncated"),
        *("# (other functions stay as they are)", "# Keep the rest", "// ... other code ..."),
    ],
)
def test_row_3_other_lazy_marks_are_asked_about(mark: str) -> None:
    answer = f"src/pack.py\n```python\n{PACK.replace('LIMIT = 3', mark)}```\n"

    [error] = outcome_of(answer).errors

    assert "would be lost" in error


@pytest.mark.parametrize(
    "comment",
    ["# rest", "# the original implementation", "# imports", "# as before, but faster", "# below"],
)
def test_row_3_ordinary_comments_are_no_lazy_marks(comment: str) -> None:
    text = PACK.replace("LIMIT = 3", f"LIMIT = 3  \n{comment}")

    assert outcome_of(f"src/pack.py\n```python\n{text}```\n").contents == {"src/pack.py": text}


@pytest.mark.parametrize(
    "marks",
    [
        SEARCH.replace("<", "&lt;").replace(">", "&gt;"),
        SEARCH.replace("SEARCH", "FIND").replace("REPLACE", "WITH"),
        SEARCH.replace("<<<<<<< SEARCH", "<<<<<<< src/pack.py").replace(" REPLACE", ""),
    ],
    ids=["escaped", "other words", "a path alone"],
)
def test_row_3_marks_that_are_not_known_never_become_the_file(marks: str) -> None:
    outcome = outcome_of(f"src/pack.py\n```\n{marks}```\n")

    assert outcome.contents == {}
    assert "looks like a mark of an edit" in outcome.errors[0]


def test_row_3_a_file_that_holds_such_marks_keeps_them() -> None:
    files = {"merge.txt": "<<<<<<< mine\na\n>>>>>>> theirs\nb\n"}
    answer = "merge.txt\n```\n<<<<<<< mine\na\n>>>>>>> theirs\nc\n```\n"

    assert outcome_of(answer, files).contents["merge.txt"].endswith("c\n")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            f"```diff\n--- a/src/pack.py\n+++ b/src/pack.py\n{HUNK.replace('-3 +3', '-1,30 +1,99')}"
            "```\n",
            id="wrong counts",
        ),
        pytest.param(
            "src/pack.py\n```diff\n--- a/src/pack.py\n+++ b/src/pack.py\n@@ ... @@\n-LIMIT = 3\n"
            "+LIMIT = 5\n```\n",
            id="no counts",
        ),
        pytest.param(
            "```diff\n--- a/src/pack.py\n+++ b/src/pack.py\n@@ -1,3 +1,3 @@\nimport math\n\n"
            "-LIMIT = 3\n+LIMIT = 5\n```\n",
            id="context without its blank",
        ),
        pytest.param(f"```diff\n{GIT}```\n".replace("\n", "\r\n"), id="CRLF"),
    ],
)
def test_row_4_diffs_that_are_a_little_wrong_are_taken(answer: str) -> None:
    assert outcome_of(answer).is_better


@pytest.mark.parametrize(
    "diff",
    [
        "```diff\n3c3\n< LIMIT = 3\n---\n> LIMIT = 5\n```\n",
        "```\n3c3\n< LIMIT = 3\n---\n> LIMIT = 5\n```\n",
        "```diff\n*** a\n--- b\n***************\n*** 3 ****\n! LIMIT = 3\n--- 3 ----\n"
        "! LIMIT = 5\n```\n",
    ],
    ids=["of diff", "without a language", "with context"],
)
def test_row_4_diffs_of_other_kinds_are_asked_about(diff: str) -> None:
    outcome = outcome_of(f"src/pack.py\n{diff}")

    assert outcome.contents == {}
    assert outcome.errors


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(f"\ufeff{FENCED}", id="byte order mark"),
        pytest.param(FENCED.replace("src/", "\u200bsrc/"), id="invisible character"),
        pytest.param(FENCED.replace(".py\n", ".py\u00a0\n", 1), id="no-break space"),
        pytest.param(f"src/pack.py\n```\n{SIX}```\n", id="six characters"),
        pytest.param(FENCED.replace("SEARCH", "search").replace("REPLACE", "replace"), id="lower"),
        pytest.param(FENCED.replace("SEARCH", "HEAD").replace("REPLACE", "NEW"), id="HEAD"),
        pytest.param(FENCED.replace("<<<<<<< SEARCH", "<<<<<<<SEARCH"), id="no blank"),
        pytest.param(f"````markdown\n{FENCED}````\n", id="a fence around all of it"),
        pytest.param(f'<file path="src/pack.py">\n{SEARCH}</file>\n', id="a tag"),
        pytest.param(f"=== src/pack.py ===\n```\n{SEARCH}```\n", id="a rule"),
        pytest.param(f"**src/pack.py** - raise it\n```\n{SEARCH}```\n", id="words behind"),
    ],
)
def test_row_5_other_ways_to_name_a_file_or_an_edit_are_taken(answer: str) -> None:
    assert outcome_of(answer).is_better


@pytest.mark.parametrize(
    "fence",
    [
        "You can try it with:\n```python\nimport pack\nprint(pack.LIMIT)\n```\n",
        "In short:\n```diff\n-LIMIT = 3\n+LIMIT = 5\n```\n",
        '```json\n{"a": 1}\n```\n',
        "```mermaid\ngraph TD\n```\n",
        "```\n```\n",
    ],
    ids=["a trial", "the same as a diff", "output", "a drawing", "nothing"],
)
def test_row_6_other_fences_hold_no_edit(fence: str) -> None:
    assert outcome_of(FENCED + fence).is_better
