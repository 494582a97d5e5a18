"""An agent that is an OpenAI-compatible endpoint: it is shown code and answers with edits."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from loguru import logger

from loreley.core.agents.answers.edits import apply_edits
from loreley.core.agents.answers.reader import FORM, ParsedEdits, read_answer
from loreley.core.agents.checkout_files import CheckoutFiles
from loreley.core.agents.edit_rules import PathRules
from loreley.core.agents.prompts import Prompter
from loreley.core.agents.protocol import AgentWorkspace, Brief, CallRecorder, Proposal
from loreley.core.agents.subjects import describe_patch, split_subject
from loreley.core.budget import Tariff
from loreley.core.endpoints.chat import ChatEndpoint, ChatMessage, Reply
from loreley.errors import AgentFailed, BriefTooLong
from loreley.host.deadline import Deadline

_ROLE = "You are an expert programmer who improves programs by small, well-founded changes."
_ROUNDS = 2  # the answer, and one that corrects what could not be applied
_PATCH_BYTES = 64 * 1024  # to name the changed files by
_ERRORS_LENGTH = 8_000


@dataclass(frozen=True, slots=True)
class ChatAgent:
    """Asks for edits, applies all of them or none, and has what does not fit mended once."""

    name: str
    endpoint: ChatEndpoint
    prompter: Prompter
    tariff: Tariff

    @property
    def is_priced(self) -> bool:
        """Whether its calls have a price."""
        return self.tariff.is_known

    def propose(
        self, workspace: AgentWorkspace, brief: Brief, deadline: Deadline, recorder: CallRecorder
    ) -> Proposal:
        """Edit files as the model says; raises `AgentFailed` when its answers cannot be used."""
        files = CheckoutFiles(workspace.path, PathRules(brief.editable, brief.protected))
        errors: Sequence[str] = ()
        messages, partial, first = self._begin(workspace, brief, deadline, recorder)
        for number in range(1, _ROUNDS + 1):
            reply = first if number == 1 else self._ask(messages, deadline, recorder)
            answer = read_answer(reply.text, files.text)
            contents, errors = apply_edits(answer.edits, files.text, files.objection_to, partial)
            errors = [*_check_form(reply), *answer.errors, *errors]
            recorder.keep("agent.log", _write_log(number, reply, errors))
            if not errors:
                files.write(contents)
                return self._make_proposal(answer, workspace)
            messages += [
                ChatMessage("assistant", reply.text or "(no text)"),
                ChatMessage("user", _write_complaint(errors)),
            ]
        raise AgentFailed(
            f"{self.name} gave no edits that can be applied",
            reason="; ".join(errors)[:1000],
            log="\n".join(errors),
        )

    def _begin(
        self, workspace: AgentWorkspace, brief: Brief, deadline: Deadline, recorder: CallRecorder
    ) -> tuple[list[ChatMessage], frozenset[str], Reply]:
        """The question and its answer; with a shorter brief where the model cannot take it."""
        prompter = self.prompter
        while True:
            prompt = prompter.write(brief, workspace, answer=FORM, shows_code=True)
            recorder.keep("prompt.md", prompt.text)
            messages = [ChatMessage("system", _ROLE), ChatMessage("user", prompt.text)]
            try:
                return messages, prompt.partial, self._ask(messages, deadline, recorder)
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

    def _ask(
        self, messages: Sequence[ChatMessage], deadline: Deadline, recorder: CallRecorder
    ) -> Reply:
        with recorder.paid_call(deadline, priced=self.is_priced) as call:
            call.usage = self.tariff.priced(call.usage)  # should it be cut off
            reply = self.endpoint.ask(messages, call.deadline, call)
            call.usage = self.tariff.priced(reply.usage)
        is_cut_off = reply.finish_reason == "length"
        if not reply.text.strip() and (is_cut_off or not (reply.has_thoughts or reply.calls_tools)):
            thoughts = ", and it holds nothing but thoughts" if reply.has_thoughts else ""
            raise AgentFailed(
                f"{self.name} gave an empty answer",
                target=self.endpoint.target,
                reason=f"finish reason {reply.finish_reason!r}{thoughts}",
                setting="WORKER_CHAT_MAX_OUTPUT_TOKENS" if is_cut_off else "",
                fix="raise it, so that the model comes to its answer" if is_cut_off else "",
            )
        return reply

    def _make_proposal(self, answer: ParsedEdits, workspace: AgentWorkspace) -> Proposal:
        subject, text = split_subject(answer.summary)
        subject = subject or describe_patch(workspace.patch(_PATCH_BYTES))
        return Proposal(
            subject or f"Change by {self.name}",
            f"{text}\n\nAgent: {self.name}, {self.endpoint.model}".strip(),
        )


def _check_form(reply: Reply) -> list[str]:
    """What is wrong with an answer before it is read."""
    if reply.finish_reason == "length":
        return ["the answer was cut off at its longest length; make fewer and shorter edits"]
    if reply.calls_tools and not reply.text.strip():
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


def _write_log(number: int, reply: Reply, errors: Sequence[str]) -> str:
    said = "\n".join(f"error: {error}" for error in errors)
    return f"--- answer {number}\n{reply.text}\n{said}\n"
