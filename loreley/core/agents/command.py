"""An agent that is a command line: a coding agent by its preset, or the operator's own."""

import re
import time
from dataclasses import dataclass

from loreley.core.agents.command_process import AgentRun, CommandProcess
from loreley.core.agents.command_report import CommandReport
from loreley.core.agents.edit_rules import matches
from loreley.core.agents.measuring.questions import Asking
from loreley.core.agents.measuring.server import describe_command
from loreley.core.agents.prompts import Prompter
from loreley.core.agents.protocol import AgentWorkspace, Brief, CallRecorder, Proposal
from loreley.core.agents.subjects import describe_patch, split_subject
from loreley.core.budget import CallUsage, Tariff
from loreley.core.endpoints.refusals import Refusal, read_wait, read_words
from loreley.core.sandbox import child_output
from loreley.core.worktrees.removal import delete
from loreley.errors import (
    AgentFailed,
    HostTrouble,
    LoreleyError,
    ProviderRefused,
    ProviderUnavailable,
    TimeLimitReached,
)
from loreley.host import children
from loreley.host.deadline import Deadline

_NOT_STARTED = re.compile(
    r"exit code 12[67]\b|execvp|bad interpreter|cannot execute|command not found|"
    r"error while loading shared libraries",
)
_PROVIDER_FIXES = {
    Refusal.KEY: "set a key that is valid, or log in again",
    Refusal.CREDIT: "pay into the account, or use another one",
    Refusal.MODEL: "correct the name in WORKER_AGENT_MODELS",
}
_ANSWER = "When you are done, say in one short line what you changed, and then why."
_PATCH_BYTES = 64 * 1024  # to name the changed files by
_USAGE_ERROR = re.compile(
    r"(?:unknown|unexpected|unrecognized|invalid|no such) (?:option|argument|flag)|"
    r"Unknown arguments?:|^\s*-h, --help\b|\[-h\]",
    re.IGNORECASE | re.MULTILINE,
)
_FRAME = " \t─│╭╮╰╯"  # drawn around what some programs say


