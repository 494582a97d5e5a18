"""The exceptions of Loreley: what was attempted, on what, what was seen, what to change."""

import errno
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

_HOST_FIXES = {
    errno.ENOSPC: "free some disk space",
    errno.EDQUOT: "free some disk space",
    errno.ENOENT: "make the folder again; what Loreley keeps there it makes anew",
    errno.EROFS: "let the file system be written to again",
    errno.EACCES: "let the user of the worker use it",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENOMEM: "free some memory, or run fewer workers",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong, in the words of the person who can mend it."""

    what: str
    setting: str = ""
    target: str = ""
    reason: str = ""
    fix: str = ""

    def __str__(self) -> str:
        """The problem as one block of plain text, without a trailing newline."""
        details = {
            "setting": self.setting,
            "target": self.target,
            "reason": self.reason,
            "fix": self.fix,
        }
        lines = [f"error: {_escape(self.what)}"]
        lines += [f"  {f'{name}:':<9}{_escape(text)}" for name, text in details.items() if text]
        return "\n".join(lines)


class Fault(StrEnum):
    """Whose fault it is that an attempt at a job came to nothing."""

    CANDIDATE = "candidate"
    ANSWER = "agent's answer"
    PROVIDER = "agent's provider"  # key, credit, model, rate, overload
    HOST = "host"  # disk, missing folder, interpreter
    REMOTE = "remote"
    EVALUATOR = "evaluator"
    SERVICE = "queue or database"
    LORELEY = "Loreley"
    PERSON = "a person"  # who has asked for it


class LoreleyError(Exception):
    """Something went wrong that Loreley expected might; printed as a block, never a traceback.

    One that meets a job ends it as failed when it is a `JobFailed`: then it is the candidate's
    fault or that of the agent's answer. All others give the job back, at no cost.
    """

    fault = Fault.LORELEY
    wait_seconds: float | None = None  # which whoever is at fault asks to wait

    def __init__(
        self, what: str, *, setting: str = "", target: str = "", reason: str = "", fix: str = ""
    ) -> None:
        super().__init__(what)
        self.problems: tuple[Problem, ...] = (Problem(what, setting, target, reason, fix),)

    def __str__(self) -> str:
        return "\n".join(map(str, self.problems))

    @property
    def fix(self) -> str:
        """What to change, in the words of the first problem that knows."""
        return next((problem.fix for problem in self.problems if problem.fix), "")

    @property
    def summary(self) -> str:
        """What and why in one line, for a log or a database column."""
        whole = "; ".join(
            ": ".join(filter(None, (problem.what, problem.target, problem.reason)))
            for problem in self.problems
        )
        return " ".join(whole.split())


class ConfigError(LoreleyError):
    """The operator must edit something before this can work."""

    fault = Fault.HOST

    @classmethod
    def of(cls, problems: Sequence[Problem]) -> "ConfigError":
        """All of ``problems`` (at least one) as one error, in their order."""
        error = cls(problems[0].what)
        error.problems = tuple(problems)
        return error


class ServiceUnavailable(LoreleyError):
    """Redis, the database or the git remote did not answer: worth trying again later."""

    fault = Fault.SERVICE


class ProviderRefused(ConfigError):
    """An agent's provider refuses for what stays so: the key, the credit, the model."""

    fault = Fault.PROVIDER


class ProviderUnavailable(ServiceUnavailable):
    """An agent's provider is away, overloaded, or has had enough for ``wait_seconds``."""

    fault = Fault.PROVIDER

    def __init__(self, what: str, *, wait_seconds: float | None = None, **details: str) -> None:
        super().__init__(what, **details)
        self.wait_seconds = wait_seconds


class EvaluatorUnusable(ConfigError):
    """The evaluator cannot even be started."""

    fault = Fault.EVALUATOR


class HostTrouble(LoreleyError):
    """The worker's host lacks what every job needs: room, a folder, a program."""

    fault = Fault.HOST

    @classmethod
    def of(cls, error: OSError) -> "HostTrouble":
        """What the operating system has refused."""
        return cls(
            "the operating system refuses what a job needs",
            target=str(error.filename or ""),
            reason=error.strerror or str(error),
            fix=_HOST_FIXES.get(error.errno or 0, "look at the folder, its owner and its disk"),
        )

    @classmethod
    def of_full_disk(cls, reason: str, target: str = "") -> "HostTrouble":
        """A disk that was full, and not by what has failed for it."""
        return cls(
            "a disk of the worker's host is full",
            target=target,
            reason=reason,
            fix=_HOST_FIXES[errno.ENOSPC],
        )


class CommandFailed(LoreleyError):
    """A child process did not do what it was started for."""


class GitError(CommandFailed):
    """A git command failed."""

    fault = Fault.HOST


class CommitGone(GitError):
    """The ``commit`` that a job needs is neither here nor on the remote."""

    fault = Fault.REMOTE
    commit = ""


class JobNotClaimed(LoreleyError):
    """The job is not ours to run: acknowledge the message and go on."""


class JobLost(LoreleyError):
    """Another worker may hold the job by now: stop, and write nothing more about it."""


class JobEnded(JobLost):
    """Ended and recorded by this very attempt before: only the answer was lost on its way."""


class JobInterrupted(LoreleyError):
    """The worker was asked to stop before the job was done: the job goes back to the queue."""


class BudgetReached(JobInterrupted):
    """No further call of an agent may be paid for: the job is given back, and the run ends."""


class WorkerUnfit(LoreleyError):
    """This worker can do none of the experiment's jobs: it gives back the one it has, and ends."""


class RunBraked(LoreleyError):
    """The run ends before its budget is spent, as going on would only burn it."""

    def __init__(self, what: str, *, fault: Fault = Fault.CANDIDATE, **details: str) -> None:
        super().__init__(what, **details)
        self.fault = fault


class FailureKind(StrEnum):
    """Why a job has no accepted commit."""

    AGENT = "agent"
    EVALUATION = "evaluation"
    TIMEOUT = "timeout"
    LOST = "lost"
    INTERNAL = "internal"


class JobFailed(LoreleyError):
    """The job ran and has no result: recorded with its ``kind`` and ``log``, never retried."""

    kind = FailureKind.INTERNAL
    fault = Fault.CANDIDATE

    def __init__(
        self,
        what: str,
        *,
        setting: str = "",
        target: str = "",
        reason: str = "",
        fix: str = "",
        log: str = "",
    ) -> None:
        super().__init__(what, setting=setting, target=target, reason=reason, fix=fix)
        self.log = log


class AgentFailed(JobFailed):
    """The agent gave no usable proposal."""

    kind = FailureKind.AGENT
    fault = Fault.ANSWER


class BriefTooLong(AgentFailed):
    """The model cannot take so long a text; ``fitting_share`` of it may fit."""

    fitting_share = 0.5


class EvaluationFailed(JobFailed):
    """The evaluator gave no usable answer; the candidate has no fitness."""

    kind = FailureKind.EVALUATION


class TimeLimitReached(JobFailed):
    """A deadline passed before the work was done."""

    kind = FailureKind.TIMEOUT


class CandidateRejected(JobFailed):
    """A gate refused the candidate before it was evaluated."""


def _escape(text: str) -> str:
    """The text without line breaks and without what a terminal would obey."""
    line = " ".join(text.split())
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in line)
