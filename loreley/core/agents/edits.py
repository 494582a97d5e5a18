"""The form in which a chat model answers: edits and whole files, read strictly, applied at once."""

import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

FORM = """Answer with edits. For each edit write the path of the file alone on a line, then a
fenced block:

path/to/file.py
```
<<<<<<< SEARCH
lines as they are now, exactly, enough of them to be found only once
=======
lines to be there instead
>>>>>>> REPLACE
```

To add a file, or to write one anew from its first line to its last, leave the marks out:

path/to/other.py
```
the whole content
```

A fence may be longer than three backticks where the content holds such. Paths are relative to the
root of the repository. Before the first edit say in one short line what you change. No other text
is read."""

_SEARCH = re.compile(r"^<{5,9} ?SEARCH\s*$")
_DIVIDER = re.compile(r"^={5,9}\s*$")
_REPLACE = re.compile(r"^>{5,9} ?REPLACE\s*$")
_FENCE = re.compile(r"^(?P<fence>`{3,}|~{3,})[^`]*$")
_AROUND_PATH = " \t*`#:\"'"
# What a new file may be called; a word or a sentence before a block is none.
_NEW_NAME = re.compile(r"(?:\S*/)?(?:\.[\w.-]+|[^\s/]+\.[\w+-]+|[A-Z]\w*file|LICENSE)")
_SHOWN_LINES = 12
_LONGEST_NAME_BYTES = 255  # what file systems hold
_LONGEST_PATH_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Edit:
    """A place in a file and what is to stand there; without ``search`` the whole file."""

    path: str
    replace: str
    search: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedEdits:
    """What a model wrote."""

    edits: tuple[Edit, ...]
    summary: str  # its words before the first edit
    errors: tuple[str, ...]  # blocks that are none, in words for the model


def parse_edits(text: str) -> ParsedEdits:
    """Read an answer; what has not the agreed form is an error, not guessed at."""
    lines = text.replace("\r\n", "\n").split("\n")
    edits: list[Edit] = []
    errors: list[str] = []
    summary: list[str] = []
    path, at = "", 0
    while at < len(lines):
        fence = _FENCE.match(lines[at].strip())
        if fence is None:
            if lines[at].strip():
                path = lines[at].strip()
                if not edits and not errors:
                    summary.append(path)
            at += 1
            continue
        end = _find_block_end(lines, at, fence["fence"])
        body = lines[at + 1 : end]
        if not edits and not errors and summary:
            summary.pop()  # the path
        if end == len(lines):
            errors.append(f"the block after {path!r} is not closed")
        else:
            found, problems = _read_block(path.strip(_AROUND_PATH), body)
            edits += found
            errors += problems
        at = end + 1
    if not edits and not errors:
        errors.append("the answer holds no edit")
    return ParsedEdits(tuple(edits), "\n".join(summary).strip(), tuple(errors))


def apply_edits(
    edits: Sequence[Edit],
    current: Callable[[str], str | None],
    objection: Callable[[str], str | None],
) -> tuple[Mapping[str, str], Sequence[str]]:
    """The new content of each edited file, and why edits cannot be applied, for the model.

    ``current`` gives a file's text, None where there is none; ``objection`` says why a path may
    not be changed. Later edits of a file see what earlier ones made of it.
    """
    contents: dict[str, str] = {}
    errors: list[str] = []
    for edit in edits:
        reason = _objection_to_path(edit.path) or objection(edit.path)
        if reason is not None:
            errors.append(f"{edit.path}: {reason}")
            continue
        text = contents[edit.path] if edit.path in contents else current(edit.path)
        outcome = _apply(edit, text)
        if isinstance(outcome, _Refused):
            errors.append(f"{edit.path}: {outcome.reason}")
        else:
            contents[edit.path] = outcome
    return contents, errors


@dataclass(frozen=True, slots=True)
class _Refused:
    reason: str


