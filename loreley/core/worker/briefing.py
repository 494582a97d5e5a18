"""What a worker gives its agents: a brief for each job, and a recorder for each attempt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from loreley.core.agents.protocol import (
    Brief,
    BriefCommit,
    NoPast,
    Past,
    Proposal,
    SearchContext,
    Trials,
)
from loreley.core.jobs import Claim, JobRecord, JudgedCommit
from loreley.core.worker.gates import Gates
from loreley.core.worker.paid_calls import BudgetGate, NoBudget, PaidCallRecorder
from loreley.core.worker.secret_scan import Secrets
from loreley.errors import JobFailed, LoreleyError
from loreley.host.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Briefing:
    """What holds for every brief of a worker."""

    goal: str
    gates: Gates = field(default_factory=Gates)  # the brief says what will be refused
    read_context: Callable[[Claim], SearchContext] = lambda _claim: SearchContext()
    budget_gate: BudgetGate = field(default_factory=NoBudget)
    secrets: Secrets = field(default_factory=Secrets)  # never in what is kept or committed
    judge: str = ""  # source of the evaluator, by which what matters is known

    def brief(
        self,
        claim: Claim,
        known: Sequence[JudgedCommit],
        past: Past | None = None,
        trials: Trials | None = None,
    ) -> Brief:
        """What the job asks; ``known`` are those of its commits that were judged."""
        commits = {judged.commit: _to_brief_commit(judged) for judged in known}
        base = claim.base_commit
        region = self.gates.region
        return Brief(
            seed=claim.seed,
            goal=self.goal,
            base=commits.get(base, BriefCommit(base)),
            inspirations=tuple(
                commits[commit] for commit in claim.inspirations if commit in commits
            ),
            operator=claim.operator,
            editable=self.gates.paths.editable,
            protected=self.gates.paths.protected,
            region=(region.begin, region.end) if region else (),
            context=self.read_context(claim),
            past=past or NoPast(),
            root_commit=claim.root_commit,
            judge=self.judge,
            trials=trials,
        )

    def recorder(
        self, claim: Claim, agent: str, record: JobRecord, deadline: Deadline | None = None
    ) -> PaidCallRecorder:
        """Where the agent records what it does; it ends up in the record.

        Until ``deadline``, if there is one, it waits for its share of the budget.
        """
        return PaidCallRecorder(claim, agent, record, self.budget_gate, self.secrets, deadline)

    def hide_secrets(self, failure: LoreleyError) -> None:
        """Leave in the failure what may be kept, shown and given to later agents."""
        hide = self.secrets.hide_in
        if isinstance(failure, JobFailed):
            failure.log = hide(failure.log)
        failure.problems = tuple(
            replace(each, what=hide(each.what), target=hide(each.target), reason=hide(each.reason))
            for each in failure.problems
        )

    def without_secrets(self, proposal: Proposal) -> Proposal:
        """The proposal as it may be committed and pushed."""
        hide = self.secrets.hide_in
        return replace(proposal, subject=hide(proposal.subject), summary=hide(proposal.summary))


def _to_brief_commit(judged: JudgedCommit) -> BriefCommit:
    metrics = {metric.name: metric.value for metric in judged.evaluation.metrics}
    return BriefCommit(judged.commit, metrics, judged.evaluation.summary)
