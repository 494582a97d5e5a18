"""The coding agents that are known by name; what is known of them is data in presets.toml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Discriminator, Tag, TypeAdapter, ValidationError, with_config
from pydantic_core import ErrorDetails

from loreley.config import preset_tables
from loreley.core.agents.command_report import JsonLinesOutput, TextOutput
from loreley.errors import ConfigError, Problem

_STRICT = ConfigDict(extra="forbid")
_JSON_LINES, _TEXT = _ANSWER_KINDS = ("JSON lines", "text")
_REASONS = {
    "unexpected_keyword_argument": "there is no such word",
    "missing": "it is missing",
    "tuple_type": "it is no list",
    "dict_type": "it is no table",
    "mapping_type": "it is no table",
    "dataclass_type": "it is no table",
    "string_type": "it is no text",
}


def _find_answer_kind(answer: object) -> str:
    is_text = isinstance(answer, dict) and any(name.endswith("_line") for name in answer)
    return _TEXT if is_text or isinstance(answer, TextOutput) else _JSON_LINES


Answer = Annotated[
    Annotated[JsonLinesOutput, Tag(_JSON_LINES)] | Annotated[TextOutput, Tag(_TEXT)],
    Discriminator(_find_answer_kind),
]


@with_config(_STRICT)
@dataclass(frozen=True, slots=True)
class OwnSandbox:
    """What an agent with a sandbox of its own is told about ours."""

    ours: str  # where ours is around it
    none: str


@with_config(_STRICT)
@dataclass(frozen=True, slots=True)
class Gateway:
    """How an agent is made to ask another server.

    ``{url}`` is its address without /v1, ``{model}`` the name of a model that it has.
    """

    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    model: tuple[str, ...] | None = None  # in place of the arguments that choose a model otherwise
    files: Mapping[str, str] = field(default_factory=dict)  # in its HOME, with their texts
    key: str = ""  # the variable that must hold something, where the server asks for nothing

    @property
    def needs_model(self) -> bool:
        """Whether nothing can be asked without the name of a model."""
        texts = [*self.environment.values(), *self.arguments, *self.files.values()]
        return self.model is not None or any("{model}" in text for text in texts)


@with_config(_STRICT)
@dataclass(frozen=True, slots=True)
class Mcp:
    """How an agent is told of our server of tools, and of no other.

    ``{program}`` is what it starts, always in quotes; ``{settings}`` the path of a file with the
    text ``settings``.
    """

    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    settings: str = ""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True)
class Preset:
    """How a coding agent is called, and how its answer is read; see presets.toml."""

    name: str
    program: str
    arguments: tuple[str, ...]
    answer: Answer
    install: str = ""
    seen: str = ""  # the version that was tried
    sandbox: OwnSandbox | None = None
    model: tuple[str, ...] = ()
    model_environment: Mapping[str, str] = field(default_factory=dict)
    dollar_cap: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    needs: Literal["key", "model", "nothing"] = "key"
    hand_on: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)  # variables that take another's value
    gateway: Gateway | None = None
    mcp: Mcp | None = None  # None: it is told of no tools, and may run the command all the same
    ignores: tuple[str, ...] = ()  # variables that people expect it to read
    environment: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)  # in an empty HOME, with their texts
    leftovers: tuple[str, ...] = ()
    cache: tuple[str, ...] = ()  # globs of folders in HOME that it fills before its work
    streams: bool = False
    reports: Literal["dollars", "tokens", "nothing"] = "nothing"
    help: tuple[str, ...] = ("--help",)
    flags: tuple[str, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables that it is given where they are set."""
        return (*self.keys, *self.hand_on)


_PRESET = TypeAdapter(Preset)


def presets(own: str | None = None) -> Mapping[str, Preset]:
    """Every preset by its name, with those of the file ``own``; raises one `ConfigError`."""
    return _packaged() if own is None else _make_presets(preset_tables(own), own)


@lru_cache(maxsize=1)
def _packaged() -> Mapping[str, Preset]:
    return _make_presets(preset_tables(), "presets.toml")


def _make_presets(tables: Mapping[str, Mapping[str, Any]], file: str) -> Mapping[str, Preset]:
    found, problems = {}, []
    for name, table in tables.items():
        try:
            found[name] = _PRESET.validate_python({"name": name, **table})
        except ValidationError as error:
            problems += [_describe_problem(file, name, table, detail) for detail in error.errors()]
    if problems:
        raise ConfigError.of(list(dict.fromkeys(problems)))
    return found


def _describe_problem(
    file: str, name: str, table: Mapping[str, Any], detail: ErrorDetails
) -> Problem:
    # The kinds of an answer are no part of what stands in the file.
    place = [part for part in map(str, detail["loc"]) if part not in _ANSWER_KINDS]
    if place[:1] == ["answer"] and not isinstance(table.get("answer"), dict):
        place = place[:1]
    return Problem(
        f"a preset in WORKER_AGENT_PRESETS is not valid: [{name}] {'.'.join(place)}",
        setting="WORKER_AGENT_PRESETS",
        target=file,
        reason=_REASONS.get(detail["type"], detail["msg"].removeprefix("Value error, ")),
        fix="correct it; the head of loreley/config/presets.toml says what each word means",
    )
