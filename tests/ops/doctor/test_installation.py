"""What the doctor sees of the host."""

from pathlib import Path

import pytest

from loreley.config import Settings
from loreley.errors import Problem
from loreley.ops.doctor.findings import Finding, Verdict, examine
from loreley.ops.doctor.installation import host_checks


def found(settings: Settings, *invalid: Problem) -> dict[str, Finding]:
    """The findings by name; of several the last."""
    return {finding.name: finding for finding in examine(host_checks(settings, invalid))}


def usual(tmp_path: Path, **changes: object) -> Settings:
    return Settings.model_validate(
        {
            "loreley_state_dir": tmp_path / "state",
            "logs_base_dir": str(tmp_path),
            "worker_repo_worktree": str(tmp_path / "base"),
            "worker_repo_remote_url": "/somewhere",
            "worker_evaluator_plugin": "judge:judge",
            "mapelites_fitness_metric": "score",
            **changes,
        }
    )


def test_a_host_with_all_that_is_needed_is_good(tmp_path: Path) -> None:
    seen = found(usual(tmp_path))

    assert {name for name, one in seen.items() if one.verdict is Verdict.BAD} == set()
    assert seen["git"].seen.startswith("git 2.")
    assert seen["settings"].verdict is Verdict.GOOD
    assert not list(tmp_path.iterdir())  # looked at, not made


def test_each_problem_with_a_setting_is_reported_with_its_own_fix(tmp_path: Path) -> None:
    settings = usual(tmp_path, worker_repo_remote_url=None, worker_evaluator_plugin=None)
    invalid = Problem("LOG_LEVEL is not valid", setting="LOG_LEVEL='LOUD'", fix="change it")

    told = [
        finding
        for finding in examine(host_checks(settings, [invalid]))
        if finding.name == "settings"
    ]

    assert [one.seen.partition(" ")[0] for one in told] == [
        "LOG_LEVEL", "WORKER_REPO_REMOTE_URL", "WORKER_EVALUATOR_PLUGIN",
    ]  # fmt: skip
    assert all(one.verdict is Verdict.BAD and one.fix for one in told)


def test_a_git_that_is_none_is_bad(tmp_path: Path) -> None:
    for program in ("/bin/false", "/nowhere/git"):
        git = found(usual(tmp_path, worker_repo_git_bin=program))["git"]
        assert git.verdict is Verdict.BAD
        assert "WORKER_REPO_GIT_BIN" in git.fix


def test_a_weak_sandbox_is_a_warning_that_says_what_is_missing(tmp_path: Path) -> None:
    sandbox = found(usual(tmp_path, worker_sandbox="limits"))["sandbox"]

    assert sandbox.verdict is Verdict.WARNING
    assert "children can use the network, end processes, read and change" in sandbox.seen
    assert sandbox.fix


def test_a_file_in_the_place_of_a_folder_is_bad_and_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    folders = found(usual(tmp_path, worker_repo_worktree=str(tmp_path / "file" / "x")))["folders"]

    assert folders.verdict is Verdict.BAD
    assert folders.seen == f"WORKER_REPO_WORKTREE: {tmp_path / 'file'} is no folder"


def test_a_disk_without_room_is_bad_and_named(tmp_path: Path) -> None:
    disk = found(usual(tmp_path, logs_base_dir="/proc"))["disk space"]

    assert disk.verdict is Verdict.BAD
    assert "LOGS_BASE_DIR" in disk.seen


def test_uncompiled_modules_are_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert found(usual(tmp_path))["python"].verdict is Verdict.WARNING
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE")
    assert found(usual(tmp_path))["python"].verdict is Verdict.GOOD
