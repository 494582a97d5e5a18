"""Splits an answer into blocks that may be edits, and drops what was only thought; pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

SEARCH = re.compile(
    r"^(?P<indent>\s*)"
    r"(?:<{5,9} ?(?i:SEARCH|ORIGINAL|HEAD|OLD|BEFORE)|-{5,9} ?(?:SEARCH|ORIGINAL))\b:?(?P<path>.*)$"
)
DIVIDER = re.compile(r"^={5,9}\s*$")
REPLACE = re.compile(
    r"^\s*(?:>{5,9} ?(?i:REPLACE|UPDATED|NEW|AFTER)|\+{5,9} ?(?:REPLACE|UPDATED))\s*$"
)
_FENCE = re.compile(r"^\s*(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$")
_TAGS = (
    "think|thinking|thoughts?|reason|reasoning|reflection|analysis|scratchpad|seed:think|"
    "antthinking|(?:inner_|internal_)?monologue"
)
_THOUGHT = re.compile(
    rf"^\s*(?:<(?P<tag>{_TAGS})(?:\s[^<>]*)?>|(?P<sign>\[THINK\]|◁think▷|<\|begin_of_thought\|>|"
    r"<unused94>)|(?P<folded><details>\s*(?:<summary>)?\s*(?:think|thought|reason)\w*\b)|"
    r"(?P<said>Thinking\.\.\.\s*$))",
    re.IGNORECASE,
)
_SIGNED_END = {
    "[think]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<unused94>": "<unused95>",
}
_SAID_END = "...done thinking."
_WRAPPED = re.compile(
    r"\s*(?P<fence>`{3,}|~{3,})(?:markdown|md|text|plaintext)?[ \t]*\n(?P<body>.*)\n"
    r"(?P=fence)[ \t]*\s*",
    re.DOTALL,
)
_THOUGHT_END = re.compile(rf"^.*</(?P<tag>{_TAGS})>\s*$|^\s*</(?P<first>{_TAGS})>.*$", re.I)
_FINAL_CHANNEL = re.compile(r"<\|channel\|>final\b[^<\n]*<\|message\|>")
_CONTROL = re.compile(r"<\|(?:end|return|start|im_end|eot_id)\|>(?:assistant)?")
_DIFF_START = re.compile(r"^(?:diff --git |\*\*\* (?:Begin Patch|(?:Update|Add|Delete) File: ))")
_DIFF_LINE = re.compile(
    r"^(?:[ +@\\-]|$|\*\*\* |diff --git |index |(?:new|deleted|old) (?:file )?mode |similarity |"
    r"rename |Binary files )"
)


class BlockKind(StrEnum):
    """How a block is marked."""

    FENCED = "fenced"  # its lines are those between the fences
    MARKED = "marked"  # with SEARCH and REPLACE, which are among its lines
    DIFF = "diff"  # stands without a fence, but can be nothing else


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of an answer that may be an edit."""

    kind: BlockKind
    lines: Sequence[str]
    info: str = ""  # what stands behind its fence
    words: Sequence[str] = ()  # the lines between the block before and this one, if not empty
    is_closed: bool = True


@dataclass(slots=True)
class Answer:
    """What a model wrote, in the order in which it wrote it."""

    blocks: list[Block] = field(default_factory=list)
    words: list[str] = field(default_factory=list)  # before the first block, without its path
    has_unfinished_thoughts: bool = False


def split_answer(text: str) -> Answer:
    """The blocks of an answer; every line of it is read once."""
    plain = _drop_unopened_thoughts(text.lstrip("\ufeff").replace("\r\n", "\n"))
    return _Splitter(_unwrap(plain).split("\n")).split()


def _unwrap(text: str) -> str:
    """An answer that is one fence with edits in it is those edits."""
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped is None:
        return text
    lines = wrapped["body"].split("\n")
    first = next((line for line in lines if line.strip()), "")
    holds_edits = any(SEARCH.match(line) or _FENCE.match(line) for line in lines)
    is_closed_within = any(_closes(line, wrapped["fence"]) for line in lines)
    return (
        wrapped["body"]
        if holds_edits and not is_closed_within and not SEARCH.match(first)
        else text
    )


def _drop_unopened_thoughts(text: str) -> str:
    """The text behind thoughts whose begin was a part of the prompt, or stands on a channel."""
    if channels := list(_FINAL_CHANNEL.finditer(text)):
        text = text[channels[-1].end() :]
    lines = _CONTROL.sub("", text).split("\n")
    opened: set[str] = set()
    for at, line in enumerate(lines):
        if found := _THOUGHT.match(line):
            opened.add((found["tag"] or "").lower())
        if (found := _THOUGHT_END.match(line)) is not None:
            tag = (found["tag"] or found["first"]).lower()
            if tag not in opened:
                rest = line[line.lower().index(f"</{tag}>") + len(tag) + 3 :]
                return _drop_unopened_thoughts("\n".join([rest, *lines[at + 1 :]]))
    return "\n".join(lines)


