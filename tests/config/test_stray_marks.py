"""Quotes, line breaks and dollar signs that got into a value (rows 19 and 20)."""

from pathlib import Path

import pytest

from loreley.config import load_settings
from loreley.config.values import find_key_flaw, find_stray_mark
from tests.config.support import Environment, refusal


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("WORKER_CHAT_URL", '"http://localhost:11434/v1"', "begins and ends with"),
        ("WORKER_CHAT_API_KEY", "'sk-1234'", "begins and ends with"),
        ("WORKER_CHAT_API_KEY", "sk-1234\n", "a line break"),
        ("WORKER_CHAT_API_KEY", "sk-12\r\n34", "a line break"),
        ("WORKER_CHAT_API_KEY", "sk-1234\u200b", "U+200B"),
        ("MAPELITES_FITNESS_METRIC", '"score"', "begins and ends with"),
        ("MAPELITES_FITNESS_METRIC", "\u201cscore\u201d", "as word processors write"),
        ("WORKER_REPO_REMOTE_URL", "`https://example.com/x.git`", "begins and ends with"),
        ("WORKER_CHAT_MODEL", '"qwen', "a quote"),
        ("DATABASE_URL", "'sqlite:///x.db'", "begins and ends with"),
    ],
)
def test_row_20_what_does_not_belong_into_a_value_is_refused_at_the_start(
    name: str, value: str, reason: str, environment: Environment
) -> None:
    environment[name] = value

    error = refusal()

    [problem] = [each for each in error.problems if each.setting.partition("=")[0] == name]
    assert reason in problem.reason
    assert "1234" not in str(error)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("Bearer sk-1234", "begins with 'Bearer'"),
        ("$OPENAI_1234", "the name of a variable"),
        ("${OPENAI_1234}", "the name of a variable"),
        ("%OPENAI_1234%", "the name of a variable"),
        ("$(pass show 1234)", "a command"),
        ("OPENAI_API_KEY=sk-1234", "a name and '='"),
        ("export KEY=sk-1234", "a name and '='"),
        ("<your key 1234>", "stands for a key"),
        ("sk-1234...", "stands for a key"),
        ("sk-1234 # mine", "a blank"),
    ],
)
def test_row_20_what_can_be_no_key_is_refused_at_the_start(
    key: str, reason: str, environment: Environment
) -> None:
    environment["WORKER_CHAT_API_KEY"] = key

    error = refusal()

    [problem] = [each for each in error.problems if each.setting == "WORKER_CHAT_API_KEY"]
    assert reason in problem.reason
    assert "1234" not in str(error)


@pytest.mark.parametrize(
    "key",
    [
        "",
        "none",
        "EMPTY",
        "xxx",
        "lm-studio",
        "sk-proj-a_b-c=",
        "AIza.B",
        "c2s=",
        "gsk_$a",
        "a*b",
        "k:v",
    ],
)
def test_row_20_what_may_be_a_key_is_one(key: str) -> None:
    assert find_key_flaw(key) is None


@pytest.mark.parametrize("value", ["$w0rd", "Bearer of news", "pa...", "a b"])
def test_row_20_a_password_may_be_anything(value: str, environment: Environment) -> None:
    environment["TASKS_REDIS_PASSWORD"] = value

    load_settings()


def test_row_20_a_goal_and_a_command_line_may_hold_quotes(environment: Environment) -> None:
    environment["WORKER_EVOLUTION_GLOBAL_GOAL"] = '"Faster", they said.\nNow.'
    environment["WORKER_EVALUATOR_COMMAND"] = "'/opt/my judge/run' \"{result}\""

    load_settings()


@pytest.mark.parametrize("text", ["", "a b", "it's fine", 'x="1"y', "ключ", "sk-123_-/+="])
def test_row_20_ordinary_values_are_good(text: str) -> None:
    assert find_stray_mark(text) is None


@pytest.mark.parametrize("value", ["'pa${w0rd}z'", "pa${w0rd}z", '"pa${w0rd}z"'])
def test_row_19_a_dollar_sign_that_would_be_lost_is_told(
    value: str, environment: Environment
) -> None:
    Path(".env").write_text(f"\nTASKS_REDIS_PASSWORD={value}\n")

    [problem] = refusal().problems

    assert problem.setting == "TASKS_REDIS_PASSWORD"
    assert problem.target == ".env, line 2"
    assert "w0rd" not in str(problem)


@pytest.mark.parametrize(
    ("text", "password"),
    [
        ("DOLLAR=$\nTASKS_REDIS_PASSWORD='pa${DOLLAR}{w0rd}z'\n", "pa${w0rd}z"),
        ("TASKS_REDIS_PASSWORD=pa$w0rd\n", "pa$w0rd"),
        ("TASKS_REDIS_PASSWORD=pa${w0rd:-x}z\n", "paxz"),
        ("FOREIGN=${NOT_SET}\nTASKS_REDIS_PASSWORD=x\n", "x"),
        ("TASKS_REDIS_PASSWORD=pa$$w\n", "pa$$w"),
        ("TASKS_REDIS_PASSWORD=pa#word\n", "pa#word"),
        ("TASKS_REDIS_PASSWORD='pa\\$word'\n", "pa\\$word"),
        ("TASKS_REDIS_PASSWORD=%PATH%\n", "%PATH%"),
    ],
)
def test_row_19_other_dollar_signs_are_read(
    text: str, password: str, environment: Environment
) -> None:
    Path(".env").write_text(text)

    found = load_settings().tasks_redis_password

    assert found is not None
    assert found.get_secret_value() == password
