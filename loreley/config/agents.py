"""Who changes the code."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BaseModel, Field, SecretStr, ValidationInfo

from loreley.config.presets import AGENT_NAME, BUILT_IN_AGENTS, preset_tables
from loreley.config.values import Names, PathText
from loreley.map_elites.numbers import finite


@dataclass(frozen=True, slots=True)
class AgentChoice:
    """One of the agents to choose among."""

    name: str  # in settings, logs and statistics
    kind: str  # a built-in agent, or the name of a preset
    weight: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads ``name=kind:weight``; without a name it is that of the kind."""
        rest, _, weight = text.partition(":")
        name, _, kind = rest.rpartition("=")
        return cls(
            name.strip() or kind.strip(), kind.strip(), finite(weight, text) if weight else 1
        )


def _list_kinds(data: Mapping[str, Any]) -> list[str]:
    return [*BUILT_IN_AGENTS, *sorted(preset_tables(data.get("worker_agent_presets")))]


def _require_presets(path: str | None) -> str | None:
    preset_tables(path)
    return path


def _require_agents(value: list[str], info: ValidationInfo) -> list[str]:
    names: list[str] = []
    kinds = _list_kinds(info.data)
    for text in value:
        choice = AgentChoice.parse(text)
        name, kind = choice.name, choice.kind
        if kind not in kinds:
            raise ValueError(f"{kind!r} is none of {', '.join(kinds)}")
        if name in names:
            raise ValueError(
                f"{name!r} is named twice; for an agent with another model write "
                f"a name of its own before it, such as 'fast={kind}'"
            )
        if choice.weight <= 0:
            raise ValueError(f"{text!r}: a weight is above 0")
        if name != kind:
            _require_alias(text, choice, kinds)
        names.append(name)
    if not names:
        raise ValueError("name at least one agent")
    return value


def _require_alias(text: str, choice: AgentChoice, kinds: list[str]) -> None:
    if choice.kind == "genetic":
        raise ValueError(f"{text!r}: 'genetic' has neither model nor arguments: name it as it is")
    if choice.name in kinds:
        raise ValueError(f"{text!r}: {choice.name!r} is the name of another agent")
    if not AGENT_NAME.fullmatch(choice.name):
        raise ValueError(f"{text!r}: a name has letters, digits, '.', '_' and '-', at most 40")


def _require_agent_values(value: list[str], info: ValidationInfo) -> list[str]:
    if "worker_agent" not in info.data:  # it is invalid: which names there are is not known
        return value
    aliases = [AgentChoice.parse(text).name for text in info.data["worker_agent"]]
    known = list(dict.fromkeys([*aliases, *_list_kinds(info.data)]))
    for text in value:
        name, _, rest = text.partition(":")
        if name not in known or not rest.strip():
            raise ValueError(f"{text!r} is not agent:value, with one of {', '.join(known)}")
    return value


def _require_prices(value: list[str], info: ValidationInfo) -> list[str]:
    for text in _require_agent_values(value, info):
        prices = text.split(":")[1:]
        if any(finite(price, text) < 0 for price in prices):
            raise ValueError(f"{text!r}: a price is not negative")
    return value


def _require_token_prices(value: list[str], info: ValidationInfo) -> list[str]:
    for text in _require_prices(value, info):
        if text.count(":") not in (2, 3):
            raise ValueError(f"{text!r} is not agent:input:output or agent:input:output:cached")
    return value


def _require_call_prices(value: list[str], info: ValidationInfo) -> list[str]:
    for text in _require_prices(value, info):
        if text.count(":") != 1:
            raise ValueError(f"{text!r} is not agent:dollars")
    return value


