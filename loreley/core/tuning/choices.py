"""Values that are one of a few which people name: ``optimiser: adam  # tune: adam|sgd``."""

import re
from collections.abc import Sequence

from loreley.config.tuning import split_choices
from loreley.core.agents.genetic.source.literals import NumberLiteral

_BESIDE = re.compile(r"\btune:?\s+(?P<choices>[^\s|]+(?:\s*\|\s*[^\s|]+)+)")
_KEY = re.compile(r"[\w.-]+")
_ALONE_BEFORE, _ALONE_AFTER = r"(?<![\w.+-])", r"(?![\w.+-])"


def find_beside(line: str) -> tuple[str, tuple[str, ...]] | None:
    """What a line says before it names choices, and the choices; None where it names none."""
    found = _BESIDE.search(line)
    return (line[: found.start()], split_choices(found["choices"])) if found else None


def read_choice(text: str, choices: Sequence[str], key: str = "") -> NumberLiteral | None:
    """The only place of a text where one of the choices stands, as its number among them.

    With a key, that follows it: ``key: a``, ``key = "a"``, ``"key": "a"``. None where there is
    no such place, or more than one.
    """
    words = "|".join(map(re.escape, sorted(choices, key=len, reverse=True)))
    before = _ALONE_BEFORE
    if key:
        before += rf"""["']?{re.escape(key)}["']?(?:\s*:\s*\w+)?(?:\s*[:=]\s*|\s+)["']?"""
    found = list(re.finditer(rf"{before}(?P<word>{words}){_ALONE_AFTER}", text))
    if len(found) != 1:
        return None
    start, end = found[0].span("word")
    name = key or (named[0] if (named := _KEY.search(text)) else "")
    return NumberLiteral(
        *(start, end, choices.index(found[0]["word"]), 1.0, 0),
        named=True, name=name, words=tuple(choices),
    )  # fmt: skip
