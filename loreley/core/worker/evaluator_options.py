"""What the operator configured about the evaluator, made ready for use."""

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self, get_args

from pydantic import SecretStr

from loreley.config import Settings, expanded
from loreley.errors import ConfigError, Problem

_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Given away as a whole, or with the credentials that a URL or a path may carry.
_SECRET_NAMES = frozenset(
    name.upper()
    for name, field in Settings.model_fields.items()
    if SecretStr in {field.annotation, *get_args(field.annotation)}
)
_PLUGIN = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class EvaluatorOptions:
    """Exactly one of ``plugin`` and ``command`` is set; every path is absolute and exists."""

    plugin: str | None = None  # module:callable
    command: tuple[str, ...] = ()  # words, with {worktree}, {result} and {scratch} in them
    python_paths: tuple[Path, ...] = ()
    timeout_seconds: float = 900
    max_metrics: int = 64
    memory_bytes: int = 0  # 0: no limit
    file_size_bytes: int = 64 * 1024 * 1024
    environment: tuple[str, ...] = ()  # names of variables that are handed on
    network: bool = False
    readable: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()  # never visible, even inside a readable folder

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The options of a worker; raises one `ConfigError` with all that cannot work."""
        problems = [
            *_missing("WORKER_EVALUATOR_PYTHON_PATHS", settings.worker_evaluator_python_paths),
            *_missing("WORKER_EVALUATOR_READ_PATHS", settings.worker_evaluator_read_paths),
            *_withheld(settings.worker_evaluator_environment),
        ]
        command, problem = _words(settings.worker_evaluator_command or "")
        if problem:
            problems.append(problem)
        if problems:
            raise ConfigError.of(problems)
        return cls(
            plugin=settings.worker_evaluator_plugin,
            command=command,
            python_paths=tuple(map(_folder, settings.worker_evaluator_python_paths)),
            timeout_seconds=settings.worker_evaluator_timeout_seconds,
            max_metrics=settings.worker_evaluator_max_metrics,
            memory_bytes=settings.worker_evaluator_memory_mb * 1024 * 1024,
            file_size_bytes=settings.worker_evaluator_file_size_mb * 1024 * 1024,
            environment=tuple(settings.worker_evaluator_environment),
            network=settings.worker_evaluator_network,
            readable=tuple(map(_folder, settings.worker_evaluator_read_paths)),
            hidden=tuple(_private_paths(settings)),
        )

    def judging_with(self, evaluator: str) -> Self:
        """The same options with another evaluator, ``module:callable`` or a command line.

        Raises `ConfigError` for a command line that cannot be split.
        """
        if _PLUGIN.fullmatch(evaluator):
            return replace(self, plugin=evaluator, command=())
        command, problem = _words(evaluator)
        if problem:
            raise ConfigError.of([problem])
        return replace(self, plugin=None, command=command)

    @property
    def name(self) -> str:
        """The evaluator as people know it."""
        return self.plugin or shlex.join(self.command)

    @property
    def setting(self) -> str:
        """The setting that names the evaluator."""
        return "WORKER_EVALUATOR_PLUGIN" if self.plugin else "WORKER_EVALUATOR_COMMAND"


def _absolute(path: str) -> Path:
    return Path(path).expanduser().resolve()


def _folder(path: str) -> Path:
    return expanded(path).resolve()


def _missing(setting: str, paths: Sequence[str]) -> Iterator[Problem]:
    for path in paths:
        if not _folder(path).exists():
            yield Problem(
                f"{setting} names a path that does not exist",
                setting=setting,
                target=str(_folder(path)),
                fix="correct it; relative paths start at the directory the worker is started in",
            )


def _withheld(names: Sequence[str]) -> Iterator[Problem]:
    for name in names:
        if name.upper() in _SECRET_NAMES:
            reason = "it may hold a credential of Loreley's, and the evaluator runs foreign code"
        elif not _ENVIRONMENT_NAME.fullmatch(name):
            reason = "it is not the name of an environment variable"
        else:
            continue
        yield Problem(
            f"{name!r} cannot be handed to the evaluator",
            setting="WORKER_EVALUATOR_ENVIRONMENT",
            reason=reason,
            fix="remove it from the list",
        )


def _words(command: str) -> tuple[tuple[str, ...], Problem | None]:
    """The command's words; those that name a file from here become absolute paths.

    The command runs in the scratch folder, where relative names mean nothing.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        return (), Problem(
            "WORKER_EVALUATOR_COMMAND is not a command line",
            setting=f"WORKER_EVALUATOR_COMMAND={command[:200]!r}",
            reason=str(error),
            fix="close the quotation; there is no shell, so $NAME and | mean nothing",
        )
    program, arguments = words[:1], words[1:]
    found = [word if "/" not in word else _absolute_file(word) for word in program]
    return (*found, *map(_absolute_file, arguments)), None


def _absolute_file(word: str) -> str:
    path = Path(word).expanduser()
    return str(path.absolute()) if path.is_file() else word


def _private_paths(settings: Settings) -> Iterator[Path]:
    """Where Loreley keeps what an evaluator must not see."""
    yield _absolute(str(settings.loreley_state_dir))
    yield Path(".env").resolve()
    # The clone's configuration may hold the remote's credentials; the rest are other jobs.
    clone = os.path.expandvars(settings.worker_repo_worktree)
    yield from (_absolute(clone), _absolute(f"{clone}-worktrees"))
    url = settings.sqlalchemy_url
    if url.startswith(_SQLITE) and (file := url.removeprefix(_SQLITE).partition("?")[0]):
        for suffix in ("", "-wal", "-shm"):
            yield _absolute(file + suffix)
    redis = settings.tasks_redis_url
    if redis and redis.get_secret_value().startswith("unix://"):
        yield _absolute(redis.get_secret_value().removeprefix("unix://").partition("?")[0])
