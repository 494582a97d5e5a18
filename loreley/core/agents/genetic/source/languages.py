"""The languages whose source can be changed, and what is known of each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from loreley.core.agents.genetic.source import lexis
from loreley.core.agents.genetic.source.compiling import compiles
from loreley.core.agents.genetic.source.lexis import Lexis
from loreley.core.agents.genetic.source.numerals import Numeral
from loreley.core.agents.genetic.source.python_numerals import python_numerals
from loreley.core.agents.genetic.source.text_numerals import text_numerals


@dataclass(frozen=True, slots=True)
class Language:
    """How the numbers of a source are found, and which content passes for source."""

    name: str
    numerals: Callable[[str], tuple[Numeral, ...]]
    accepts: Callable[[bytes], bool]
    lexis: Lexis = lexis.C  # of no use for Python, which is known by its syntax


def _is_text(content: bytes) -> bool:
    """Nobody compiles it here: whether it is source is for the evaluator to find out."""
    return b"\0" not in content


def _scanned(name: str, known: Lexis) -> Language:
    return Language(name, partial(text_numerals, lexis=known), _is_text, known)


PYTHON = Language("Python", python_numerals, compiles)
C = _scanned("C and its kin", lexis.C)
RUBY = _scanned("Ruby", lexis.RUBY)
LUA = _scanned("Lua", lexis.LUA)

_ENDINGS = {
    PYTHON: ".py",
    C: ".c .h .cc .cpp .cxx .hh .hpp .cu .cuh .cl .m .glsl .frag .vert .comp .hlsl .wgsl .metal",
    _scanned("Rust", lexis.RUST): ".rs",
    _scanned("Go", lexis.GO): ".go",
    _scanned("Java", lexis.JAVA): ".java",
    _scanned("Kotlin", lexis.KOTLIN): ".kt",
    _scanned("Scala", lexis.SCALA): ".scala",
    _scanned("Swift", lexis.SWIFT): ".swift",
    _scanned("C#", lexis.C_SHARP): ".cs",
    _scanned("D", lexis.D): ".d",
    _scanned("Zig", lexis.ZIG): ".zig",
    _scanned("JavaScript", lexis.JAVASCRIPT): ".js .mjs .cjs .ts .jsx .tsx",
    _scanned("PHP", lexis.PHP): ".php",
    _scanned("Dart", lexis.DART): ".dart",
    RUBY: ".rb .cr",
    _scanned("Perl", lexis.PERL): ".pl .pm",
    _scanned("shell", lexis.SHELL): ".sh",
    _scanned("Elixir", lexis.ELIXIR): ".ex .exs",
    _scanned("Julia", lexis.JULIA): ".jl",
    _scanned("Nim", lexis.NIM): ".nim",
    _scanned("R", lexis.R): ".r .R",
    _scanned("Awk", lexis.AWK): ".awk",
    LUA: ".lua",
    _scanned("SQL", lexis.SQL): ".sql",
    _scanned("Haskell", lexis.HASKELL): ".hs",
    _scanned("Elm", lexis.ELM): ".elm",
    _scanned("Ada", lexis.ADA): ".adb .ads",
}
_LANGUAGES = {
    ending: language for language, endings in _ENDINGS.items() for ending in endings.split()
}


def language_of(path: str) -> Language | None:
    """The language of a file, by its ending; None where it is none that is known."""
    return _LANGUAGES.get(PurePosixPath(path).suffix)
