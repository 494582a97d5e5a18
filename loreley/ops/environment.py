"""What every task needs before its own work: the project's settings and a queue that answers."""

import os
import sys
from pathlib import Path
from typing import NoReturn

from loreley.config import FROM_ENV_FILE, Settings, is_redis_configured, load_settings
from loreley.logs import WARNINGS_PRINTED
from loreley.ops.dotenv import load_environment
from loreley.ops.embedded.start import EmbeddedServer, ensure_server
from loreley.ops.messages import say
from loreley.ops.replace_process import replace_process
from loreley.tasks.connection import require_redis


def enter_project(root: Path) -> None:
    """Make the project root the current directory and fill the environment from its `.env`."""
    os.chdir(root)
    before = {name for name, value in os.environ.items() if value}
    for warning in load_environment(root):
        say(f"warning: {warning}")
    # A worker looks there for what was changed in the file meanwhile.
    os.environ.setdefault(FROM_ENV_FILE, ",".join(sorted(set(os.environ) - before)))


def prepare_queue() -> Settings:
    """See to a queue that answers.

    Raises `ConfigError` for settings and `ServiceUnavailable` for a Redis that does not answer:
    one that is configured is never replaced by another.
    """
    settings = choose_queue()
    require_redis(settings)
    return settings


def choose_queue() -> Settings:
    """The settings; with no Redis configured, those of the embedded server, started if need be."""
    settings = load_settings()
    if is_redis_configured():
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
    os.environ[WARNINGS_PRINTED] = "yes"
    replace_process([sys.executable, str(script), *arguments])
