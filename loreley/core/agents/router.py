"""One agent out of several: the one that the search chose for the job, or by weight."""

from collections.abc import Mapping
from random import Random

from loreley.core.agents.protocol import Agent
from loreley.core.jobs import Claim


class Router:
    """Several agents by name, each with its weight."""

    def __init__(self, agents: Mapping[str, Agent], weights: Mapping[str, float]) -> None:
        """Both have the same names, at least one."""
        self._agents = dict(agents)
        self._weights = dict(weights)

    @property
    def name(self) -> str:
        """All names."""
        return "+".join(sorted(self._agents))

    def pick(self, wanted: str | None, seed: int) -> Agent:
        """The agent that is wanted, if it is one of these; else one by weight and seed."""
        if wanted in self._agents:
            return self._agents[wanted]
        names = sorted(self._agents)
        weights = [self._weights[name] for name in names]
        return self._agents[Random(seed).choices(names, weights)[0]]


def choose_agent(agent: Agent | Router, claim: Claim) -> Agent:
    """The agent that is to do this job, where ``agent`` is a choice among several."""
    return agent.pick(claim.agent, claim.seed) if isinstance(agent, Router) else agent
