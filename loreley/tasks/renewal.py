"""Keys and tokens that were changed in `.env`: taken over by a worker that is at work."""

import os
from collections.abc import Callable
from pathlib import Path

from loguru import logger

from loreley.config import Role, Settings, load_renewed_settings
from loreley.core.agents.assembly import agent_environment, assemble_agents, granted_variables
from loreley.core.agents.program_cache import ProgramCaches
from loreley.core.sandbox.sandbox import Sandbox
from loreley.core.worker.briefing import Briefing
from loreley.core.worker.evolution import Evolution
from loreley.core.worker.repository import WorkerRepository
from loreley.core.worker.secret_scan import Secrets
from loreley.errors import LoreleyError


class Renewal:
    """Looks into `.env` after a hindrance; what cannot be read or used is left as it was."""

    def __init__(
        self,
        sandbox: Sandbox,
        caches: ProgramCaches,
        create_briefing: Callable[[Settings, Secrets], Briefing],
    ) -> None:
        self._sandbox = sandbox
        self._caches = caches
        self._create_briefing = create_briefing
        self._known = _read()

    def __call__(self, evolution: Evolution, repository: WorkerRepository) -> None:
        """Take over what has changed since the last look."""
        found = _read()
        if found == self._known:
            return
        self._known = found
        try:
            settings = load_renewed_settings(Role.WORKER)
            environ = agent_environment(os.environ)
            secrets = Secrets.collect(settings, environ, granted_variables(settings))
            agent = assemble_agents(settings, self._sandbox, environ, self._caches)
            if settings.worker_repo_remote_url is not None:
                repository.use_credentials(settings.worker_repo_remote_url.get_secret_value())
        except LoreleyError as error:
            logger.warning("what .env says by now is not taken over: {}", error.summary)
            return
        evolution.take_over(agent, self._create_briefing(settings, secrets))
        logger.info("agents and credentials are taken over from .env as it is by now")


def _read() -> bytes:
    try:
        return Path(".env").read_bytes()
    except OSError:
        return b""
