"""What the operator configured about the evaluator, made ready for use."""

import re
import shlex
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from loreley.config import Settings
from loreley.core.sandbox.child_access import folder, missing_paths, private_paths, withheld_names
from loreley.errors import ConfigError, Problem

_PLUGIN = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


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
    is_holdout: bool = False

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The options of a worker; raises one `ConfigError` with all that cannot work."""
        problems = [
            *missing_paths("WORKER_EVALUATOR_PYTHON_PATHS", settings.worker_evaluator_python_paths),
            *missing_paths("WORKER_EVALUATOR_READ_PATHS", settings.worker_evaluator_read_paths),
            *missing_paths(
                "WORKER_EVALUATOR_HOLDOUT_PATHS", settings.worker_evaluator_holdout_paths
            ),
            *withheld_names("WORKER_EVALUATOR_ENVIRONMENT", settings.worker_evaluator_environment),
            *_find_covered(settings),
        ]
        command, problem = _split_command(settings.worker_evaluator_command or "")
        if problem:
            problems.append(problem)
        if problems:
            raise ConfigError.of(problems)
        return cls(
            plugin=settings.worker_evaluator_plugin,
            command=command,
            python_paths=tuple(map(folder, settings.worker_evaluator_python_paths)),
            timeout_seconds=settings.worker_evaluator_timeout_seconds,
            max_metrics=settings.worker_evaluator_max_metrics,
            memory_bytes=settings.worker_evaluator_memory_mb * 1024 * 1024,
            file_size_bytes=settings.worker_evaluator_file_size_mb * 1024 * 1024,
            environment=tuple(settings.worker_evaluator_environment),
            network=settings.worker_evaluator_network,
            readable=tuple(map(folder, settings.worker_evaluator_read_paths)),
            hidden=tuple(private_paths(settings)),
        )

    def judging_with(self, evaluator: str) -> Self:
        """The same options with another evaluator, ``module:callable`` or a command line.

        Raises `ConfigError` for a command line that cannot be split.
        """
        if _PLUGIN.fullmatch(evaluator):
            return replace(self, plugin=evaluator, command=())
        command, problem = _split_command(evaluator)
        if problem:
            raise ConfigError.of([problem])
        return replace(self, plugin=None, command=command)

    def holding_out(self, evaluator: str, paths: Sequence[str]) -> Self:
        """The same options for a hold-out, which alone can see ``paths``."""
        own = tuple(map(folder, paths))
        other = self.judging_with(evaluator)
        return replace(
            other,
            python_paths=(*own, *other.python_paths),
            readable=(*other.readable, *own),
            hidden=tuple(path for path in other.hidden if path not in own),
            is_holdout=True,
        )

    @property
    def name(self) -> str:
        """The evaluator as people know it."""
        return self.plugin or shlex.join(self.command)

    @property
    def setting(self) -> str:
        """The setting that names the evaluator."""
        if self.is_holdout:
            return "WORKER_EVALUATOR_HOLDOUT"
        return "WORKER_EVALUATOR_PLUGIN" if self.plugin else "WORKER_EVALUATOR_COMMAND"


def _find_covered(settings: Settings) -> Iterator[Problem]:
    """Folders of the hold-out that hold what others need: hidden from them, it would be gone."""
    for path in map(folder, settings.worker_evaluator_holdout_paths):
        for setting, needed in _list_needed(settings):
            if needed.is_relative_to(path):
                yield Problem(
                    "the hold-out's folder holds what is no part of the hold-out",
                    setting=f"WORKER_EVALUATOR_HOLDOUT_PATHS={path}",
                    reason=f"it is hidden from all other children, and they need {needed} "
                    f"({setting})",
                    fix="put code and data of the hold-out into a folder of their own",
                )


def _list_needed(settings: Settings) -> Iterator[tuple[str, Path]]:
    for setting in (
        "WORKER_EVALUATOR_PYTHON_PATHS",
        "WORKER_EVALUATOR_READ_PATHS",
        "WORKER_AGENT_READ_PATHS",
    ):
        yield from ((setting, folder(path)) for path in getattr(settings, setting.lower()))
    command, _ = _split_command(settings.worker_evaluator_command or "")
    yield from (("WORKER_EVALUATOR_COMMAND", Path(word)) for word in command if word[:1] == "/")
    yield "the Python that runs them", Path(sys.prefix).resolve()


def _split_command(command: str) -> tuple[tuple[str, ...], Problem | None]:
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
    found = [word if "/" not in word else _resolve_file(word) for word in program]
    return (*found, *map(_resolve_file, arguments)), None


def _resolve_file(word: str) -> str:
    path = Path(word).expanduser()
    return str(path.absolute()) if path.is_file() else word
