"""Settings of the evaluator, made ready for use or refused with what to change."""

from pathlib import Path
from typing import Any

import pytest

from loreley.config import Settings
from loreley.core.evaluation.assembly import describe_exposure, read_evaluator_source
from loreley.core.evaluation.options import EvaluatorOptions
from loreley.core.sandbox.sandbox import Level, Sandbox
from loreley.core.sandbox.tools import Tools
from loreley.errors import ConfigError, Problem


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def options(**settings: Any) -> EvaluatorOptions:
    return EvaluatorOptions.from_settings(Settings(**settings))


def problems(**settings: Any) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        options(**settings)
    return caught.value.problems


def test_sizes_are_in_bytes() -> None:
    found = options(worker_evaluator_memory_mb=2, worker_evaluator_file_size_mb=3)

    assert (found.memory_bytes, found.file_size_bytes) == (2 << 20, 3 << 20)


def test_python_paths_are_absolute(tmp_path: Path) -> None:
    (tmp_path / "judges").mkdir()

    found = options(worker_evaluator_python_paths=["judges"])

    assert found.python_paths == (tmp_path.resolve() / "judges",)


def test_paths_that_do_not_exist_are_all_named() -> None:
    first, second = problems(
        worker_evaluator_python_paths=["gone"], worker_evaluator_read_paths=["~/data"]
    )

    assert first.setting == "WORKER_EVALUATOR_PYTHON_PATHS"
    assert first.target.endswith("/gone")
    assert second.setting == "WORKER_EVALUATOR_READ_PATHS"
    assert second.target == str(Path.home() / "data")


@pytest.mark.parametrize(
    "name",
    [
        "DATABASE_URL",
        "TASKS_REDIS_URL",
        "TASKS_REDIS_PASSWORD",
        "WORKER_REPO_REMOTE_URL",
        "tasks_redis_password",
    ],
)
def test_what_may_hold_a_credential_is_not_handed_on(name: str) -> None:
    [problem] = problems(worker_evaluator_environment=["CUDA_VISIBLE_DEVICES", name])

    assert name in problem.what
    assert problem.setting == "WORKER_EVALUATOR_ENVIRONMENT"


@pytest.mark.parametrize("name", ["", "A=B", "A B", "1A"])
def test_a_name_must_be_a_name(name: str) -> None:
    [problem] = problems(worker_evaluator_environment=[name])

    assert "not the name of an environment variable" in problem.reason


def test_files_a_command_names_are_made_absolute(tmp_path: Path) -> None:
    (tmp_path / "judge.sh").touch()
    (tmp_path / "judge.py").touch()

    assert options(worker_evaluator_command="python judge.py {worktree} -v").command == (
        "python",
        str(tmp_path / "judge.py"),
        "{worktree}",
        "-v",
    )
    assert options(worker_evaluator_command="./judge.sh 'a b'").command == (
        str(tmp_path / "judge.sh"),
        "a b",
    )


def test_a_program_without_a_slash_is_looked_for_on_the_path(tmp_path: Path) -> None:
    (tmp_path / "make").touch()

    assert options(worker_evaluator_command="make score").command == ("make", "score")


def test_a_command_that_cannot_be_split_is_refused() -> None:
    [problem] = problems(worker_evaluator_command="judge 'unfinished")

    assert problem.reason == "No closing quotation"


def test_what_loreley_keeps_is_hidden(tmp_path: Path) -> None:
    folder = tmp_path.resolve()

    found = options(
        loreley_state_dir="state",
        worker_repo_worktree="clone",
        database_url=f"sqlite:///{folder}/jobs.db?timeout=5",
        tasks_redis_url=f"unix://{folder}/r.sock?db=0",
    )

    names = ("state", ".env", "clone", "clone-worktrees", "r.sock")
    database = ("jobs.db", "jobs.db-wal", "jobs.db-shm")
    assert set(found.hidden) == {folder / name for name in (*names, *database)}


