"""How a task ends: failures as messages on stderr, a friendly Ctrl+C, an exit code."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from loreley.errors import LoreleyError, Problem

_SIGINT, _SIGPIPE = 128 + 2, 128 + 13


@contextmanager
def failures_as_messages() -> Iterator[None]:
    """End the process with a message and an exit code, never a traceback, when work fails."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What people and git write fits no narrow encoding.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        yield
        sys.stdout.flush()
    except LoreleyError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
    except ModuleNotFoundError as error:
        print(_not_installed(error), file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        sys.exit(_SIGINT)
    except BrokenPipeError:
        # Whoever read us has had enough; keep the interpreter from telling of it at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_SIGPIPE)
    except OSError as error:
        print(_unusable(error), file=sys.stderr)
        sys.exit(1)


def say(text: str) -> None:
    """Say something to the person at the terminal, beside a task's own output."""
    print(text, file=sys.stderr, flush=True)


def _not_installed(error: ModuleNotFoundError) -> Problem:
    return Problem(
        "Loreley is not installed for this Python",
        target=sys.executable,
        reason=str(error),
        fix="start it by uv, as in `uv run invoke …`, or install the project: `pip install -e .`",
    )


def _unusable(error: OSError) -> Problem:
    return Problem(
        "a file or folder cannot be used",
        target=str(error.filename or ""),
        reason=error.strerror or str(error),
        fix="let this user use it, or set LORELEY_STATE_DIR and LOGS_BASE_DIR to other folders",
    )
