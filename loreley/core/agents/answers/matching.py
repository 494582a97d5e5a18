"""Where the lines of an edit stand in a file, and what the file becomes; pure."""

import difflib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_NUMBERED = re.compile(r"^\s*(?P<number>\d+)(?:\s*[|:│→]|\t|\s{2,})\s?(?P<rest>.*)$")
_SHOWN_LINES = 12


@dataclass(frozen=True, slots=True)
class Found:
    """What the text becomes where its lines were found once."""

    text: str


@dataclass(frozen=True, slots=True)
class NotFound:
    """Why it stays as it is, for the model."""

    reason: str


def replace_lines(
    text: str, search: str, replace: str, line: int | None = None
) -> Found | NotFound:
    """The text with ``replace`` where the lines of ``search`` stand.

    They are taken as they are, else without blanks at their ends, without line numbers, without
    empty lines around them, or further in or out than they stand; the first way in which they occur
    counts, and they must occur once, or at ``line``, counted from 1.
    """
    lines = _LINE.findall(text)
    for find in (_find_exactly, _find_without_blanks, _find_without_numbers, _find_shifted):
        places = list(find(lines, search, replace))
        chosen = [place for place in places if place.start + 1 == line] if len(places) > 1 else []
        if len(places) == 1 or len(chosen) == 1:
            [place] = chosen or places
            after = lines[place.start + place.count :]
            return Found("".join([*lines[: place.start], place.replace, *after]))
        if places:
            many = f"the lines in SEARCH occur {len(places)} times; add lines around them"
            return NotFound(many)
    return NotFound(_describe_nearest(search, text))


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    count: int
    replace: str


def _find_exactly(lines: Sequence[str], search: str, replace: str) -> Iterator[_Place]:
    return _find(lines, _LINE.findall(search), replace, lambda line: line)


def _find_without_blanks(lines: Sequence[str], search: str, replace: str) -> Iterator[_Place]:
    yield from _find(lines, _LINE.findall(search), replace, str.rstrip)


def _find(
    lines: Sequence[str], wanted: Sequence[str], replace: str, form: Callable[[str], str]
) -> Iterator[_Place]:
    every, sought = list(map(form, lines)), list(map(form, wanted))
    for at in range(len(every) - len(sought) + 1):
        if every[at : at + len(sought)] == sought:
            yield _Place(at, len(sought), replace)


def _find_without_numbers(lines: Sequence[str], search: str, replace: str) -> Iterator[_Place]:
    bare = _without_numbers(search)
    if bare is None:
        return
    replaced = _without_numbers(replace)
    if replaced is None and any(map(_NUMBERED.match, replace.split("\n"))):
        return  # numbered in part: nobody knows which numbers are text
    yield from _find(
        lines, _LINE.findall(bare), replace if replaced is None else replaced, str.rstrip
    )


def _without_numbers(text: str) -> str | None:
    """The text without the number before each of its lines, where every line has one."""
    found = [_NUMBERED.match(line) for line in text.removesuffix("\n").split("\n")]
    if not all(found):
        return None
    numbers = [int(each["number"]) for each in found if each]
    if numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        return None
    return "".join(f"{each['rest']}\n" for each in found if each)


def _find_shifted(lines: Sequence[str], search: str, replace: str) -> Iterator[_Place]:
    """Where all lines stand further in, or further out, by the same blanks."""
    wanted = [line.rstrip() for line in search.strip("\n").split("\n")]
    for at in range(len(lines) - len(wanted) + 1):
        here = [line.rstrip() for line in lines[at : at + len(wanted)]]
        if [line.lstrip() for line in here] != [line.lstrip() for line in wanted]:
            continue
        shifts = {_shift(old, new) for old, new in zip(wanted, here, strict=True) if old}
        if len(shifts) == 1 and None not in shifts:
            [shift] = shifts
            shifted = _shift_lines(replace.strip("\n"), *(shift or ("", "")))
            if shifted is not None:
                yield _Place(at, len(wanted), shifted)


def _shift(old: str, new: str) -> tuple[str, str] | None:
    """The blanks to take away from a line and those to add, one of them none."""
    before, after = (line[: len(line) - len(line.lstrip())] for line in (old, new))
    if after.endswith(before):
        return "", after[: len(after) - len(before)]
    if before.endswith(after):
        return before[: len(before) - len(after)], ""
    return None


def _shift_lines(text: str, taken: str, added: str) -> str | None:
    if not text:
        return ""
    lines = text.split("\n")
    if any(line.strip() and not line.startswith(taken) for line in lines):
        return None
    return "".join(f"{added}{line[len(taken) :]}\n" if line.strip() else "\n" for line in lines)


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
