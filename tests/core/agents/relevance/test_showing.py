"""What of the code a brief shows."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from loreley.core.agents.relevance.clues import Clues
from loreley.core.agents.relevance.showing import ShownCode, name_files, show_code
from loreley.core.agents.relevance.sources import read_sources
from tests.core.agents.relevance.support import Folder, brief, functions

LONG = functions(*(f"step_{n}" for n in range(200)))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    found = Folder(tmp_path / "checkout")
    found.add("lib/pipeline.py", "import os\n\n\n" + LONG)
    found.add("lib/small.py", functions("tiny"))
    for number in range(20):
        found.add(f"docs/page_{number}.md", f"Page {number}\n" * 300)
    return found


def shown(folder: Folder, goal: str, limit_bytes: int = 16_000) -> ShownCode:
    return show_code(brief(goal), folder, folder.tracked_files(), limit_bytes)


def runs(code: ShownCode, path: str) -> Sequence[tuple[int, int, str]]:
    """First and last line of each part of a file, and what is shown as such."""
    pattern = rf"^{re.escape(path)}, lines (\d+) to (\d+) of \d+[^\n]*:\n```\n(.*?)^```$"
    found = re.findall(pattern, code.text, re.MULTILINE | re.DOTALL)
    return [(int(first), int(last), text) for first, last, text in found]


def test_everything_is_shown_whole_where_there_is_room(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "checkout")
    folder.add("b.py", "b = 1\n")
    folder.add("a.py", "a = 1\n")

    code = shown(folder, "Faster.")

    assert code == ShownCode("a.py\n```\na = 1\n```\n\nb.py\n```\nb = 1\n```")


def test_of_a_long_file_the_parts_that_count_are_shown(folder: Folder) -> None:
    code = shown(folder, "Make step_117 faster.")

    assert "def step_117(value):" in code.text
    assert code.partial == {"lib/pipeline.py"}
    assert len(code.text.encode()) <= 16_000


def test_a_part_is_what_stands_at_the_lines_that_it_tells(folder: Folder) -> None:
    code = shown(folder, "Make step_117 faster.")

    lines = (folder.path / "lib/pipeline.py").read_text().splitlines(keepends=True)
    found = runs(code, "lib/pipeline.py")
    assert found
    for first, last, text in found:
        assert "".join(lines[first - 1 : last]) == text
    assert [first for first, _, _ in found] == sorted(first for first, _, _ in found)
    assert f"of {len(lines)}, in step_" in code.text


def test_how_the_file_that_matters_begins_is_shown(folder: Folder) -> None:
    [first, *_] = runs(shown(folder, "Make step_117 faster."), "lib/pipeline.py")

    assert first[2].startswith("import os\n")


def test_no_file_takes_all_the_room(folder: Folder) -> None:
    folder.add("lib/other.py", functions(*(f"step_{n}" for n in range(150, 400))))

    code = shown(folder, "Make the steps faster.")

    assert {"lib/pipeline.py", "lib/other.py"} <= code.partial


def test_what_there_is_no_room_for_is_named(folder: Folder) -> None:
    text = shown(folder, "Make step_117 faster.").text

    assert re.search(r"There is no room to show .*docs/page_\d+\.md.*, and \d+ more$|"
                     r"There is no room to show .*docs/page_\d+\.md$", text)  # fmt: skip


def test_a_small_file_that_matters_is_shown_whole(folder: Folder) -> None:
    code = shown(folder, "Make tiny() faster.")

    assert f"lib/small.py\n```\n{functions('tiny')}```" in code.text
    assert "lib/small.py" not in code.partial


def test_without_any_clue_the_smaller_sources_are_shown_whole(folder: Folder) -> None:
    code = show_code(brief("Improve."), folder, folder.tracked_files(), 8_000)

    assert f"lib/small.py\n```\n{functions('tiny')}```" in code.text
    assert "Page 3" not in code.text


@pytest.mark.parametrize("limit_bytes", [-100, 0, 50, 400, 1000, 2000, 5000])
def test_the_limit_is_kept(limit_bytes: int, folder: Folder) -> None:
    assert len(shown(folder, "Make step_3 faster.", limit_bytes).text.encode()) <= max(
        0, limit_bytes
    )


def test_links_are_not_followed_and_binary_files_not_shown(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret.py").write_text("KEY = 'step_117'\n")
    (folder.path / "lib/link.py").symlink_to(tmp_path / "secret.py")
    (folder.path / "away").symlink_to(tmp_path)
    (folder.path / "lib/blob.py").write_bytes(b"step_117\0")

    code = show_code(
        brief("Make step_117 faster."),
        folder,
        [*folder.tracked_files(), "away/secret.py", "../secret.py"],
        16_000,
    )

    assert "KEY" not in code.text
    assert "blob.py\n```" not in code.text


def test_the_source_of_the_evaluator_is_never_shown(folder: Folder) -> None:
    judge = "from lib.pipeline import step_117\nHIDDEN_CASES = [1, 2]\n"

    code = show_code(replace(brief(), judge=judge), folder, folder.tracked_files(), 16_000)

    assert "def step_117(value):" in code.text
    assert "HIDDEN_CASES" not in code.text


def test_no_more_is_read_than_the_limits_allow(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "checkout")
    for number in range(50):
        folder.add(f"lib/m{number}.py", "x = 1\n" * 100)
    folder.add("lib/zebra.py", "x = 1\n" * 100)

    few = read_sources(folder, folder.tracked_files(), Clues(), most_files=5)
    small = read_sources(
        folder, folder.tracked_files(), Clues(words={"zebra": 1.0}), most_bytes=1000
    )

    assert (len(few.texts), len(few.unread)) == (5, 46)
    assert small.read_bytes <= 1000 + 600
    assert "lib/zebra.py" in small.texts


@pytest.mark.slow
def test_a_repository_of_20000_files_is_looked_at_within_its_limits(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "checkout")
    for number in range(20_000):
        folder.add(f"lib/p{number % 200}/m{number}.py", f"def f{number}(x):\n    return x\n" * 8)
    folder.add("lib/p7/needle.py", functions("find_needle"))
    paths = folder.tracked_files()

    code = show_code(brief("Make find_needle faster."), folder, paths, 60_000)

    assert "def find_needle(value):" in code.text
    assert len(code.text.encode()) <= 60_000


def test_of_many_files_those_that_matter_are_named(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "checkout")
    for number in range(300):
        folder.add(f"lib/m{number:03}.py", "x = 1\n")
    folder.add("lib/zebra.py", "def stripe(): ...\n")

    named = name_files(brief("Make stripe() faster."), folder, folder.tracked_files()).splitlines()

    assert len(named) == 201
    assert "lib/zebra.py" in named
    assert named[-1] == "… and 101 more"
