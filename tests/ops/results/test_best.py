"""`invoke best` on a real run: what is told, and what is not there."""

import json
import os
import pty
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from loreley.config import Settings
from loreley.errors import ConfigError, GitError, LoreleyError
from loreley.ops.results.best import print_best, print_diff
from loreley.ops.results.selection import Selection
from tests.core.worker.upstream import git
from tests.ops.experiment import SmallRun, lines_of, text, usual

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def run(tmp_path: Path) -> SmallRun:
    return usual(tmp_path)


def test_the_best_is_reported_with_its_gain_its_figures_and_its_way(
    run: SmallRun, capsys: Capture
) -> None:
    print_best(run.settings, Selection())

    told = capsys.readouterr().out
    assert lines_of(told, "best") == [
        "best      score 3.5, from 1 at the root, in 2 steps",
    ]
    assert lines_of(told, "gain") == ["gain      not confirmed yet"]
    assert f"commit    {run.commits[2]}" in told
    assert f"branch    evolution/job/2 at {run.upstream.path}" in told
    assert [line.split() for line in told.splitlines() if line.startswith("          ")] == [
        ["score", "1", "3.5", "+2.5"],
        ["time", "9", "6.5", "+2.5", "s"],
    ]
    path = [
        line.split() for line in told.splitlines() if line.startswith("  ") and "line" not in line
    ]
    steps = [words for words in path if words[0] in ("root", "#0", "#1")]
    assert [words[:3] for words in steps][1:] == [["#0", "2", "+1"], ["#1", "3.5", "+1.5"]]
    assert "genetic shift" in told
    assert "spell the third" in told


def test_programs_read_the_same_as_json(run: SmallRun, capsys: Capture) -> None:
    print_best(run.settings, Selection(), as_json=True)

    told = json.loads(capsys.readouterr().out)
    assert [step["commit"] for step in told["steps"]] == run.commits
    assert [step["gain"] for step in told["steps"]] == [None, 1.0, 1.5]
    assert told["gain"] == 2.5
    assert told["remote"] == str(run.upstream.path)
    assert {metric["name"] for metric in told["metrics"]} == {"score", "time"}


@pytest.mark.parametrize("wanted", ["0", "#0"])
def test_another_commit_is_named_by_its_job(run: SmallRun, wanted: str, capsys: Capture) -> None:
    print_best(run.settings, Selection(wanted))

    assert f"commit    {run.commits[1]}" in capsys.readouterr().out


def test_another_commit_is_named_by_its_id(run: SmallRun, capsys: Capture) -> None:
    print_best(run.settings, Selection(run.commits[0][:10]))

    told = capsys.readouterr().out
    assert "score 1: the root commit itself" in told
    assert "--diff" not in told


def test_the_diff_in_a_pipe_is_a_patch_of_the_root(
    run: SmallRun, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    print_diff(run.settings, Selection(), with_parent=False)

    (tmp_path / "best.patch").write_bytes(capfdbinary.readouterr().out)
    clone = tmp_path / "clone"
    git("clone", "-q", str(run.upstream.path), str(clone), cwd=tmp_path)
    git("apply", "--index", str(tmp_path / "best.patch"), cwd=clone)
    assert git("write-tree", cwd=clone) == git(
        "rev-parse", f"{run.commits[2]}^{{tree}}", cwd=run.upstream.path
    )


def test_the_diff_with_the_parent_is_the_last_step(run: SmallRun, capfd: Capture) -> None:
    print_diff(run.settings, Selection(), with_parent=True)

    told = capfd.readouterr().out
    assert "+line 27!" in told
    assert "+line three" not in told


def read_to_the_end(terminal: int) -> bytes:
    """All that is written to a terminal until whoever writes closes it."""
    seen = b""
    with suppress(OSError):  # Linux reports the other side's end as EIO
        while part := os.read(terminal, 1 << 16):
            seen += part
    return seen


def test_a_terminal_sees_no_control_characters_and_no_binary_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = SmallRun.begin(tmp_path, {"plan.txt": text()})
    run.step({"plan.txt": text({4: "\x1b[31mred\x07"}), "new.bin": b"\0\1" * 999}, 2.0)
    ours, theirs = pty.openpty()
    with ThreadPoolExecutor(1) as reader:
        shown = reader.submit(read_to_the_end, ours)
        with os.fdopen(theirs, "w") as terminal:
            monkeypatch.setattr("sys.stdout", terminal)
            print_diff(run.settings, Selection(), with_parent=False)
        told = shown.result(timeout=30).decode()
    os.close(ours)

    assert "+red" in told
    assert "\x1b" not in told
    assert "Binary files" in told
    assert "2 files changed" in told


def test_commits_are_fetched_where_no_repository_is_at_hand(tmp_path: Path, capfd: Capture) -> None:
    run = usual(tmp_path)
    far = f"file://{run.upstream.path}"
    settings = run.settings.model_copy(update={"worker_repo_remote_url": _secret(far)})

    print_diff(settings, Selection(), with_parent=False)

    assert "+line 27!" in capfd.readouterr().out


def test_a_deleted_branch_is_reported(tmp_path: Path) -> None:
    run = usual(tmp_path)
    git("update-ref", "-d", "refs/heads/evolution/job/2", cwd=run.upstream.path)
    git("reflog", "expire", "--expire=now", "--all", cwd=run.upstream.path)
    git("gc", "-q", "--prune=now", cwd=run.upstream.path)

    with pytest.raises(GitError, match="not on the remote any more"):
        print_diff(run.settings, Selection(), with_parent=False)


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        (Selection("77"), "no such job"),
        (Selection("feedfeedfeed"), "no such job"),
        (Selection(""), "several|no such"),
        (Selection("%"), "no such job"),
        (Selection(island=3), "no such island"),
    ],
)
def test_what_is_not_there_is_reported(run: SmallRun, selection: Selection, message: str) -> None:
    with pytest.raises(LoreleyError, match=message):
        print_best(run.settings, selection)


def test_an_empty_database_is_reported(tmp_path: Path) -> None:
    with pytest.raises(LoreleyError, match="no experiment yet"):
        print_best(Settings(loreley_state_dir=tmp_path), Selection())


def test_options_that_contradict_or_mean_nothing_are_refused() -> None:
    with pytest.raises(ConfigError, match="two commits"):
        Selection.read("1", "1")
    for island in ("x", "-1", "", "²", "9" * 20):
        with pytest.raises(ConfigError, match="is a number"):
            Selection.read(None, island)
    assert Selection.read(None, "2") == Selection(island=2)


def _secret(text: str) -> object:
    return Settings(worker_repo_remote_url=text).worker_repo_remote_url
