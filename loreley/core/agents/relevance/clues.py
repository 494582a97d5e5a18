"""What a brief says of where the change belongs: words, names, files and lines."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from loreley.core.agents.protocol import AgentWorkspace, Brief
from loreley.core.agents.relevance.names import FileNames
from loreley.core.agents.relevance.words import find_words

_GOAL, _NOTES, _SAID = 1.0, 0.5, 0.25  # how much words count, by who wrote them
_NAMED, _FAILED, _JUDGED, _INSPIRED, _CHANGED = 1.0, 0.6, 0.5, 0.4, 0.3  # and files that are named
_AS_CODE = 2.0  # what is written as code counts so many times as much
_DIFF_BYTES = 128 * 1024

# Repetitions have bounds, so that no text makes them slow.
_CODE = re.compile(
    r"``?(?P<quoted>[^`\n]{1,200})``?|(?<![\w.])(?P<called>[A-Za-z_][\w.]{0,99})\(|"
    r"(?<![\w.])(?P<joined>\w{0,60}_\w{1,60}|[a-z]{1,40}[A-Z]\w{0,60}|(?:[A-Z][a-z0-9]{1,30}){2,8}|"
    r"[A-Za-z_]\w{0,60}(?:\.[A-Za-z_]\w{0,60}){1,8})"
)
_NAME = re.compile(r"[A-Za-z_]\w*")
_PATH = re.compile(r"(?<![\w./+@-])[\w.+@-]{0,100}(?:[/.][\w+@-]{1,100}){1,20}")
_TRACED = re.compile(
    r"File \"(?P<python>[^\"\n]{1,500})\", line (?P<at>\d{1,7})|"
    r"(?<![\w./+@-])(?P<other>[\w./+@-]{1,300}\.\w{1,10}):(?P<line>\d{1,7})"
)
_IMPORTED = re.compile(r"^[ \t]*from[ \t]+[\w.]+[ \t]+import[ \t]+(?P<what>[^#\n]+)", re.MULTILINE)
_FILE = re.compile(r"^(?:---|\+\+\+) (?:[ab]/)?(?P<path>[^\t\n]+)", re.MULTILINE)
_HUNK = re.compile(r"^@@ -(?P<start>\d+)(?:,(?P<count>\d+))? ", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Clues:
    """How much each of them counts; lines are counted from 0."""

    words: Mapping[str, float] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    files: Mapping[str, float] = field(default_factory=dict)
    places: Mapping[str, Sequence[range]] = field(default_factory=dict)


def find_clues(brief: Brief, workspace: AgentWorkspace, files: FileNames) -> Clues:
    """What is known of where in ``files`` the change that the brief asks for belongs."""
    return _Finder(files).find(brief, workspace)


class _Finder:
    def __init__(self, files: FileNames) -> None:
        self._files = files
        self._words: dict[str, float] = {}
        self._names: set[str] = set()
        self._weights: dict[str, float] = {}
        self._places: dict[str, list[range]] = defaultdict(list)

    def find(self, brief: Brief, workspace: AgentWorkspace) -> Clues:
        context = brief.context
        self._read_words(brief.goal, _GOAL)
        for note in context.notes:
            self._read_words(note, _NOTES)
        said = [brief.base.summary, *brief.base.metrics, context.aim, *context.constraints]
        for text in [*said, *(f"{each.subject}\n{each.reason}" for each in context.failures)]:
            self._read_words(text, _SAID)
        for each in context.failures:
            self._read_trace(each.error_tail)
        self._read_trace(context.base_log)
        self._read_judge(brief.judge)
        for inspiration in brief.inspirations:
            self._read_diff(workspace.difference(inspiration.commit, _DIFF_BYTES), _INSPIRED)
        if brief.root_commit and brief.root_commit != brief.base.commit:
            self._read_diff(workspace.difference(brief.root_commit, _DIFF_BYTES), _CHANGED)
        return Clues(self._words, frozenset(self._names), self._weights, dict(self._places))

    def _read_words(self, text: str, weight: float) -> None:
        for word in find_words(text):
            self._words[word] = max(self._words.get(word, 0.0), weight)
        for code in _find_code(text):
            self._names.update(name for name in _NAME.findall(code) if len(name) > 1)
            for word in find_words(code):
                self._words[word] = max(self._words.get(word, 0.0), _AS_CODE * weight)
            for path in self._files.find_module(code) if "." in code else ():
                self._count(path, _NAMED * weight)
        for text_path in _PATH.findall(text):
            for path in self._files.find(text_path):
                self._count(path, _NAMED * weight)

    def _read_trace(self, text: str) -> None:
        for match in _TRACED.finditer(text):
            name = match["python"] or match["other"]
            line = int(match["at"] or match["line"]) - 1
            for path in self._files.find_below(name):
                self._count(path, _FAILED)
                self._places[path].append(range(line, line + 1))

    def _read_judge(self, text: str) -> None:
        """What an evaluator imports and which files it names."""
        for match in _IMPORTED.finditer(text):
            self._names.update(name for name in _NAME.findall(match["what"]) if len(name) > 1)
        for path in self._files.find_imported("", text):
            self._count(path, _JUDGED)
        for text_path in _PATH.findall(text):
            for path in self._files.find(text_path):
                self._count(path, _JUDGED)

    def _read_diff(self, text: str, weight: float) -> None:
        for chunk in text.split("\ndiff --git "):
            names = {match["path"] for match in _FILE.finditer(chunk)}
            for path in names - {"/dev/null"}:
                self._count(path, weight)
                for hunk in _HUNK.finditer(chunk):
                    start = max(0, int(hunk["start"]) - 1)
                    self._places[path].append(range(start, start + int(hunk["count"] or 1)))

    def _count(self, path: str, weight: float) -> None:
        self._weights[path] = max(self._weights.get(path, 0.0), weight)


def _find_code(text: str) -> Iterator[str]:
    for match in _CODE.finditer(text):
        yield next(filter(None, match.groups()))
