"""The `.env` file: what it says, or which of its lines cannot be read."""

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from loreley.errors import ConfigError, Problem

_VARIABLE = re.compile(r"\$\{([^}:]*)\}")  # with a default, ${NAME:-…}, nothing is lost


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A readable `.env`; empty where there is none."""

    text: str
    bindings: tuple[Binding, ...]

    def values(self) -> dict[str, str | None]:
        """Each name with its value; variables in a value are filled in from the environment."""
        return dotenv_values(stream=io.StringIO(self.text))

    def find_unset_variables(self, environ: Mapping[str, str]) -> Iterator[Binding]:
        """The lines with a variable that would become nothing, as ``$`` in a password does."""
        known = set(environ)
        for binding in self.bindings:
            if binding.key is None:
                continue
            names = _VARIABLE.findall(binding.value or "")
            if any(name not in known for name in names):
                yield binding
            known.add(binding.key)


def read_env_file(path: Path) -> EnvFile:
    """Read the file; raises one `ConfigError` that names every line that is not NAME=value."""
    text = _read_text(path)
    bindings = tuple(parse_stream(io.StringIO(text)))
    # The line itself is not shown: it may hold half a password.
    problems = [
        Problem(
            "a line of .env cannot be read",
            target=f"{path}, line {line_of(binding)}",
            reason="an unclosed quote, or text after the value" if binding.error else "no '='",
            fix="write NAME=value, with the value in quotes if it holds blanks, quotes or '#'",
        )
        for binding in bindings
        if binding.error or (binding.key is not None and binding.value is None)
    ]
    if problems:
        raise ConfigError.of(problems)
    return EnvFile(text, bindings)


def line_of(binding: Binding) -> int:
    """The line the statement begins on; the parser counts blank lines before it as its own."""
    text = binding.original.string
    blank = text[: len(text) - len(text.lstrip())]
    return binding.original.line + blank.count("\n")


def _read_text(path: Path) -> str:
    if path.is_fifo():  # opening it would wait for whoever writes
        raise _unreadable(path, "it is a named pipe")
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(path, str(error)) from error
    if "\0" in text:
        raise _unreadable(path, "it holds a NUL character, as a file in UTF-16 would")
    return text


def _unreadable(path: Path, reason: str) -> ConfigError:
    return ConfigError(
        ".env cannot be read",
        target=str(path),
        reason=reason,
        fix="save it as a file of UTF-8 text that this user may read, or remove it",
    )
