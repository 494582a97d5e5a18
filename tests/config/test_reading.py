"""What is read, from where, and what is told of it."""

import os
from pathlib import Path

import pytest

from loreley.config import (
    LOG_LEVELS,
    Role,
    Settings,
    get_settings,
    is_configured,
    load_settings,
)
from loreley.errors import ConfigError
from tests.config.support import SECRET, Environment, refusal, the_problem


def test_without_any_setting_the_defaults_hold() -> None:
    settings = load_settings()

    assert settings.tasks_queue_name == "loreley.evolution"
    assert settings.redis_target == "redis://localhost:6379/0"
    assert settings.worker_repo_branch == "main"
    assert settings.remote_target == ""


def test_a_field_is_set_by_its_name_in_upper_case(environment: Environment) -> None:
    environment["TASKS_QUEUE_NAME"] = "mine"

    assert load_settings().tasks_queue_name == "mine"


def test_the_environment_wins_over_the_env_file(environment: Environment) -> None:
    Path(".env").write_text("TASKS_QUEUE_NAME=file\nTASKS_REDIS_NAMESPACE=file\n")
    environment["TASKS_QUEUE_NAME"] = "real"

    settings = load_settings()

    assert (settings.tasks_queue_name, settings.tasks_redis_namespace) == ("real", "file")


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
@pytest.mark.parametrize(
    "name",
    [
        "LOGS_BASE_DIR",
        "LOG_LEVEL",
        "DATABASE_URL",
        "TASKS_REDIS_URL",
        "TASKS_REDIS_PORT",
        "TASKS_REDIS_PASSWORD",
        "WORKER_REPO_REMOTE_URL",
        "WORKER_REPO_BRANCH",
        "WORKER_REPO_ENABLE_LFS",
        "WORKER_EVALUATOR_PLUGIN",
        "MAPELITES_MEASURES",
    ],
)
def test_a_blank_value_counts_as_unset(environment: Environment, name: str, blank: str) -> None:
    environment[name] = blank

    assert load_settings() == Settings.model_construct()
    assert not is_configured(name)


def test_a_password_keeps_its_blanks(environment: Environment) -> None:
    environment["TASKS_REDIS_PASSWORD"] = " x "

    password = load_settings().tasks_redis_password

    assert password is not None
    assert password.get_secret_value() == " x "


def test_settings_are_read_once(environment: Environment) -> None:
    first = get_settings()
    environment["TASKS_QUEUE_NAME"] = "later"

    assert get_settings() is first


def test_every_problem_is_reported_at_once_in_the_order_of_the_sections(
    environment: Environment,
) -> None:
    environment["MAPELITES_MEASURES"] = "x"
    environment["TASKS_REDIS_PORT"] = "x"
    environment["LOG_LEVEL"] = "x"
    environment["TASKS_REDIS_HOST"] = "x y"

    problems = refusal(Role.WORKER).problems

    assert [problem.setting.partition("=")[0] for problem in problems] == [
        "LOG_LEVEL",
        "TASKS_REDIS_HOST",
        "TASKS_REDIS_PORT",
        "MAPELITES_MEASURES",
        "WORKER_REPO_REMOTE_URL",
        "WORKER_EVALUATOR_PLUGIN, WORKER_EVALUATOR_COMMAND",
    ]


def test_a_setting_that_is_wrong_is_not_also_called_missing(environment: Environment) -> None:
    environment["WORKER_REPO_REMOTE_URL"] = "https://two words"
    environment["WORKER_EVALUATOR_PLUGIN"] = "module:evaluate"

    assert the_problem(Role.WORKER).what == "WORKER_REPO_REMOTE_URL is not valid"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"LOG_LEVEL=\xff\n", "can't decode byte"),
        ("LOG_LEVEL=DEBUG".encode("utf-16-le"), "NUL"),
        (b"LOG_LEVEL\n", "no '='"),
        (f"TASKS_REDIS_PASSWORD='{SECRET}\n".encode(), "an unclosed quote"),
        (f"TASKS_REDIS_PASSWORD {SECRET}\n".encode(), "an unclosed quote, or text"),
        (None, "Is a directory"),
    ],
)
def test_an_env_file_that_cannot_be_read_is_reported(
    content: bytes | None, reason: str, capfd: pytest.CaptureFixture[str]
) -> None:
    if content is None:
        Path(".env").mkdir()
    else:
        Path(".env").write_bytes(content)

    error = refusal()

    assert reason in str(error)
    assert SECRET not in str(error)
    assert capfd.readouterr() == ("", "")


def test_an_env_file_that_is_a_pipe_is_reported_and_not_waited_for() -> None:
    os.mkfifo(".env")

    assert "named pipe" in str(refusal())


def test_an_unknown_level_of_the_command_line_is_reported_with_all_other_problems() -> None:
    with pytest.raises(ConfigError) as raised:
        load_settings(Role.SCHEDULER, "foo")

    settings = [problem.setting for problem in raised.value.problems]
    assert settings[:2] == ["--log-level, LOG_LEVEL", "WORKER_REPO_REMOTE_URL"]


def test_a_bad_value_in_the_env_file_is_reported_as_one_in_the_environment() -> None:
    Path(".env").write_text("TASKS_REDIS_PORT=x\n")

    assert the_problem().setting == "TASKS_REDIS_PORT='x'"


def test_other_names_in_the_env_file_are_left_alone() -> None:
    Path(".env").write_text("# comment\n\nexport OPENAI_API_KEY=x\nDEBUG=1\n")

    assert load_settings() == Settings.model_construct()


def test_every_level_is_one_that_the_log_knows() -> None:
    assert LOG_LEVELS == ("TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL")


def test_every_field_has_a_description_that_ends_a_sentence() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
