"""Which file a line of an answer names; pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

_LONGEST_NAME_BYTES = 255  # what file systems hold
_LONGEST_PATH_BYTES = 1024
_LEADING = re.compile(
    r"^(?:#{1,6}\s+|[-*+>]\s+|\d{1,3}[.)]\s+|//\s*|#\s*|<!--\s*|/\*\s*|--\s+|;+\s*|[*_`\"'(\[]+|"
    r"(?:(?:new |updated |modified )?(?:file ?name|file ?path|file|path)\s*[:=]|"
    r"(?:file|edit|update|updated|modify|change|create|add|new file|in)\s*:?\s(?=\S+$))\s*)",
    re.IGNORECASE,
)
_TRAILING = re.compile(
    r"(?:\s*(?:-->|\*/)|[\s*_`\"':,)\]]+|\s+\((?:new|new file|modified|updated|changed)\)|"
    r":\d+(?:-\d+)?)$",
    re.IGNORECASE,
)
_LINES = re.compile(
    r",?\s*(?:\(\s*)?\b(?:lines?|L)\s*\d+(?:\s*(?:-|\u2013|to|and|\.\.)\s*L?\d+)?\b.{0,200}$|"
    r":\d+(?:-\d+)$",
    re.IGNORECASE,
)
_BLANK = " \t\r\n\f\v\u00a0\ufeff\u200b\u200c\u200d\u2060"  # and what nobody sees
_LINK = re.compile(r"^\[(?P<text>[^\]]+)\]\((?P<target>[^)\s]+)\)$")
_CITATION = re.compile(r"^\d+:\d+:\S")
# What a new file may be called; a word or a sentence before a block is none.
_NEW_NAME = re.compile(r"(?:\S*/)?(?:\.[\w.-]+|[^\s/]+\.[\w+-]+|[A-Z]\w*file|LICENSE)")
_TOKEN = re.compile(r"[^\s`*\"'()\[\]<>,;=]+")

Exists = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Named:
    """A file that was named before a block."""

    path: str
    is_certain: bool  # the block belongs to it; else it was only mentioned, or named further above
    is_part: bool = False  # some of its lines were named, so the block is not all of it


def name_file(info: str, words: Sequence[str], exists: Exists) -> Named | None:
    """The file that a block is about, by what stands behind its fence and in the lines before."""
    behind = _read_info(info, exists)
    if behind and exists(behind):
        return Named(behind, not _CITATION.match(info))
    if words and (path := read_path(words[-1], exists)):
        return Named(path, is_certain=True, is_part=_names_lines(words[-1], path))
    if behind:
        return Named(behind, is_certain=True)
    for line in reversed(words[:-1]):
        if path := read_path(line, exists):
            return Named(path, is_certain=False, is_part=_names_lines(line, path))
    mentioned = {path for line in words for path in _find_mentioned(line, exists)}
    return Named(mentioned.pop(), is_certain=False) if len(mentioned) == 1 else None


def read_path(line: str, exists: Exists) -> str | None:
    """The path that stands alone on a line, under whatever ornament."""
    bare = _strip(line)
    if found := resolve(line.strip(), exists) or resolve(bare, exists):
        return found
    if bare.endswith("."):  # a sentence of one word
        return None
    if bare and not re.search(r"\s", bare) and ("/" in bare or "." in bare or is_new_name(bare)):
        return bare.removeprefix("./")
    return None


def resolve(path: str, exists: Exists) -> str | None:
    """The file that exists and is meant by the path, if there is one."""
    plain = path.replace("\\", "/").removeprefix("./")
    rooted = plain.lstrip("/")
    for form in (path, plain, rooted, rooted.partition("/")[2]):
        if form and objection_to_path(form) is None and exists(form):
            return form
    return None


def is_new_name(path: str) -> bool:
    """Whether a file that does not exist yet may be called so."""
    return _NEW_NAME.fullmatch(path) is not None


def names_a_file(words: Sequence[str], exists: Exists) -> bool:
    """Whether any of the lines names what may be a file."""
    tokens = [token for line in words for token in _TOKEN.findall(line)]
    return any(
        resolve(token.rstrip(".:!?"), exists) or _NEW_NAME.fullmatch(token.rstrip(".:!?"))
        for token in tokens
    )


def objection_to_path(path: str) -> str | None:
    """Why no file in the repository can have this path, or None."""
    parts = path.split("/")
    content = path.encode("utf-8", "replace")
    longest_name = max(map(len, content.split(b"/")))
    is_long = len(content) > _LONGEST_PATH_BYTES or longest_name > _LONGEST_NAME_BYTES
    if is_long or not path.isprintable():
        return "that is no path of a file"
    if path.startswith("/") or ".." in parts or "\\" in path or "\0" in path:
        return "the path leads out of the repository"
    if any(part in ("", ".") for part in parts) or ".git" in parts:
        return "that is no path of a file in the repository"
    return None


def _names_lines(line: str, path: str) -> bool:
    bare = line.strip().rstrip(":*`")
    return not bare.endswith(path) and _LINES.search(bare) is not None


def _strip(line: str) -> str:
    bare, before = _LINES.sub("", line.strip(_BLANK).rstrip(":*`")), ""
    while bare != before:
        before = bare
        if link := _LINK.match(bare):
            bare = link["text"]
        bare = _TRAILING.sub("", bare)
        # Dots and underscores may begin a name: `.env`, `__init__.py`.
        shorter = _LEADING.sub("", bare, count=1)
        bare = bare if bare.startswith("_") and " " not in bare else shorter
    return bare


def _read_info(info: str, exists: Exists) -> str | None:
    tokens = [
        part for token in _TOKEN.findall(info.strip("{}")) for part in (token, *token.split(":"))
    ]
    for token in tokens:
        if found := resolve(token, exists):
            return found
    is_told = ":" in info or "=" in info
    names = [token.removeprefix("./") for token in tokens if ":" not in token]
    return next(
        (name for name in names if is_new_name(name) and ("/" in name or is_told or "." in name)),
        None,
    )


def _find_mentioned(line: str, exists: Exists) -> set[str]:
    tokens = (token.rstrip(".:!?") for token in _TOKEN.findall(line))
    return {found for token in tokens if (found := resolve(token, exists))}
