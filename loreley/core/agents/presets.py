"""The coding agents that are known by name; what is known of them is data in presets.toml."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal

from loreley.config import preset_tables
from loreley.core.agents.command_report import JsonLinesOutput, TextOutput

_NESTED = frozenset({"answer", "sandbox", "gateway"})


@dataclass(frozen=True, slots=True)
class OwnSandbox:
    """What an agent with a sandbox of its own is told about ours."""

    ours: str  # where ours is around it
    none: str


@dataclass(frozen=True, slots=True)
class Gateway:
    """How an agent is made to ask another server; ``{url}`` is its address without /v1."""

    environment: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)  # in its HOME, with their texts
    key: str = ""  # the variable that must hold something, where the server asks for nothing


@dataclass(frozen=True, slots=True)
class Preset:
    """How a coding agent is called, and how its answer is read; see presets.toml."""

    name: str
    program: str
    arguments: tuple[str, ...]
    answer: JsonLinesOutput | TextOutput
    install: str = ""
    seen: str = ""  # the version that was tried
    sandbox: OwnSandbox | None = None
    model: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    needs: Literal["key", "model", "nothing"] = "key"
    hand_on: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)  # variables that take another's value
    gateway: Gateway | None = None
    ignores: tuple[str, ...] = ()  # variables that people expect it to read
    environment: Mapping[str, str] = field(default_factory=dict)
    leftovers: tuple[str, ...] = ()
    streams: bool = False
    reports: Literal["dollars", "tokens", "nothing"] = "nothing"
    help: tuple[str, ...] = ("--help",)
    flags: tuple[str, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of the environment variables that it is given where they are set."""
        return (*self.keys, *self.hand_on)


@lru_cache(maxsize=1)
def presets() -> Mapping[str, Preset]:
    """Every preset by its name."""
    return {name: _make_preset(name, table) for name, table in preset_tables().items()}


def _make_preset(name: str, table: Mapping[str, Any]) -> Preset:
    values = {key: _freeze(value) for key, value in table.items() if key not in _NESTED}
    answer = table["answer"]
    reading = TextOutput(**answer) if "end_line" in answer else JsonLinesOutput(**answer)
    sandbox = OwnSandbox(**table["sandbox"]) if "sandbox" in table else None
    gateway = None
    if "gateway" in table:
        gateway = Gateway(**{key: _freeze(value) for key, value in table["gateway"].items()})
    return Preset(name=name, answer=reading, sandbox=sandbox, gateway=gateway, **values)


def _freeze(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
