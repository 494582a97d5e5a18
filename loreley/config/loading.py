"""Reads the settings once from the environment and `.env`."""

import os
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from pydantic import SecretStr, ValidationError
from pydantic_core import ErrorDetails

from loreley.config.process import level_problem
from loreley.config.settings import Role, Settings
from loreley.envfile import read_env_file
from loreley.errors import ConfigError, Problem
from loreley.masking import masked

_REDIS_SETTINGS = (
    "TASKS_REDIS_URL",
    "TASKS_REDIS_HOST",
    "TASKS_REDIS_PORT",
    "TASKS_REDIS_DB",
    "TASKS_REDIS_PASSWORD",
)


def load_settings(role: Role | None = None, log_level: str | None = None) -> Settings:
    """Read the settings, checked for ``role``; raise one `ConfigError` with every problem.

    ``log_level`` is that of the command line, whose problem is told with the others.
    """
    read_env_file(Path(".env"))  # pydantic would skip what it cannot read
    settings, invalid = valid_settings()
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
        names = {str(detail["loc"][0]) for detail in details}
        # With the invalid fields at their defaults the others can still be judged.
        settings = Settings(**{name: Settings.model_fields[name].default for name in names})
        return settings, [_describe_problem(detail) for detail in details]


@lru_cache
def get_settings(role: Role | None = None, log_level: str | None = None) -> Settings:
    """The settings of this process, read once and checked for ``role``; raises `ConfigError`."""
    return load_settings(role, log_level)


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
