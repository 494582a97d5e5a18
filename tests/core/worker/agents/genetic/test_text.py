"""Numbers and lines of source that is not Python."""

import time
from random import Random

import pytest

from loreley.core.worker.agents.genetic import lines, signs
from loreley.core.worker.agents.genetic.languages import BRACED, DASHED, SCRIPTED, language_of
from loreley.core.worker.agents.genetic.material import Apply, Material
from loreley.core.worker.agents.genetic.numerals import rewritten
from loreley.core.worker.agents.genetic.scanning import Comments, scanned
from loreley.core.worker.agents.genetic.text_numerals import text_numerals
from tests.core.worker.agents.genetic import sources


def values(source: str, comments: Comments = Comments.SLASHES) -> list[int | float]:
    return [numeral.value for numeral in text_numerals(source, comments)]


def parameters(source: str) -> list[int | float]:
    found = text_numerals(source, Comments.SLASHES)
    return [numeral.value for numeral in found if numeral.named]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = 10u + 0x1F + 1.5f + 2e3;", [10, 31, 1.5, 2000.0]),
        ("x = -3; y = a-4; z = (-5) * f(-6); return -7;", [-3, 4, -5, -6, -7]),
        ("x = a[i] - 1; y = 2 - -1;", [1, 2, -1]),
        ("/* 1 */ // 2\nx = 3; s = \"4\"; c = '5';", [3]),
        ("#include <x86.h>\n#if VERSION > 2\n#define N 3\n#endif", [3]),
        ("x1 = y2 + utf8(3); range(0..9)", [3, 0, 9]),
        ("a = 1_000; b = 1.; c = .5; d = 010;", [1000, 1.0, 0.5]),
        ("x = 0b101u8 + 0o17 + 0B11;", [5, 15, 3]),
        ("x = 0x1.8p3 + 0x1p-4 + 1'000'000 + 0x1'F; y = 2;", [2]),
        ("x = pair.0 + self.1.2 + f(y).0 + z[3].0; a ?.5: 1", [3, 0.5, 1]),
    ],
)
def test_literals_are_found(source: str, expected: list[int | float]) -> None:
    assert values(source) == expected


@pytest.mark.parametrize(
    ("path", "source", "expected"),
    [
        ("a.js", "s = 'level 5 \\' 6'; t = 'http://7'; x = 8;", [8]),
        ("a.ts", "s = 'a' + 1 + 'b 2';", [1]),
        ("a.sh", "x='a 5 # no'; y=6\n", [6]),
        ("a.lua", "s = '-- 1'; y = 2", [2]),
        ("a.sql", "select 'it''s 5', 6", [6]),
        ("a.rb", "x = 'a 5'; y = ''; z = 6", [6]),
        ("a.hs", "f x' = x' + 5 + g' 6", [5, 6]),
        ("a.jl", "a = b' * 2 + c' * 3", [2, 3]),
        ("a.rs", "fn f<'a>(x: &'a str) { 1 } fn g<'b>() { '\\n'; 2 }", [1, 2]),
    ],
)
def test_numbers_in_single_quotes_are_text(
    path: str, source: str, expected: list[int | float]
) -> None:
    language = language_of(path)
    assert language is not None

    assert [numeral.value for numeral in language.numerals(source)] == expected


def test_comments_of_other_families_are_passed_over() -> None:
    assert values("x = 1 # 2\n# 3\n", Comments.HASH) == [1]
    assert values("x = 1 -- 2\n--[[ 3\n4 ]] y = 5\n", Comments.DASHES) == [1, 5]


def test_parameters_are_what_a_name_is_given_once_and_for_all() -> None:
    source = """
#define CUTOFF 1
static const int gaps[] = {2, 3,
    4};
enum { WIDTH = 5 };
void run(void) {
    const double share = 6.0;
    int count = 70;
    for (int i = 71; i < 72; i++) {
        count += 73;
    }
}
const run = () => { return 74; };
"""
    assert parameters(source) == [1, 2, 3, 4, 5, 6.0]


def test_statements_tell_numbers_of_different_lines_apart() -> None:
    found = text_numerals("f(1,\n  2);\ny = 3; z = 4;\n", Comments.SLASHES)

    first, second, third, fourth = (numeral.statement for numeral in found)
    assert first == second < third < fourth


