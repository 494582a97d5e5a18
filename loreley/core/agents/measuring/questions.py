"""What an agent may ask while it is at work, beside judgements: what its brief is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from loreley.core.agents.measuring.server import Questions
from loreley.core.agents.protocol import (
    AgentWorkspace,
    Brief,
    BriefCommit,
    TrialAnswer,
    TrialOutcome,
    Trials,
)
from loreley.errors import LoreleyError

_DIFF_BYTES = 16 * 1024  # of one inspiration


@dataclass(frozen=True, slots=True)
class Asking:
    """The trials of a job, and whatever else its agent may ask."""

    trials: Trials
    brief: Brief
    workspace: AgentWorkspace

    @property
    def questions(self) -> Questions:
        """What answers each question."""
        return {
            "evaluate": self.trials.evaluate,
            "best": self.trials.best,
            "lineage": self.trials.lineage,
            "inspirations": self._show_inspirations,
            "notes": self._show_notes,
        }

    def _show_inspirations(self) -> TrialAnswer:
        shown = [self._describe(each) for each in self.brief.inspirations]
        return TrialAnswer(TrialOutcome.MEASURED, {"inspirations": shown})

    def _describe(self, commit: BriefCommit) -> Mapping[str, Any]:
        try:
            difference = self.workspace.difference(commit.commit, _DIFF_BYTES)
        except LoreleyError:  # it is gone from the remote
            difference = ""
        return {
            "commit": commit.commit,
            "metrics": dict(commit.metrics),
            "summary": commit.summary,
            "difference": difference,
        }

    def _show_notes(self) -> TrialAnswer:
        context = self.brief.context
        told = {"notes": list(context.notes), "findings": list(context.findings)}
        return TrialAnswer(TrialOutcome.MEASURED, told)
