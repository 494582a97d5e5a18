"""Numbers and lines of source that is not Python."""

import time
from random import Random

import pytest

from loreley.core.agents.genetic.operators import line_mutation, token_mutation
from loreley.core.agents.genetic.operators.material import Apply, Material
from loreley.core.agents.genetic.source import lexical_rules
from loreley.core.agents.genetic.source.languages import LUA, RUBY, C, language_of
from loreley.core.agents.genetic.source.lexer import lex
from loreley.core.agents.genetic.source.lexical_rules import LexicalRules
from loreley.core.agents.genetic.source.literals import rewrite
from loreley.core.agents.genetic.source.text_literals import find_text_literals
from tests.core.agents.genetic import sources


def values(source: str, known: LexicalRules = lexical_rules.C) -> list[int | float]:
    return [literal.value for literal in find_text_literals(source, known)]


def values_in(path: str, source: str) -> list[int | float]:
    language = language_of(path)
    assert language is not None
    return [literal.value for literal in language.find_literals(source)]


def parameters(source: str) -> list[int | float]:
    found = find_text_literals(source, lexical_rules.C)
    return [literal.value for literal in found if literal.named]


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
    assert values_in(path, source) == expected


NO_CODE = [
    ("a.js", 'x = 1; t = `a 2\n${f({a: `3`}, "}")} 4`; y = 5;', [1, 5]),
    ("a.js", "x = /a{2}[/3]/g.test(s); y = a / 4 / 5; return /6/;", [4, 5]),
    ("a.js", "x = f(1) / 2 + b[3] / 4; s = `${a / 5}`; y = 6;", [1, 2, 3, 4, 6]),
    ("a.ts", "const a = [/1'/, 2]; // 3\nlet s = 'x\\'4';", [2]),
    ("a.sh", "x=1\ncat <<EOF | sort\na 2 $y\n EOF\nEOF\ny=3 # 4\n", [1, 3]),
    ("a.sh", "cat <<-'EOF'\n\ta 2\n\tEOF\ny=3\n", [3]),
    ("a.sh", "if [ $# -gt 2 ]; then x=${#y}; z=$1; f >&2 2>/dev/null; fi; a=b#3\n", [2, 3]),
    ("a.sh", 'x="a 1\n$(f "2") 3"; y=\'4\n\\\'; z=5; echo it\\\'s 6\n', [5, 6]),
    ("a.sh", "x=$((16#ff + 7)); cat <<< 8\n", [7, 8]),
    ("a.lua", "s = [[a\n1]]; t = [==[ ]] 2 ]==] --[=[ ]] 3 ]=] x = 4; y = t[u[5]]", [4, 5]),
    ("a.rs", 'let s = r#"a "1" "#; let t = br"\\"; let u = "2\n3"; f(4);', [4]),
    ("a.rs", "/* 1 /* 2 */ 3 */ const N: u32 = 1_000u32; let c = '\\u{10FFFF}';", [1000]),
    ("a.rs", "fn f<'a>(x: &'a [u8; 5]) -> &'a u8 { &x[6] } let y = 1.5f32;", [5, 6, 1.5]),
    ("a.rs", "let r#match = 7; #[derive(A)]\nlet z = 8;", [7, 8]),
    ("a.cpp", 'auto s = R"x(a )" 1\n)x"; auto t = u8R"(2)"; auto n = 1\'000 + 0x1.8p3 + 3;', [3]),
    ("a.go", "s := `a\\`; x := 1; t := `2\n'3`; r := '4'", [1]),
    ("a.java", 'String s = """\n a "1"\n \\""" 2"""; long n = 3L; float f = 1.0f;', [3, 1.0]),
    ("a.kt", 'val s = """a\\${f("1")} 2"""; val t = "3 ${"4"} 5"; val n = 6L /* /* 7 */ 8 */', [6]),
    ("a.scala", 'val s = """1\\"""; val t = s"2 ${f("3")} 4"; val x = "${"; val y = 5', [5]),
    ("a.swift", 'let s = #"1 " 2"#; let t = "3 \\(f("4")) 5"; /* /* 6 */ 7 */ let n = 8', [8]),
    ("a.swift", 'let s = """\n 1 "2"\n \\(f(")")) 3\n """; let n = 4', [4]),
    ("a.cs", 'var s = @"1\\"; var t = $"2 {f("3")} 4"; var u = """5 "6" """; var n = 7;', [7]),
    ("a.d", "/+ 1 /+ 2 +/ 3 +/ auto s = `4\\`; auto n = 5;", [5]),
    ("a.zig", 'const s =\n    \\\\ 1 "\n    \\\\ 2\n;\nconst n = 3;', [3]),
    ("a.dart", "var s = r'1\\'; var t = \"2 ${f('3')} 4\"; var u = '''5\n6'''; n = 7;", [7]),
    ("a.php", "<h1>1</h1><?php $s = '2\n3'; $t = <<<A\n 4\n A; $n = 5; # 6\n?> 7 <?= 8 ?>", [5, 8]),
    ("a.rb", "=begin\n1\n=end\nx = 2\ns = <<~A\n  3 'x\n  A\ny = 4\n__END__\n5\n", [2, 4]),
    ("a.rb", 's = "1 #{f("2")} 3"; w = %w[4 5]; r = /6{7}/; y = x / 8 / 9; c = ?5', [8, 9]),
    ("a.pl", "=pod\n\n1\n\n=cut\n$x = 2; @w = qw(3 4); $#a; s/5/6/g; tr{7}{8};\n", [2]),
    ("a.pl", "print <<\"A\" . 'x';\n1\nA\n$y = $1 + 2; $z =~ m/3/; $s = 4; __END__\n", [2, 4]),
    ("a.exs", 's = """\n1 "2"\n"""; t = ~s(3); u = "4 #{f("5")} 6"; n = 7', [7]),
    ("a.jl", '#= 1 #= 2 =# 3 =# s = """4 $(f("5")) 6"""; n = 7', [7]),
    ("a.nim", '#[ 1 #[ 2 ]# 3 ]# s = """4"5"""; t = r"\\"; n = 6', [6]),
    ("a.R", 's <- r"---(1 ")" 2)---"; t = "3\n4"; x <<- y * 5', [5]),
    ("a.awk", "/1/ { x = $2 / 3 / 4 }\n/5/ { y = 6 }\n", [2, 3, 4, 6]),
    ("a.sql", "/* 1 */ select E'2\n3', 4 -- 5\n", [4]),
    ("a.hs", "{- 1 {- 2 -} 3 -} x' = 4", [4]),
    ("a.elm", '{- 1 -} s = """2\n"3" """\nn = 4', [4]),
    ("a.adb", "X : Integer := 16#FF# + 1; Y := X'Size;", [1]),
]


