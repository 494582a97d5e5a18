"""Offline genetic improvement of Python source; the operators' table is in `operators`."""

from loreley.core.worker.agents.genetic.agent import GeneticAgent as GeneticAgent
