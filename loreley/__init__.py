"""Loreley evolves whole git repositories: the individual is a commit."""
