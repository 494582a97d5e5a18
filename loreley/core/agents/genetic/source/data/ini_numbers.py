"""The numbers of INI files and of properties: values that are a number and nothing else."""

import re
from functools import lru_cache

from loreley.core.agents.genetic.source.data.entries import DataFile, Entries, Path

_SECTION = re.compile(r"\s*\[(?P<name>[^\]\n]*)\]")
_COMMENT = re.compile(r"\s*[#;!]")
_ENTRY = re.compile(r"(?P<key>[^=:\n]*?)[ \t]*[=:][ \t]*(?P<value>[^\s;#]*)(?P<rest>[^\n]*)")
_PROPERTY = re.compile(
    r"[ \t]*(?P<key>(?:\\.|[^\s=:\\])+)(?:[ \t]*[=:][ \t]*|[ \t]+)(?P<value>\S*)(?P<rest>[^\n]*)"
)
_INLINE_COMMENT = re.compile(r"\s+[#;].*|\s*", re.DOTALL)
_BLANK = re.compile(r"\s*")


@lru_cache(maxsize=16)
def read_ini(source: str) -> DataFile:
    """The numbers of an INI file; a line that is indented goes on with the value above it."""
    entries = Entries(source)
    section: Path = ()
    keys: set[Path] = set()
    for start, line in _split(source):
        if found := _SECTION.match(line):
            section = (found["name"],)
        elif not line[:1].isspace() and not _COMMENT.match(line):
            _take(_ENTRY.match(line), _INLINE_COMMENT, start, section, entries, keys)
    return entries.finish()


@lru_cache(maxsize=16)
def read_properties(source: str) -> DataFile:
    """The numbers of properties; a line after a backslash goes on with the value above it."""
    entries = Entries(source)
    keys: set[Path] = set()
    goes_on = False
    for start, line in _split(source):
        if not goes_on and not _COMMENT.match(line):
            _take(_PROPERTY.match(line), _BLANK, start, (), entries, keys)
        goes_on = line.rstrip("\r\n").endswith("\\")
    return entries.finish()


def _take(
    entry: re.Match[str] | None,
    rest: re.Pattern[str],
    start: int,
    section: Path,
    entries: Entries,
    keys: set[Path],
) -> None:
    if entry is None or not entry["key"]:
        return
    path = (*section, entry["key"])
    if path in keys:
        entries.repeat(path)
    keys.add(path)
    if rest.fullmatch(entry["rest"]):
        entries.add(path, start + entry.start("value"), start + entry.end("value"))


def _split(source: str) -> list[tuple[int, str]]:
    """The lines of a text, each with where it begins."""
    return [(line.start(), line[0]) for line in re.finditer(r"[^\n]*\n|[^\n]+", source)]