def test_the_evaluator_is_named_as_it_was_configured() -> None:
    plugin = options(worker_evaluator_plugin="judges:judge")
    command = options(worker_evaluator_command="make 'my score'")

    assert (plugin.setting, plugin.name) == ("WORKER_EVALUATOR_PLUGIN", "judges:judge")
    assert (command.setting, command.name) == ("WORKER_EVALUATOR_COMMAND", "make 'my score'")


@pytest.mark.parametrize(
    ("setting", "paths"),
    [
        ("worker_evaluator_python_paths", ["sealed"]),
        ("worker_evaluator_read_paths", ["sealed/data"]),
        ("worker_agent_read_paths", ["elsewhere", "sealed"]),
    ],
)
def test_a_hold_out_that_would_hide_what_others_need_is_refused(
    tmp_path: Path, setting: str, paths: list[str]
) -> None:
    (tmp_path / "sealed" / "data").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()

    [problem] = problems(worker_evaluator_holdout_paths=["sealed"], **{setting: paths})

    assert problem.setting == f"WORKER_EVALUATOR_HOLDOUT_PATHS={tmp_path.resolve()}/sealed"
    assert f"they need {(tmp_path / paths[-1]).resolve()} ({setting.upper()})" in problem.reason
    assert "a folder of their own" in problem.fix


def test_a_hold_out_beside_the_evaluators_command_is_refused(tmp_path: Path) -> None:
    (tmp_path / "judge.py").write_text("")
    given = {"worker_evaluator_command": "python3 judge.py"}

    [problem] = problems(worker_evaluator_holdout_paths=["."], **given)

    assert str(tmp_path.resolve() / "judge.py") in problem.reason


def test_a_hold_out_within_a_folder_that_others_read_is_hidden_from_them(tmp_path: Path) -> None:
    (tmp_path / "judges" / "sealed").mkdir(parents=True)

    found = options(
        worker_evaluator_python_paths=["judges"], worker_evaluator_holdout_paths=["judges/sealed"]
    )

    sealed = tmp_path.resolve() / "judges" / "sealed"
    assert sealed in found.hidden
    own = found.holding_out("holdout:evaluate", ["judges/sealed"])
    assert sealed not in own.hidden
    assert own.python_paths[0] == sealed
    assert own.setting == "WORKER_EVALUATOR_HOLDOUT"


def test_who_can_see_a_hold_out_is_told_where_no_file_is_hidden() -> None:
    settings = Settings(
        worker_evaluator_holdout="holdout:evaluate", worker_evaluator_holdout_paths=["/srv/sealed"]
    )

    def exposure(level: Level) -> str:
        return describe_exposure(settings, Sandbox(level, Tools("/bin/sh")))

    assert exposure(Level.BUBBLEWRAP) == ""
    assert "can read the hold-out in /srv/sealed" in exposure(Level.NAMESPACES)
    assert "only bubblewrap does" in exposure(Level.LIMITS)
    assert describe_exposure(Settings(), Sandbox(Level.LIMITS, Tools("/bin/sh"))) == ""


def test_the_source_of_an_evaluator_is_that_of_its_stages_without_the_holdout(
    tmp_path: Path,
) -> None:
    for name in ("judges/full.py", "judges/quick.py", "judges/library.py", "held/out.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"import pack  # {name}\n")

    source = read_evaluator_source(
        Settings(
            worker_evaluator_plugin="full:evaluate",
            worker_evaluator_stages=["quick:evaluate | score >= 1"],
            worker_evaluator_python_paths=["judges"],
            worker_evaluator_holdout="out:evaluate",
            worker_evaluator_holdout_paths=["held"],
        )
    )

    assert source.split("\n\n")[0] == "import pack  # judges/quick.py"
    assert "judges/full.py" in source
    assert "library.py" not in source
    assert "out.py" not in source


def test_the_source_of_a_command_is_its_scripts_as_far_as_they_are_text(tmp_path: Path) -> None:
    (tmp_path / "judge.py").write_text("import pack\n")
    (tmp_path / "blob").write_bytes(b"import \0")

    source = read_evaluator_source(
        Settings(worker_evaluator_command="python3 judge.py blob {worktree}")
    )

    assert source.strip() == "import pack"