class _Splitter:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._at = 0
        self._answer = Answer()
        self._words: list[str] = []
        self._fence = ""  # around marks; it says nothing but where a path may stand
        self._info = ""

    def split(self) -> Answer:
        """Go through all lines."""
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if thought := _THOUGHT.match(line):
                self._skip_thought(thought)
            elif SEARCH.match(line):
                self._take_marked()
            elif self._fence and _closes(line, self._fence):
                self._fence = self._info = ""
                self._at += 1
            elif fence := _FENCE.match(line):
                self._take_fenced(fence["fence"], fence["info"].strip())
            elif self._is_diff_start():
                self._take_diff()
            else:
                self._take_word(line)
        return self._answer

    def _skip_thought(self, begin: re.Match[str]) -> None:
        rest = "\n".join([self._lines[self._at][begin.end() :], *self._lines[self._at + 1 :]])
        end = _find_end_of_thought(begin, rest)
        if end is None and begin["said"]:  # words as any others
            self._take_word(self._lines[self._at])
            return
        self._answer.has_unfinished_thoughts = end is None
        self._lines = [] if end is None else rest[end:].split("\n")
        self._at = 0

    def _take_word(self, line: str) -> None:
        if word := line.strip():
            self._words.append(word)
            if not self._answer.blocks:
                self._answer.words.append(word)
        self._at += 1

    def _take_marked(self) -> None:
        start, is_closed = self._at, False
        for at in range(start + 1, len(self._lines)):
            if REPLACE.match(self._lines[at]):
                is_closed = True
                break
            if SEARCH.match(self._lines[at]):
                at -= 1
                break
        else:
            at = len(self._lines) - 1
        self._add(Block(BlockKind.MARKED, self._lines[start : at + 1], self._info, (), is_closed))
        self._at = at + 1

    def _take_fenced(self, fence: str, info: str) -> None:
        end = self._find_fence_end(fence)
        body = self._lines[self._at + 1 : end]
        if any(SEARCH.match(line) for line in body):
            self._fence, self._info = fence, info
            self._at += 1
            return
        self._fence = self._info = ""
        is_closed = end < len(self._lines)
        self._add(Block(BlockKind.FENCED, body, info, (), is_closed))
        self._at = end + 1

    def _find_fence_end(self, fence: str) -> int:
        """The line that closes the fence, past fences with a language inside of it."""
        depth = 0
        for at in range(self._at + 1, len(self._lines)):
            line = self._lines[at]
            if _closes(line, fence):
                if depth == 0:
                    return at
                depth -= 1
            elif (inner := _FENCE.match(line)) and inner["fence"].startswith(fence):
                depth += bool(inner["info"].strip())
        return len(self._lines)

    def _is_diff_start(self) -> bool:
        line = self._lines[self._at]
        following = self._lines[self._at + 1 : self._at + 2]
        is_header = line.startswith("--- ") and bool(following) and following[0].startswith("+++ ")
        return is_header or _DIFF_START.match(line) is not None

    def _take_diff(self) -> None:
        start = self._at
        while self._at < len(self._lines) and _DIFF_LINE.match(self._lines[self._at]):
            self._at += 1
            if self._lines[self._at - 1].startswith("*** End Patch"):
                break
        self._add(Block(BlockKind.DIFF, self._lines[start : self._at]))

    def _add(self, block: Block) -> None:
        self._answer.blocks.append(
            Block(block.kind, block.lines, block.info, tuple(self._words), block.is_closed)
        )
        self._words = []


def _find_end_of_thought(begin: re.Match[str], rest: str) -> int | None:
    """Where the text goes on behind a thought, and behind those within it."""
    if begin["tag"]:
        depth = 1
        for tag in re.finditer(
            rf"<(/?){re.escape(begin['tag'])}(?:\s[^<>]*)?>", rest, re.IGNORECASE
        ):
            depth += -1 if tag[1] else 1
            if depth == 0:
                return tag.end()
        end = f"</{begin['tag']}>"  # one that is opened twice may be closed once
    elif begin["sign"]:
        end = _SIGNED_END[begin["sign"].lower()]
    else:
        end = "</details>" if begin["folded"] else _SAID_END
    found = re.search(re.escape(end), rest, re.IGNORECASE)
    return found.end() if found else None


def _closes(line: str, fence: str) -> bool:
    bare = line.strip()
    return bool(bare) and set(bare) == {fence[0]} and len(bare) >= len(fence)
