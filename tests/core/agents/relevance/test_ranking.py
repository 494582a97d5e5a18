"""Which files come first, by each kind of clue."""

from dataclasses import replace
from pathlib import Path

import pytest

from loreley.core.agents.protocol import Brief, BriefCommit, PastFailure, SearchContext
from loreley.core.agents.relevance.clues import find_clues
from loreley.core.agents.relevance.names import FileNames
from loreley.core.agents.relevance.ranking import Ranking, rank
from loreley.core.agents.relevance.sources import read_sources
from tests.core.agents.relevance.support import BASE, Folder, brief, functions

DIFF = """diff --git a/lib/beta.py b/lib/beta.py
index 1111111..2222222 100644
--- a/lib/beta.py
+++ b/lib/beta.py
@@ -40,3 +40,3 @@ def b2(value):
-    value += 8
+    value += 9
"""
LOG = """Traceback (most recent call last):
  File "/evaluator/judge.py", line 3, in evaluate
  File "/srv/slot-1/checkout/lib/beta.py", line 42, in b2
ZeroDivisionError: division by zero
"""
PROFILE = "   1000    0.500    0.001    0.700    0.001 /srv/slot/lib/beta.py:33(b2)\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Three modules alike but for their names, and a test that speaks of all of them."""
    found = Folder(tmp_path / "checkout", {"1" * 40: DIFF, "2" * 40: DIFF})
    for name in ("alpha", "beta", "gamma"):
        found.add(f"lib/{name}.py", functions(*(f"{name[0]}{n}" for n in range(3))))
    found.add("lib/beta.py", f"# Укладку делает b2.\n{(found.path / 'lib/beta.py').read_text()}")
    found.add("tests/test_all.py", "from lib.beta import b2\n" * 5)
    return found


def ranked(folder: Folder, asked: Brief) -> Ranking:
    paths = folder.tracked_files()
    files = FileNames(paths)
    clues = find_clues(asked, folder, files)
    return rank(read_sources(folder, paths, clues).texts, clues, files)


@pytest.mark.parametrize(
    "asked",
    [
        brief("Speed up lib/beta.py"),
        brief("The module `lib.beta` is slow."),
        brief("Make b2() faster."),
        brief("Ускорь укладку."),
        replace(brief(), context=SearchContext(notes=("Look into beta.",))),
        replace(brief(), context=SearchContext(failures=(PastFailure("x", "y", LOG),))),
        replace(brief(), context=SearchContext(base_log=PROFILE)),
        replace(brief(), judge="import sys\nfrom lib.beta import b2\n"),
        replace(brief(), judge='subprocess.run(["python", "lib/beta.py"])\n'),
        replace(brief(), inspirations=[BriefCommit("1" * 40)]),
        replace(brief(), root_commit="2" * 40),
        brief(base=BriefCommit(BASE, {}, "most time is spent in b2")),
    ],
    ids=[
        *(
            "a path",
            "a module",
            "a function",
            "another script",
            "a note",
            "a traceback",
            "a profile",
            "the judge",
        ),
        *("a command of the judge", "an inspiration", "the lineage", "the summary"),
    ],
)
def test_the_file_that_a_clue_leads_to_comes_first(asked: Brief, folder: Folder) -> None:
    assert ranked(folder, asked).files[0] == "lib/beta.py"


def test_a_place_that_a_clue_leads_to_is_the_first_part(folder: Folder) -> None:
    asked = replace(brief(), context=SearchContext(failures=(PastFailure("x", "y", LOG),)))

    first = ranked(folder, asked).parts[0]

    assert first.path == "lib/beta.py"
    assert first.part.start <= 41 < first.part.end


def test_what_is_imported_by_what_matters_comes_next(folder: Folder) -> None:
    folder.add("lib/beta.py", "from lib.gamma import g1\n" + functions("b1", "b2"))

    assert ranked(folder, brief("Speed up lib/beta.py")).files[:2] == [
        "lib/beta.py",
        "lib/gamma.py",
    ]


def test_documents_and_tests_come_after_sources(folder: Folder) -> None:
    folder.add("CHANGES.md", "beta beta beta b2 b2\n")
    folder.add("tests/test_beta.py", "def test_b2(): beta(b2)\n")

    assert ranked(folder, brief("Make b2 of beta faster")).files[0] == "lib/beta.py"


def test_the_source_of_the_judge_counts_by_what_it_imports_only(folder: Folder) -> None:
    asked = replace(brief(), judge="# gamma gamma gamma\nfrom lib.beta import b2\n")

    assert ranked(folder, asked).files[0] == "lib/beta.py"


@pytest.mark.parametrize(
    "text", ["a" * 200_000, "a." * 100_000, "_" * 200_000, "\n" * 200_000, "a/" * 100_000 + ":1"]
)
def test_no_text_makes_the_search_for_clues_slow(text: str, folder: Folder) -> None:
    folder.add("lib/odd.py", text)
    asked = replace(brief(text), judge=text, context=SearchContext(base_log=text))

    assert ranked(folder, asked).files  # it would take minutes, were anything quadratic