@pytest.mark.parametrize(("path", "source", "expected"), NO_CODE)
def test_numbers_in_texts_and_comments_of_each_language_stay(
    path: str, source: str, expected: list[int | float]
) -> None:
    assert values_in(path, source) == expected


def test_comments_of_other_families_are_passed_over() -> None:
    assert values("x = 1 # 2\n# 3\n", lexical_rules.R) == [1]
    assert values("x = 1 -- 2\n--[[ 3\n4 ]] y = 5\n", lexical_rules.LUA) == [1, 5]


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
    found = find_text_literals("f(1,\n  2);\ny = 3; z = 4;\n", lexical_rules.C)

    first, second, third, fourth = (literal.statement for literal in found)
    assert first == second < third < fourth


def test_a_new_value_is_written_as_the_old_one_was() -> None:
    source = "a = 0xFFu; b = 2-1; c = 1.50f;\n"
    mask, two, one, share = find_text_literals(source, lexical_rules.C)

    written = rewrite(source, {mask: 16, two: -2, one: -1, share: 0.25})

    assert written == "a = 0x10u; b = -2-(-1); c = 0.25f;\n"


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize(
    "operator",
    [line_mutation.delete, line_mutation.duplicate, line_mutation.swap, line_mutation.move],
)
def test_line_operators_leave_declarations_and_brackets_alone(operator: Apply, ending: str) -> None:
    source = sources.C.replace("\n", ending)
    old = source.split(ending)
    free = {"state ^= bytes[i];", "state *= 16777619u;", "state = state + (state << 5);",
            "state ^= state >> 13;", "state += gaps[0] * share;", "return state;"}  # fmt: skip

    for seed in range(40):
        mutant = operator(Material(source, language=C), Random(seed))
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
@pytest.mark.parametrize(
    "operator",
    [line_mutation.delete, line_mutation.duplicate, line_mutation.swap, line_mutation.move],
)
def test_declarations_of_any_type_are_left_alone(operator: Apply, declaration: str) -> None:
    body = f"{declaration}\n    x = name + 1;\n    std::sort(x);\n    return x;"
    source = f"void f() {{\n    {body}\n}}\n"

    for seed in range(20):
        mutant = operator(Material(source, language=C), Random(seed))
        assert mutant is not None
        assert mutant.source.splitlines()[:2] == source.splitlines()[:2]


