"""One precedence for settings: the real environment, then `.env`, then an example's defaults."""

import difflib
import io
import os
from collections.abc import Iterator, Mapping, MutableMapping
from pathlib import Path
from types import MappingProxyType

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from loreley.config import environment_names
from loreley.errors import ConfigError, Problem

_OUR_PREFIXES = ("TASKS_", "WORKER_", "SCHEDULER_", "MAPELITES_", "LORELEY_")
_NO_DEFAULTS: Mapping[str, str] = MappingProxyType({})


def load_environment(
    project_root: Path,
    defaults: Mapping[str, str] = _NO_DEFAULTS,
    environ: MutableMapping[str, str] = os.environ,
) -> list[str]:
    """Fill ``environ`` from `.env` in the project root, then from ``defaults``; return warnings.

    What has a value keeps it; an empty value counts as unset, as it does for `Settings`. Names
    of settings count whatever their case and end up in upper case. Raises one `ConfigError` that
    names every line of `.env` that is not ``NAME=value``.
    """
    settings = environment_names()
    path = project_root / ".env"
    text = _text(path)
    bindings = list(parse_stream(io.StringIO(text)))
    _require_readable(path, bindings)

    layers: list[Mapping[str, str | None]] = [dict(environ)]
    layers += [dotenv_values(stream=io.StringIO(text)), defaults]
    for layer in layers:
        for name, value in layer.items():
            known = name.upper() if name.upper() in settings else name
            if value and not environ.get(known):
                environ[known] = value
    return list(_warnings(bindings, settings))


def _text(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, str(error)) from error
    if "\0" in text:
        raise _unreadable(path, "it holds a NUL character, as a file in UTF-16 would")
    return text


def _require_readable(path: Path, bindings: list[Binding]) -> None:
    # The line itself is not shown: it may hold half a password.
    problems = [
        Problem(
            "a line of .env cannot be read",
            target=f"{path}, line {_line(binding)}",
            reason="an unclosed quote, or text after the value" if binding.error else "no '='",
            fix="write NAME=value, with the value in quotes if it holds blanks, quotes or '#'",
        )
        for binding in bindings
        if binding.error or (binding.key is not None and binding.value is None)
    ]
    if problems:
        raise ConfigError.of(problems)


def _warnings(bindings: list[Binding], settings: frozenset[str]) -> Iterator[str]:
    for binding in bindings:
        name = (binding.key or "").upper()
        if name.startswith(_OUR_PREFIXES) and name not in settings:
            nearest = difflib.get_close_matches(name, sorted(settings), n=1, cutoff=0.8)
            meant = f"; did you mean {nearest[0]}?" if nearest else ""
            yield f".env, line {_line(binding)}: {binding.key} is no setting{meant}"


def _line(binding: Binding) -> int:
    """The line the statement begins on; the parser counts blank lines before it as its own."""
    text = binding.original.string
    blank = text[: len(text) - len(text.lstrip())]
    return binding.original.line + blank.count("\n")


def _unreadable(path: Path, reason: str) -> ConfigError:
    return ConfigError(
        ".env cannot be read",
        target=str(path),
        reason=reason,
        fix="save it as UTF-8 text that this user may read, or remove it",
    )
