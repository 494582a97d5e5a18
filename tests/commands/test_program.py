"""The command `loreley`: its words for whoever types it."""

import subprocess
import sys
from pathlib import Path

import pytest

from loreley.commands.program import main
from loreley.invocation import PROGRAM


def typed(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of the command with these arguments."""
    monkeypatch.setenv(PROGRAM, "")  # restored at the end
    monkeypatch.setattr(sys, "argv", ["loreley", *arguments])
    monkeypatch.setattr(sys, "dont_write_bytecode", sys.dont_write_bytecode)
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("arguments", "problem", "meant"),
    [
        (("evovle",), "`loreley` has no task evovle", "did you mean evolve?"),
        (("--help", "nots"), "`loreley` has no task nots", "did you mean notes?"),
        (("--lst",), "`loreley` has no flag --lst", "did you mean --list?"),
        (("evolve", "--jbos=3"), "`loreley evolve` has no flag --jbos", "did you mean --jobs?"),
        (("worker", "--log-lvl"), "`loreley worker` has no flag --log-lvl", "--log-level"),
        (("evolve", "--jobs"), "`loreley evolve --jobs` needs a value", "loreley evolve --help"),
        (("job",), "`loreley job` needs JOB", "loreley job --help"),
        (("test",), "`loreley` has no task test", "loreley --help"),
    ],
)  # fmt: skip
def test_a_wrong_command_line_is_answered_with_the_nearest_right_one(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    problem: str,
    meant: str,
) -> None:
    assert typed(monkeypatch, *arguments) == 2

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines()[0] == f"error: {problem}"
    assert meant in said.err


def test_flags_show_what_kind_of_value_they_take(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, "job", "--help") == 0

    told = capsys.readouterr().out
    assert told.startswith("Usage: loreley job JOB [--flags]\n\nShow the story of one job")
    assert "--artifact=NAME" in told

    assert typed(monkeypatch, "evolve", "--help") == 0
    told = capsys.readouterr().out
    assert "--jobs=N " in told
    assert "(default 200)" in " ".join(told.split())
    assert "STRING" not in told


def test_the_list_has_the_operators_tasks_and_no_developers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch) == 0

    told = capsys.readouterr().out.split()
    assert {"evolve", "worker", "status", "--print-completion-script=STRING"} <= set(told)
    assert not {"lint", "pins", "bench", "--pty"} & set(told)


def test_a_shell_completes_tasks_and_flags(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed(monkeypatch, "--print-completion-script", "bash") == 0
    assert "complete -F _complete_loreley -o default loreley" in capsys.readouterr().out

    assert typed(monkeypatch, "--complete", "--", "loreley", "evolve", "--") == 0
    assert {"--jobs", "--workers"} <= set(capsys.readouterr().out.split())


def test_messages_name_the_command_that_was_typed(tmp_path: Path) -> None:
    code = "from loreley.commands.program import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "logs"], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 1
    assert "start `loreley worker` or `loreley scheduler`" in done.stderr
    assert str(tmp_path / "logs" / "worker") in done.stderr
