"""Loreley evolves whole git repositories: the individual is a commit."""

from importlib import import_module

__all__ = ["Run"]


def __getattr__(name: str) -> object:
    """`Run`, which is imported when somebody asks for it: tasks and scripts start without it."""
    if name == "Run":
        return import_module("loreley.api").Run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
