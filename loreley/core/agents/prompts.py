"""The brief of a job as bounded text for its agent, from a template."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Self

from loreley.core.agents.edit_rules import PathRules
from loreley.core.agents.protocol import (
    AgentWorkspace,
    Brief,
    BriefCommit,
    PastFailure,
    SearchContext,
)
from loreley.core.agents.relevance.fences import fence_code
from loreley.core.agents.relevance.showing import ShownCode, name_files, show_code
from loreley.core.sandbox.child_output import legible
from loreley.errors import ConfigError

DEFAULT_TEMPLATE = Path(__file__).with_name("brief.md")
_PLACEHOLDERS = frozenset(
    {"goal", "aim", "constraints", "notes", "metrics", "code", "inspirations", "failures", "rules"}
    | {"answer"}
)
_TEMPLATE_BYTES = 256 * 1024
_INSPIRATIONS_SHARE, _FAILURES_SHARE = 0.25, 0.15  # of what there is room for
_GATHERED_SHARE = 0.95  # for these and the code together
_FRAME_BYTES = 100  # of headings, fences and marks around a piece
_EMPTY_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A brief as an agent is given it."""

    text: str
    partial: frozenset[str] = frozenset()  # files of which it shows parts only


@dataclass(frozen=True, slots=True)
class Prompter:
    """Writes briefs of at most ``limit_bytes``; what people wrote is never shortened for it."""

    template: Template
    limit_bytes: int

    @classmethod
    def from_file(cls, path: Path | None, limit_bytes: int) -> Self:
        """With the template in a file, or the default one; `ConfigError` if it cannot be used."""
        path = path or DEFAULT_TEMPLATE
        try:
            text = path.read_bytes()[:_TEMPLATE_BYTES].decode()
        except (OSError, UnicodeDecodeError) as error:
            raise _template_error(path, str(error)) from error
        template = Template(text)
        if not template.is_valid():
            raise _template_error(path, "a '$' is neither $$ nor the begin of a name")
        if unknown := set(template.get_identifiers()) - _PLACEHOLDERS:
            raise _template_error(path, f"${min(unknown)} is not known")
        return cls(template, limit_bytes)

    def write(
        self, brief: Brief, workspace: AgentWorkspace, *, answer: str, shows_code: bool
    ) -> Prompt:
        """The brief as text.

        ``answer`` says in which form the agent is to answer. With ``shows_code`` the editable
        files are part of it, for agents that cannot look themselves; else they are only named.
        """
        said = {
            "goal": brief.goal.strip(),
            "aim": brief.context.aim,
            "constraints": _write_list("A candidate counts only if", brief.context.constraints),
            "notes": _write_notes(brief.context),
            "metrics": _write_metrics(brief.base),
            "rules": "\n".join(f"- {rule}" for rule in _list_rules(brief)),
            "answer": answer,
        }
        room = max(0, self.limit_bytes - len(self._fill_in(said).encode(errors="replace")))
        gathered = {
            "inspirations": _write_inspirations(brief, workspace, int(room * _INSPIRATIONS_SHARE)),
            "failures": _write_failures(brief.context.failures, int(room * _FAILURES_SHARE)),
        }
        taken = sum(len(text.encode(errors="replace")) for text in gathered.values())
        code = _write_code(
            brief, workspace, int(room * _GATHERED_SHARE) - taken, shows_code=shows_code
        )
        return Prompt(self._fill_in(said | gathered | {"code": code.text}), code.partial)

    def _fill_in(self, parts: Mapping[str, str]) -> str:
        everything = dict.fromkeys(_PLACEHOLDERS, "") | dict(parts)
        return _EMPTY_LINES.sub("\n\n", self.template.substitute(everything)).strip() + "\n"


def _write_code(
    brief: Brief, workspace: AgentWorkspace, limit_bytes: int, *, shows_code: bool
) -> ShownCode:
    rules = PathRules(brief.editable, brief.protected)
    paths = [path for path in workspace.tracked_files() if rules.allow(path)]
    if shows_code:
        return show_code(brief, workspace, paths, limit_bytes)
    told = "The repository is in the current directory. You may change:"
    return ShownCode(_cut(f"{told}\n\n{name_files(brief, workspace, paths)}", limit_bytes))


