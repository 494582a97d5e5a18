"""What every task needs before its own work: the project's settings and a queue that answers."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from loreley.config import Settings, is_configured, load_settings
from loreley.ops.dotenv import load_environment
from loreley.ops.embedded.start import EmbeddedServer, ensure_server
from loreley.ops.messages import say
from loreley.ops.replace_process import replace_process
from loreley.tasks.connection import require_redis

REDIS_SETTINGS = (
    "TASKS_REDIS_URL",
    "TASKS_REDIS_HOST",
    "TASKS_REDIS_PORT",
    "TASKS_REDIS_DB",
    "TASKS_REDIS_PASSWORD",
)
_NO_DEFAULTS: Mapping[str, str] = MappingProxyType({})


def enter_project(root: Path, defaults: Mapping[str, str] = _NO_DEFAULTS) -> None:
    """Make the project root the current directory and fill the environment from its `.env`."""
    os.chdir(root)
    for warning in load_environment(root, defaults):
        say(f"warning: {warning}")


def prepare(root: Path, defaults: Mapping[str, str] = _NO_DEFAULTS) -> Settings:
    """Enter the project and see to a queue that answers.

    Raises `ConfigError` for settings and `ServiceUnavailable` for a Redis that does not answer:
    one that is configured is never replaced by another.
    """
    settings = with_queue(root, defaults)
    require_redis(settings)
    return settings


def with_queue(root: Path, defaults: Mapping[str, str] = _NO_DEFAULTS) -> Settings:
    """Enter the project; with no Redis configured use the embedded server, started if need be."""
    enter_project(root, defaults)
    settings = load_settings()
    if is_configured(*REDIS_SETTINGS):
        return settings
    use_embedded_server(settings)
    return load_settings()


def use_embedded_server(settings: Settings) -> EmbeddedServer:
    """Put the address of the state folder's queue server in the environment.

    This process, and what it becomes, counts as the server's user for all of its life.
    """
    server = ensure_server(settings.loreley_state_dir)
    os.environ["TASKS_REDIS_URL"] = server.url
    verb = "started" if server.started else "found running"
    say(
        f"queue: no Redis is configured; {verb} the embedded "
        f"{server.version.name} {server.version.number} in {server.folder}"
    )
    return server


def become(script: Path, *arguments: str) -> NoReturn:
    """Replace this process by a Python script: signals and the exit code are the script's own."""
    replace_process([sys.executable, str(script), *arguments])
