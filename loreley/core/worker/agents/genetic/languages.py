"""The languages whose source can be changed, and what is known of each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from loreley.core.worker.agents.genetic.compiling import compiles
from loreley.core.worker.agents.genetic.numerals import Numeral
from loreley.core.worker.agents.genetic.python_numerals import python_numerals
from loreley.core.worker.agents.genetic.scanning import Comments
from loreley.core.worker.agents.genetic.text_numerals import text_numerals


@dataclass(frozen=True, slots=True)
class Language:
    """How the numbers of a source are found, and which content passes for source."""

    name: str
    numerals: Callable[[str], tuple[Numeral, ...]]
    accepts: Callable[[bytes], bool]
    comments: Comments | None = None  # None: Python, which is known by its syntax


def _is_text(content: bytes) -> bool:
    """Nobody compiles it here: whether it is source is for the evaluator to find out."""
    return b"\0" not in content


def _family(name: str, comments: Comments) -> Language:
    return Language(name, partial(text_numerals, comments=comments), _is_text, comments)


PYTHON = Language("Python", python_numerals, compiles)
BRACED = _family("C and its kin", Comments.SLASHES)
QUOTING = _family("JavaScript and its kin", Comments.SLASHES_AND_QUOTES)
SCRIPTED = _family("Ruby, R, Julia, shell", Comments.HASH)
DASHED = _family("Lua, SQL, Haskell", Comments.DASHES)

_ENDINGS = {
    PYTHON: ".py",
    BRACED: ".c .h .cc .cpp .cxx .hh .hpp .cu .cuh .cl .m .rs .go .java .kt .scala .swift .cs .d "
    ".zig .glsl .frag .vert .comp .hlsl .wgsl .metal",
    QUOTING: ".js .mjs .cjs .ts .jsx .tsx .php .dart",
    SCRIPTED: ".rb .r .R .jl .sh .pl .pm .ex .exs .cr .nim .awk",
    DASHED: ".lua .sql .hs .elm .adb .ads",
}
_LANGUAGES = {
    ending: language for language, endings in _ENDINGS.items() for ending in endings.split()
}


def language_of(path: str) -> Language | None:
    """The language of a file, by its ending; None where it is none that is known."""
    return _LANGUAGES.get(PurePosixPath(path).suffix)
