"""Offline genetic improvement of Python source; the operators' table is in `operators`."""

from loreley.core.agents.genetic.agent import GeneticAgent as GeneticAgent
