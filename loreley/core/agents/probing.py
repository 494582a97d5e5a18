"""What an installed coding agent says of itself, beside what its preset expects."""

import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from loreley.core.agents.presets import Preset
from loreley.core.agents.programs import Program
from loreley.core.sandbox.child_output import last_line, legible
from loreley.errors import CommandFailed, TimeLimitReached
from loreley.host import children
from loreley.host.deadline import Deadline
from loreley.host.tempdirs import temporary_folder

_SECONDS = 30.0
_PASSED_ON = ("PATH", "LANG")


@dataclass(frozen=True, slots=True)
class Probe:
    """A program that answered, or did not."""

    version: str  # empty: it did not say
    missing_flags: tuple[str, ...]  # that its help does not show, though the preset uses them
    obstacle: str = ""  # why it cannot be run at all

    @property
    def is_as_expected(self) -> bool:
        """Whether it can be called as the preset says."""
        return bool(self.version) and not self.missing_flags


def probe(
    preset: Preset, program: Program, environ: Mapping[str, str], home: Path | None = None
) -> Probe:
    """Ask the program for its version and its help, which needs no key and no network.

    It may leave in ``home`` whatever it unpacks for that; unset, that is gone afterwards.
    """
    with nullcontext(home) if home else temporary_folder() as home:
        kept = {name: environ[name] for name in _PASSED_ON if name in environ}
        path = [*map(str, program.search_first), kept.get("PATH", os.defpath)]
        kept["PATH"] = os.pathsep.join(path)
        environment = kept | {"HOME": str(home), "NO_COLOR": "1", "CI": "1"}
        answer = _ask([str(program.path), "--version"], environment)
        help_text = (
            _ask([str(program.path), *preset.help], environment).text if preset.flags else ""
        )
    version = _find_version(answer.text)
    missing = tuple(flag for flag in preset.flags if flag not in help_text)
    return Probe(version, missing, "" if version else answer.failure)


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str = ""
    failure: str = ""


def _ask(argv: Sequence[str], environment: Mapping[str, str]) -> _Answer:
    try:
        completed = children.capture(argv, env=environment, deadline=Deadline.after(_SECONDS))
    except TimeLimitReached:
        return _Answer()  # a machine under load is no reason to refuse it
    except CommandFailed as error:
        return _Answer(failure=error.problems[0].reason)
    text = legible((completed.stdout + b"\n" + completed.stderr).decode(errors="replace"))
    if completed.exit_code == 0:
        return _Answer(text)
    words = ": ".join(filter(None, [f"exit code {completed.exit_code}", last_line(text)[:500]]))
    return _Answer(text, f"`{' '.join(argv)}` ended with {words}")


def _find_version(text: str) -> str:
    """The first word that looks like a version."""
    words = (word.strip("(),.v") for word in text.split())
    return next((word for word in words if word[:1].isdigit() and "." in word), "")
