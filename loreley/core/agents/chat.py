"""An agent that is an OpenAI-compatible endpoint: it is shown code and answers with edits."""

from collections.abc import Sequence
from dataclasses import dataclass

from loreley.core.agents.answers.edits import apply_edits
from loreley.core.agents.answers.reader import FORM, ParsedEdits, read_answer
from loreley.core.agents.checkout_files import CheckoutFiles
from loreley.core.agents.edit_rules import PathRules
from loreley.core.agents.prompts import Prompter
from loreley.core.agents.protocol import AgentWorkspace, Brief, CallRecorder, Proposal
from loreley.core.agents.subjects import describe_patch, split_subject
from loreley.core.budget import Tariff
from loreley.core.endpoints.chat import ChatEndpoint, ChatMessage, Reply
from loreley.errors import AgentFailed
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
        prompt = self.prompter.write(brief, workspace, answer=FORM, shows_code=True)
        recorder.keep("prompt.md", prompt)
        messages = [ChatMessage("system", _ROLE), ChatMessage("user", prompt)]
        files = CheckoutFiles(workspace.path, PathRules(brief.editable, brief.protected))
        errors: Sequence[str] = ()
        for number in range(1, _ROUNDS + 1):
            reply = self._ask(messages, deadline, recorder)
            answer = read_answer(reply.text, files.text)
            contents, errors = apply_edits(answer.edits, files.text, files.objection_to)
            errors = [*_check_length(reply), *answer.errors, *errors]
            recorder.keep("agent.log", _write_log(number, reply, errors))
            if not errors:
                files.write(contents)
                return self._make_proposal(answer, workspace)
            messages += [
                ChatMessage("assistant", reply.text),
                ChatMessage("user", _write_complaint(errors)),
            ]
        raise AgentFailed(
            f"{self.name} gave no edits that can be applied",
            reason="; ".join(errors)[:1000],
            log="\n".join(errors),
        )

    def _ask(
        self, messages: Sequence[ChatMessage], deadline: Deadline, recorder: CallRecorder
    ) -> Reply:
        with recorder.paid_call(deadline, priced=self.is_priced) as call:
            call.usage = self.tariff.priced(call.usage)  # should it be cut off
            reply = self.endpoint.ask(messages, call.deadline, call)
            call.usage = self.tariff.priced(reply.usage)
        if not reply.text.strip():
            raise AgentFailed(
                f"{self.name} gave an empty answer",
                target=self.endpoint.target,
                reason=f"finish reason {reply.finish_reason!r}",
            )
        return reply

    def _make_proposal(self, answer: ParsedEdits, workspace: AgentWorkspace) -> Proposal:
        subject, text = split_subject(answer.summary)
        subject = subject or describe_patch(workspace.patch(_PATCH_BYTES))
        return Proposal(
            subject or f"Change by {self.name}",
            f"{text}\n\nAgent: {self.name}, {self.endpoint.model}".strip(),
        )


def _check_length(reply: Reply) -> list[str]:
    if reply.finish_reason == "length":
        return ["the answer was cut off at its longest length; make fewer and shorter edits"]
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
