"""Manners in which models answer, and what comes of each: taken, or asked about (rows 2 to 6)."""

import pytest

from tests.core.agents.answers.support import BETTER, PACK, SEARCH, outcome_of

FENCED = f"src/pack.py\n```python\n{SEARCH}```\n"
DROPPED = FENCED.replace("LIMIT = 5", "LIMIT = 1000")
GIT = """diff --git a/src/pack.py b/src/pack.py
index 1234567..89abcde 100644
--- a/src/pack.py
+++ b/src/pack.py
@@ -1,5 +1,5 @@
 import math

-LIMIT = 3
+LIMIT = 5


"""
HUNK = "@@ -3 +3 @@\n-LIMIT = 3\n+LIMIT = 5\n"
PLAIN = f"--- src/pack.py\t2026-01-01\n+++ src/pack.py\t2026-01-02\n{HUNK}"
PATCH = "*** Begin Patch\n*** Update File: src/pack.py\n@@\n-LIMIT = 3\n+LIMIT = 5\n*** End Patch\n"
INDENTED = "".join(f"   {line}\n" for line in f"```python\n{SEARCH}```".split("\n"))
NUMBERED = (
    "<<<<<<< SEARCH\n 3 | LIMIT = 3\n 4 | \n=======\n 3 | LIMIT = 5\n 4 | \n>>>>>>> REPLACE\n"
)
SHIFTED = """<<<<<<< SEARCH
for number in range(count):
    total += number
=======
for number in range(count):
    total += number + 1
>>>>>>> REPLACE
"""


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(f"<think>\nFirst try:\n\n{DROPPED}\nNo.\n</think>\n\n{FENCED}", id="think"),
        pytest.param(f"<thinking>{DROPPED}</thinking>{FENCED}", id="thinking"),
        pytest.param(f"<reasoning>\n{DROPPED}</reasoning>\n{FENCED}", id="reasoning"),
        pytest.param(f"<THINK>\n{DROPPED}</think>\n{FENCED}", id="case of the tag"),
        pytest.param(f"<think>\n```python\nx = 1\n</think>\n{FENCED}", id="open fence"),
        pytest.param(
            f"<think>\nsrc/pack.py\n```\n<<<<<<< SEARCH\n</think>\n{FENCED}", id="open mark"
        ),
        pytest.param(f"First try:\n{DROPPED}\n</think>\n{FENCED}", id="begin is in the prompt"),
        pytest.param(f"<think></think>\n{FENCED}", id="no thought"),
        pytest.param(f"[THINK]{DROPPED}[/THINK]\n{FENCED}", id="magistral"),
        pytest.param(f"◁think▷{DROPPED}◁/think▷{FENCED}", id="kimi"),
        pytest.param(
            f"<|channel|>analysis<|message|>{DROPPED}<|end|><|start|>assistant<|channel|>final"
            f"<|message|>{FENCED}<|return|>",
            id="channels",
        ),
        pytest.param(f"{FENCED}<thinking>\n{DROPPED}</thinking>\n", id="thoughts afterwards"),
    ],
)
def test_row_2_thoughts_are_no_answer(answer: str) -> None:
    outcome = outcome_of(answer)

    assert outcome.is_better
    assert "think" not in outcome.summary.lower()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(FENCED, id="as asked for"),
        pytest.param(f"src/pack.py\n{SEARCH}", id="no fence"),
        pytest.param(f"src/pack.py\n```python\n{SEARCH}", id="open fence"),
        pytest.param(f"src/pack.py\n~~~python\n{SEARCH}~~~\n", id="tildes"),
        pytest.param(f"src/pack.py\n````python\n{SEARCH}````\n", id="longer fence"),
        pytest.param(f"```src/pack.py\n{SEARCH}```\n", id="path behind the fence"),
        pytest.param(f"```python:src/pack.py\n{SEARCH}```\n", id="language and path"),
        pytest.param(f'```python title="src/pack.py"\n{SEARCH}```\n', id="title"),
        pytest.param(f"```python\n# src/pack.py\n{SEARCH}```\n", id="path in a comment"),
        pytest.param(f"```python\nsrc/pack.py\n{SEARCH}```\n", id="path within the fence"),
        pytest.param(f"./src/pack.py\n```\n{SEARCH}```\n", id="dot"),
        pytest.param(f"/src/pack.py\n```\n{SEARCH}```\n", id="slash"),
        pytest.param(f"src\\pack.py\n```\n{SEARCH}```\n", id="backslash"),
        pytest.param(f"repo/src/pack.py\n```\n{SEARCH}```\n", id="below the repository's name"),
        pytest.param(f"1. src/pack.py\n```\n{SEARCH}```\n", id="number"),
        pytest.param(f"File: src/pack.py\n```\n{SEARCH}```\n", id="File"),
        pytest.param(f"**File: `src/pack.py`**\n```\n{SEARCH}```\n", id="everything"),
        pytest.param(f"### src/pack.py\n\n```\n{SEARCH}```\n", id="heading"),
        pytest.param(f"### 1. `src/pack.py`\n\n```\n{SEARCH}```\n", id="numbered heading"),
        pytest.param(f"**src/pack.py**\n```\n{SEARCH}```\n", id="bold"),
        pytest.param(f"- `src/pack.py`:\n```\n{SEARCH}```\n", id="list"),
        pytest.param(f"[src/pack.py](src/pack.py)\n```\n{SEARCH}```\n", id="link"),
        pytest.param(f"src/pack.py (modified)\n```\n{SEARCH}```\n", id="note behind"),
        pytest.param(f"### src/pack.py\nA larger limit:\n```\n{SEARCH}```\n", id="words"),
        pytest.param(f"In `src/pack.py`, raise the limit.\n```\n{SEARCH}```\n", id="told"),
        pytest.param(f"src/pack.py\n{INDENTED}", id="indented throughout"),
        pytest.param(f"1. src/pack.py\n\n{INDENTED}", id="in a list"),
        pytest.param(f"src/pack.py\n```\n{NUMBERED}```\n", id="numbered throughout"),
        pytest.param(FENCED.replace("\n", "\r\n"), id="CRLF"),
        pytest.param(FENCED + "Run it:\n```bash\npython src/pack.py\n```\n", id="command"),
        pytest.param(FENCED + "Run it:\n```\npython src/pack.py\n```\n", id="bare"),
        pytest.param("As of now:\n```\nLIMIT = 3\n```\n" + FENCED, id="an extra fence before"),
        pytest.param(FENCED + "It prints:\n```\n1.0\n2.0\n```\n", id="output"),
        pytest.param(f"src/pack.py\n```python\nLIMIT = 3\n```\nis low.\n\n{FENCED}", id="quote"),
        pytest.param(FENCED + FENCED, id="said twice"),
        pytest.param(f"src/pack.py\n```python\n{BETTER}```\n", id="whole file"),
        pytest.param(f"Here is src/pack.py:\n```python\n{BETTER}```\n", id="whole file, in words"),
        pytest.param(f"```python\n# src/pack.py\n{BETTER}```\n", id="whole file, commented"),
        pytest.param(GIT, id="git's diff"),
        pytest.param(f"```diff\n{GIT}```\n", id="git's diff in a fence"),
        pytest.param(f"src/pack.py\n```diff\n{GIT}```\n", id="git's diff under its path"),
        pytest.param(f"src/pack.py\n```\n{GIT}```\n", id="git's diff without a language"),
        pytest.param(f"```\n{PLAIN}```\n", id="plain diff"),
        pytest.param(PLAIN, id="plain diff without a fence"),
        pytest.param(f"src/pack.py\n```diff\n{HUNK}```\n", id="hunk"),
        pytest.param("src/pack.py\n```diff\n- LIMIT = 3\n+ LIMIT = 5\n```\n", id="two lines"),
        pytest.param(PATCH, id="apply_patch"),
        pytest.param(f"```patch\n{PATCH}```\n", id="apply_patch in a fence"),
        pytest.param(
            "*** Update File: src/pack.py\n@@ import math\n-LIMIT = 3\n+LIMIT = 5\n", id="no begin"
        ),
        pytest.param(SEARCH.replace("SEARCH", "SEARCH src/pack.py"), id="path behind the mark"),
        pytest.param(
            "src/pack.py\n------- SEARCH\nLIMIT = 3\n=======\nLIMIT = 5\n+++++++ REPLACE\n",
            id="other marks",
        ),
    ],
)  # fmt: skip
def test_rows_3_to_6_what_is_unambiguous_is_taken(answer: str) -> None:
    outcome = outcome_of(answer)

    assert outcome.errors == ()
    assert outcome.is_better


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        pytest.param("src/pack.py\n```\nLIMIT = 5\n```\n", "only 1 would be left", id="one line"),
        pytest.param("src/pack.py\n```\nLIMIT = 3\n```\n", "changes none of them", id="a quote"),
        pytest.param(
            "src/pack.py\n```\n" + "print(1)\n" * 12 + "```\n", "none of the 9", id="another"
        ),
        *(
            pytest.param(
                f"src/pack.py\n```python\n{PACK.replace('LIMIT = 3', mark)}```\n", mark, id=mark
            )
            for mark in (
                *("# rest unchanged", "# ... existing code ...", "# ...", "...", "// …"),
                *("# ... rest of the file ...", "/* unchanged */", "# (the rest stays the same)"),
                *("# rest of the code", "// ... keep imports ..."),
                "# Other methods remain unchanged",
                *("<!-- existing code -->", "# [... previous code ...]", "# same as before"),
            )
        ),
        pytest.param(
            f"src/pack.py\n```\n{SEARCH.replace('LIMIT = 5', '# ... existing code ...')}```\n",
            "would be lost",
            id="lazy mark in a replacement",
        ),
        pytest.param(f"src/pack.py\n```python\n{BETTER}", "not closed", id="open whole file"),
        pytest.param(
            "new.py\n```python\nx = 1\n\nnew2.py\n```python\ny = 2\n```\n", "not closed", id="two"
        ),
        pytest.param(FENCED + "src/pack.py\n```\n<<<<<<< SEARCH\nL", "not closed", id="cut off"),
        pytest.param(f"{FENCED}src/pack.py\n```\n{BETTER}```\n", "a whole file", id="both"),
        pytest.param(
            f"src/pack.py\n```\n{BETTER}```\nsrc/pack.py\n```\n{PACK}```\n", "two contents", id="2"
        ),
        pytest.param(
            FENCED + "And the helper in src/other.py does it:\n```python\nx = 1\n```\n",
            "which file",
            id="perhaps a file",
        ),
        pytest.param("I cannot help with that.", "I cannot help with that", id="refusal"),
        pytest.param("<think>\nLet me see", "what was thought", id="only thoughts"),
        pytest.param(f"<think>\n{FENCED}", "what was thought", id="an edit only thought of"),
        pytest.param("Run it:\n```bash\nmake\n```\n", "no path", id="only a command"),
        pytest.param(
            "src/pack.py\n```\n<<<<<<< SEARCH\na\n=======\nb\n=======\nc\n>>>>>>> REPLACE\n```\n",
            "write all three marks longer",
            id="divider twice",
        ),
        pytest.param(
            "src/pack.py\n```\n<<<<<<< SEARCH\n3 | LIMIT = 3\n=======\nLIMIT = 5\n4 | x = 1\n"
            ">>>>>>> REPLACE\n```\n",
            "do not occur",
            id="numbered in part",
        ),
        pytest.param(
            GIT.replace("+++ b/src/pack.py", "+++ /dev/null"), "cannot be removed", id="removal"
        ),
        pytest.param("*** Begin Patch\n*** Delete File: run.sh\n", "cannot be removed", id="del"),
        pytest.param(PATCH.replace("LIMIT = 3", "NONE = 3"), "do not occur", id="wrong diff"),
        pytest.param(
            "notes.md\n```\n# All\n\nRun it.\n```\nmake\n```\n\nThe end.\n```\n",
            "longer fence", id="in"
        ),
    ],
)  # fmt: skip
def test_rows_3_to_6_what_could_destroy_text_is_asked_about(answer: str, said: str) -> None:
    outcome = outcome_of(answer)

    assert outcome.contents == {}
    assert said in outcome.errors[0]


