"""What a worker's children may be given, and what they never are."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from pydantic import SecretStr

from loreley.config import Settings, expanded
from loreley.errors import Problem
from loreley.git.clone_folder import find_clone_folder

_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Given away as a whole, or with the credentials that a URL or a path may carry.
_SECRET_NAMES = frozenset(
    name.upper()
    for name, field in Settings.model_fields.items()
    if SecretStr in {field.annotation, *get_args(field.annotation)}
)
_SQLITE = "sqlite:///"


def folder(path: str) -> Path:
    """The path of a setting, with ``~`` and ``$NAME`` filled in and without symbolic links."""
    return expanded(path).resolve()


def missing_paths(setting: str, paths: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with the paths in a setting."""
    for path in paths:
        if not folder(path).exists():
            yield Problem(
                f"{setting} names a path that does not exist",
                setting=setting,
                target=str(folder(path)),
                fix="correct it; relative paths start at the directory the worker is started in",
            )


def withheld_names(setting: str, names: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with the names of variables that are to be handed on."""
    for name in names:
        if name.upper() in _SECRET_NAMES:
            reason = "it may hold a credential of Loreley's, and the child is or runs foreign code"
        elif not _ENVIRONMENT_NAME.fullmatch(name):
            reason = "it is not the name of an environment variable"
        else:
            continue
        yield Problem(
            f"{name!r} cannot be handed on",
            setting=setting,
            reason=reason,
            fix="remove it from the list",
        )


def private_paths(settings: Settings) -> Iterator[Path]:
    """Where Loreley keeps what a child must not see."""
    yield _resolve(str(settings.loreley_state_dir))
    yield Path(".env").resolve()
    # The clone's configuration may hold the remote's credentials; the rest are other jobs.
    clone = find_clone_folder(settings).resolve()
    yield from (clone, clone.with_name(f"{clone.name}-worktrees"))
    url = settings.sqlalchemy_url
    if url.startswith(_SQLITE) and (file := url.removeprefix(_SQLITE).partition("?")[0]):
        for suffix in ("", "-wal", "-shm"):
            yield _resolve(file + suffix)
    yield from map(folder, settings.worker_evaluator_holdout_paths)
    redis = settings.tasks_redis_url
    if redis and redis.get_secret_value().startswith("unix://"):
        yield _resolve(redis.get_secret_value().removeprefix("unix://").partition("?")[0])


def _resolve(path: str) -> Path:
    return Path(path).expanduser().resolve()