@dataclass(frozen=True, slots=True)
class CommandAgent:
    """Runs a program in the worktree; what it changed there is what it proposes.

    It succeeded when it says that it came to its end without an error; one that says nothing of
    the kind, when it changed something.
    """

    name: str
    process: CommandProcess
    prompter: Prompter
    tariff: Tariff

    @property
    def is_priced(self) -> bool:
        """Whether its calls have a price."""
        return self.tariff.is_known or self.process.preset.reports == "dollars"

    def propose(
        self, workspace: AgentWorkspace, brief: Brief, deadline: Deadline, recorder: CallRecorder
    ) -> Proposal:
        """Let the program work; raises `AgentFailed`, or `TimeLimitReached` at the deadline."""
        asking = Asking(brief.trials, brief, workspace) if brief.trials else None
        answer = _ANSWER
        if asking is not None:
            has_tools = self.process.preset.mcp is not None
            answer = f"{describe_command(asking.trials, has_tools=has_tools)}\n\n{_ANSWER}"
        prompt = self.prompter.write(brief, workspace, answer=answer, shows_code=False).text
        recorder.keep("prompt.md", prompt)
        with (
            recorder.paid_call(deadline, priced=self.is_priced) as call,
            self.process.prepare(workspace, prompt, asking) as run,
        ):
            report = self._run(run, call, recorder)
            self._remove_leftovers(workspace)
            self._require_success(run, report, workspace)
            return self._make_proposal(run, report, workspace)

    def _run(self, run: AgentRun, call: CallUsage, recorder: CallRecorder) -> CommandReport:
        """What the program says of its work; the call and the recorder have it, too."""
        try:
            self.process.complete(run, call.deadline)
        finally:
            answer = self.process.preset.answer.read(run.stdout)
            call.usage = self.tariff.priced(answer.usage)
            recorder.keep("agent.log", run.printed)
        return answer

    def _remove_leftovers(self, workspace: AgentWorkspace) -> None:
        """Remove what the program keeps for itself in the worktree, unless it was there before."""
        tracked = workspace.tracked_files()
        for pattern in self.process.preset.leftovers:
            if not any(matches(pattern, path) for path in tracked):
                for path in workspace.path.glob(pattern):
                    delete(path)

    def _require_success(
        self, run: AgentRun, answer: CommandReport, workspace: AgentWorkspace
    ) -> None:
        outcome = run.outcome
        assert outcome is not None
        log = run.printed[-child_output.LIMIT_BYTES :]
        if outcome.ending in (children.Ending.OVERDUE, children.Ending.SILENT):
            last = answer.last_error[:1000]
            if refusal := read_words(last):
                raise self._provider_error(refusal, last, f"{outcome}: {last}")
        if outcome.ending is children.Ending.OVERDUE:
            raise TimeLimitReached(
                f"{self.name} took too long",
                reason=": ".join(filter(None, [str(outcome), answer.error[:1000]])),
                setting="WORKER_AGENT_TIMEOUT_SECONDS",
                fix="raise it, or give the agent a smaller goal",
                log=log,
            )
        if outcome.ending is children.Ending.SILENT:
            raise AgentFailed(
                f"{self.name} fell silent",
                reason=": ".join(filter(None, [str(outcome), self._find_reason(run, answer)])),
                setting="WORKER_AGENT_IDLE_SECONDS",
                fix="look at its log; raise the limit where it only thinks for long",
                log=log,
            )
        assert run.disk is not None
        if outcome.ending is children.Ending.OVERFULL:
            raise AgentFailed(
                f"{self.name} wrote too much to the disk",
                reason=run.disk.describe(),
                setting="WORKER_SANDBOX_MAX_DISK_MB",
                fix="raise it where the agent needs more, or make room on the worker's disk",
                log=log,
            )
        if answer.cut_off and self._changed_something(workspace):
            return  # the evaluator says whether it is of use
        if (
            answer.ended
            and not answer.failed
            and (outcome.succeeded or self._changed_something(workspace))
        ):
            return
        failure = self._failure(run, answer, log)
        if run.disk.was_full and isinstance(failure, AgentFailed):
            raise HostTrouble.of_full_disk(failure.summary, str(run.disk.full_place))
        raise failure

    def _changed_something(self, workspace: AgentWorkspace) -> bool:
        """Whether its success shows, though its exit code says otherwise."""
        return bool(workspace.patch(1))

    def _failure(self, run: AgentRun, answer: CommandReport, log: str) -> LoreleyError:
        outcome, preset = run.outcome, self.process.preset
        assert outcome is not None
        words = self._find_reason(run, answer)
        if not answer.ended and not outcome.succeeded and _USAGE_ERROR.search(run.complaints):
            seen = f"the preset was tried with {preset.seen}" if preset.seen else "it was not tried"
            return HostTrouble(
                f"{self.name} does not know a flag that it is called with",
                reason=f"{words}; {seen}",
                fix=f"install a version that fits ({preset.install}), or call it by "
                "WORKER_AGENT=command",
            )
        if answer.failed or answer.error or not outcome.succeeded:
            reason = ": ".join(filter(None, [str(outcome), words]))
            if not outcome.succeeded and _NOT_STARTED.search(f"{outcome}: {words}"):
                return HostTrouble(
                    f"the program of {self.name} cannot be started",
                    target=str(self.process.program.path),
                    reason=reason,
                    fix=preset.install or "mend the program, or correct WORKER_AGENT_COMMAND",
                )
            if refusal := read_words(words):
                return self._provider_error(refusal, words, reason)
            return AgentFailed(f"{self.name} failed", reason=reason, log=log)
        return AgentFailed(
            f"{self.name} answered in an unexpected format",
            reason=f"nothing in its output tells that it came to its end; last line: {words!r}",
            fix=f"its preset was tried with version {preset.seen or '(none)'}",
            log=log,
        )

    def _provider_error(self, refusal: Refusal, words: str, reason: str) -> LoreleyError:
        """What the program says of whoever answers it."""
        if refusal in (Refusal.RATE, Refusal.OVERLOAD, Refusal.AWAY):
            return ProviderUnavailable(
                f"the provider of {self.name} does not answer as needed",
                reason=reason,
                fix="wait for its limits to be over, or use another agent",
                wait_seconds=read_wait(words, {}, time.time()),
            )
        return ProviderRefused(
            f"the provider of {self.name} refuses",
            setting=", ".join(self.process.preset.keys),
            reason=reason,
            fix=_PROVIDER_FIXES[refusal],
        )

    def _find_reason(self, run: AgentRun, answer: CommandReport) -> str:
        """What it says went wrong, in a line."""
        if answer.error:
            return answer.error[:1000]
        stripped = [line.strip(_FRAME) for line in run.complaints.splitlines()]
        lines = [line for line in stripped if line and line != "Error"]  # the frame's own title
        telling = [line for line in lines if re.search(r"\berror\b|cannot|failed", line, re.I)]
        said = next(iter(telling), "") or next(reversed(lines), "")
        return (said or child_output.last_line(run.printed))[:1000]

    def _make_proposal(
        self, run: AgentRun, answer: CommandReport, workspace: AgentWorkspace
    ) -> Proposal:
        subject, text = split_subject(child_output.legible(run.answer or answer.text))
        subject = subject or describe_patch(workspace.patch(_PATCH_BYTES))
        if answer.cut_off:
            text = (
                f"{text}\n\nThe agent was cut off by a limit of its own: {answer.cut_off}.".strip()
            )
        return Proposal(
            subject or f"Change by {self.name}", f"{text}\n\nAgent: {self.name}".strip()
        )
