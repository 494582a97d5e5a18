"""What every task needs before its own work: the project's settings and a queue that answers."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NoReturn

from loreley.config import Settings, is_configured, load_settings
from loreley.ops.dotenv import load_environment
from loreley.ops.embedded import EmbeddedServer, ensure_server
from loreley.ops.messages import tell
from loreley.tasks.connection import require_redis

_REDIS_SETTINGS = (
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
        tell(f"warning: {warning}")


def prepare(root: Path, defaults: Mapping[str, str] = _NO_DEFAULTS) -> Settings:
    """Enter the project and see to the queue; raises `ConfigError` or `ServiceUnavailable`.

    A configured Redis must answer. With none configured the embedded server is started, used
    by this process for its whole life, and set as TASKS_REDIS_URL for what it starts.
    """
    enter_project(root, defaults)
    settings = load_settings()
    if is_configured(*_REDIS_SETTINGS):
        require_redis(settings)
        return settings
    use_embedded_server(settings)
    return load_settings()


def use_embedded_server(settings: Settings) -> EmbeddedServer:
    """Start the state folder's queue server or join it, and put its address in the environment."""
    server = ensure_server(settings.loreley_state_dir)
    os.environ["TASKS_REDIS_URL"] = server.url
    verb = "started" if server.started else "found running"
    tell(
        f"queue: no Redis is configured; {verb} the embedded "
        f"{server.version.name} {server.version.number} in {server.folder}"
    )
    return server


def become(script: Path, *arguments: str) -> NoReturn:
    """Replace this process by a Python script: signals and the exit code are the script's own."""
    sys.stdout.flush()
    sys.stderr.flush()
    # Without its byte code Python imports two to three times as slowly.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    os.execve(sys.executable, [sys.executable, str(script), *arguments], environment)  # noqa: S606
