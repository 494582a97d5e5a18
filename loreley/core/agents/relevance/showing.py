"""The code that a brief shows: all of it where there is room, else what matters, in parts."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from loreley.core.agents.protocol import AgentWorkspace, Brief
from loreley.core.agents.relevance.clues import Clues, find_clues
from loreley.core.agents.relevance.fences import fence_code
from loreley.core.agents.relevance.names import FileNames
from loreley.core.agents.relevance.parts import Part, lines_of
from loreley.core.agents.relevance.ranking import RankedPart, Ranking, rank
from loreley.core.agents.relevance.sources import read_sources

_RESERVED_BYTES = 900  # for what is said of the rest
_NAMED_BYTES = 700
_MOST_NAMED = 200  # where an agent looks itself
_MOST_HEADS = 3
_HEAD_LINES = 30
_FRAME_BYTES = 90  # of a fence with what stands above it
_MOST_SHARE = 0.5  # of the room, for one file
_CLOSED_LINES = 6  # between two parts, which are then shown too
_WHOLE_SHARE = 0.75  # of a file that is shown: the rest is shown too
_PARTS_NOTE = (
    "Of these files only parts are shown, and the lines between them are there all the same. "
    "Change such a file by quoting lines that you see, never by writing it anew:"
)


@dataclass(frozen=True, slots=True)
class ShownCode:
    """What an agent sees of the code."""

    text: str
    partial: frozenset[str] = frozenset()  # files that are shown in parts


def show_code(
    brief: Brief, workspace: AgentWorkspace, paths: Sequence[str], limit_bytes: int
) -> ShownCode:
    """The files at ``paths`` in at most so many bytes: all, or what matters of them."""
    sources = read_sources(workspace, paths, Clues())
    whole = {path: _show_whole(path, text) for path, text in sorted(sources.texts.items())}
    if not sources.unread and sum(len(each.encode()) + 2 for each in whole.values()) <= limit_bytes:
        return ShownCode("\n\n".join(whole.values()))
    files = FileNames(paths)
    clues = find_clues(brief, workspace, files)
    if sources.unread:  # there is more than is read: begin with what the clues speak of
        sources = read_sources(workspace, paths, clues)
    ranking = rank(sources.texts, clues, files)
    room = _Room(sources.texts, max(0, limit_bytes - _RESERVED_BYTES))
    for part in [*_find_heads(ranking), *ranking.parts]:
        room.add(part)
    code = room.show()
    others = [path for path in [*ranking.files, *sources.unread] if path not in room.files]
    named = _name_some(others, min(_NAMED_BYTES, limit_bytes - _FRAME_BYTES))
    return replace(
        code, text=f"{code.text}\n\nThere is no room to show {named}" if named else code.text
    )


def _find_heads(ranking: Ranking) -> Iterator[RankedPart]:
    """How the files that matter most begin: what they import is seen, and can be added to."""
    first = set(ranking.files[:_MOST_HEADS])
    for each in ranking.parts:
        if each.path in first and each.part.start == 0:
            yield replace(each, part=Part(0, min(each.part.end, _HEAD_LINES)))


def name_files(brief: Brief, workspace: AgentWorkspace, paths: Sequence[str]) -> str:
    """The paths, a line each; of many those that matter, and how many there are beside them."""
    if len(paths) <= _MOST_NAMED:
        return "\n".join(paths)
    files = FileNames(paths)
    clues = find_clues(brief, workspace, files)
    ranking = rank(read_sources(workspace, paths, clues).texts, clues, files)
    named = sorted([*ranking.files, *sorted(set(paths) - set(ranking.files))][:_MOST_NAMED])
    return "\n".join([*named, f"… and {len(paths) - len(named)} more"])


class _Room:
    """Takes parts of files as long as there is room."""

    def __init__(self, texts: Mapping[str, str], limit_bytes: int) -> None:
        self._texts = texts
        self._limit_bytes = limit_bytes
        self._left = limit_bytes
        self._used: dict[str, int] = defaultdict(int)
        self._taken: dict[str, list[Part]] = defaultdict(list)
        self._lines: dict[str, list[str]] = {}

    def add(self, ranked: RankedPart) -> None:
        """Take the part, unless it is too long or its file has enough."""
        path, part = ranked.path, ranked.part
        cost = self._measure(path, part) + _FRAME_BYTES + len(path.encode())
        most = self._limit_bytes * _MOST_SHARE
        if cost > self._left or self._used[path] + cost > most:
            return
        self._left -= cost
        self._used[path] += cost
        self._taken[path].append(part)

    @property
    def files(self) -> Collection[str]:
        """The files of which something was taken."""
        return self._taken.keys()

    def show(self) -> ShownCode:
        """What was taken, small gaps closed: the whole files first, then parts of others."""
        runs = {path: self._close_gaps(path) for path in sorted(self._taken)}
        partial = {path for path, found in runs.items() if not self._is_whole(path, found)}
        blocks = [_show_whole(path, self._texts[path]) for path in runs if path not in partial]
        if partial:
            blocks.append(_PARTS_NOTE)
        for path in sorted(partial):
            blocks += [self._show_part(path, run) for run in runs[path]]
        return ShownCode("\n\n".join(blocks), frozenset(partial))

    def _is_whole(self, path: str, runs: Sequence[Part]) -> bool:
        return len(runs) == 1 and runs[0].end - runs[0].start == len(self._lines_of(path))

    def _measure(self, path: str, part: Part) -> int:
        return len("\n".join(self._lines_of(path)[part.start : part.end]).encode()) + 1

    def _lines_of(self, path: str) -> list[str]:
        if path not in self._lines:
            self._lines[path] = lines_of(self._texts[path])
        return self._lines[path]

    def _close_gaps(self, path: str) -> list[Part]:
        parts = sorted(self._taken[path], key=lambda part: part.start)
        end = len(self._lines_of(path))
        shown = sum(part.end - part.start for part in parts)
        whole = Part(0, end)
        if shown >= _WHOLE_SHARE * end and self._fits(path, whole, parts):
            return [whole]
        runs = [parts[0]]
        for part in parts[1:]:
            last = runs[-1]
            gap = Part(last.end, part.start)
            if part.start <= last.end or (
                part.start - last.end <= _CLOSED_LINES and self._fits(path, gap, [])
            ):
                runs[-1] = Part(last.start, max(last.end, part.end), last.name, last.owner)
            else:
                runs.append(part)
        return runs

    def _fits(self, path: str, wanted: Part, instead: Sequence[Part]) -> bool:
        """Whether there is room for lines, which take the place of some; takes it if so."""
        more = self._measure(path, wanted) - sum(self._measure(path, each) for each in instead)
        if more > self._left:
            return False
        self._left -= max(0, more)
        return True

    def _show_part(self, path: str, run: Part) -> str:
        lines = self._lines_of(path)
        name = ".".join(filter(None, [run.owner, run.name]))
        place = f", in {name}" if name else ""
        text = "".join(f"{line}\n" for line in lines[run.start : run.end])
        head = f"{path}, lines {run.start + 1} to {run.end} of {len(lines)}{place}:"
        return f"{head}\n{fence_code(text)}"


def _show_whole(path: str, text: str) -> str:
    return f"{path}\n{fence_code(text)}"


def _name_some(paths: Sequence[str], limit_bytes: int) -> str:
    """As many paths as there is room for, in their order, and the number of the others."""
    named: list[str] = []
    for path in paths:
        limit_bytes -= len(path.encode()) + 2
        if limit_bytes < 0:
            break
        named.append(path)
    more = len(paths) - len(named)
    return ", ".join([*named, *([f"and {more} more"] if more and named else [])])
