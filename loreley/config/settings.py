"""Every setting of Loreley, by section."""

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from loreley.config.agents import AgentSettings, ChatSettings
from loreley.config.evaluator import EvaluatorSettings
from loreley.config.gates import GateSettings
from loreley.config.monitoring import WatchingSettings
from loreley.config.problems import unset
from loreley.config.process import RUNS, LoggingSettings, StateSettings
from loreley.config.queue import QueueSettings
from loreley.config.repository import RepositorySettings
from loreley.config.scheduler import BudgetSettings, SchedulerSettings
from loreley.config.search import SearchSettings
from loreley.config.tuning import TuneSettings
from loreley.errors import Problem


class Role(StrEnum):
    """What a process is started as; each role needs its own settings to be present."""

    WORKER = "worker"
    SCHEDULER = "scheduler"


class Settings(
    LoggingSettings,
    StateSettings,
    QueueSettings,
    RepositorySettings,
    EvaluatorSettings,
    AgentSettings,
    ChatSettings,
    GateSettings,
    TuneSettings,
    SchedulerSettings,
    BudgetSettings,
    SearchSettings,
    WatchingSettings,
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

    @model_validator(mode="after")
    def _apart_from_other_runs(self) -> Self:
        """A run with a name has queue, branches and logs of its own."""
        if run := self.loreley_run:
            self.tasks_queue_name = f"{self.tasks_queue_name}.{run}"
            # Not below the prefix of the run without a name, whose branches are listed by it.
            self.worker_repo_job_branch_prefix = f"{self.worker_repo_job_branch_prefix}-{run}"
            base = self.logs_base_dir
            self.logs_base_dir = str(Path(base, RUNS, run) if base else self.run_folder)
        return self

    def problems(self, role: Role) -> list[Problem]:
        """What keeps a process from being ``role``, though every value is valid by itself."""
        found = []
        if self.worker_repo_remote_url is None:
            found.append(
                unset(type(self), "WORKER_REPO_REMOTE_URL", "the repository to evolve is not known")
            )
        if role is Role.WORKER:
            found += self.branch_problems()
            found += self.evaluator_problems()
            found += self._agent_problems()
            found += self.embedding_problems(budget_in_dollars=self._is_budget_in_dollars)
        if role is Role.SCHEDULER:
            found += self.fitness_problems()
        return found

    @property
    def measuring_agents(self) -> frozenset[str]:
        """The names of the agents that can have their work judged meanwhile."""
        without = {"genetic"} if self.worker_chat_rounds else {"genetic", "chat"}
        kinds = self.agent_kinds.items()
        return frozenset(name for name, kind in kinds if kind not in without)

    @property
    def _is_budget_in_dollars(self) -> bool:
        return bool(self.scheduler_budget_dollars or self.scheduler_budget_dollars_per_day)

    def _session_problems(self) -> list[Problem]:
        seconds, limit = self.worker_agent_session_seconds, self.tasks_worker_time_limit_seconds
        if not 0 < limit <= seconds:
            return []
        return [
            Problem(
                "a session has no time to end in",
                setting="WORKER_AGENT_SESSION_SECONDS, TASKS_WORKER_TIME_LIMIT_SECONDS",
                reason=f"a session of {seconds:g} s is a part of a job of at most {limit:g} s",
                fix="raise the job's limit by what evaluation and push take, or shorten sessions",
            )
        ]

    def _agent_problems(self) -> list[Problem]:
        found, kinds = self._session_problems(), self.agent_kinds.values()
        if "command" in kinds and not self.worker_agent_command:
            found.append(unset(type(self), "WORKER_AGENT_COMMAND", "WORKER_AGENT names 'command'"))
        if "chat" not in kinds:
            return found
        chats = [choice.name for choice in self.agent_choices if choice.kind == "chat"]
        named = all(self.of_agent("worker_agent_models", name) for name in chats)
        if not self.worker_chat_model and not named:
            found.append(unset(type(self), "WORKER_CHAT_MODEL", "WORKER_AGENT names 'chat'"))
        if not self.worker_chat_url and not self.worker_chat_api_key:
            found.append(
                unset(
                    type(self), "WORKER_CHAT_API_KEY", "the endpoint is OpenAI's, which needs one"
                )
            )
        return found
