"""How candidates are judged."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field

from loreley.config.problems import unset
from loreley.config.values import Names, PathTexts
from loreley.errors import Problem
from loreley.map_elites.fitness import Constraint


def _require_stages(value: list[str]) -> list[str]:
    for text in value:
        evaluator, _, threshold = text.rpartition("|")
        if not evaluator.strip():
            raise ValueError(f"{text!r} is not `evaluator | metric >= number`")
        Constraint.parse(threshold.strip())
    return value


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
    worker_evaluator_stages: Annotated[Names, AfterValidator(_require_stages)] = Field(
        [],
        description="Cheap evaluations that come first, as `evaluator | metric >= number`: a "
        "candidate below a threshold is rejected. An evaluator is written as for the two above.",
    )
    worker_evaluator_holdout: str | None = Field(
        None,
        description="A second evaluator, written as a plugin or a command, that only the commits "
        "which are confirmed at the end are judged by, each once; what it says decides nothing "
        "before.",
    )
    worker_evaluator_holdout_paths: PathTexts = Field(
        [],
        description="Folders with its code and data, put on its `sys.path`; no agent and no other "
        "evaluation can read them.",
    )
    worker_evaluator_repeats: int | None = Field(
        None,
        ge=1,
        le=100,
        description="How often each candidate is evaluated; of a noisy metric the median counts. "
        "Unset: once, and again where the noise of the root commit leaves open who is better.",
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
        description="How children are confined. `auto` takes the strongest the host offers, and "
        "refuses root below bubblewrap; a named one is required, or the worker does not start.",
    )
    worker_sandbox_max_processes: int = Field(
        4096,
        ge=0,
        description="Processes and threads that an evaluator or an agent may have at once, where "
        "namespaces confine it and the worker is not root; 0: no limit.",
    )
    worker_sandbox_max_disk_mb: int = Field(
        4096,
        ge=0,
        description="What an evaluator or an agent and all that it starts may write to the disk, "
        "all files together, in MiB, and at most nine tenths of what is free; 0: no limit.",
    )

    def evaluator_problems(self) -> list[Problem]:
        """Not one evaluator, but none or two."""
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
            return [
                unset(
                    type(self), setting, "nothing judges the candidates", fix="set one of the two"
                )
            ]
        if self.worker_evaluator_holdout and not self.worker_evaluator_holdout_paths:
            reason = "the hold-out must stand where no candidate can read it"
            return [unset(type(self), "WORKER_EVALUATOR_HOLDOUT_PATHS", reason)]
        return []
