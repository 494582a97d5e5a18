"""The subject of a commit: from what an agent says, else from what it changed; pure."""

import re
from collections.abc import Sequence

from loreley.core.findings import is_finding

_LONGEST = 100
_MARKUP = re.compile(r"^(?:[#>*\s-]+|\d+[.)]\s+)+|[*`]+")
_TAG = re.compile(r"^\s*</?[\w:|-]+(?:\s[^<>]*)?>\s*")
_THOUGHT = re.compile(
    r"<(think|thinking|thoughts?|reasoning|reflection|analysis|scratchpad)>.*?(?:</\1>|\Z)",
    re.IGNORECASE | re.DOTALL,
)
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_SIGNS = re.compile(r"^[^\w{\[]+")  # such as emoji
# What programs and models say around their work, which tells nothing of it.
_PRAISE = (
    r"sure|okay|ok|certainly|of course|great|done|finished|completed?|task completed?|success|"
    r"successful(?:ly)?|understood|yes|absolutely|perfect|excellent|awesome|nice|goodbye|bye|thanks?"
)
_NOTHING = r"none|null|nil|n/?a|undefined|true|false|eof"
_HEADING = (
    r"summary|conclusion|overview|results?|changes?(?: made)?|what (?:i |has |was )?changed|"
    r"(?:final )?answer|explanation|details|notes?|plan"
)
_WORK = r"(?:the |your |this |all )*(?:requested |following |necessary )?(?:\d+ )?"
_WORK += r"(?:tasks?|changes?|edits?|updates?|requests?|patch(?:es)?|diffs?|work)"
_EMPTY_TALK = re.compile(
    r"^(?:"
    rf"(?:all )?(?:{_PRAISE})\b[^a-z]*$"
    rf"|(?:{_NOTHING})[^a-z]*$"
    rf"|(?:{_HEADING})(?: of (?:the |my )?changes?)?[^a-z]*$"
    r"|(?:sure|okay|ok|certainly|of course)\b.{0,20}\bhere\b"
    r"|here(?: is|'s| are)\b.{0,60}:?$"
    r"|applied edit to\b"
    rf"|(?:i(?:'ve| have)? )?(?:completed?|finished|made|applied|implemented) {_WORK}\b.{{0,20}}$"
    rf"|{_WORK} (?:(?:is|are|was|were|has been|have been) )?(?:now )?"
    r"(?:completed?|done|finished|applied|made|ready)(?: successfully)?[^a-z]*$"
    r"|(?:completed|finished|succeeded|applied)(?: successfully| in [\d.]+ ?\w+)?[^a-z]*$"
    r"|(?:i'll|i will|let me|let's|i'm going to|i need to) (?:\w+ ){0,2}"
    r"(?:start|begin|look|check|read|see|examine|explore|understand|analy[sz]e|inspect|review)\b"
    r"|commit [0-9a-f]{7,}\b"
    r"|(?:wrote|saved?|saving|writing)\b.{0,40}\b(?:trajectory|log|session|history|output)\b"
    r"|(?:total |session )?(?:cost|tokens|duration|usage)\b(?: used)?[^a-z]{0,12}[$\d]"
    r"|(?:exit|return) (?:code|status)\b"
    r"|(?:session|thread|conversation|request|trace)[ _-]?id\b|resume (?:this|the) session\b"
    r"|(?:model|agent|provider|version): \S+(?:, \S+)?$"
    r"|[{\[]\s*[\"{\[\]}]|\[?\d{4}-\d\d-\d\d[t ]"
    r"|https?://\S+$"
    r")",
    re.IGNORECASE,
)
_PATH = re.compile(r"^[\"'(]?(?:[\w.@~-]*/[^\s]*|[\w-]+\.\w{1,10})[\"'):]*$")
_FILE = re.compile(r"^diff --git \"?a/(?P<old>.+?)\"? \"?b/(?P<new>.+?)\"?$", re.MULTILINE)
_KIND = re.compile(r"^(?P<kind>new|deleted) file mode ", re.MULTILINE)


def split_subject(text: str) -> tuple[str, str]:
    """The first line that says what was done, without markup, and the text without it.

    Empty where no line does; a line that is too long for a subject stays in the text.
    """
    lines = _COLOUR.sub("", _THOUGHT.sub("", text)).strip().splitlines()
    for at, line in enumerate(lines):
        if line.lstrip().startswith("```"):
            continue
        if (bare := _bare(line)) and _tells_something(bare) and not is_finding(line):
            is_whole = len(bare) <= _LONGEST
            rest = [*lines[:at], *lines[at + 1 :]] if is_whole else lines
            return bare[:_LONGEST], "\n".join(rest).strip()
    return "", "\n".join(lines).strip()


def describe_patch(patch: str) -> str:
    """What a diff of git does to which files, in the form of a subject; empty for no diff."""
    files = list(_FILE.finditer(patch))
    if not files:
        return ""
    first = files[0]
    end = files[1].start() if len(files) > 1 else len(patch)
    kind = _KIND.search(patch, first.end(), min(end, first.end() + 80))
    verb = {"new": "Add", "deleted": "Remove"}[kind["kind"]] if kind else "Change"
    return f"{verb} {first['new']}{_count_others(files[1:])}"[:_LONGEST]


def _count_others(others: Sequence[object]) -> str:
    if not others:
        return ""
    return f" and {len(others)} more file{'s' if len(others) > 1 else ''}"


def _bare(line: str) -> str:
    return _MARKUP.sub("", _TAG.sub("", line)).strip()


def _tells_something(line: str) -> bool:
    if _EMPTY_TALK.match(_SIGNS.sub("", line)) or _PATH.match(line):
        return False
    return re.search(r"[^\W\d_]{2}", line) is not None
