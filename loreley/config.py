"""Every setting of Loreley, by section; read once from the environment and `.env`."""

import json
import os
import re
from enum import StrEnum
from functools import lru_cache
from math import isfinite, prod
from pathlib import Path
from typing import Annotated, Any, Literal, get_args
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from loreley.envfile import read_env_file
from loreley.errors import ConfigError, Problem
from loreley.secrets import masked

LogLevel = Literal["TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"]
LOG_LEVELS: tuple[str, ...] = get_args(LogLevel)
MAX_CELLS = 2**31 - 1  # a cell's number is a 32 bit integer in the database


def _names(value: object) -> object:
    """Accept ``a, b`` as well as a JSON list, as people write both."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if not text.startswith("["):
        return [name.strip() for name in text.split(",") if name.strip()]
    try:
        return json.loads(text)
    except ValueError as error:
        raise ValueError(f"not a JSON list: {error}") from None


def _expandable(value: str) -> str:
    expanded(value)
    return value


def _each_expandable(values: list[str]) -> list[str]:
    return [_expandable(value) for value in values]


def _branch_name(value: str) -> str:
    """Refuse what git refuses as a branch; each job would find out for itself otherwise."""
    if not _BRANCH.fullmatch(value) or value.startswith(("-", "/", ".")):
        raise ValueError("not a name that git allows for a branch")
    return value


_BRANCH = re.compile(
    r"(?!.*(?:\.\.|//|/\.|@\{|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\]*[^\x00-\x20\x7f~^:?*\[\\/.]"
)

Names = Annotated[list[str], NoDecode, BeforeValidator(_names)]
PathText = Annotated[str, AfterValidator(_expandable)]
PathTexts = Annotated[Names, AfterValidator(_each_expandable)]
BranchName = Annotated[str, AfterValidator(_branch_name)]


AGENTS = (
    *("genetic", "chat", "command", "aider", "claude", "codex", "copilot", "cursor", "gemini"),
    *("goose", "opencode", "qwen"),
)
# What instructs or configures agents, and what runs when a branch is pushed.
_PROTECTED = [
    *("AGENTS.md", "CLAUDE.md", "GEMINI.md", "QWEN.md", "CONVENTIONS.md", ".goosehints"),
    *(".claude", ".codex", ".copilot", ".cursor", ".cursorrules", ".gemini", ".opencode", ".qwen"),
    *(".aider*", "opencode.json", "opencode.jsonc", ".mcp.json", ".github", ".gitlab-ci.yml"),
]
BASE_CHOICES = frozenset({"fitness", "uniform", "curiosity"})
_BINS = re.compile(r"[1-9][0-9]{0,9}")
_WEIGHTED = re.compile(r"(?P<name>\S(?:.*\S)?):(?P<number>[^:]+)")
_CONSTRAINT = re.compile(r"\S(?:.*\S)?\s*[<>]=\s*(?P<number>\S+)")


def _each_measure(value: list[str]) -> list[str]:
    for text in value:
        match text.split(":"):
            case [name, low, high, bins] if name and _BINS.fullmatch(bins):
                if not _finite(low, text) < _finite(high, text):
                    raise ValueError(f"{text!r}: the low end must be below the high end")
            case _:
                raise ValueError(f"{text!r} is not name:low:high:bins")
    return value


def _each_weighted(value: list[str]) -> list[str]:
    for text in value:
        match = _WEIGHTED.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not name:number")
        _finite(match["number"], text)
    return value


def _each_constraint(value: list[str]) -> list[str]:
    for text in value:
        match = _CONSTRAINT.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not `metric <= number` or `metric >= number`")
        _finite(match["number"], text)
    return value


def _each_stage(value: list[str]) -> list[str]:
    for text in value:
        evaluator, _, threshold = text.rpartition("|")
        if not evaluator.strip():
            raise ValueError(f"{text!r} is not `evaluator | metric >= number`")
        _each_constraint([threshold.strip()])
    return value


def _each_agent(value: list[str]) -> list[str]:
    names = []
    for text in value:
        name, colon, weight = text.partition(":")
        if name not in AGENTS:
            raise ValueError(f"{name!r} is none of {', '.join(AGENTS)}")
        if name in names:
            raise ValueError(f"{name!r} is named twice")
        if colon and _finite(weight, text) <= 0:
            raise ValueError(f"{text!r}: a weight is above 0")
        names.append(name)
    if not names:
        raise ValueError("name at least one agent")
    return value


def _each_for_an_agent(value: list[str]) -> list[str]:
    for text in value:
        name, _, rest = text.partition(":")
        if name not in AGENTS or not rest.strip():
            raise ValueError(f"{text!r} is not agent:value, with one of {', '.join(AGENTS)}")
    return value


def _each_priced(value: list[str]) -> list[str]:
    for text in _each_for_an_agent(value):
        prices = text.split(":")[1:]
        if any(_finite(price, text) < 0 for price in prices):
            raise ValueError(f"{text!r}: a price is not negative")
    return value


def _each_token_priced(value: list[str]) -> list[str]:
    for text in _each_priced(value):
        if text.count(":") not in (2, 3):
            raise ValueError(f"{text!r} is not agent:input:output or agent:input:output:cached")
    return value


def _marks(value: list[str]) -> list[str]:
    if len(value) not in (0, 2):
        raise ValueError("expected two marks, the one before and the one after")
    return value


def _finite(number: str, text: str) -> float:
    try:
        value = float(number)
    except ValueError:
        raise ValueError(f"{text!r}: {number!r} is not a number") from None
    if not isfinite(value):
        raise ValueError(f"{text!r}: {number!r} is not finite")
    return value


# Of a Redis URL, beside ssl_…; others would change what Dramatiq gets to see, or mean nothing.
_REDIS_OPTIONS = {
    *("db", "username", "password", "client_name", "protocol"),
    *("socket_timeout", "socket_connect_timeout", "socket_keepalive", "health_check_interval"),
}


class Role(StrEnum):
    """What a process is started as; each role needs its own settings to be present."""

    WORKER = "worker"
    SCHEDULER = "scheduler"


class LoggingSettings(BaseModel):
    """Where a process reports, and how much."""

    log_level: LogLevel = Field(
        "INFO", description="Threshold of the log on stderr and in the file."
    )
    logs_base_dir: PathText | None = Field(
        None,
        description="Folder in which `logs/<role>/` is made; `~` and `$NAME` are expanded. "
        "Unset: the current directory.",
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_case(cls, value: object) -> object:
        upper = value.strip().upper() if isinstance(value, str) else value
        return upper if upper in LOG_LEVELS else value


class StateSettings(BaseModel):
    """What is remembered between starts."""

    loreley_state_dir: Path = Field(
        Path(".loreley"),
        description="Folder of what is embedded: the SQLite database, the queue server's files "
        "and the example's repository. Relative to the current directory.",
    )
    database_url: SecretStr | None = Field(
        None,
        description="SQLAlchemy URL, `sqlite:///…` or `postgresql://…`. "
        "Unset: SQLite in the state folder.",
    )

    @field_validator("loreley_state_dir")
    @classmethod
    def _expanded(cls, value: Path) -> Path:
        return expanded(str(value))

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            url = value.get_secret_value()
            scheme = url.partition(":")[0]
            if scheme in {"sqlite", "sqlite+pysqlite"}:
                _require_sqlite_file(url)
            elif scheme not in {"postgresql", "postgresql+psycopg", "postgres"}:
                raise ValueError("expected a sqlite:/// or postgresql:// URL")
            elif _split_url(url).netloc.count("@") > 1:
                raise ValueError("write %40 for '@' in the user or password")
        return value

    @property
    def sqlalchemy_url(self) -> str:
        """The database's URL with a driver that Loreley installs."""
        if self.database_url is None:
            return f"sqlite:///{self.loreley_state_dir.absolute() / 'loreley.db'}"
        url = self.database_url.get_secret_value()
        return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)


