"""Kinds of values that settings have, and how a text becomes one."""

import json
import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from loreley.errors import ConfigError

_BRANCH = re.compile(
    r"(?!.*(?:\.\.|//|/\.|@\{|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]*[^\x00-\x20\x7f~^:?*\[\\/.]"
)
_QUOTES = ('"', "'", "`")
_SMART_QUOTES = "\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb"


def _names(value: object) -> object:
    """Accept ``a, b`` as well as a JSON list, as people write both."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text.startswith("["):
        return [name.strip() for name in text.split(",") if name.strip()]
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"not a JSON list: {error}") from None


def _expandable(value: str) -> str:
    expanded(value)
    return value


def _each_expandable(values: list[str]) -> list[str]:
    return [_expandable(value) for value in values]


def _branch_name(value: str) -> str:
    """Refuse what git refuses as a branch; each job would find out for itself otherwise."""
    if not _BRANCH.fullmatch(value) or value.startswith(("-", "/", ".")):
        raise ValueError("not a name that git allows for a branch")
    return value


def parsed_by(parse: Callable[[str], object]) -> BeforeValidator:
    """Reads names as `Names` does, and each of them with ``parse``, which raises `ValueError`."""

    def parse_each(value: object) -> object:
        texts = _names(value)
        if not isinstance(texts, list):
            return texts
        return [parse(text) if isinstance(text, str) else text for text in texts]

    return BeforeValidator(parse_each)


def as_written(values: Iterable[object]) -> list[str]:
    """The texts of values that were read from texts."""
    return [getattr(value, "text", str(value)) for value in values]


def split_url(url: str) -> SplitResult:
    """The parts of ``url``; raises a `ValueError` that quotes nothing of it."""
    if re.search(r"\s", url):
        raise ValueError("it holds white space; write %20 for a blank")
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError when it is not a number
    except ValueError:
        # Not its own words: they quote the part that may be half a password.
        raise ValueError(
            "not a URL; in a password write %2F for '/', %40 for '@', %3A for ':', %23 for '#', "
            "%3F for '?', %5B for '[' and %25 for '%'"
        ) from None
    return parts


def find_stray_mark(text: str) -> str | None:
    """What got into a URL, a key or a name and does not belong there, in words; or None.

    Quotes stay in a value that no shell has read, as with `docker --env-file`.
    """
    if len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
        return f"it begins and ends with {text[0]}, which is a part of it where no shell reads it"
    if text[:1] in _QUOTES or text[-1:] in _QUOTES:
        return f"it has a quote {text[0] if text[0] in _QUOTES else text[-1]} at one end"
    if smart := next((char for char in text if char in _SMART_QUOTES), None):
        return f"it holds {smart}, as word processors write quotes"
    if "\n" in text or "\r" in text:
        return "it holds a line break"
    if odd := next((char for char in text if char != " " and not char.isprintable()), None):
        return f"it holds an invisible character, U+{ord(odd):04X}"
    return None


_KEY_FLAWS = (
    (r"bearer\s", "it begins with 'Bearer', which is put before it when it is sent"),
    (r"\$\{?\w+\}?$|%\w+%$", "it is the name of a variable, which nobody fills in here"),
    (r"\$\(", "it is a command, which no shell runs here"),
    (r"export\s|\w*(?:key|token)=\S", "it begins with a name and '='"),
    (r"<[^>]*>$|.*(?:\.\.\.|\u2026|\*{3})$|your[-_ ]", "it stands for a key, and is none"),
    (r"\S+\s+\S", "it holds a blank"),
)


def find_key_flaw(text: str) -> str | None:
    """Why the text can be no key of a provider, in words that show nothing of it; or None."""
    if reason := find_stray_mark(text):
        return reason
    flaws = (reason for flaw, reason in _KEY_FLAWS if re.match(flaw, text.strip(), re.IGNORECASE))
    return next(flaws, None)


def expanded(value: str) -> Path:
    """``value`` as a path with ``~`` and ``$NAME`` filled in; raises `ValueError`."""
    text = os.path.expandvars(value.strip())
    if re.search(r"\$\w|\${", text):
        raise ValueError("a variable in it is not set")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"no home folder is known for {text.partition('/')[0]!r}") from None


def expand_path(setting: str, value: str) -> Path:
    """``value`` as an absolute path with ``~`` and ``$NAME`` filled in; raises `ConfigError`."""
    try:
        return expanded(value).absolute()
    except ValueError as error:
        raise ConfigError(
            f"{setting} is not a usable path",
            setting=setting,
            target=repr(value),
            reason=str(error),
            fix="give a path that exists or can be made",
        ) from None


Names = Annotated[list[str], NoDecode, BeforeValidator(_names)]


PathText = Annotated[str, AfterValidator(_expandable)]


PathTexts = Annotated[Names, AfterValidator(_each_expandable)]


def _run_name(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        raise ValueError("at most 40 lower-case letters, digits and '_', a letter first")
    return name


RunName = Annotated[str, AfterValidator(_run_name)]
BranchName = Annotated[str, AfterValidator(_branch_name)]