def test_a_new_value_is_written_as_the_old_one_was() -> None:
    source = "a = 0xFFu; b = 2-1; c = 1.50f;\n"
    mask, two, one, share = text_numerals(source, Comments.SLASHES)

    written = rewritten(source, {mask: 16, two: -2, one: -1, share: 0.25})

    assert written == "a = 0x10u; b = -2-(-1); c = 0.25f;\n"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("operator", [lines.delete, lines.duplicate, lines.swap, lines.move])
def test_line_operators_leave_declarations_and_brackets_alone(operator: Apply, ending: str) -> None:
    source = sources.C.replace("\n", ending)
    old = source.split(ending)
    free = {"state ^= bytes[i];", "state *= 16777619u;", "state = state + (state << 5);",
            "state ^= state >> 13;", "state += gaps[0] * share;", "return state;"}  # fmt: skip

    for seed in range(40):
        mutant = operator(Material(source, language=BRACED), Random(seed))
        if mutant is not None:
            new = mutant.source.split(ending)
            fixed = [line for line in old if line.strip() not in free]
            assert [line for line in new if line.strip() not in free] == fixed


@pytest.mark.parametrize(
    "declaration",
    [
        "std::string name = read();",
        "std::map<int, std::vector<int>> seen;",
        "List<int[]> rows = read();",
        "int[] counts = read();",
        "auto [first, second] = read();",
        "count, error := read(name);",
    ],
)
@pytest.mark.parametrize("operator", [lines.delete, lines.duplicate, lines.swap, lines.move])
def test_declarations_of_any_type_are_left_alone(operator: Apply, declaration: str) -> None:
    body = f"{declaration}\n    x = name + 1;\n    std::sort(x);\n    return x;"
    source = f"void f() {{\n    {body}\n}}\n"

    for seed in range(20):
        mutant = operator(Material(source, language=BRACED), Random(seed))
        assert mutant is not None
        assert mutant.source.splitlines()[:2] == source.splitlines()[:2]


def test_lines_go_only_where_their_block_is() -> None:
    source = "void f() {\n    a = 1;\n    b = 2;\n    if (a) {\n        c = 3;\n    }\n}\n"

    moved = {lines.move(Material(source, language=BRACED), Random(seed)) for seed in range(20)}

    assert {mutant.source for mutant in moved if mutant} == {
        source.replace("    a = 1;\n    b = 2;\n", "    b = 2;\n    a = 1;\n")
    }


@pytest.mark.parametrize(
    ("language", "source", "expected"),
    [
        (SCRIPTED, "if x then\n  y\nend\ntotal = 1\n", "if x then\n  y\nend\n"),
        (DASHED, "local function f()\n  return 1\nend\nx = 2\n", None),
    ],
)
def test_words_that_open_or_close_blocks_stay(
    language: object, source: str, expected: str | None
) -> None:
    for seed in range(20):
        mutant = lines.delete(Material(source, language=language), Random(seed))  # type: ignore[arg-type]
        assert mutant is not None
        assert mutant.source.count("end") == source.count("end")
        assert mutant.source.splitlines()[0] == source.splitlines()[0]


def test_pointers_and_types_are_no_arithmetic() -> None:
    source = "int *p = &x;\nstd::vector<int> v;\nchar **argv;\n"

    assert signs.arithmetic(Material(source, language=BRACED), Random(1)) is None
    assert signs.comparison(Material(source, language=BRACED), Random(1)) is None


@pytest.mark.parametrize(
    "piece",
    ["/*", '"', "'", "{", "1", "-", "`\\", "#define ", "0x", "1e", "a", ";", "\n"],
    ids=repr,
)
def test_hostile_text_costs_little(piece: str) -> None:
    hostile = piece * (20_000 // len(piece))
    started = time.perf_counter()

    for comments in Comments:
        assert sum(len(token.text) for token in scanned(hostile, comments)) <= len(hostile)
    text_numerals(hostile, Comments.SLASHES)
    lines.move(Material(hostile, language=BRACED), Random(1))

    assert time.perf_counter() - started < 10


def test_languages_are_told_by_the_ending_of_a_file() -> None:
    assert language_of("src/sort.c") is BRACED
    assert language_of("a/b.rb") is SCRIPTED
    assert language_of("a.lua") is DASHED
    for name in ("Makefile", "uv.lock", "README.md", "data.json", "notes.txt", "c", ".c"):
        assert language_of(name) is None
