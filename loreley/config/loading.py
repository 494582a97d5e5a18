"""Reads the settings once from the environment and `.env`."""

import os
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from loreley.config.process import level_problem
from loreley.config.settings import Role, Settings
from loreley.config.values import find_key_flaw, find_stray_mark
from loreley.envfile import EnvFile, line_of, read_env_file
from loreley.errors import ConfigError, Problem
from loreley.masking import masked

_REDIS_SETTINGS = (
    "TASKS_REDIS_URL",
    "TASKS_REDIS_HOST",
    "TASKS_REDIS_PORT",
    "TASKS_REDIS_DB",
    "TASKS_REDIS_PASSWORD",
)
# Words for people, and lines that are split like those of a shell.
_FREE_TEXTS = frozenset(
    {"WORKER_EVOLUTION_GLOBAL_GOAL", "WORKER_EVOLUTION_COMMIT_AUTHOR"}
    | {"WORKER_AGENT_COMMAND", "WORKER_AGENT_ARGUMENTS", "TASKS_REDIS_PASSWORD"}
    | {"WORKER_EVALUATOR_COMMAND", "WORKER_EVALUATOR_STAGES", "WORKER_EVALUATOR_HOLDOUT"}
)


FROM_ENV_FILE = "LORELEY_FROM_ENV_FILE"  # names that a task has put into the environment


def load_renewed_settings(role: Role | None) -> Settings:
    """The settings with what `.env` says by now; raises `ConfigError` like `load_settings`."""
    values = read_env_file(Path(".env")).values()
    for name in filter(None, os.environ.get(FROM_ENV_FILE, "").split(",")):
        if value := values.get(name):
            os.environ[name] = value
    return load_settings(role)


def load_settings(role: Role | None = None, log_level: str | None = None) -> Settings:
    """Read the settings, checked for ``role``; raise one `ConfigError` with every problem.

    ``log_level`` is that of the command line, whose problem is told with the others.
    """
    env_file = read_env_file(Path(".env"))  # pydantic would skip what it cannot read
    settings, invalid = valid_settings()
    strays = [*_find_stray_marks(env_file.values()), *_find_lost_dollars(env_file)]
    marked = {problem.setting for problem in strays}
    others = [each for each in invalid if each.setting.partition("=")[0] not in marked]
    invalid = [*strays, *others]
    names = {problem.setting.partition("=")[0] for problem in invalid}
    role_problems = settings.problems(role) if role else []
    # What is invalid stands at its default by now: nothing more can be said of it.
    others = [each for each in role_problems if names.isdisjoint(each.setting.split(", "))]
    of_level = level_problem(log_level) if log_level else None
    problems = [*([of_level] if of_level else []), *invalid, *others]
    if problems:
        raise ConfigError.of(problems)
    return settings


def valid_settings() -> tuple[Settings, list[Problem]]:
    """The settings with each invalid one at its default, and what is wrong with those."""
    try:
        return Settings(), []
    except ValidationError as error:
        details = sorted(error.errors(), key=lambda detail: _find_position(str(detail["loc"][0])))
        return _without_invalid(error), [_describe_problem(detail) for detail in details]


def _without_invalid(error: ValidationError) -> Settings:
    """The settings with the invalid fields at their defaults: the others can still be judged.

    Those that are valid only beside an invalid one are at their defaults, too.
    """
    names: set[str] = set()
    while further := {str(detail["loc"][0]) for detail in error.errors()} - names:
        names |= further
        try:
            return Settings(**{name: Settings.model_fields[name].default for name in names})
        except ValidationError as next_error:
            error = next_error
    raise error


@lru_cache
def get_settings(role: Role | None = None, log_level: str | None = None) -> Settings:
    """The settings of this process, read once and checked for ``role``; raises `ConfigError`."""
    return load_settings(role, log_level)


def _find_stray_marks(in_file: Mapping[str, str | None]) -> list[Problem]:
    """Values with what does not belong into them: they would fail later, as something else."""
    problems = []
    for name in sorted(environment_names() - _FREE_TEXTS):
        text = os.environ.get(name) or in_file.get(name) or ""
        is_list = text.lstrip().startswith("[")  # in JSON, with quotes and lines of its own
        find = find_key_flaw if name.endswith("_API_KEY") else find_stray_mark
        if text.strip() and not is_list and (reason := find(text)):
            problems.append(
                Problem(
                    f"{name} is not valid",
                    setting=name,
                    reason=reason,
                    fix="write the value without it, in the environment or in .env",
                )
            )
    return problems


def _find_lost_dollars(file: EnvFile) -> Iterator[Problem]:
    for binding in file.find_unset_variables(os.environ):
        name = binding.key or ""
        if name in environment_names() and not os.environ.get(name):
            yield Problem(
                f"{name} is not valid",
                setting=name,
                target=f".env, line {line_of(binding)}",
                reason="`${…}` in it names a variable that is not set, and would become nothing",
                fix="set the variable; for a dollar sign as such write ${DOLLAR}, with the line "
                "DOLLAR=$ before it",
            )


def _describe_problem(detail: ErrorDetails) -> Problem:
    name = str(detail["loc"][0])
    field = Settings.model_fields[name]
    secret = SecretStr in _types_of(field.annotation)
    shown = "***" if secret else masked(repr(detail["input"]))
    message = detail["msg"].removeprefix("Value error, ")
    return Problem(
        f"{name.upper()} is not valid",
        setting=f"{name.upper()}={shown[:200]}",
        reason=message,
        fix=f"change it in the environment or in .env: {field.description}",
    )


def _find_position(name: str) -> tuple[int, int]:
    """Where a field stands in this module: its section, then its place there."""
    for section, owner in enumerate(Settings.__bases__):
        fields = list(getattr(owner, "model_fields", {}))
        if name in fields:
            return section, fields.index(name)
    return len(Settings.__bases__), 0


def _types_of(annotation: Any) -> set[Any]:
    return {annotation, *get_args(annotation)}


def environment_names() -> frozenset[str]:
    """The environment names of all settings."""
    return frozenset(name.upper() for name in Settings.model_fields)


def is_configured(*names: str) -> bool:
    """Whether the environment gives any of these names a value."""
    return any(os.environ.get(name, "").strip() for name in names)


def is_redis_configured() -> bool:
    """Whether the environment names a queue server; without one the embedded server is used."""
    return is_configured(*_REDIS_SETTINGS)