class QueueSettings(BaseModel):
    """The Redis queue between scheduler and workers."""

    tasks_redis_url: SecretStr | None = Field(
        None,
        description="`redis://`, `rediss://` or `unix://` URL; wins over the parts below.",
    )
    tasks_redis_host: str = Field(
        "localhost", pattern=r"^[^\s/@]+$", description="Redis host name, without port."
    )
    tasks_redis_port: int = Field(6379, ge=1, le=65535, description="Redis port.")
    tasks_redis_db: int = Field(0, ge=0, description="Redis database number.")
    tasks_redis_password: SecretStr | None = Field(None, description="Redis password.")
    tasks_redis_namespace: str = Field(
        "loreley", pattern=r"^[\w.-]{1,64}$", description="Prefix of every Redis key."
    )
    tasks_queue_name: str = Field(
        "loreley.evolution",
        pattern=r"^[A-Za-z_][\w.-]{0,63}$",
        description="Queue of the `run_evolution_job` actor.",
    )
    tasks_worker_max_retries: int = Field(
        0,
        ge=0,
        le=1000,
        description="How often Dramatiq delivers a message again after an unforeseen error. "
        "Jobs are retried by the database, so 0 is right nearly always.",
    )
    tasks_worker_time_limit_seconds: float = Field(
        3600,
        le=7 * 86400,
        allow_inf_nan=False,
        description="Longest time for one job, all of its steps together; 0 or less: none.",
    )
    tasks_worker_lease_seconds: float = Field(
        30,
        ge=3,
        le=3600,
        description="How long a silent worker keeps its job. A third of it is the renewal "
        "interval; after a crash the job runs again when the lease is over.",
    )
    tasks_worker_grace_seconds: float = Field(
        30,
        ge=0,
        le=86400,
        description="How long a stopping worker lets its job go on before it interrupts it.",
    )

    @field_validator("tasks_redis_url")
    @classmethod
    def _redis_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            parts = _split_url(value.get_secret_value())
            if parts.scheme not in {"redis", "rediss", "unix"}:
                raise ValueError("expected a redis://, rediss:// or unix:// URL")
            if parts.scheme == "unix" and not parts.path:
                raise ValueError("a unix:// URL needs the path of the socket")
            if parts.scheme != "unix" and not parts.hostname:
                raise ValueError("the URL names no host")
            if parts.scheme != "unix" and not re.fullmatch(r"/?|/\d+", parts.path):
                raise ValueError("the URL's path is the number of the database, such as /0")
            names = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
            if unknown := {one for one in names - _REDIS_OPTIONS if not one.startswith("ssl_")}:
                raise ValueError(f"unknown option {sorted(unknown)[0]!r} behind the '?'")
        return value

    @property
    def redis_target(self) -> str:
        """The Redis server in words that may be shown: no credentials."""
        if self.tasks_redis_url is not None:
            parts = urlsplit(self.tasks_redis_url.get_secret_value())
            query = f"?{parts.query}" if parts.query else ""
            address = f"{parts.netloc.rpartition('@')[2]}{parts.path}{query}"
            return masked(f"{parts.scheme}://{address}")
        return f"redis://{self.tasks_redis_host}:{self.tasks_redis_port}/{self.tasks_redis_db}"


