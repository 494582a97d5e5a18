"""`invoke minimise` on a real run with a real evaluator in its sandbox."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from loreley.config import Settings
from loreley.errors import ConfigError, LoreleyError
from loreley.ops.results.minimise import MinimiseOptions, minimise
from loreley.ops.results.selection import Selection
from tests.core.worker.upstream import git
from tests.ops.experiment import SmallRun, text
from tests.support import PROJECT_ROOT

pytestmark = pytest.mark.slow

JUDGE = """
import random
import time

def judge(context):
    text = (context.worktree / "plan.txt").read_text()
    if "broken" in text and "mended" not in text:
        raise RuntimeError("broken without mended")
    score = 1 + ("gain" in text) + 0.01 * ("little" in text)
    return {"summary": "", "metrics": [{"name": "score", "value": score}]}

def slow(context):
    time.sleep(0.3)
    return judge(context)

def noisy(context):
    answer = judge(context)
    answer["metrics"][0]["value"] += random.SystemRandom().gauss(0, 0.02)
    return answer

def lines(context):
    text = (context.worktree / "plan.txt").read_text()
    score = 1 + sum(f"gain {number}" in text for number in range(3))
    score -= 5 * ("line 12\\n" in text)
    return {"summary": "", "metrics": [{"name": "score", "value": score}]}

def needs(context):
    text = (context.worktree / "plan.txt").read_text()
    score = 1 + 2 * ("key" in text and "lock" in text)
    score += ("\\ngain" in text) * (1 + 0.5 * ("more gain" in text))
    return {"summary": "", "metrics": [{"name": "score", "value": score}]}

def noisy_lines(context):
    text = (context.worktree / "plan.txt").read_text()
    score = 1 + sum(f"gain {number}" in text for number in range(3))
    score += random.SystemRandom().gauss(0, 0.02)
    return {"summary": "", "metrics": [{"name": "score", "value": score}]}
"""
CHANGES = {3: "mended", 8: "noise", 12: "gain", 16: "broken", 20: "little", 24: "more noise"}
SCRIPT = """
import sys
from loreley.config import Settings
from loreley.ops.results.selection import Selection
from loreley.ops.messages import failures_as_messages
from loreley.ops.results.minimise import MinimiseOptions, minimise
from loguru import logger
logger.disable("loreley")
with failures_as_messages():
    minimise(Settings(), Selection(), MinimiseOptions())
