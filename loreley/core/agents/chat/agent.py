"""An agent that is an OpenAI-compatible endpoint: it calls tools, or answers with edits."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from loguru import logger

from loreley.core.agents.answers.edits import apply_edits
from loreley.core.agents.answers.reader import FORM, read_answer
from loreley.core.agents.chat.checkout_files import CheckoutFiles
from loreley.core.agents.chat.toolbox import Toolbox
from loreley.core.agents.edit_rules import PathRules
from loreley.core.agents.prompts import Prompter
from loreley.core.agents.protocol import AgentWorkspace, Brief, CallRecorder, Proposal
from loreley.core.agents.subjects import describe_patch, split_subject
from loreley.core.budget import Tariff
from loreley.core.endpoints.chat import ChatEndpoint
from loreley.core.endpoints.conversation import ChatMessage, Reply
from loreley.errors import AgentFailed, BriefTooLong, BudgetReached
from loreley.host.deadline import Deadline

_ROLE = "You are an expert programmer who improves programs by small, well-founded changes."
_ANSWERS = 2  # with edits: the first, and one that corrects what could not be applied
_MOST_CALLS = 32  # that are done of one reply
_FEW_ROUNDS = 3  # that are left when the model is told so
_PATCH_BYTES = 64 * 1024  # to name the changed files by
_ERRORS_LENGTH = 8_000
_LOGGED_LENGTH = 1_000  # characters of what a call was given, and of what it gave


@dataclass(frozen=True, slots=True)
class ChatAgent:
    """Lets the model look, change and measure by tools, or answer with edits in a form of ours.

    Of an answer with edits all are applied or none, and what does not fit is mended once.
    """

    name: str
    endpoint: ChatEndpoint
    prompter: Prompter
    tariff: Tariff
    rounds: int = 0  # of calls of tools; 0: it has none
    max_dollars: float | None = None  # after which a conversation goes on no longer

    @property
    def is_priced(self) -> bool:
        """Whether its calls have a price."""
        return self.tariff.is_known

    def propose(
        self, workspace: AgentWorkspace, brief: Brief, deadline: Deadline, recorder: CallRecorder
    ) -> Proposal:
        """Have files changed; raises `AgentFailed` where the model comes to nothing."""
        talk = self._begin(workspace, brief, deadline, recorder)
        reply = talk.first
        while True:
            if reply.calls and self._has_tools:
                talk.answer_calls(reply, self.rounds)
            elif talk.toolbox.written:
                return self._make_proposal(reply.text, workspace)
            elif (summary := self._apply_edits(talk, reply)) is not None:
                return self._make_proposal(summary, workspace)
            try:
                self._require_room(talk)
                reply = self._ask(talk, deadline, recorder)
            except (_LimitReached, BriefTooLong, BudgetReached) as error:
                if not talk.toolbox.written:
                    raise
                return self._make_proposal("", workspace, end=error.summary)

    @property
    def _has_tools(self) -> bool:
        return self.rounds > 0 and self.endpoint.knows_tools

    def _require_room(self, talk: "_Talk") -> None:
        """Raise where the conversation has come to a limit of its own."""
        if self.rounds and talk.rounds >= self.rounds:
            raise _LimitReached(
                f"{self.name} has used up its {self.rounds} rounds with tools",
                setting="WORKER_CHAT_ROUNDS",
                fix="raise it, or give a smaller goal",
            )
        if self.max_dollars is not None and talk.dollars >= self.max_dollars:
            raise _LimitReached(
                f"the conversation with {self.name} has cost ${talk.dollars:.4g}",
                setting="WORKER_AGENT_MAX_CALL_DOLLARS",
                fix="raise it, or give a smaller goal",
            )

    def _apply_edits(self, talk: "_Talk", reply: Reply) -> str | None:
        """Apply an answer with edits, and give its summary; None where it has to be mended.

        Raises `AgentFailed` where it was the last one.
        """
        files = talk.toolbox.files
        answer = read_answer(reply.text, files.text)
        contents, unfit = apply_edits(
            answer.edits, files.text, files.objection_to, talk.toolbox.unseen
        )
        errors = [*_check_form(reply), *answer.errors, *unfit]
        if not errors:
            files.write(contents)
            return answer.summary
        talk.complain(reply, errors)
        if talk.complaints < _ANSWERS:
            return None
        raise AgentFailed(
            f"{self.name} gave no edits that can be applied",
            reason="; ".join(errors)[:1000],
            log="\n".join(errors),
        )

    def _begin(
        self, workspace: AgentWorkspace, brief: Brief, deadline: Deadline, recorder: CallRecorder
    ) -> "_Talk":
        """The question and its answer; with a shorter brief where the model cannot take it."""
        files = CheckoutFiles(workspace.path, PathRules(brief.editable, brief.protected))
        prompter = self.prompter
        while True:
            prompt = prompter.write(brief, workspace, answer=FORM, shows_code=True)
            recorder.keep("prompt.md", prompt.text)
            toolbox = Toolbox(
                files, workspace.tracked_files(), deadline, prompt.partial, brief.trials
            )
            messages = [ChatMessage("system", _ROLE), ChatMessage("user", prompt.text)]
            talk = _Talk(messages, toolbox, recorder)
            try:
                talk.first = self._ask(talk, deadline, recorder)
            except BriefTooLong as error:
                size = len(prompt.text.encode(errors="replace"))
                limit = int(size * error.fitting_share)
                shorter = replace(prompter, limit_bytes=limit)
                if prompter is not self.prompter:
                    raise
                logger.warning(
                    "the brief of {} KiB is too long for {}, asking with {} KiB; "
                    "WORKER_BRIEF_MAX_KB sets it: {}",
                    size // 1024,
                    self.endpoint.model,
                    limit // 1024,
                    error.summary[:300],
                )
                prompter = shorter
            else:
                return talk

    def _ask(
        self,
        talk: "_Talk",
        deadline: Deadline,
        recorder: CallRecorder,
    ) -> Reply:
        tools = talk.toolbox.tools if self._has_tools else None
        with recorder.paid_call(deadline, priced=self.is_priced) as call:
            call.usage = self.tariff.priced(call.usage)  # should it be cut off
            reply = self.endpoint.ask(talk.messages, call.deadline, call, tools)
            call.usage = self.tariff.priced(reply.usage)
        talk.dollars += call.usage.dollars or 0.0
        talk.log(reply)
        is_cut_off = reply.finish_reason == "length"
        says_something = reply.text.strip() or reply.calls or talk.toolbox.written
        if not says_something and (is_cut_off or not reply.has_thoughts):
            thoughts = ", and it holds nothing but thoughts" if reply.has_thoughts else ""
            raise AgentFailed(
                f"{self.name} gave an empty answer",
                target=self.endpoint.target,
                reason=f"finish reason {reply.finish_reason!r}{thoughts}",
                setting="WORKER_CHAT_MAX_OUTPUT_TOKENS" if is_cut_off else "",
                fix="raise it, so that the model comes to its answer" if is_cut_off else "",
            )
        return reply

    def _make_proposal(self, said: str, workspace: AgentWorkspace, end: str = "") -> Proposal:
        """The proposal by what the model said, or by which ``end`` its conversation came to."""
        subject, text = split_subject(said)
        subject = subject or describe_patch(workspace.patch(_PATCH_BYTES))
        told = f"The conversation was ended: {end}." if end else ""
        signed = f"Agent: {self.name}, {self.endpoint.model}"
        return Proposal(
            subject or f"Change by {self.name}", "\n\n".join(filter(None, [text, told, signed]))
        )


class _LimitReached(AgentFailed):
    """A conversation goes on no longer."""


@dataclass(slots=True)
class _Talk:
    """One conversation, and what has come of it so far."""

    messages: list[ChatMessage]
    toolbox: Toolbox
    recorder: CallRecorder
    first: Reply = field(init=False)
    rounds: int = 0  # of calls of tools
    replies: int = 0
    complaints: int = 0  # of answers with edits
    dollars: float = 0.0

    def log(self, reply: Reply) -> None:
        """Keep a reply with the job."""
        self.replies += 1
        calls = "".join(f"{each.name} {each.arguments}\n"[:_LOGGED_LENGTH] for each in reply.calls)
        self.recorder.keep("agent.log", f"--- answer {self.replies}\n{reply.text}\n{calls}")

    def complain(self, reply: Reply, errors: Sequence[str]) -> None:
        """Tell the model why nothing was changed."""
        self.complaints += 1
        self.recorder.keep("agent.log", "".join(f"error: {error}\n" for error in errors))
        self.messages += [reply.to_message(), ChatMessage("user", _write_complaint(errors))]

    def answer_calls(self, reply: Reply, most_rounds: int) -> None:
        """Do what a reply calls for, and tell the model what came of it."""
        self.rounds += 1
        self.messages.append(reply.to_message())
        for number, call in enumerate(reply.calls, start=1):
            if number > _MOST_CALLS:
                result = f"error: no more than {_MOST_CALLS} calls are done at once"
            else:
                result = self.toolbox.call(call)
            self.recorder.keep("agent.log", f"= {result[:_LOGGED_LENGTH]}\n")
            left = most_rounds - self.rounds
            if number == len(reply.calls) and left <= _FEW_ROUNDS:
                result += f"\n({left} more rounds of calls are possible)"
            self.messages.append(ChatMessage("tool", result, answers=call.id))


def _check_form(reply: Reply) -> list[str]:
    """What is wrong with an answer before it is read."""
    if reply.finish_reason == "length":
        return ["the answer was cut off at its longest length; make fewer and shorter edits"]
    if reply.calls and not reply.text.strip():
        return ["there are no tools to call; answer with text in the form that was told"]
    if reply.has_thoughts and not reply.text.strip():
        return ["the answer holds nothing but thoughts; write the edits into the answer itself"]
    return []


def _write_complaint(errors: Sequence[str]) -> str:
    listed = "\n\n".join(f"- {error}" for error in errors)[:_ERRORS_LENGTH]
    return (
        f"Nothing was changed, because of this:\n\n{listed}\n\n"
        "Answer once more with all edits, in the same form, against the files as you were shown."
    )
