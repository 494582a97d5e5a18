"""What a chat model wants changed: its answer, in whatever manner it is written, as edits; pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from loreley.core.agents.answers.blocks import (
    DIVIDER,
    REPLACE,
    SEARCH,
    Answer,
    Block,
    BlockKind,
    split_answer,
)
from loreley.core.agents.answers.diffs import FileDiff, Hunk, is_diff, read_diff
from loreley.core.agents.answers.edits import Edit
from loreley.core.agents.answers.losses import is_quoted, keeps_most
from loreley.core.agents.answers.paths import (
    Named,
    name_file,
    names_a_file,
    read_path,
    resolve,
)

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

A fence may be longer than three backticks where the content holds such, and the marks longer than
seven characters. Paths are relative to the root of the repository. Never leave out lines that
are to stay. Before the first edit say in one short line what you change. No other text is read."""

_SHELL = frozenset({"bash", "sh", "shell", "zsh", "console", "terminal", "shell-session", "output"})
_SHELL_PATHS = frozenset({"", ".sh", ".bash", ".zsh"})
_PROMPT = re.compile(r"^\s*(?:\$ |>>> |(?:python3?|pytest|pip|uv|make|npm|cargo|go|git) \S)")
_MARKDOWN = frozenset({".md", ".mdx", ".markdown", ".rst"})
_COMMENTED = re.compile(r"^\s*(?:#|//|/\*|<!--|--|;)\s*\S+")
_SHOWN_LENGTH = 300


@dataclass(frozen=True, slots=True)
class ParsedEdits:
    """What a model wrote."""

    edits: tuple[Edit, ...]
    summary: str  # its words before the first edit
    errors: tuple[str, ...]  # what cannot be taken as it is, in words for the model


def read_answer(text: str, current: Callable[[str], str | None]) -> ParsedEdits:
    """Take what is unambiguous; the rest are errors, never guesses.

    ``current`` gives a file's text, None where there is none.
    """
    answer = split_answer(text)
    reader = _Reader(current)
    for block in answer.blocks:
        reader.take(block)
    return reader.finish(answer)


