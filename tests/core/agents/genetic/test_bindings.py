"""Names that cannot be bound are seen without running anything; what may be bound passes."""

import textwrap

import pytest

from loreley.core.agents.genetic.source.bindings import breaks_names

SOUND = """
import os
LIMIT = 3

def f(a, *rest, key=LIMIT, **more):
    total = a
    for each in rest:
        if each:
            first = each
        total += first
    with open(os.devnull) as file:
        total += len(file.read())
    try:
        import json
    except ImportError as error:
        print(error, __file__)
    else:
        json.dumps(more)
    return [total for each in rest], (lambda x: x + total + key)
"""


def breaks(new: str, old: str = "") -> bool:
    return breaks_names(textwrap.dedent(old), textwrap.dedent(new))


def test_a_sound_source_breaks_nothing() -> None:
    assert not breaks(SOUND)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3\n", ""),
        ("import os\n", ""),
        ("return [total for", "return [totals for"),
        ("    total = a\n", "    total += a\n"),
        ("    total = a\n", "    print(first)\n"),
        ("        if each:\n", "        if first:\n"),
        (
            "    with open(os.devnull) as file:\n        total",
            "    with open(file) as file:\n        total",
        ),
    ],
)
def test_a_name_that_cannot_be_bound_is_seen(old: str, new: str) -> None:
    assert old in SOUND
    assert breaks(SOUND.replace(old, new), SOUND)


@pytest.mark.parametrize(
    "body",
    [
        "for x in a:\n  if x: print(b)\n  b = x",  # from the second turn on
        "while a:\n  for x in a: print(b)\n  b = 1",
        "if a: b = 1\nprint(b)",
        "try: b = 1\nexcept E: pass\nprint(b)",
        "def g():\n  nonlocal b\n  b = 1\ng()\nprint(b)\nb = 2",
        "global b\nprint(b)\nb = 1",
        "def g(): print(b)\nb = 1",
        "print([b := x for x in a], b)",
        "match a:\n  case [b, *c]: print(b, c)\n  case f: print(f)",
        "match a:\n  case {'k': d, **e}: print(d, e)",
        "print((b := 1), b)",
        "b: int = 1\nprint(b)",
        "class K:\n  b = 1\nprint(K)",
    ],
)
def test_what_may_be_bound_passes(body: str) -> None:
    assert not breaks("def f(a, E=1):\n" + textwrap.indent(body, "    "))


def test_what_was_so_before_and_what_comes_from_anywhere_passes() -> None:
    assert not breaks("print(given)\nx = 2", "print(given)\nx = 1")
    assert not breaks("from os import *\nprint(name)")
    assert not breaks("def f():\n    global x\n    x = 1\ndef g(): return x")
    assert not breaks("class A:\n    def f(self): return __class__\n    y = __qualname__")
    assert not breaks("def top(a):\n    b = a\n    return b")
    assert not breaks("not Python at all (")
