"""What has no effect leaves the meaning of a source as it is, and whatever has one changes it."""

import pytest

from loreley.core.agents.genetic.source.meaning import find_meaning

PYTHON = '''
import math


def area(width, height=2):
    """The area."""
    total = 0
    for row in range(height):  # each
        total += width
    return total
'''


def same(path: str, old: str, new: str) -> bool:
    return find_meaning(path, old.encode()) == find_meaning(path, new.encode())


def changed(*changes: tuple[str, str]) -> bool:
    """Whether these changes of the Python source change its meaning."""
    source = PYTHON
    for old, new in changes:
        assert old in source
        source = source.replace(old, new)
    return not same("a.py", PYTHON, source)


@pytest.mark.parametrize(
    "changes",
    [
        [("  # each", "")],
        [("import math\n\n", "import math\n\n\n\n# more\n")],
        [("total = 0", "total  =  (0)")],
        [("total", "result"), ("row", "number")],
        [("height=2", "height=0x2")],
    ],
)
def test_blanks_comments_and_local_names_of_python_say_nothing(
    changes: list[tuple[str, str]],
) -> None:
    assert not changed(*changes)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("total = 0", "total = 0.0"),
        ("+= width", "+= height"),
        ("The area", "An area"),  # it may be read
        ("width", "breadth"),  # by which it may be called
        ("def area", "def size"),
        ("import math", "import math as m"),
        ("return total", "return row"),
        ("total += width", "total -= width"),
        ("for row in range(height):  # each\n        ", "for row in range(height): pass\n    "),
    ],
)
def test_whatever_may_have_an_effect_counts_in_python(old: str, new: str) -> None:
    assert changed((old, new))


def in_function(*lines: str) -> str:
    return "def f(a):\n" + "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize(
    "lines",
    [
        ["global x", "x = a"],
        ["x = a", "return locals()"],
        ["x = a", "return eval('x')"],
        ["import math as x", "x = a"],
        ["x = a", "return lambda: x"],
        ["x = a", "return [x for _ in a]"],
        ["try: x = a", "except E as x: pass"],
        ["match a:", "    case [x]: x = 1"],
        ["def x(): pass", "x = a"],
        ["x = a", "class K: y = x"],
    ],
)
def test_a_name_that_is_seen_from_elsewhere_stays(lines: list[str]) -> None:
    source = in_function(*lines)

    assert not same("a.py", source, source.replace("x", "y1"))


def test_two_variables_that_change_places_are_another_program() -> None:
    old = in_function("x = 1", "y = 2", "return x - y")

    assert same("a.py", old, in_function("y = 1", "x = 2", "return y - x"))
    assert not same("a.py", old, in_function("x = 1", "y = 2", "return y - x"))
    assert not same("a.py", old, in_function("x = 1", "x = 2", "return x - x"))


@pytest.mark.parametrize(
    ("path", "old", "new", "is_same"),
    [
        ("a.js", "let a = 1; // one\n\n\nf(a);\n", "let a  = 1;\n  f(a);", True),
        ("a.js", "let a = 1;\nf(a);", "let a = 1; /* one */\n/* two\nlines */f(a);\n", True),
        ("a.js", "return a", "return\na", False),
        ("a.js", "a = '//x'", "a = '//y'", False),
        ("a.js", "let a = 1", "let b = 1", False),
        ("a.js", "// @ts-check\na()", "a()", False),
        ("a.c", "int a; /* a */ int b;", "int a; int b;", True),
        ("a.c", "a - -b", "a--b", False),
        ("a.c", "#define f (x)\n", "#define f(x)\n", False),
        ("a.c", "#pragma omp for\nf();", "f();", False),
        ("a.sh", "#!/bin/sh\nf", "f", False),
        ("a.sh", "f a", "f  a # b", True),
        ("a.rb", "puts -x", "puts - x", False),
        ("a.hs", "f = do\n  a\n  b", "f = do\n  a\n    b", False),
        ("a.go", "//go:noinline\nfunc f() {}", "func f() {}", False),
        ("a.py", "a = (", "a = ( ", False),
    ],
)
def test_other_languages_are_read_by_their_tokens(
    path: str, old: str, new: str, is_same: bool
) -> None:
    assert same(path, old, new) is is_same


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"a\0b", b"", b"(" * 100_000, b"x = " + b"-" * 9999]
)
@pytest.mark.parametrize("path", ["a.py", "a.c"])
def test_what_cannot_be_read_is_known_by_its_bytes(path: str, content: bytes) -> None:
    assert find_meaning(path, content) == find_meaning(path, content)
    assert find_meaning(path, content) != find_meaning(path, content + b"1 x")
