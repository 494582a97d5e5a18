"""The numbers of TOML, found by a scanner and held against what the parser says."""

import re
import tomllib
from collections import Counter
from functools import lru_cache

from loreley.core.agents.genetic.source.data.entries import (
    UNSOUND,
    DataFile,
    Entries,
    Nesting,
    Path,
    list_numbers,
)

_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*+)
      | (?P<text>\"{3}(?:\\[\s\S]|(?!\"{3})[^\\])*+\"{3,5}|'{3}(?:(?!'{3})[\s\S])*+'{3,5}
          |"(?:\\.|[^"\\\n])*+"|'[^'\n]*+')
      | (?P<word>[^\s"'\[\]{},=\#.]+(?:\.[^\s"'\[\]{},=\#.]+)*+)
      | (?P<newline>\n)
      | (?P<sign>[\[\]{}=])""",
    re.VERBOSE,
)


@lru_cache(maxsize=16)
def read_toml(source: str) -> DataFile:
    """The numbers of ``source``, if it is TOML."""
    try:
        values = tomllib.loads(source)
    except (ValueError, RecursionError):
        return UNSOUND
    scan = _Scan(Entries(source))
    for token in _TOKEN.finditer(source):
        scan.take(token)
    found = scan.entries.finish()
    known = Counter(map(repr, list_numbers(values)))
    if Counter(repr(literal.value) for literal in found.literals) - known:
        return DataFile(remarks=("where its numbers stand is not certain",))
    return found


class _Scan:
    """Where a scan has come to: a header, a key, or in the value of a key."""

    def __init__(self, entries: Entries) -> None:
        self.entries = entries
        self._table: Path = ()
        self._count_of: dict[Path, int] = {}  # of the tables in a list of them
        self._key: list[str] = []
        self._brackets = 0  # of a header
        self._value: Nesting | None = None

    def take(self, token: re.Match[str]) -> None:
        """Go on by one token."""
        if token.lastgroup == "comment":
            return
        if self._value is not None:
            self._take_in_value(token, self._value)
        elif token.lastgroup == "newline":
            self._end_header()
        elif token[0] == "[":
            self._brackets += 1
        elif token[0] == "=":
            self._value, self._key = Nesting(self.entries, (*self._table, *self._key)), []
        elif token[0] != "]":
            self._key += _split_key(token)

    def _take_in_value(self, token: re.Match[str], value: Nesting) -> None:
        sign = token[0] if token.lastgroup == "sign" else ""
        if token.lastgroup == "newline":
            if value.is_closed:
                self._value = None
        elif sign in ("[", "{") and sign:
            value.open(is_mapping=sign == "{")
        elif sign in ("]", "}") and sign:
            value.close()
        elif value.is_at_key and sign == "=":
            value.take(".".join(self._key), 0, 0, is_plain=False)
            self._key = []
        elif value.is_at_key:
            self._key += _split_key(token)
        else:
            is_plain = token.lastgroup == "word"
            value.take(token[0], token.start(), token.end(), is_plain=is_plain)

    def _end_header(self) -> None:
        if self._brackets:
            table: Path = tuple(self._key)
            if self._brackets > 1:
                count = self._count_of.get(table, 0)
                self._count_of[table] = count + 1
                table = (*table, count)
            self._table, self._key, self._brackets = table, [], 0


def _split_key(token: re.Match[str]) -> list[str]:
    return [token[0][1:-1]] if token.lastgroup == "text" else token[0].split(".")