def test_row_5_an_edit_further_in_than_it_was_written_is_moved_there() -> None:
    outcome = outcome_of(f"src/pack.py\n```\n{SHIFTED}```\n")

    wanted = PACK.replace("total += number", "total += number + 1")
    assert outcome.contents == {"src/pack.py": wanted}


def test_row_3_a_file_may_be_written_anew_when_some_of_it_stays() -> None:
    text = PACK.replace("total", "sum_of_all").replace("number", "each")

    assert outcome_of(f"src/pack.py\n```\n{text}```\n").contents == {"src/pack.py": text}


def test_row_4_a_diff_adds_a_file() -> None:
    git = "diff --git a/new.py b/new.py\nnew file mode 100644\n--- /dev/null\n+++ b/new.py\n"
    patch = "*** Begin Patch\n*** Add File: new.py\n+x = 1\n+y = 2\n*** End Patch\n"

    assert outcome_of(git + "@@ -0,0 +1,2 @@\n+x = 1\n+y = 2\n").contents == {
        "new.py": "x = 1\ny = 2\n"
    }
    assert outcome_of(patch).contents == {"new.py": "x = 1\ny = 2\n"}


def test_row_4_a_file_of_diffs_is_written_as_it_is() -> None:
    assert outcome_of(f"fix.patch\n```diff\n{GIT}```\n").contents == {"fix.patch": GIT}


