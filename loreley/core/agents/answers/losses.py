"""What an edit would destroy without saying so; pure."""

import re
from collections import Counter
from collections.abc import Sequence

_KEPT_SHARE = 0.5  # of the old lines' number that a whole file has at least
_TINY_LINES = 3  # a file of so few lines may be another altogether
_TELLING = re.compile(r"\w.*\w")
_COMMENT = re.compile(r"^(?:#|//|/\*|<!--|--|;|%|\"{3}|'{3}|\.{3}|…|\[|\()")
_DOTS = re.compile(r"\.{3}|…")
_KEPT_WORDS = re.compile(
    r"\b(?:existing|unchanged|remain(?:s|ing|der)?|the rest|rest of|same as|omitted|previous|"
    r"as before|other (?:code|methods?|functions?|classes|imports)|keep)\b",
    re.IGNORECASE,
)
_EDIT_MARK = re.compile(r"^\s*(?:<{5,}|>{5,}|(?:&lt;){3,}|(?:&gt;){3,})(?:\s|\w|$)")
_PLAIN_MARK = re.compile(
    r"^\W*(?:pass\s+#\s*)?(?:"
    r"\(?(?:the |all )?(?:rest|remaining|remainder|other|existing|everything else|unchanged|same)\b"
    r".{0,60}\b(?:unchanged|the same|as (?:is|before|it (?:is|was))|here|above|below|omitted|"
    r"stays?|remains?|code|goes here)"
    r"|unchanged|same as (?:before|above)|keep (?:the )?rest|rest of (?:the )?\w+"
    r"|(?:existing|previous) (?:code|implementation|logic|content)(?: here)?"
    r"|original (?:code|implementation|logic|content) here"
    r"|snip|truncated|omitted"
    r"|(?:\w+ )?(?:omitted|elided|shortened|truncated) for (?:brevity|clarity)"
    r"|(?:all |the )?(?:other |code |lines? )?(?:\w+ )?"
    r"(?:above|below|imports|functions|methods|classes) (?:(?:remain|stay|is|are|be)s? )?"
    r"(?:unchanged|the same|as (?:is|before|(?:they|it) (?:is|are)))"
    r"|no changes? (?:above|below|here|needed)"
    r")\W*$",
    re.IGNORECASE,
)


def find_lazy_mark(old: str, new: str) -> str | None:
    """A line that stands for others which are to be kept, if the new text brings one in."""
    known = Counter(line.strip() for line in old.split("\n"))
    for line in new.split("\n"):
        bare = line.strip()
        if known[bare] > 0:
            known[bare] -= 1
        elif _is_lazy_mark(line):
            return bare
    return None


def find_edit_mark(old: str, new: str) -> str | None:
    """A line that looks like the mark of an edit and was not in the old text, if there is one."""
    known = set(old.split("\n"))
    return next(
        (line for line in new.split("\n") if _EDIT_MARK.match(line) and line not in known), None
    )


def describe_loss(old: str, new: str) -> str | None:
    """What of a file would be gone if the new text took its place, if that is most of it."""
    before, after = _filled_lines(old), _filled_lines(new)
    if len(before) <= 1:
        return None
    if len(after) < _KEPT_SHARE * len(before):
        return f"of the {len(before)} lines of the file only {len(after)} would be left"
    kept = set(filter(_TELLING.search, before)) & set(after)
    if len(before) > _TINY_LINES and not kept:
        return f"none of the {len(before)} lines of the file would be left"
    return None


def keeps_most(old: str, new: str) -> bool:
    """Whether at least half of the old lines are in the new text."""
    before, after = Counter(_filled_lines(old)), Counter(_filled_lines(new))
    return (before & after).total() >= _KEPT_SHARE * before.total()


def is_quoted(old: str, lines: Sequence[str]) -> bool:
    """Whether these lines stand in the file one after the other, and are not all of it."""
    wanted, every = _filled_lines("\n".join(lines)), _filled_lines(old)
    if not wanted or len(wanted) >= len(every):
        return False
    places = range(len(every) - len(wanted) + 1)
    return any(every[at : at + len(wanted)] == wanted for at in places)


def _is_lazy_mark(line: str) -> bool:
    bare = line.strip()
    if not _COMMENT.match(bare) or len(bare) > 120:
        return False
    if _DOTS.search(bare):
        words = _DOTS.sub("", bare).strip(" #/*<>!-;%()[]\"'.")
        is_bare = not words and (bare != "..." or not line.startswith((" ", "\t")))
        return is_bare or _KEPT_WORDS.search(words) is not None
    return _PLAIN_MARK.match(bare) is not None


def _filled_lines(text: str) -> list[str]:
    return [line.strip() for line in text.split("\n") if line.strip()]
