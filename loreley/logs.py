"""The logging of one process: one line per event on stderr and in a file of its own."""

import contextlib
import logging
import os
import sys
import time
import traceback
from collections import deque
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from loguru import logger

from loreley.config import describe_misspelt, expand_path, level_problem
from loreley.errors import ConfigError, LoreleyError, Problem
from loreley.host.locks import is_locked, lock_descriptor
from loreley.masking import masked

if TYPE_CHECKING:
    from loguru import Record

logger.remove()  # nothing is logged before the sinks of `configure_logging` stand

RETENTION_DAYS = 14
_KEPT_LINES = 200  # of one job
_LONGEST_KEPT = 500
WARNINGS_PRINTED = "LORELEY_WARNINGS_PRINTED"  # in the environment of a script
_HEAD = (
    "{time:YYYY-MM-DD HH:mm:ss.SSS} | {level: <8} | {process}/{thread.name} job={extra[job]} | "
    "{name}:{function}:{line} - {extra[text]}\n"
)
_SHORT_HEAD = "{time:HH:mm:ss.SSS} | <level>{level: <8}</level> | {extra[text]}\n"
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(9), *range(11, 32), *range(127, 160))}
_QUIET_LOGGERS = ("sqlalchemy", "alembic", "redis")


def configure_logging(role: str, *, level: str, base_dir: str | None) -> Path:
    """Send this process's log to stderr and to a new file; return the file.

    The file is ``<base_dir>/logs/<role>/<role>-YYYYMMDD-HHMMSS.log``, ``base_dir`` defaulting
    to the current directory. Raises `ConfigError` when it cannot be written.
    """
    level = _require_level(level)
    here = _find_current_folder()
    base = expand_path("LOGS_BASE_DIR", base_dir) if base_dir else here
    logger.remove()
    logger.configure(extra={"job": "-"})
    debugging = logger.level(level).no <= logger.level("DEBUG").no
    logger.add(
        sys.stderr,
        level=level,
        format=_LineFormatter(_SHORT_HEAD, tracebacks=debugging),
        filter=_has_a_traceback if debugging else _is_not_printed_yet,
    )
    _take_over_standard_logging(level)

    folder = base / "logs" / role
    try:
        path = _create_file(folder, role)
        logger.add(
            path,
            level=level,
            format=_LineFormatter(_HEAD, tracebacks=True),
            rotation="10 MB",
            retention="14 days",
            watch=True,
            encoding="utf-8",
            errors="backslashreplace",
            opener=_open_locked,
        )
    except (OSError, ValueError) as error:
        raise ConfigError(
            "the log file cannot be made",
            setting="LOGS_BASE_DIR",
            target=str(folder),
            reason=str(error),
            fix="set LOGS_BASE_DIR to a folder this user may write to",
        ) from error
    _delete_old_files(folder, role)
    return path


def _require_level(level: str) -> str:
    if problem := level_problem(level):
        raise ConfigError.of([problem])
    return level.strip().upper()


def _find_current_folder() -> Path:
    try:
        return Path.cwd()
    except OSError as error:
        raise ConfigError(
            "the current folder cannot be used",
            reason=str(error),
            fix="start it in a folder that exists and that this user may enter",
        ) from error


class _LineFormatter:
    """Formats a record for a sink: credentials masked, line breaks kept out of the head."""

    def __init__(self, head: str, *, tracebacks: bool) -> None:
        self._head = head
        self._tracebacks = tracebacks

    def __call__(self, record: "Record") -> str:
        text = _indent(masked(record["message"]))
        error = record["exception"]
        if self._tracebacks and error is not None:
            lines = traceback.format_exception(error.type, error.value, error.traceback)
            text += "\n    " + _indent(masked("".join(lines)).rstrip())
        record["extra"]["text"] = text
        return self._head


def _indent(text: str) -> str:
    """The text with its line breaks out of the head's way and nothing a terminal would obey."""
    return text.translate(_CONTROLS).replace("\n", "\n    ")