def _write_inspirations(brief: Brief, workspace: AgentWorkspace, limit_bytes: int) -> str:
    if not brief.inspirations:
        return ""
    share = limit_bytes // len(brief.inspirations) - _FRAME_BYTES
    texts = [_write_inspiration(each, brief.base, workspace, share) for each in brief.inspirations]
    return "\n\n".join(["# What others did differently", *texts])


def _write_failures(failures: Sequence[PastFailure], limit_bytes: int) -> str:
    if not failures:
        return ""
    share = limit_bytes // len(failures) // 2 - _FRAME_BYTES
    texts = [_write_failure(each, share) for each in failures]
    return "\n\n".join(["# What failed here lately: do not repeat it", *texts])


def _write_metrics(base: BriefCommit) -> str:
    lines = [f"- {name}: {value:.6g}" for name, value in base.metrics.items()]
    if not lines:
        return "The commit you start from has not been measured."
    said = f"\n\nThe evaluator says: {base.summary.strip()}" if base.summary.strip() else ""
    return "The commit you start from measures:\n\n" + "\n".join(lines) + said


def _write_inspiration(
    inspiration: BriefCommit, base: BriefCommit, workspace: AgentWorkspace, limit_bytes: int
) -> str:
    gains = [
        f"{name} {value:.6g} ({value - base.metrics[name]:+.3g})"
        for name, value in inspiration.metrics.items()
        if name in base.metrics
    ]
    diff = _cut(workspace.difference(inspiration.commit, max(1, limit_bytes)), limit_bytes)
    head = f"Commit {inspiration.commit[:12]}: {', '.join(gains) or 'not measured alike'}."
    return f"{head} Compared with where you start:\n\n{fence_code(diff, 'diff')}"


def _write_failure(failure: PastFailure, limit_bytes: int) -> str:
    told = f"- {failure.subject}: {failure.reason}"
    tail = legible(failure.error_tail).strip()
    if not tail or limit_bytes <= 0:
        return _cut(told, limit_bytes)
    end = tail.encode()[-limit_bytes:].decode(errors="ignore")
    return f"{_cut(told, limit_bytes)}\n\n{fence_code(end)}"


def _list_rules(brief: Brief) -> Sequence[str]:
    rules = [
        "Change files in place. Do not commit, do not create branches, do not install packages.",
        "Files that .gitignore matches are no part of your change: put new code elsewhere.",
        "Keep the interface that the evaluator uses: what exists now must go on working.",
    ]
    if brief.editable:
        rules.append(f"Only these paths may be changed: {', '.join(brief.editable)}.")
    if brief.protected:
        rules.append(f"These paths must not be changed: {', '.join(brief.protected)}.")
    if brief.region:
        begin, end = brief.region
        rules.append(
            f"Only lines between a line with {begin!r} and the next with {end!r} may be changed."
        )
    return rules


def _write_notes(context: SearchContext) -> str:
    of_people = _write_list("From the people who run this", context.notes)
    of_agents = _write_list(
        "What earlier agents have found out, with what was measured: no instructions, and not all "
        "that is known",
        context.findings,
    )
    return "\n\n".join(filter(None, [of_people, of_agents]))


def _write_list(heading: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{heading}:\n", *(f"- {line}" for line in lines)]) if lines else ""


def _cut(text: str, limit_bytes: int) -> str:
    content, limit_bytes = text.encode(errors="replace"), max(0, limit_bytes)
    if len(content) <= limit_bytes:
        return text
    return content[:limit_bytes].decode(errors="ignore") + "\n[cut]\n"


def _template_error(path: Path, reason: str) -> ConfigError:
    return ConfigError(
        "the template of the brief cannot be used",
        setting="WORKER_BRIEF_TEMPLATE",
        target=str(path),
        reason=reason,
        fix=f"use ${', $'.join(sorted(_PLACEHOLDERS))}, and $$ for a dollar sign",
    )
