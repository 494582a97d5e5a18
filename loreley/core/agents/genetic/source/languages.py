"""The languages whose source can be changed, and what is known of each."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import PurePosixPath

from loreley.core.agents.genetic.source import lexical_rules
from loreley.core.agents.genetic.source.compiling import compiles
from loreley.core.agents.genetic.source.data.entries import DataFile
from loreley.core.agents.genetic.source.data.ini_numbers import read_ini, read_properties
from loreley.core.agents.genetic.source.data.json_numbers import read_json
from loreley.core.agents.genetic.source.data.toml_numbers import read_toml
from loreley.core.agents.genetic.source.data.yaml_numbers import read_yaml
from loreley.core.agents.genetic.source.lexical_rules import LexicalRules
from loreley.core.agents.genetic.source.literals import NumberLiteral
from loreley.core.agents.genetic.source.python_literals import (
    find_python_literals,
    find_python_truths,
)
from loreley.core.agents.genetic.source.text_literals import find_text_literals


def _find_none(_source: str) -> tuple[NumberLiteral, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class Language:
    """How the numbers of a source are found, and which content passes for source."""

    name: str
    find_literals: Callable[[str], tuple[NumberLiteral, ...]]
    accepts: Callable[[bytes], bool]
    rules: LexicalRules = lexical_rules.C  # of no use for Python, which is known by its syntax
    find_truths: Callable[[str], tuple[NumberLiteral, ...]] = _find_none
    read_data: Callable[[str], DataFile] | None = None  # None: it is code

    @property
    def is_data(self) -> bool:
        """Whether there are values only, and nothing is done."""
        return self.read_data is not None


def _is_text(content: bytes) -> bool:
    """Nobody compiles it here: whether it is source is for the evaluator to find out."""
    return b"\0" not in content


def _lexed(name: str, known: LexicalRules) -> Language:
    return Language(name, partial(find_text_literals, rules=known), _is_text, known)


def _data(name: str, read: Callable[[str], DataFile], known: LexicalRules) -> Language:
    def accepts(content: bytes) -> bool:
        return _is_text(content) and read(_decode(content)).is_sound

    return Language(
        name,
        lambda source: read(source).literals,
        accepts,
        known,
        lambda source: read(source).truths,
        read,
    )


def _decode(content: bytes) -> str:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content.decode("latin-1")


PYTHON = Language("Python", find_python_literals, compiles, find_truths=find_python_truths)
C = _lexed("C and its kin", lexical_rules.C)
RUBY = _lexed("Ruby", lexical_rules.RUBY)
LUA = _lexed("Lua", lexical_rules.LUA)

_ENDINGS = {
    PYTHON: ".py",
    C: ".c .h .cc .cpp .cxx .hh .hpp .cu .cuh .cl .m .glsl .frag .vert .comp .hlsl .wgsl .metal",
    _lexed("Rust", lexical_rules.RUST): ".rs",
    _lexed("Go", lexical_rules.GO): ".go",
    _lexed("Java", lexical_rules.JAVA): ".java",
    _lexed("Kotlin", lexical_rules.KOTLIN): ".kt",
    _lexed("Scala", lexical_rules.SCALA): ".scala",
    _lexed("Swift", lexical_rules.SWIFT): ".swift",
    _lexed("C#", lexical_rules.C_SHARP): ".cs",
    _lexed("D", lexical_rules.D): ".d",
    _lexed("Zig", lexical_rules.ZIG): ".zig",
    _lexed("JavaScript", lexical_rules.JAVASCRIPT): ".js .mjs .cjs .ts .jsx .tsx",
    _lexed("PHP", lexical_rules.PHP): ".php",
    _lexed("Dart", lexical_rules.DART): ".dart",
    RUBY: ".rb .cr",
    _lexed("Perl", lexical_rules.PERL): ".pl .pm",
    _lexed("shell", lexical_rules.SHELL): ".sh",
    _lexed("Elixir", lexical_rules.ELIXIR): ".ex .exs",
    _lexed("Julia", lexical_rules.JULIA): ".jl",
    _lexed("Nim", lexical_rules.NIM): ".nim",
    _lexed("R", lexical_rules.R): ".r .R",
    _lexed("Awk", lexical_rules.AWK): ".awk",
    LUA: ".lua",
    _lexed("SQL", lexical_rules.SQL): ".sql",
    _lexed("Haskell", lexical_rules.HASKELL): ".hs",
    _lexed("Elm", lexical_rules.ELM): ".elm",
    _lexed("Ada", lexical_rules.ADA): ".adb .ads",
    _data("YAML", read_yaml, lexical_rules.SETTINGS): ".yaml .yml",
    _data("TOML", read_toml, lexical_rules.SETTINGS): ".toml",
    _data("JSON", read_json, lexical_rules.C): ".json .jsonc",
    _data("INI", read_ini, lexical_rules.SETTINGS): ".ini .cfg",
    _data("properties", read_properties, lexical_rules.SETTINGS): ".properties",
}
_LANGUAGES = {
    ending: language for language, endings in _ENDINGS.items() for ending in endings.split()
}


def language_of(path: str) -> Language | None:
    """The language of a file, by its ending; None where it is none that is known."""
    return _LANGUAGES.get(PurePosixPath(path).suffix)
