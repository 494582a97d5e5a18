"""Which paths of a repository an agent may change; pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache


class PathRules:
    """Globs of what may be changed and of what may not; the latter decide."""

    def __init__(self, editable: Sequence[str] = (), protected: Sequence[str] = ()) -> None:
        """Without ``editable`` everything may be changed that is not ``protected``.

        ``*`` and ``?`` match within a folder, ``**`` any number of folders, ``[abc]`` one of
        these. A pattern without a slash before its end matches at any depth, and one that
        matches a folder matches all that is in it.
        """
        self.editable = tuple(editable)
        self.protected = tuple(protected)

    def allow(self, path: str) -> bool:
        """Whether ``path``, relative to the repository's root, may be changed."""
        return self.objection_to(path) is None

    def objection_to(self, path: str) -> str | None:
        """Why ``path`` may not be changed, or None."""
        for pattern in self.protected:
            if matches(pattern, path):
                return f"{path} is protected by {pattern!r}"
        if self.editable and not any(matches(pattern, path) for pattern in self.editable):
            return f"{path} is not among the editable paths"
        return None


def matches(pattern: str, path: str) -> bool:
    """Whether the glob matches the path or a folder above it."""
    return _compile(pattern).match(path) is not None


@lru_cache(maxsize=1000)
def _compile(pattern: str) -> re.Pattern[str]:
    glob = pattern.removeprefix("./").rstrip("/")
    if "/" not in glob.lstrip("/"):
        glob = f"**/{glob.lstrip('/')}" if not glob.startswith("/") else glob[1:]
    return re.compile(f"(?s:{_translate(glob.lstrip('/'))})(?:/|\\Z)")


def _translate(glob: str) -> str:
    parts, at = [], 0
    while at < len(glob):
        if glob.startswith("**/", at):
            parts.append("(?:.*/)?")
            at += 3
        elif glob.startswith("**", at):
            parts.append(".*")
            at += 2
        elif glob[at] == "[" and (end := glob.find("]", at + 2)) > 0:
            body = glob[at + 1 : end]
            negated = body.startswith(("!", "^"))
            content = re.sub(r"([\\\[&~|])", r"\\\1", body[negated:])
            parts.append(f"[{'^/' if negated else ''}{content}]")
            at = end + 1
        else:
            parts.append({"*": "[^/]*", "?": "[^/]"}.get(glob[at], re.escape(glob[at])))
            at += 1
    return "".join(parts)


@dataclass(frozen=True, slots=True)
class Region:
    """Marks on the line before and on the line after what may be changed."""

    begin: str
    end: str

    def encloses_changes(self, old: bytes, new: bytes) -> bool:
        """Whether two contents of a file are the same but for what is between the marks."""
        return _read_frame(old, self) == _read_frame(new, self)


def _read_frame(content: bytes, region: Region) -> list[bytes]:
    """The lines of a file without those between marks; an open region is none."""
    frame: list[bytes] = []
    inside: list[bytes] | None = None
    for line in content.splitlines(keepends=True):
        if inside is None:
            frame.append(line)
            inside = [] if region.begin.encode() in line else None
        elif region.end.encode() in line:
            frame.append(line)
            inside = None
        else:
            inside.append(line)
    return frame + (inside or [])