class RepositorySettings(BaseModel):
    """The repository that evolves, and the worker's copies of it."""

    worker_repo_remote_url: SecretStr | None = Field(
        None, description="Git remote of the evolved repository: URL, scp-like name or path."
    )
    worker_repo_branch: BranchName = Field(
        "main", description="Branch whose head is the root of the evolution."
    )
    worker_repo_worktree: PathText = Field(
        "~/.cache/loreley/worker-repo",
        min_length=1,
        description="The base clone. Jobs run in worktrees under `<this>-worktrees/`.",
    )
    worker_repo_worktree_randomize: bool = Field(
        False,
        description="Give each worker process a base clone of its own, removed at a clean stop.",
    )
    worker_repo_worktree_random_suffix_len: int = Field(
        8, ge=1, le=32, description="Length of the random suffix of such a clone."
    )
    worker_repo_git_bin: str = Field("git", min_length=1, description="Git executable.")
    worker_repo_fetch_depth: int | None = Field(
        None,
        ge=1,
        description="Clone and fetch this many commits of history only; a commit that is missing "
        "is fetched when a job needs it. Unset: the whole history.",
    )
    worker_repo_clean_excludes: Names = Field(
        [],
        description="Patterns of ignored files that a reused worktree may keep, such as build "
        "caches (`git clean -e`). Kept files are visible to later jobs.",
    )
    worker_repo_job_branch_prefix: BranchName = Field(
        "evolution/job",
        description="Candidates are pushed as `<prefix>/<job>-<attempt>`.",
    )
    worker_repo_job_branch_ttl_hours: float = Field(
        168,
        ge=0,
        allow_inf_nan=False,
        description="Job branches older than this are deleted from the remote unless they hold an "
        "elite; 0: kept for ever.",
    )
    worker_repo_enable_lfs: bool | None = Field(
        None,
        description="Fetch and push Git LFS objects. Unset: when the repository uses LFS.",
    )

    @field_validator("worker_repo_remote_url")
    @classmethod
    def _remote_url(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and "://" in value.get_secret_value():
            _split_url(value.get_secret_value())
        return value

    @property
    def remote_target(self) -> str:
        """The git remote in words that may be shown: no credentials."""
        url = self.worker_repo_remote_url
        return masked(url.get_secret_value()) if url else ""


class EvaluatorSettings(BaseModel):
    """The user's judge, and what it may use."""

    worker_evaluator_plugin: str | None = Field(
        None,
        pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$",
        description="`module:callable`, called with a context, returns a mapping or an Evaluation.",
    )
    worker_evaluator_command: str | None = Field(
        None,
        description="Command line instead of a plugin; writes its answer as JSON to the path in "
        "`$LORELEY_RESULT`. `{worktree}`, `{result}` and `{scratch}` are filled in.",
    )
    worker_evaluator_python_paths: PathTexts = Field(
        [], description="Folders put on the plugin's `sys.path`; relative to the current directory."
    )
    worker_evaluator_timeout_seconds: float = Field(
        900, gt=0, le=7 * 86400, description="Longest time for one evaluation."
    )
    worker_evaluator_stages: Annotated[Names, AfterValidator(_each_stage)] = Field(
        [],
        description="Cheap evaluations that come first, as `evaluator | metric >= number`: a "
        "candidate below a threshold is rejected. An evaluator is written as for the two above.",
    )
    worker_evaluator_repeats: int = Field(
        1,
        ge=1,
        le=100,
        description="How often each candidate is evaluated; of a noisy metric the median counts, "
        "and its standard error guards the archive.",
    )
    worker_evaluator_max_metrics: int = Field(
        64, ge=1, le=4096, description="Most metrics an answer may hold."
    )
    worker_evaluator_memory_mb: int = Field(
        4096, ge=0, description="Address space of each evaluator process in MiB; 0: no limit."
    )
    worker_evaluator_file_size_mb: int = Field(
        64, ge=1, description="Largest file, its output included, that it may write, in MiB."
    )
    worker_evaluator_environment: Names = Field(
        [],
        description="Names of environment variables handed to the evaluator beside PATH, LANG and "
        "their like; everything else is withheld.",
    )
    worker_evaluator_network: bool = Field(
        False, description="Let the evaluator use the network where the sandbox could forbid it."
    )
    worker_evaluator_read_paths: PathTexts = Field(
        [],
        description="Folders outside the worktree that the evaluator may read, such as data sets.",
    )
    worker_sandbox: Literal["auto", "bubblewrap", "namespaces", "limits"] = Field(
        "auto",
        description="How children are confined. `auto` takes the strongest the host offers; a "
        "named one is required, and the worker refuses to start without it.",
    )


class AgentSettings(BaseModel):
    """Who changes the code, and what it may use."""

    worker_agent: Annotated[Names, AfterValidator(_each_agent)] = Field(
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
    worker_agent_models: Annotated[Names, AfterValidator(_each_for_an_agent)] = Field(
        [], description="Models of coding agents, as `agent:model`. Unset: each agent's own choice."
    )
    worker_agent_arguments: Annotated[Names, AfterValidator(_each_for_an_agent)] = Field(
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
    worker_agent_prices: Annotated[Names, AfterValidator(_each_token_priced)] = Field(
        [],
        description="US dollars per million tokens, as `agent:input:output` or "
        "`agent:input:output:cached`. Unset: what the agent reports.",
    )
    worker_agent_call_prices: Annotated[Names, AfterValidator(_each_priced)] = Field(
        [], description="US dollars for each call, as `agent:dollars`; beside a price for tokens."
    )
    worker_brief_template: PathText | None = Field(
        None,
        description="A file to take the place of the text that agents are given. Unset: "
        "`loreley/core/worker/brief.md`.",
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


class GateSettings(BaseModel):
    """What a candidate may change; what it may not is refused before it is evaluated."""

    worker_gate_editable_paths: Names = Field(
        [],
        description="Globs of the paths that may be changed, with `**` for any folders. Unset: all "
        "that are not protected.",
    )
    worker_gate_protected_paths: Names = Field(
        _PROTECTED,
        description="Globs of the paths that may not be changed, editable or not.",
    )
    worker_gate_region: Annotated[Names, AfterValidator(_marks)] = Field(
        [],
        description="Two marks, such as `EVOLVE-BLOCK-START, EVOLVE-BLOCK-END`: only lines between "
        "a line with the first and a line with the second may be changed.",
    )
    worker_gate_max_files: int = Field(
        100, ge=0, description="Most files that a candidate may change; 0: any number."
    )
    worker_gate_max_lines: int = Field(
        5000, ge=0, description="Most lines that it may add and remove together; 0: any number."
    )
    worker_gate_max_kb: int = Field(1024, ge=0, description="Longest diff in KiB; 0: any length.")
    worker_gate_secrets: bool = Field(
        True, description="Refuse a candidate that adds a key, a token or a password."
    )


class SchedulerSettings(BaseModel):
    """How much is tried, and how much at once."""

    scheduler_poll_interval_seconds: float = Field(
        0.5, gt=0, le=3600, description="Pause between two looks at the database."
    )
    scheduler_max_unfinished_jobs: int = Field(
        8, ge=1, le=10_000, description="Jobs that may wait or run at once; twice the workers."
    )
    scheduler_max_total_jobs: int | None = Field(
        None,
        ge=0,
        description="Stop when the experiment has had this many jobs. Unset: go on until stopped.",
    )
    scheduler_job_max_attempts: int = Field(
        3,
        ge=1,
        le=100,
        description="A job whose worker died this often is given up as lost.",
    )


class BudgetSettings(BaseModel):
    """What the run may cost, over all workers; the scheduler's settings hold for everyone."""

    scheduler_budget_dollars: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="US dollars that agents may cost in all."
    )
    scheduler_budget_dollars_per_day: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="US dollars that agents may cost in a day."
    )
    scheduler_budget_tokens: int | None = Field(
        None, gt=0, description="Tokens, input and output together, that agents may use in all."
    )
    scheduler_budget_tokens_per_day: int | None = Field(
        None, gt=0, description="Tokens that agents may use in a day."
    )
    scheduler_budget_jobs_per_day: int | None = Field(
        None, gt=0, description="Jobs that may be created in a day."
    )
    scheduler_budget_hours: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="Hours that the scheduler may run in all."
    )
    scheduler_budget_hours_per_day: float | None = Field(
        None, gt=0, le=24, description="Hours that the scheduler may run in a day."
    )
    scheduler_artifact_ttl_hours: float = Field(
        336,
        ge=0,
        allow_inf_nan=False,
        description="What agents were told and answered is deleted from the database when it is "
        "older than this; 0: kept for ever.",
    )


class SearchSettings(BaseModel):
    """What is sought, what counts as different, and how the next attempt is chosen."""

    mapelites_experiment_root_commit: str | None = Field(
        None,
        pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$",
        description="Full id of the first commit. Unset: the branch's head at the first start, "
        "then fixed in the database.",
    )
    mapelites_fitness_metric: str | None = Field(
        None, min_length=1, description="The evaluator's metric that is improved."
    )
    mapelites_fitness_higher_is_better: bool = Field(
        True, description="Whether more of that metric is better."
    )
    mapelites_fitness_weights: Annotated[Names, AfterValidator(_each_weighted)] = Field(
        [],
        description="Instead of one metric a weighted sum, as `metric:weight`; a negative weight "
        "makes less of it better.",
    )
    mapelites_constraints: Annotated[Names, AfterValidator(_each_constraint)] = Field(
        [],
        description="What a candidate must fulfil to enter the archive, as `metric <= number` or "
        "`metric >= number`.",
    )
    mapelites_measures: Annotated[Names, AfterValidator(_each_measure)] = Field(
        [],
        description="What tells two candidates apart, as `name:low:high:bins`: metrics of the "
        "evaluator, `edit_distance` (lines changed since the root) or `code_size` (bytes of text). "
        "Unset: the code descriptor.",
    )
    mapelites_descriptor_axes: int = Field(
        2,
        ge=1,
        le=4,
        description="Without named measures: how many principal components of the code's hashed "
        "tokens make the archive's axes.",
    )
    mapelites_descriptor_bins: int = Field(
        10, ge=2, le=100, description="Without named measures: bins of each axis."
    )
    mapelites_islands: int = Field(
        2, ge=1, le=64, description="Populations that evolve apart, each with its own archive."
    )
    mapelites_migration_interval: int = Field(
        50,
        ge=0,
        description="After so many jobs each island sends its best to the next; 0: never.",
    )
    mapelites_migration_elites: int = Field(
        3, ge=1, le=100, description="How many elites migrate at a time."
    )
    mapelites_base_choice: Annotated[Names, AfterValidator(_each_weighted)] = Field(
        ["fitness:0.6", "uniform:0.2", "curiosity:0.2"],
        description="How often a job starts from a fit elite, from any elite, or from one whose "
        "children lately entered the archive, as `way:share`.",
    )
    mapelites_noise_confidence: float = Field(
        2.0,
        ge=0,
        le=10,
        description="An elite gives way only to a candidate that is better by so many standard "
        "errors, where WORKER_EVALUATOR_REPEATS tells the error; closer ones are measured again.",
    )
    mapelites_seed_population_size: int = Field(
        8, ge=0, description="The first jobs all start from the root commit; this many."
    )
    mapelites_random_seed: int = Field(
        0, ge=0, lt=2**31, description="Seed of every random choice of the search."
    )
    mapelites_reproducible: bool = Field(
        False,
        description="Let no measured time influence a choice: with one worker the same seed then "
        "gives the same commits.",
    )

    @field_validator("mapelites_measures")
    @classmethod
    def _grid(cls, value: list[str]) -> list[str]:
        names = [text.partition(":")[0] for text in value]
        if len(set(names)) < len(names):
            raise ValueError("a measure is named twice")
        if prod(int(text.rpartition(":")[2]) for text in value) > MAX_CELLS:
            raise ValueError(f"together they make more than {MAX_CELLS} cells")
        return value

    @field_validator("mapelites_base_choice")
    @classmethod
    def _ways(cls, value: list[str]) -> list[str]:
        shares = {text.rpartition(":")[0]: float(text.rpartition(":")[2]) for text in value}
        if unknown := set(shares) - BASE_CHOICES:
            raise ValueError(f"{min(unknown)!r} is none of {', '.join(sorted(BASE_CHOICES))}")
        if min(shares.values(), default=0) < 0 or sum(shares.values()) <= 0:
            raise ValueError("shares are not negative, and one of them is above 0")
        return value


class Settings(
    LoggingSettings,
    StateSettings,
    QueueSettings,
    RepositorySettings,
    EvaluatorSettings,
    AgentSettings,
    ChatSettings,
    GateSettings,
    SchedulerSettings,
    BudgetSettings,
    SearchSettings,
    BaseSettings,
):
    """All settings. A field's environment name is its name in upper case.

    Precedence: constructor arguments, the environment, `.env` in the current directory, defaults.
    An empty or blank value counts as unset.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        hide_input_in_errors=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _blank_is_unset(cls, given: dict[str, object]) -> dict[str, object]:
        return {
            name: value
            for name, value in given.items()
            if not isinstance(value, str) or value.strip()
        }

    def problems(self, role: Role) -> list[Problem]:
        """What keeps a process from being ``role``, though every value is valid by itself."""
        found = []
        if self.worker_repo_remote_url is None:
            found.append(_unset("WORKER_REPO_REMOTE_URL", "the repository to evolve is not known"))
        if role is Role.WORKER:
            found += self._branch_problems()
            found += self._evaluator_problems()
            found += self._agent_problems()
        if role is Role.SCHEDULER:
            found += self._fitness_problems()
        return found

    def _fitness_problems(self) -> list[Problem]:
        setting = "MAPELITES_FITNESS_METRIC, MAPELITES_FITNESS_WEIGHTS"
        if self.mapelites_fitness_metric and self.mapelites_fitness_weights:
            return [
                Problem(
                    "two fitnesses are configured",
                    setting=setting,
                    reason="a candidate is compared by one number",
                    fix="unset one of the two",
                )
            ]
        if not self.mapelites_fitness_metric and not self.mapelites_fitness_weights:
            return [_unset(setting, "the metric to improve is not known", fix="set one of the two")]
        return []

    @property
    def agent_weights(self) -> dict[str, float]:
        """The agents to choose among, each with its weight."""
        pairs = [text.partition(":") for text in self.worker_agent]
        return {name: float(weight or 1) for name, _, weight in pairs}

    def of_agent(self, setting: str, agent: str) -> str:
        """What a setting of the form ``agent:value`` says of this agent; empty if nothing."""
        entries = [text.partition(":") for text in getattr(self, setting)]
        return next((value.strip() for name, _, value in entries if name == agent), "")

    def _agent_problems(self) -> list[Problem]:
        found = []
        if "command" in self.agent_weights and not self.worker_agent_command:
            found.append(_unset("WORKER_AGENT_COMMAND", "WORKER_AGENT names 'command'"))
        if "chat" not in self.agent_weights:
            return found
        if not self.worker_chat_model:
            found.append(_unset("WORKER_CHAT_MODEL", "WORKER_AGENT names 'chat'"))
        if not self.worker_chat_url and not self.worker_chat_api_key:
            found.append(_unset("WORKER_CHAT_API_KEY", "the endpoint is OpenAI's, which needs one"))
        return found

    def _branch_problems(self) -> list[Problem]:
        branch, prefix = self.worker_repo_branch, self.worker_repo_job_branch_prefix
        if not f"{prefix}/".startswith(f"{branch}/") and not branch.startswith(f"{prefix}/"):
            return []
        return [
            Problem(
                "the branch and the job branches are in each other's way",
                setting="WORKER_REPO_BRANCH, WORKER_REPO_JOB_BRANCH_PREFIX",
                reason=f"git cannot keep {branch!r} beside branches under {prefix + '/'!r}",
                fix="choose another WORKER_REPO_JOB_BRANCH_PREFIX",
            )
        ]

    def _evaluator_problems(self) -> list[Problem]:
        setting = "WORKER_EVALUATOR_PLUGIN, WORKER_EVALUATOR_COMMAND"
        if self.worker_evaluator_plugin and self.worker_evaluator_command:
            return [
                Problem(
                    "two evaluators are configured",
                    setting=setting,
                    reason="a candidate is judged by one evaluator",
                    fix="unset one of the two",
                )
            ]
        if not self.worker_evaluator_plugin and not self.worker_evaluator_command:
            return [_unset(setting, "nothing judges the candidates", fix="set one of the two")]
        return []


def load_settings(role: Role | None = None) -> Settings:
    """Read the settings, checked for ``role``; raise one `ConfigError` with every problem."""
    read_env_file(Path(".env"))  # pydantic would skip what it cannot read
    try:
        settings = Settings()
        invalid: list[Problem] = []
    except ValidationError as error:
        details = sorted(error.errors(), key=lambda detail: _position(str(detail["loc"][0])))
        names = {str(detail["loc"][0]) for detail in details}
        invalid = [_problem(detail) for detail in details]
        # With the invalid fields at their defaults the others can still be judged for the role.
        settings = Settings(**{name: Settings.model_fields[name].default for name in names})
        role_problems = settings.problems(role) if role else []
        invalid += [p for p in role_problems if p.setting.lower() not in names]
        raise ConfigError.of(invalid) from error
    if role and (problems := settings.problems(role)):
        raise ConfigError.of(problems)
    return settings


@lru_cache
def get_settings(role: Role | None = None) -> Settings:
    """The settings of this process, read once and checked for ``role``; raises `ConfigError`."""
    return load_settings(role)


def _problem(detail: ErrorDetails) -> Problem:
    name = str(detail["loc"][0])
    field = Settings.model_fields[name]
    secret = SecretStr in _types_of(field.annotation)
    shown = "***" if secret else masked(repr(detail["input"]))
    message = detail["msg"].removeprefix("Value error, ")
    return Problem(
        f"{name.upper()} is not valid",
        setting=f"{name.upper()}={shown[:200]}",
        reason=message,
        fix=f"change it in the environment or in .env: {field.description}",
    )


def _position(name: str) -> tuple[int, int]:
    """Where a field stands in this module: its section, then its place there."""
    for section, owner in enumerate(Settings.__bases__):
        fields = list(getattr(owner, "model_fields", {}))
        if name in fields:
            return section, fields.index(name)
    return len(Settings.__bases__), 0


def _types_of(annotation: Any) -> set[Any]:
    return {annotation, *get_args(annotation)}


def _unset(setting: str, reason: str, *, fix: str = "") -> Problem:
    names = [name.strip().lower() for name in setting.split(",")]
    meaning = Settings.model_fields[names[0]].description or ""
    return Problem(
        f"{setting.replace(', ', ' or ')} is not set",
        setting=setting,
        reason=reason,
        fix=fix or f"set it in the environment or in .env: {meaning}",
    )


def _split_url(url: str) -> SplitResult:
    if re.search(r"\s", url):
        raise ValueError("it holds white space; write %20 for a blank")
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError when it is not a number
    except ValueError:
        # Not its own words: they quote the part that may be half a password.
        raise ValueError(
            "not a URL; in a password write %2F for '/', %40 for '@', %3A for ':', %23 for '#', "
            "%3F for '?', %5B for '[' and %25 for '%'"
        ) from None
    return parts


def _require_sqlite_file(url: str) -> None:
    path = url.partition(":///")[2].partition("?")[0]
    if not path or path.startswith((":memory:", "file:")):
        raise ValueError("give a file, as in sqlite:///folder/loreley.db: processes share it")
    if path.startswith("~"):
        raise ValueError("'~' is not expanded in a URL; write sqlite:////home/…")


def expanded(value: str) -> Path:
    """``value`` as a path with ``~`` and ``$NAME`` filled in; raises `ValueError`."""
    text = os.path.expandvars(value.strip())
    if re.search(r"\$\w|\${", text):
        raise ValueError("a variable in it is not set")
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError(f"no home folder is known for {text.partition('/')[0]!r}") from None


def expand_path(setting: str, value: str) -> Path:
    """``value`` as an absolute path with ``~`` and ``$NAME`` filled in; raises `ConfigError`."""
    try:
        return expanded(value).absolute()
    except ValueError as error:
        raise ConfigError(
            f"{setting} is not a usable path",
            setting=setting,
            target=repr(value),
            reason=str(error),
            fix="give a path that exists or can be made",
        ) from None


def environment_names() -> frozenset[str]:
    """The environment names of all settings."""
    return frozenset(name.upper() for name in Settings.model_fields)


def is_configured(*names: str) -> bool:
    """Whether the environment gives any of these names a value."""
    return any(os.environ.get(name, "").strip() for name in names)
