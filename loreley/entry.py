"""The frame of a script: arguments, failures as messages, a friendly end, an exit code.

Standard library only at the top, and little of it: `--help` must be quick and work anywhere.
"""

import argparse
import os
import sys
from collections.abc import Callable
from enum import IntEnum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loreley.host.signals import StopSignals

_START_SECONDS = 1.0  # how long a request to stop may go unnoticed while a script starts


class ExitCode(IntEnum):
    """What a script says to whoever started it; 2 is argparse's, for wrong usage."""

    STOPPED = 0
    FAILED = 1
    INTERRUPTED = 130


def script_parser(prog: str, description: str) -> argparse.ArgumentParser:
    """The arguments that every script takes."""
    parser = argparse.ArgumentParser(
        prog=prog,
        # Text as it is wrapped here and a fixed width: argparse would import textwrap and shutil.
        formatter_class=lambda prog: argparse.RawTextHelpFormatter(prog, width=88),
        description=description,
        epilog="Everything else is configured by environment variables or .env:\n"
        "see docs/loreley/config.md.\n\n"
        "Exit codes: 0 stopped, 1 failed, 2 wrong usage, 130 interrupted by a second signal.",
    )
    parser.add_argument(
        "--log-level",
        metavar="LEVEL",
        help="TRACE, DEBUG, INFO, SUCCESS, WARNING, ERROR or CRITICAL;\noverrides LOG_LEVEL",
    )
    return parser


def run_guarded(role: str, run: Callable[["StopSignals"], ExitCode]) -> ExitCode:
    """Run a script's work; whatever it raises ends as a message and an exit code.

    SIGINT and SIGTERM are counted from the start on. An exception that a handler raises is lost
    when it strikes within an import or a callback. The work looks at the signals between its
    steps; until it takes them over, a step that takes too long is ended with the process, as all
    that a start does can be cut off anywhere.
    """
    from loreley.host.signals import StopSignals  # costs more than all of argparse's help

    if sys.stderr is None:  # else the first file to be opened would be taken for it by children
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123
    with StopSignals() as signals:
        signals.end_if_unheard(_START_SECONDS, lambda: end_at_once(role))
        return _run_guarded(role, run, signals)


def end_at_once(role: str) -> None:
    """End the process as stopped, from whatever thread, without anything else being done."""
    try:
        os.write(sys.stderr.fileno(), f"{role}: stopped\n".encode())
    finally:
        os._exit(ExitCode.STOPPED)


def _run_guarded(
    role: str, run: Callable[["StopSignals"], ExitCode], signals: "StopSignals"
) -> ExitCode:
    try:
        return run(signals)
    except KeyboardInterrupt:
        print(f"{role}: stopped", file=sys.stderr)  # noqa: T201
        return ExitCode.STOPPED
    except ModuleNotFoundError as error:
        print(_not_installed(error), file=sys.stderr)  # noqa: T201
        return ExitCode.FAILED
    except Exception as error:  # noqa: BLE001 - a script's border: only a message passes
        from loreley.logs import report_failure

        report_failure(error)
        return ExitCode.FAILED


def _not_installed(error: ModuleNotFoundError) -> str:
    from loreley.errors import Problem

    return str(
        Problem(
            f"{error.name} is not installed for this Python",
            target=sys.executable,
            reason=str(error),
            fix="start it with `uv run`, which installs what is missing",
        )
    )