class _StandardLogging(logging.Handler):
    """Hands what libraries log on to Loguru, at the caller's line."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level: str | int = logger.level(record.levelname).name
        except ValueError:
            level = record.levelno
        depth, frame = 1, sys._getframe(1)
        while frame.f_back and frame.f_code.co_filename == logging.__file__:
            depth, frame = depth + 1, frame.f_back
        # Other libraries' tracebacks are for the file: they repeat what the message says.
        logger.opt(depth=depth, exception=record.exc_info).log(level, record.getMessage())


def _take_over_standard_logging(level: str) -> None:
    number = logger.level(level).no
    logging.basicConfig(handlers=[_StandardLogging()], level=number, force=True)
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(number, logging.WARNING))
    # Dramatiq narrates every message at DEBUG and its own life at INFO; ours is told by us.
    logging.getLogger("dramatiq").setLevel(number if number < logging.INFO else logging.WARNING)


def _create_file(folder: Path, role: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    name = f"{role}-{datetime.now():%Y%m%d-%H%M%S}"  # noqa: DTZ005 - people look for local time
    for path in (folder / f"{name}.log", folder / f"{name}-{os.getpid()}.log"):
        with contextlib.suppress(FileExistsError):
            path.open("x").close()
            return path
    raise FileExistsError(f"{path} is taken")


def _open_locked(path: str, flags: int) -> int:
    """Open a file of the sink; the lock on it, gone with it, tells a later start it is in use."""
    descriptor = os.open(path, flags, 0o644)
    lock_descriptor(descriptor, shared=True, wait=True)
    return descriptor


def _delete_old_files(folder: Path, role: str) -> None:
    """Delete the log files of earlier starts that are old and that no live process holds.

    Loguru's own retention knows only the files of the current start, as the name has a time.
    """
    oldest = time.time() - RETENTION_DAYS * 86400
    for path in folder.glob(f"{role}-*.log*"):
        with contextlib.suppress(OSError):
            if path.stat().st_mtime < oldest and not is_locked(path):
                path.unlink()


def _is_not_printed_yet(record: "Record") -> bool:
    return "printed" not in record["extra"]


def _has_a_traceback(record: "Record") -> bool:
    """Whether there is something to say beyond what was printed, if it was."""
    return _is_not_printed_yet(record) or record["exception"] is not None


def print_and_log(text: str) -> None:
    """Say something on stderr whatever the log level, and note it in the log file."""
    print(text, file=sys.stderr)  # noqa: T201 - meant for the person at the terminal
    logger.bind(printed=True).info(text)


def log_misspelt_settings() -> None:
    """Warn of names that are nearly settings; not on stderr, where a task has printed it before."""
    was_printed = os.environ.pop(WARNINGS_PRINTED, None)
    log = logger.bind(printed=True) if was_printed else logger
    for warning in describe_misspelt(os.environ):
        log.warning(warning)


def report_failure(error: BaseException) -> None:
    """Tell what ended the process: a block on stderr, the traceback in the file only."""
    if isinstance(error, LoreleyError):
        text = masked(str(error))
    else:
        text = str(
            Problem(
                "unexpected failure",
                reason=masked(f"{type(error).__name__}: {error}"),
                fix="the log file holds the traceback; please report it",
            )
        )
    print(text, file=sys.stderr)  # noqa: T201 - the one message the operator must see
    logger.bind(printed=True).opt(exception=error).critical(text)


def tail_of(path: Path, limit_bytes: int = 4096) -> str:
    """The end of a text file; empty when it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - limit_bytes))
            return file.read(limit_bytes).decode(errors="replace")
    except OSError:
        return ""


class JobLog:
    """What a process logs about a job of INFO and above, to be kept with it; the last of many."""

    def __init__(self) -> None:
        self._lines: deque[str] = deque(maxlen=_KEPT_LINES)

    @contextlib.contextmanager
    def kept(self, job: str) -> Iterator[None]:
        """Keep what is logged in the name of the job until the end of it."""

        def keep(line: str) -> None:
            self._lines.append(masked(line)[:_LONGEST_KEPT].rstrip("\n"))

        sink = logger.add(
            keep,
            level="INFO",
            format="{time:HH:mm:ss.SSS} {level: <8} {message}",
            filter=lambda record: record["extra"].get("job") == job,
            backtrace=False,
            diagnose=False,
        )
        try:
            yield
        finally:
            logger.remove(sink)

    @property
    def text(self) -> str:
        """The lines so far."""
        return "".join(f"{line}\n" for line in self._lines)