class AgentSettings(BaseModel):
    """Who changes the code, and what it may use."""

    worker_agent_presets: Annotated[PathText | None, AfterValidator(_require_presets)] = Field(
        None,
        description="A TOML file with presets of coding agents of your own, or with changes of "
        "those that come along; `loreley/config/presets.toml` says what its words mean.",
    )
    worker_agent: Annotated[Names, AfterValidator(_require_agents)] = Field(
        ["genetic"],
        description="Who changes the code: `genetic`, which needs no key and no network, `chat`, "
        "`command`, or a coding agent by its name. Several with weights, as "
        "`claude:2, genetic:1`, are chosen among by what they improve; one may stand there several "
        "times with names of their own, as `fast=claude, deep=claude`.",
    )
    worker_agent_timeout_seconds: float = Field(
        900, gt=0, le=7 * 86400, description="Longest time for one proposal."
    )
    worker_agent_idle_seconds: float = Field(
        300,
        ge=0,
        le=7 * 86400,
        description="An agent that tells what it does and has been silent for that long is "
        "killed; 0: never.",
    )
    worker_agent_evaluations: int = Field(
        10,
        ge=0,
        le=100_000,
        description="Evaluations that a coding agent may ask for in one job while it is at work, "
        "by the command in `LORELEY_EVALUATE`; 0: none.",
    )
    worker_agent_session_seconds: float = Field(
        0,
        ge=0,
        le=7 * 86400,
        description="Longest time of a session, a job in which a coding agent measures and works "
        "on for long; the search chooses between such jobs and others. 0: there are none.",
    )
    worker_agent_command: str | None = Field(
        None,
        description="Command line of the agent `command`. `{worktree}`, `{prompt_file}`, "
        "`{prompt}` and `{scratch}` are filled in; where neither prompt is named it is given on "
        "stdin.",
    )
    worker_agent_models: Annotated[Names, AfterValidator(_require_agent_values)] = Field(
        [], description="Models of coding agents, as `agent:model`. Unset: each agent's own choice."
    )
    worker_agent_arguments: Annotated[Names, AfterValidator(_require_agent_values)] = Field(
        [], description="Further command line arguments of coding agents, as `agent:arguments`."
    )
    worker_agent_environment: Names = Field(
        [],
        description="Names of environment variables handed to coding agents beside those of "
        "their own keys.",
    )
    worker_agent_home: PathText | None = Field(
        None,
        description="A folder that coding agents get as HOME and may write to, such as one they "
        "are logged in from. Unset: an empty one for each job.",
    )
    worker_agent_read_paths: Names = Field(
        [], description="Folders outside the worktree that coding agents may read."
    )
    worker_agent_network: bool = Field(
        True, description="Let coding agents use the network where the sandbox could forbid it."
    )
    worker_agent_gateway: str | None = Field(
        None,
        pattern=r"^https?://[^\s/@]+(/\S*)?$",
        description="Base URL of a gateway or a local server that coding agents ask in place of "
        "their providers, such as `http://localhost:4000`.",
    )
    worker_agent_prices: Annotated[Names, AfterValidator(_require_token_prices)] = Field(
        [],
        description="US dollars per million tokens, as `agent:input:output` or "
        "`agent:input:output:cached`. Unset: what the agent reports.",
    )
    worker_agent_call_prices: Annotated[Names, AfterValidator(_require_call_prices)] = Field(
        [], description="US dollars for each call, as `agent:dollars`; beside a price for tokens."
    )
    worker_agent_max_call_dollars: float | None = Field(
        None,
        gt=0,
        le=1_000_000,
        description="Most US dollars that one call of a coding agent may cost, handed on to those "
        "that can keep to it; a conversation of `chat` goes on no longer once it has cost as much.",
    )
    worker_brief_template: PathText | None = Field(
        None,
        description="A file to take the place of the text that agents are given. Unset: "
        "`loreley/core/agents/brief.md`.",
    )
    worker_brief_max_kb: int = Field(
        64, ge=4, le=4096, description="Longest text that an agent is given, in KiB."
    )
    worker_evolution_global_goal: str = Field(
        "Improve the fitness metric.",
        max_length=20_000,
        description="What the agents are asked to achieve.",
    )
    worker_evolution_commit_author: str = Field(
        "loreley", pattern=r"^[^<>\n]+$", description="Author name of candidates."
    )
    worker_evolution_commit_email: str = Field(
        "loreley@localhost", pattern=r"^[^<>\s]+$", description="Author e-mail of candidates."
    )

    @property
    def agent_choices(self) -> tuple[AgentChoice, ...]:
        """The agents to choose among."""
        return tuple(map(AgentChoice.parse, self.worker_agent))

    @property
    def agent_weights(self) -> dict[str, float]:
        """The names of the agents to choose among, each with its weight."""
        return {choice.name: choice.weight for choice in self.agent_choices}

    @property
    def agent_kinds(self) -> dict[str, str]:
        """What each agent is by its name: a built-in one, or the name of a preset."""
        return {choice.name: choice.kind for choice in self.agent_choices}

    def of_agent(self, setting: str, agent: str) -> str:
        """What a setting of the form ``agent:value`` says of this agent; empty if nothing.

        What it says of an agent by its own name comes before what it says of all of its kind.
        """
        entries = [text.partition(":") for text in getattr(self, setting)]
        values = {name: str(value).strip() for name, _, value in reversed(entries)}
        return values.get(agent) or values.get(self.agent_kinds.get(agent, agent)) or ""


class ChatSettings(BaseModel):
    """The OpenAI-compatible endpoint of the agent `chat`."""

    worker_chat_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/@]+(/\S*)?$",
        description="Base URL, such as `http://localhost:11434/v1`. Unset: OpenAI's.",
    )
    worker_chat_api_key: SecretStr | None = Field(
        None, description="Key of the endpoint; local servers often need none."
    )
    worker_chat_model: str | None = Field(None, min_length=1, description="Model to ask.")
    worker_chat_temperature: float | None = Field(
        None, ge=0, le=2, description="How freely it answers. Unset: the endpoint's default."
    )
    worker_chat_max_output_tokens: int | None = Field(
        None, ge=1, description="Longest answer in tokens. Unset: the endpoint's default."
    )
    worker_chat_rounds: int = Field(
        30,
        ge=0,
        le=1000,
        description="Most times in one job that the model may call tools, with which it looks at "
        "files, changes them, and has its change measured. 0: it has none, and answers with edits.",
    )
