"""What is said of a state of the worktree that was judged best, and becomes the candidate; pure."""

from dataclasses import replace

from loreley.core.agents.protocol import Proposal
from loreley.core.agents.subjects import describe_patch
from loreley.errors import LoreleyError

_REASON_LENGTH = 500


def describe_winner(
    found: Proposal | LoreleyError, patch: str, agent: str, trials: int
) -> Proposal:
    """The proposal for the state with this patch, by how its agent ended; ``trials``: how many."""
    told = f"The best of {trials} states that were judged while the agent was at work."
    if isinstance(found, Proposal):
        return replace(found, summary=f"{found.summary}\n\n{told}".strip())
    return Proposal(
        describe_patch(patch) or f"Change by {agent}",
        f"{told} It did not come to its end: {found.summary[:_REASON_LENGTH]}\n\nAgent: {agent}",
    )