def test_lines_go_only_where_their_block_is() -> None:
    source = "void f() {\n    a = 1;\n    b = 2;\n    if (a) {\n        c = 3;\n    }\n}\n"

    moved = {line_mutation.move(Material(source, language=C), Random(seed)) for seed in range(20)}

    assert {mutant.source for mutant in moved if mutant} == {
        source.replace("    a = 1;\n    b = 2;\n", "    b = 2;\n    a = 1;\n")
    }


@pytest.mark.parametrize(
    ("language", "source", "expected"),
    [
        (RUBY, "if x then\n  y\nend\ntotal = 1\n", "if x then\n  y\nend\n"),
        (LUA, "local function f()\n  return 1\nend\nx = 2\n", None),
    ],
)
def test_words_that_open_or_close_blocks_stay(
    language: object, source: str, expected: str | None
) -> None:
    for seed in range(20):
        mutant = line_mutation.delete(Material(source, language=language), Random(seed))  # type: ignore[arg-type]
        assert mutant is not None
        assert mutant.source.count("end") == source.count("end")
        assert mutant.source.splitlines()[0] == source.splitlines()[0]


def test_pointers_and_types_are_no_arithmetic() -> None:
    source = "int *p = &x;\nstd::vector<int> v;\nchar **argv;\n"

    assert token_mutation.arithmetic(Material(source, language=C), Random(1)) is None
    assert token_mutation.comparison(Material(source, language=C), Random(1)) is None


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    ["/*", '"', "'", "{", "1", "-", "`\\", "#define ", "0x", "1e", "a", ";", "\n"],
    ids=repr,
)
def test_hostile_text_costs_little(piece: str) -> None:
    hostile = piece * (20_000 // len(piece))
    started = time.process_time()

    for known in (
        lexical_rules.C,
        lexical_rules.JAVASCRIPT,
        lexical_rules.SHELL,
        lexical_rules.LUA,
    ):
        assert sum(len(token.text) for token in lex(hostile, known)) <= len(hostile)
    find_text_literals(hostile, lexical_rules.C)
    line_mutation.move(Material(hostile, language=C), Random(1))

    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    ("known", "piece"),
    [
        (lexical_rules.JAVASCRIPT, "`${"),
        (lexical_rules.JAVASCRIPT, "/["),
        (lexical_rules.JAVASCRIPT, "/\\"),
        (lexical_rules.SHELL, '"$('),
        (lexical_rules.HASKELL, "{-"),
        (lexical_rules.RUBY, "<<A "),
        (lexical_rules.RUBY, "%w("),
        (lexical_rules.RUBY, "=begin\n"),
        (lexical_rules.PHP, "<?php <<<A\n"),
        (lexical_rules.RUST, "r#"),
        (lexical_rules.C, 'R"('),
        (lexical_rules.LUA, "[=["),
        (lexical_rules.PERL, "s{a"),
        (lexical_rules.PERL, "q/"),
        (lexical_rules.C_SHARP, '"""a'),
    ],
    ids=lambda value: repr(value) if isinstance(value, str) else "",
)
def test_hostile_text_of_a_language_costs_little(known: LexicalRules, piece: str) -> None:
    hostile = piece * (20_000 // len(piece))
    started = time.process_time()

    assert sum(len(token.text) for token in lex(hostile, known)) <= len(hostile)

    assert time.process_time() - started < 5


def test_a_language_is_known_by_the_ending_of_a_file() -> None:
    assert language_of("src/sort.c") is C
    assert language_of("a/b.rb") is RUBY
    assert language_of("a.lua") is LUA
    for name in ("Makefile", "uv.lock", "README.md", "data.csv", "notes.txt", "c", ".c"):
        assert language_of(name) is None
