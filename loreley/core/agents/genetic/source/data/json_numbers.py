"""The numbers of JSON, with comments and trailing commas where there are any."""

import json
import re
from functools import lru_cache

from loreley.core.agents.genetic.source.data.entries import UNSOUND, DataFile, Entries, Nesting

_BLANK = r"(?:\s|//[^\n]*|/\*[\s\S]*?\*/)*+"
_TOKEN = re.compile(
    rf"""(?P<comment>//[^\n]*|/\*[\s\S]*?\*/)
      | (?P<comma>,(?={_BLANK}[\]}}]))
      | (?P<text>"(?:\\.|[^"\\\n])*+")
      | (?P<word>[^\s"\[\]{{}},:/]+)
      | (?P<open>[\[{{])
      | (?P<close>[\]}}])""",
    re.VERBOSE,
)
_MARK = "\ufeff"  # of the byte order


@lru_cache(maxsize=16)
def read_json(source: str) -> DataFile:
    """The numbers of ``source``, if it is JSON but for comments and trailing commas."""
    entries = Entries(source)
    nesting = Nesting(entries)
    pieces, done = [], len(source) - len(source.removeprefix(_MARK))
    for token in _TOKEN.finditer(source, done):
        kind, text = token.lastgroup, token[0]
        if kind in ("comment", "comma"):
            pieces += [source[done : token.start()], " "]
            done = token.end()
        elif kind == "open":
            nesting.open(is_mapping=text == "{")
        elif kind == "close":
            nesting.close()
        else:
            is_plain = kind == "word"
            nesting.take(text.strip('"'), token.start(), token.end(), is_plain=is_plain)
    return entries.finish() if _is_json("".join([*pieces, source[done:]])) else UNSOUND


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