def _apply(edit: Edit, text: str | None) -> str | _Refused:
    is_new = text is None and not (edit.search or "").strip()
    if is_new and not _NEW_NAME.fullmatch(edit.path):
        return _Refused(
            "there is no such file, and no new one is called so; write the path alone on the line "
            "before the block, with the ending of its name"
        )
    if edit.search is None:
        return edit.replace
    if text is None:
        if edit.search.strip():
            return _Refused("there is no such text file; to add it, leave SEARCH empty")
        return edit.replace
    if not edit.search.strip():
        return _Refused("SEARCH is empty, and the file exists; name the lines to be replaced")
    places = _find_places(edit.search, text)
    if len(places) > 1:
        return _Refused(f"the lines in SEARCH occur {len(places)} times; add lines around them")
    if places:
        return text[: places[0]] + edit.replace + text[places[0] + len(edit.search) :]
    return _apply_ignoring_blanks(edit, text) or _Refused(_describe_nearest(edit.search, text))


def _find_places(search: str, text: str) -> list[int]:
    """Where whole lines of the text are those of SEARCH."""
    places, at = [], text.find(search)
    while at >= 0:
        if at == 0 or text[at - 1] == "\n":
            places.append(at)
        at = text.find(search, at + 1)
    return places


def _apply_ignoring_blanks(edit: Edit, text: str) -> str | None:
    """The text with the edit where it differs from SEARCH in blanks at the ends of lines only."""
    lines = text.splitlines(keepends=True)
    wanted = [line.rstrip() for line in (edit.search or "").splitlines()]
    bare = [line.rstrip() for line in lines]
    places = [
        at for at in range(len(bare) - len(wanted) + 1) if bare[at : at + len(wanted)] == wanted
    ]
    if len(places) != 1:
        return None
    [at] = places
    return "".join([*lines[:at], edit.replace, *lines[at + len(wanted) :]])


def _describe_nearest(search: str, text: str) -> str:
    wanted = search.splitlines()
    lines = text.splitlines()
    best, ratio = 0, 0.0
    for at in range(max(1, len(lines) - len(wanted) + 1)):
        window = lines[at : at + len(wanted)]
        likeness = difflib.SequenceMatcher(None, wanted, window, autojunk=False).ratio()
        if likeness > ratio:
            best, ratio = at, likeness
    if ratio == 0.0:
        first = next((line for line in wanted if line.strip()), "")
        near = difflib.get_close_matches(first, lines, n=1, cutoff=0.5)
        if not near:
            return "the lines in SEARCH do not occur in it"
        best = lines.index(near[0])
    shown = lines[best : best + min(len(wanted) + 2, _SHOWN_LINES)]
    return "the lines in SEARCH do not occur in it; the most similar ones are:\n" + "\n".join(shown)


def _find_block_end(lines: Sequence[str], start: int, fence: str) -> int:
    """The line that closes the block, or the number of lines where none does."""
    for at in range(start + 1, len(lines)):
        line = lines[at].strip()
        if line and set(line) == {fence[0]} and len(line) >= len(fence):
            return at
    return len(lines)


def _read_block(path: str, body: Sequence[str]) -> tuple[list[Edit], list[str]]:
    if not path:
        return [], ["a block has no path on the line before it"]
    if not any(_SEARCH.match(line) for line in body):
        if any(_REPLACE.match(line) for line in body):
            return [], [f"{path}: a block has REPLACE without SEARCH"]
        return [Edit(path, _join_lines(body))], []
    edits: list[Edit] = []
    for part in _read_parts(body):
        if part is None:
            return edits, [f"{path}: SEARCH, =======, REPLACE do not follow each other"]
        edits.append(Edit(path, _join_lines(part.replace), _join_lines(part.search)))
    return edits, []


@dataclass(slots=True)
class _Part:
    search: list[str]
    replace: list[str]


def _read_parts(body: Sequence[str]) -> Iterator[_Part | None]:
    """Each pair of SEARCH and REPLACE; None where the marks are out of order."""
    part: _Part | None = None
    in_replace = False
    for line in body:
        if part is None:
            if _SEARCH.match(line):
                part, in_replace = _Part([], []), False
            elif line.strip():
                yield None
                return
        elif not in_replace and _DIVIDER.match(line):
            in_replace = True
        elif _REPLACE.match(line):
            if not in_replace:
                yield None
                return
            yield part
            part = None
        else:
            (part.replace if in_replace else part.search).append(line)
    if part is not None:
        yield None


def _join_lines(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _objection_to_path(path: str) -> str | None:
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