"""


def begun(tmp_path: Path, **settings: object) -> SmallRun:
    """A run whose best commit holds more than its gain."""
    (tmp_path / "judges").mkdir()
    (tmp_path / "judges" / "judge.py").write_text(JUDGE)
    run = SmallRun.begin(
        tmp_path,
        {"plan.txt": text(), "old.bin": b"\0"},
        worker_evaluator_plugin=settings.pop("worker_evaluator_plugin", "judge:judge"),
        worker_evaluator_python_paths=[str(tmp_path / "judges")],
        **settings,
    )
    run.step({"plan.txt": text(CHANGES), "new.bin": b"\0\1", "old.bin": None}, 2.01, "do it all")
    return run


def result(run: SmallRun) -> str:
    """The commit that came of it, where a person would fetch it."""
    branch = f"evolution/minimised/{run.commits[-1][:12]}"
    return git("rev-parse", f"refs/heads/{branch}", cwd=run.folder / "base")


def added(run: SmallRun, commit: str) -> list[str]:
    """The lines that differ from the root."""
    diff = git("diff", "--unified=0", run.commits[0], commit, cwd=run.folder / "base")
    return [line[1:] for line in diff.splitlines() if line.startswith("+") and line[1] != "+"]


def test_only_what_carries_the_gain_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = begun(tmp_path)

    minimise(run.settings, Selection(), MinimiseOptions(patch=tmp_path / "small.patch"))

    commit, told = result(run), capsys.readouterr()
    assert added(run, commit) == ["gain", "little"]
    assert git("rev-parse", f"{commit}^", cwd=run.folder / "base") == run.commits[0]
    assert "kept      4 of 14 lines" in told.out
    assert "fitness   score 2.01, was 2.01; 1 at the root" in told.out
    assert "gain      not confirmed yet" in told.out
    used = told.err.splitlines()[-1].split("/")[0].strip()
    assert f"used      {used} of 200 evaluations" in told.out
    assert "  1/200  all of them: 2.01" in told.err
    assert "broken without mended" in told.err
    message = git("log", "-1", "--format=%B", commit, cwd=run.folder / "base")
    assert message.startswith("Change score from 1 to 2.01, not confirmed\n")
    assert f"Minimised-from: {run.commits[1]}" in message
    assert "10 did not matter" in message
    assert git("branch", "--list", "evolution/minimised/*", cwd=run.upstream.path) == ""
    git("clone", "-q", str(run.upstream.path), "clone", cwd=tmp_path)
    git("am", str(tmp_path / "small.patch"), cwd=tmp_path / "clone")
    assert git("rev-parse", "HEAD^{tree}", cwd=tmp_path / "clone") == git(
        "rev-parse", f"{commit}^{{tree}}", cwd=run.folder / "base"
    )


def test_a_share_of_the_gain_may_be_enough_and_the_result_is_pushed(tmp_path: Path) -> None:
    run = begun(tmp_path)

    minimise(run.settings, Selection(), MinimiseOptions(share=0.95, push=True))

    commit = result(run)
    assert added(run, commit) == ["gain"]
    pushed = f"evolution/minimised/{run.commits[1][:12]}"
    assert git("rev-parse", pushed, cwd=run.upstream.path) == commit


def test_a_spent_budget_keeps_what_was_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = begun(tmp_path)

    minimise(run.settings, Selection(), MinimiseOptions(most_evaluations=3))

    told = capsys.readouterr()
    assert "stopped after 3 evaluations" in told.err
    assert "  3/3" in told.err
    first = result(run)
    assert "gain" in added(run, first)

    minimise(run.settings, Selection(), MinimiseOptions(most_evaluations=3))
    assert result(run) == first


def test_a_block_of_lines_is_reduced_to_those_that_carry_the_gain(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = begun(tmp_path, worker_evaluator_plugin="judge:lines")
    block = {11: "gain 0", 12: "does nothing", 13: "gain 1", 14: "gain 2"}
    run.step({"plan.txt": text(block), "new.bin": None, "old.bin": b"\0"}, 4.0)

    minimise(run.settings, Selection(), MinimiseOptions())

    commit = result(run)
    assert added(run, commit) == ["gain 0", "gain 1", "gain 2"]
    diff = git("diff", "--unified=0", run.commits[0], commit, cwd=run.folder / "base")
    assert "-line 12" in diff  # only the line that took its place does nothing
    assert "kept      7 of 8 lines" in capsys.readouterr().out


def test_a_noisy_gain_is_decided_in_rounds_and_the_result_is_confirmed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = begun(tmp_path, worker_evaluator_plugin="judge:noisy")
    run.step({"plan.txt": text({3: "noise", 8: "gain"}), "new.bin": None, "old.bin": b"\0"}, 3.0)

    minimise(run.settings, Selection(), MinimiseOptions())

    told = capsys.readouterr()
    assert added(run, result(run)) == ["gain"]
    assert "all of them: " in told.err
    [gain] = [line for line in told.out.splitlines() if line.startswith("gain")]
    assert re.fullmatch(r"gain      confirmed: \+[01]\.\d+ ± 0\.0\d (\(10 pairs\))", gain)
    message = git("log", "-1", "--format=%B", result(run), cwd=run.folder / "base")
    assert message.startswith("Improve score from 1 to ")
    assert f"Gain: {gain.split(maxsplit=1)[1]}" in message


def test_a_noisy_gain_that_too_few_evaluations_can_show_is_reported(tmp_path: Path) -> None:
    run = begun(tmp_path, worker_evaluator_plugin="judge:noisy")

    with pytest.raises(LoreleyError, match="too few evaluations to tell"):
        minimise(run.settings, Selection(), MinimiseOptions(most_evaluations=9))


def test_ctrl_c_keeps_what_was_found_and_leaves_nothing_behind(tmp_path: Path) -> None:
    run = begun(tmp_path, worker_evaluator_plugin="judge:slow")
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=tmp_path,
        env=os.environ | environment(run.settings) | {"PYTHONPATH": str(PROJECT_ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    seen = ""
    while ": enough:" not in seen:
        line = process.stderr.readline()
        assert line, seen
        seen += line
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=30)

    assert process.returncode == 0, stderr
    assert "stopped by Ctrl+C" in stderr
    assert "kept      " in stdout
    assert int(stdout.partition("kept")[2].split()[0]) < 2 * len(CHANGES) + 2
    assert "gain" in added(run, result(run))
    leased = [path.name for path in (tmp_path / "base-worktrees").iterdir()]
    assert not [name for name in leased if name.startswith("minimise")]


def environment(settings: Settings) -> dict[str, str]:
    """The settings as a process reads them."""
    url = settings.worker_repo_remote_url
    return {
        "LORELEY_STATE_DIR": str(settings.loreley_state_dir),
        "WORKER_REPO_REMOTE_URL": url.get_secret_value() if url else "",
        "WORKER_REPO_WORKTREE": settings.worker_repo_worktree or "",
        "WORKER_EVALUATOR_PLUGIN": settings.worker_evaluator_plugin or "",
        "WORKER_EVALUATOR_PYTHON_PATHS": ",".join(settings.worker_evaluator_python_paths),
        "MAPELITES_FITNESS_METRIC": settings.mapelites_fitness_metric or "",
    }


def test_a_gain_that_does_not_show_again_is_reported(tmp_path: Path) -> None:
    run = begun(tmp_path)
    run.step({"plan.txt": text({3: "only noise"})}, 9.0)

    with pytest.raises(LoreleyError, match="the gain does not show again") as raised:
        minimise(run.settings, Selection(), MinimiseOptions())
    assert raised.value.problems[0].reason == "not confirmed: no better than the root"


def test_what_makes_no_sense_is_refused() -> None:
    for share in (0.0, -1.0, 1.5, float("nan")):
        with pytest.raises(ConfigError, match="share of the gain"):
            MinimiseOptions(share=share)
    with pytest.raises(ConfigError, match="too few"):
        MinimiseOptions(most_evaluations=1)


def change_branches(run: SmallRun) -> list[str]:
    """The commits of the independent changes, in their order."""
    pattern = f"refs/heads/evolution/minimised/{run.commits[-1][:12]}-*"
    found = git("for-each-ref", "--format=%(objectname)", pattern, cwd=run.folder / "base")
    return found.splitlines()


def test_what_is_left_is_split_into_changes_that_are_better_each_by_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = begun(tmp_path)

    minimise(run.settings, Selection(), MinimiseOptions(push=True))

    changes = change_branches(run)
    assert sorted(added(run, each) for each in changes) == [["gain"], ["little"]]
    told = capsys.readouterr().out
    assert "change 1  2 lines, plan.txt:" in told
    assert "fitness   2 by itself" in told
    assert "fitness   1.01 by itself" in told
    for commit in changes:
        assert git("rev-parse", f"{commit}^", cwd=run.folder / "base") == run.commits[0]
        message = git("log", "-1", "--format=%B", commit, cwd=run.folder / "base")
        assert "of 2 independent ones" in message
        assert "together measure 2.01" in message
        assert git("branch", "--contains", commit, cwd=run.upstream.path)
    git("fetch", "-q", "origin", cwd=run.upstream.author)
    git("checkout", "-q", changes[0], cwd=run.upstream.author)
    git("merge", "-q", "--no-edit", changes[1], cwd=run.upstream.author)
    assert git("rev-parse", "HEAD^{tree}", cwd=run.upstream.author) == git(
        "rev-parse", f"{result(run)}^{{tree}}", cwd=run.folder / "base"
    )


def test_lines_that_need_each_other_stay_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = begun(tmp_path, worker_evaluator_plugin="judge:needs")
    files = {"plan.txt": text({3: "key", 12: "lock", 20: "gain", 27: "more gain"})}
    run.step({**files, "new.bin": None, "old.bin": b"\0"}, 4.5)

    minimise(run.settings, Selection(), MinimiseOptions())

    found = sorted(added(run, each) for each in change_branches(run))
    assert found == [["gain", "more gain"], ["key", "lock"]]
    assert "better than the root alone" in capsys.readouterr().err


def test_what_is_one_change_is_not_split(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = begun(tmp_path, worker_evaluator_plugin="judge:needs")
    files = {"plan.txt": text({3: "key", 12: "lock"})}
    run.step({**files, "new.bin": None, "old.bin": b"\0"}, 3.0)

    minimise(run.settings, Selection(), MinimiseOptions())

    assert change_branches(run) == []
    told = capsys.readouterr()
    assert "not split: no part of what is left is better than the root" in told.err
    assert "change 1" not in told.out


def test_a_noisy_gain_is_split_with_the_gain_of_each_change_confirmed(tmp_path: Path) -> None:
    run = begun(tmp_path, worker_evaluator_plugin="judge:noisy_lines")
    files = {"plan.txt": text({3: "gain 0", 20: "gain 1"})}
    run.step({**files, "new.bin": None, "old.bin": b"\0"}, 3.0)

    minimise(run.settings, Selection(), MinimiseOptions(most_evaluations=1000))

    changes = change_branches(run)
    assert sorted(added(run, each) for each in changes) == [["gain 0"], ["gain 1"]]
    for commit in changes:
        message = git("log", "-1", "--format=%B", commit, cwd=run.folder / "base")
        assert message.startswith("Improve score from 1 to ")
        assert re.search(r"^Gain: confirmed: \+[01]\.\d+ ± 0\.0\d+ \(\d+ pairs\)$", message, re.M)


def test_it_is_split_only_where_that_is_asked_for(tmp_path: Path) -> None:
    run = begun(tmp_path)

    minimise(run.settings, Selection(), MinimiseOptions(split=False))

    assert change_branches(run) == []
