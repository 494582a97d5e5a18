"""Who changes the code."""

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, SecretStr

from loreley.config.values import Names, PathText
from loreley.map_elites.numbers import finite

_BUILT_IN = ("genetic", "chat", "command")
_PRESETS = Path(__file__).with_name("presets.toml")


@lru_cache(maxsize=1)
def preset_tables() -> Mapping[str, Mapping[str, Any]]:
    """What presets.toml says of each coding agent, by its name."""
    with _PRESETS.open("rb") as file:
        return tomllib.load(file)


def _is_agent(name: str) -> bool:
    return name in _BUILT_IN or name in preset_tables()


def _list_agents() -> str:
    return ", ".join([*_BUILT_IN, *sorted(preset_tables())])


def _require_agents(value: list[str]) -> list[str]:
    names = []
    for text in value:
        name, colon, weight = text.partition(":")
        if not _is_agent(name):
            raise ValueError(f"{name!r} is none of {_list_agents()}")
        if name in names:
            raise ValueError(f"{name!r} is named twice")
        if colon and finite(weight, text) <= 0:
            raise ValueError(f"{text!r}: a weight is above 0")
        names.append(name)
    if not names:
        raise ValueError("name at least one agent")
    return value


def _require_agent_values(value: list[str]) -> list[str]:
    for text in value:
        name, _, rest = text.partition(":")
        if not _is_agent(name) or not rest.strip():
            raise ValueError(f"{text!r} is not agent:value, with one of {_list_agents()}")
    return value


def _require_prices(value: list[str]) -> list[str]:
    for text in _require_agent_values(value):
        prices = text.split(":")[1:]
        if any(finite(price, text) < 0 for price in prices):
            raise ValueError(f"{text!r}: a price is not negative")
    return value


def _require_token_prices(value: list[str]) -> list[str]:
    for text in _require_prices(value):
        if text.count(":") not in (2, 3):
            raise ValueError(f"{text!r} is not agent:input:output or agent:input:output:cached")
    return value


def _require_call_prices(value: list[str]) -> list[str]:
    for text in _require_prices(value):
        if text.count(":") != 1:
            raise ValueError(f"{text!r} is not agent:dollars")
    return value


class AgentSettings(BaseModel):
    """Who changes the code, and what it may use."""

    worker_agent: Annotated[Names, AfterValidator(_require_agents)] = Field(
        ["genetic"],
        description="Who changes the code: `genetic`, which needs no key and no network, `chat`, "
        "`command`, or a coding agent by its name. Several with weights, as "
        "`claude:2, genetic:1`, are chosen among by what they improve.",
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
    def agent_weights(self) -> dict[str, float]:
        """The agents to choose among, each with its weight."""
        pairs = [text.partition(":") for text in self.worker_agent]
        return {name: float(weight or 1) for name, _, weight in pairs}

    def of_agent(self, setting: str, agent: str) -> str:
        """What a setting of the form ``agent:value`` says of this agent; empty if nothing."""
        entries = [text.partition(":") for text in getattr(self, setting)]
        return next((value.strip() for name, _, value in entries if name == agent), "")


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
