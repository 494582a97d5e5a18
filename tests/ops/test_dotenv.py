import os
from pathlib import Path

import pytest

from loreley.config import Settings, load_settings
from loreley.errors import ConfigError
from loreley.ops.dotenv import load_environment, set_defaults


def loaded(
    root: Path, text: str, environ: dict[str, str], defaults: dict[str, str] | None = None
) -> dict[str, str]:
    (root / ".env").write_text(text, encoding="utf-8")
    load_environment(root, environ)
    set_defaults(defaults or {}, environ)
    return environ


def test_the_environment_wins_over_dotenv_and_dotenv_over_the_defaults(tmp_path: Path) -> None:
    environ = loaded(
        tmp_path,
        "LOG_LEVEL=DEBUG\nTASKS_QUEUE_NAME=from_file\n",
        {"LOG_LEVEL": "ERROR"},
        {"LOG_LEVEL": "TRACE", "TASKS_QUEUE_NAME": "default", "TASKS_REDIS_PORT": "7000"},
    )

    assert environ == {
        "LOG_LEVEL": "ERROR",
        "TASKS_QUEUE_NAME": "from_file",
        "TASKS_REDIS_PORT": "7000",
    }


def test_an_empty_value_counts_as_unset_on_every_layer(tmp_path: Path) -> None:
    environ = loaded(
        tmp_path,
        "LOG_LEVEL=DEBUG\nTASKS_QUEUE_NAME=\nTASKS_REDIS_HOST=''\n",
        {"LOG_LEVEL": ""},
        {"TASKS_QUEUE_NAME": "default"},
    )

    assert environ == {"LOG_LEVEL": "DEBUG", "TASKS_QUEUE_NAME": "default"}


def test_settings_are_found_in_any_case(tmp_path: Path) -> None:
    environ = loaded(
        tmp_path,
        "tasks_redis_url=redis://file\nTasks_Queue_Name=q\nopenai_api_key=k\n",
        {"tasks_redis_url": "redis://environment"},
    )

    assert environ["TASKS_REDIS_URL"] == "redis://environment"
    assert environ["TASKS_QUEUE_NAME"] == "q"
    assert environ["openai_api_key"] == "k"


def test_what_is_loaded_is_what_settings_read_from_the_same_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (
        "export LOG_LEVEL = 'WARNING' # quiet\r\n"
        'TASKS_QUEUE_NAME="a.b"\n'
        "TASKS_REDIS_NAMESPACE=${TASKS_QUEUE_NAME}.c\n"
        "WORKER_EVOLUTION_GLOBAL_GOAL='two\nlines'\n"
    )
    monkeypatch.chdir(tmp_path)
    environ = loaded(tmp_path, text, {})

    settings = load_settings()
    assert environ["LOG_LEVEL"] == settings.log_level == "WARNING"
    assert environ["TASKS_QUEUE_NAME"] == settings.tasks_queue_name == "a.b"
    assert environ["TASKS_REDIS_NAMESPACE"] == settings.tasks_redis_namespace == "a.b.c"
    assert environ["WORKER_EVOLUTION_GLOBAL_GOAL"] == "two\nlines"
    assert settings.worker_evolution_global_goal == "two\nlines"


def test_without_a_file_only_the_defaults_are_filled_in(tmp_path: Path) -> None:
    environ: dict[str, str] = {}
    assert load_environment(tmp_path, environ) == []
    set_defaults({"LOG_LEVEL": "DEBUG"}, environ)
    assert environ == {"LOG_LEVEL": "DEBUG"}


def test_the_process_environment_is_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASKS_QUEUE_NAME", "")  # restored afterwards
    (tmp_path / ".env").write_text("TASKS_QUEUE_NAME=mine\n")
    load_environment(tmp_path)
    assert os.environ["TASKS_QUEUE_NAME"] == "mine"


def test_every_malformed_line_is_named_without_its_content(tmp_path: Path) -> None:
    text = "LOG_LEVEL=DEBUG\n\n\nTASKS_REDIS_PASSWORD 'hunter2'\nJUST_A_NAME\nOPEN='hunter2\n"

    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, text, {})

    message = str(raised.value)
    assert [problem.target.rpartition(", ")[2] for problem in raised.value.problems] == [
        "line 4",
        "line 5",
        "line 6",
    ]
    assert "hunter2" not in message
    assert "NAME=value" in message


@pytest.mark.parametrize(
    "content", [b"LOG_LEVEL=\xff\xfe\n", "LOG_LEVEL=DEBUG".encode("utf-16-le"), None]
)
def test_what_is_no_text_file_is_reported(tmp_path: Path, content: bytes | None) -> None:
    if content is None:
        (tmp_path / ".env").mkdir()
    else:
        (tmp_path / ".env").write_bytes(content)

    with pytest.raises(ConfigError, match="cannot be read"):
        load_environment(tmp_path, {})


def test_names_that_look_like_settings_but_are_none_are_warned_of(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# comment\n\nTASKS_REDIS_ULR=redis://x\nWORKER_QQQQ=1\nOPENAI_API_KEY=k\nLOG_LEVEL=INFO\n"
    )

    assert load_environment(tmp_path, {}) == [
        ".env, line 3: TASKS_REDIS_ULR is no setting; did you mean TASKS_REDIS_URL?",
        ".env, line 4: WORKER_QQQQ is no setting",
    ]


def test_settings_of_an_earlier_version_are_warned_of_and_otherwise_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("MAPELITES_NOISE_CONFIDENCE=3\nMAPELITES_MIGRATION_ELITES=5\n")
    monkeypatch.chdir(tmp_path)

    warnings = load_environment(tmp_path, {})

    assert [warning.partition(" is no setting")[0] for warning in warnings] == [
        ".env, line 1: MAPELITES_NOISE_CONFIDENCE",
        ".env, line 2: MAPELITES_MIGRATION_ELITES",
    ]
    assert load_settings() == Settings()


def test_a_name_in_the_environment_that_is_nearly_a_setting_is_warned_of(tmp_path: Path) -> None:
    environ = {
        "MAPELITES_MEASURE": "secret",
        "WORKER_EVALUATOR_TIMEOUT": "1",
        "WORKER_SERVICE_HOST": "an orchestrator's",
        "WORKER_AGENT": "genetic",
    }

    assert load_environment(tmp_path, environ) == [
        "MAPELITES_MEASURE in the environment is no setting; did you mean MAPELITES_MEASURES?",
        "WORKER_EVALUATOR_TIMEOUT in the environment is no setting; "
        "did you mean WORKER_EVALUATOR_TIMEOUT_SECONDS?",
    ]