def test_row_4_of_places_that_are_alike_a_diff_tells_which_by_its_line() -> None:
    files = {"a.py": "x = 1\ny = 1\nx = 1\n"}
    hunk = "--- a.py\n+++ a.py\n@@ -3 +3 @@\n-x = 1\n+x = 2\n"

    assert outcome_of(hunk, files).contents == {"a.py": "x = 1\ny = 1\nx = 2\n"}
    assert "occur 2 times" in outcome_of(hunk.replace("-3 +3", "-2 +2"), files).errors[0]


def test_row_2_tags_within_a_file_are_its_text() -> None:
    text = "<think>\nWhat to think about.\n</think>\nThen answer.\n"

    assert outcome_of(f"prompt.txt\n```\n{text}```\n").contents == {"prompt.txt": text}


def test_row_3_lines_that_stood_there_before_are_no_lazy_marks() -> None:
    files = {"a.py": "# ... existing code ...\nx = 1\n"}
    answer = "a.py\n```\n# ... existing code ...\nx = 2\n```\n"

    assert outcome_of(answer, files).contents == {"a.py": "# ... existing code ...\nx = 2\n"}


def test_row_6_a_divider_among_the_text_needs_longer_marks() -> None:
    files = {"a.rst": "Title\n=======\n"}
    answer = (
        "a.rst\n<<<<<<<<< SEARCH\nTitle\n=======\n=========\nName\n=======\n>>>>>>>>> REPLACE\n"
    )

    assert outcome_of(answer, files).contents == {"a.rst": "Name\n=======\n"}


def test_row_3_a_whole_file_that_says_fences_within_is_read_to_its_end() -> None:
    text = 'def f():\n    """Example.\n\n```python\nf()\n```\n"""\n'

    assert outcome_of(f"new.py\n```python\n{text}```\n").contents == {"new.py": text}


def test_row_2_the_first_words_that_are_said_are_the_summary() -> None:
    answer = f"<think>\nHm.\n</think>\n\nRaise the limit.\n\n### src/pack.py\n```\n{SEARCH}```\n"

    assert outcome_of(answer).summary == "Raise the limit."
