"""How Loreley was started: as tasks of Invoke in its checkout, or as the command `loreley`."""

import os

PROGRAM = "LORELEY_PROGRAM"
"""The environment variable that tells every process of a run the name of the command."""

RUN = "LORELEY_RUN"
"""The setting that says which run is meant."""


def is_command() -> bool:
    """Whether it was started as `loreley`."""
    return bool(os.environ.get(PROGRAM))


def typed(task: str) -> str:
    """A task as it is typed here, such as ``loreley --run fast best --diff``."""
    run = os.environ.get(RUN)
    if is_command():
        return f"{os.environ[PROGRAM]} {f'--run {run} ' if run else ''}{task}"
    return f"{f'{RUN}={run} ' if run else ''}invoke {task}"


def installed_version() -> str:
    """The version of the package, which a checkout without an installation has not."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("loreley")
    except PackageNotFoundError:
        return "not installed"


def installing(extra: str) -> str:
    """What to type for the libraries of an extra."""
    wanted = f"pip install 'loreley[{extra}]'"
    if is_command():
        return f"`{wanted}`; as a tool of uv: `uv tool install 'loreley[{extra}]'`"
    return f"`uv sync --extra {extra}`, or `{wanted}`"