@dataclass(slots=True)
class _Reader:
    current: Callable[[str], str | None]
    edits: list[Edit] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    passed_over: list[str] = field(default_factory=list)  # blocks that matter if there is no edit
    quotes: list[tuple[Edit, str]] = field(default_factory=list)
    latest: str | None = None  # the file that the block before was about

    def take(self, block: Block) -> None:
        """Read one block."""
        named = name_file(block.info, block.words, self._exists)
        if block.kind is BlockKind.MARKED:
            self._take_marked(block, named)
        elif block.kind is BlockKind.DIFF or self._is_diff(block, named):
            self._take_diff(block, named)
        elif not block.is_closed:
            self.errors.append(f"the block after {_last(block.words)!r} is not closed")
        elif any(REPLACE.match(line) for line in block.lines):
            self.errors.append(f"{_path_of(named)}: a block has REPLACE without SEARCH")
        else:
            self._take_whole(block, named)

    def finish(self, answer: Answer) -> ParsedEdits:
        """The edits of all blocks; of quotations those that are none."""
        edited = {edit.path for edit in self.edits}
        for edit, problem in self.quotes:
            if edit.path not in edited:
                self.errors.append(problem)
        errors = list(dict.fromkeys(self.errors))
        if not self.edits and not errors:
            errors = self.passed_over[:1] or [_describe_nothing(answer)]
        words = [line for line in answer.words if not read_path(line, self._exists)]
        return ParsedEdits(tuple(self.edits), "\n".join(words).strip(), tuple(errors))

    def _exists(self, path: str) -> bool:
        return self.current(path) is not None or any(edit.path == path for edit in self.edits)

    def _is_diff(self, block: Block, named: Named | None) -> bool:
        is_wanted = named and PurePosixPath(named.path).suffix in (".diff", ".patch")
        return not is_wanted and is_diff(block.lines, block.info)

    def _take_marked(self, block: Block, named: Named | None) -> None:
        mark = SEARCH.match(block.lines[0])
        behind = read_path(mark["path"], self._exists) if mark else None
        path = behind or (named.path if named else self.latest)
        if path is None:
            self.errors.append("a block has no path on the line before it")
            return
        self.latest = path
        if not block.is_closed:
            self.errors.append(_describe_unclosed(path, block))
            return
        lines = _dedent(block.lines, mark["indent"] if mark else "")
        dividers = [at for at, line in enumerate(lines) if DIVIDER.match(line)]
        width = len(lines[0].strip()) - len(lines[0].strip().lstrip("<-"))
        same = [at for at in dividers if len(lines[at].strip()) == width]
        if len(same or dividers) != 1:
            several = "; where the text holds such lines, write all three marks longer"
            self.errors.append(
                f"{path}: SEARCH, =======, REPLACE do not follow each other"
                + (several if dividers else "")
            )
            return
        [middle] = same or dividers
        self._add(Edit(path, _join(lines[middle + 1 : -1]), _join(lines[1:middle])))

    def _take_diff(self, block: Block, named: Named | None) -> None:
        path = named.path if named else self.latest
        files, errors = read_diff(block.lines, path, lambda each: resolve(each, self._exists))
        self.errors += errors
        for file in files:
            self.latest = file.path
            for hunk in file.hunks:
                if hunk.old != hunk.new:
                    self._add(_to_edit(file, hunk))

    def _take_whole(self, block: Block, named: Named | None) -> None:
        text = _join(block.lines)
        if named is None and block.lines and _COMMENTED.match(block.lines[0]):
            path = read_path(block.lines[0], self._exists)
            named = Named(path, is_certain=True) if path else None
            old = self.current(path) if path else None
            if old is not None and not old.startswith(block.lines[0]):
                text = _join(block.lines[1:]).lstrip("\n")
        if named is None:
            self._pass_over(block)
            return
        old, edit = self.current(named.path), Edit(named.path, text)
        if old is not None and self._may_be_passed_over(block, edit, old):
            return
        if named.is_part and old is not None and old != text:
            self.errors.append(
                f"{named.path}: a block stands for some lines of the file, and a whole file was "
                "expected; use SEARCH and REPLACE"
            )
            return
        if not named.is_certain and old is not None and not keeps_most(old, text):
            self.errors.append(
                f"{named.path}: it is not clear whether a block is the whole file; write the path "
                "alone on the line before it, and the whole file, or use SEARCH and REPLACE"
            )
            return
        if problem := self._find_contradiction(edit, block):
            self.errors.append(problem)
            return
        self.latest = named.path
        self._add(edit)

    def _may_be_passed_over(self, block: Block, edit: Edit, old: str) -> bool:
        """Whether the block quotes the file, or shows how it is run."""
        problem = f"{edit.path}: a block repeats lines of the file and changes none of them"
        if is_quoted(old, block.lines):
            self.quotes.append((edit, problem))
            return True
        if _is_command(block) and PurePosixPath(edit.path).suffix not in _SHELL_PATHS:
            self.passed_over.append(f"{edit.path}: a block with commands is no edit")
            return True
        return False

    def _find_contradiction(self, edit: Edit, block: Block) -> str | None:
        earlier = [each for each in self.edits if each.path == edit.path]
        if any(each.search is None and each.replace != edit.replace for each in earlier):
            return f"{edit.path}: there are two contents for the whole file"
        if any(each.search is not None for each in earlier) and self.current(edit.path) is not None:
            return f"{edit.path}: there are edits of the file and a whole file"
        is_markdown = PurePosixPath(edit.path).suffix in _MARKDOWN
        if is_markdown and block.lines.count("```") % 2:
            return f"{edit.path}: the content holds fences; write a longer fence around it"
        return None

    def _pass_over(self, block: Block) -> None:
        """A block of which nobody says that it is a file."""
        before = self.edits[-1] if self.edits else None
        if before is not None and PurePosixPath(before.path).suffix in _MARKDOWN:
            self.errors.append(
                f"{before.path}: write a longer fence where the content holds fences"
            )
        elif names_a_file(block.words, self._exists) and not _is_command(block):
            self.errors.append(
                f"it is not clear which file the block after {_last(block.words)!r} is; write its "
                "path alone on the line before"
            )
        else:
            self.passed_over.append("a block has no path on the line before it")

    def _add(self, edit: Edit) -> None:
        if edit not in self.edits:  # one that is said twice is meant once
            self.edits.append(edit)


def _to_edit(file: FileDiff, hunk: Hunk) -> Edit:
    if file.is_new and not any(line.strip() for line in hunk.old):
        return Edit(file.path, _join(hunk.new))
    return Edit(file.path, _join(hunk.new), _join(hunk.old), hunk.line)


def _is_command(block: Block) -> bool:
    filled = [line for line in block.lines if line.strip()]
    language = block.info.partition(" ")[0].lower()
    return language in _SHELL or bool(filled and _PROMPT.match(filled[0]) and not language)


def _dedent(lines: Sequence[str], indent: str) -> list[str]:
    """The lines without what all of them are indented by, with the marks."""
    if indent and all(line.startswith(indent) or not line.strip() for line in lines):
        return [line[len(indent) :] for line in lines]
    return [line.strip() if SEARCH.match(line) else line for line in lines]


def _describe_unclosed(path: str, block: Block) -> str:
    is_ordered = any(DIVIDER.match(line) or line.strip() == "```" for line in block.lines)
    if is_ordered:
        return f"{path}: SEARCH, =======, REPLACE do not follow each other"
    return f"the block after {path!r} is not closed"


def _describe_nothing(answer: Answer) -> str:
    if answer.has_unfinished_thoughts:
        return "the answer holds no edit: it ends before what was thought came to its end"
    words = " ".join(answer.words)[:_SHOWN_LENGTH]
    return f"the answer holds no edit; it says {words!r}" if words else "the answer holds no edit"


def _path_of(named: Named | None) -> str:
    return named.path if named else "(no path)"


def _last(words: Sequence[str]) -> str:
    return words[-1][:_SHOWN_LENGTH] if words else ""


def _join(lines: Sequence[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
