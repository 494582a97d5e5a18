"""Loreley evolves whole git repositories: the individual is a commit."""

__all__ = ["Run"]


def __getattr__(name: str) -> object:
    """`Run`, which is imported when somebody asks for it: tasks and scripts start without it."""
    if name == "Run":
        from importlib import import_module

        return import_module("loreley.api").Run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
