"""Whether this host and its services can carry a run."""

from collections.abc import Callable

from loreley.config import Settings
from loreley.core.worker.sandbox import Level, require
from loreley.db.engine import open_database
from loreley.ops.doctor import Check, Finding, Verdict
from loreley.ops.health import examine as examine_queue
from loreley.secrets import masked


def installation_checks(settings: Settings) -> list[Check]:
    """The checks of what a worker stands on."""

    def check(name: str, examine: Callable[[Settings], Finding]) -> Check:
        return Check(name, lambda: examine(settings))

    return [
        check("sandbox", _sandbox),
        check("queue server", _queue_server),
        check("database", _database),
    ]


def _sandbox(settings: Settings) -> Finding:
    sandbox = require(settings.worker_sandbox)
    if sandbox.level is Level.BUBBLEWRAP:
        return Finding(Verdict.GOOD, sandbox.describe())
    fix = sandbox.obstacles[0].fix if sandbox.obstacles else "set WORKER_SANDBOX to auto"
    return Finding(Verdict.WARNING, sandbox.describe(), fix)


def _queue_server(settings: Settings) -> Finding:
    health = examine_queue(settings)
    if health.problems:
        problem = health.problems[0]
        return Finding(Verdict.BAD, f"{problem.what}: {problem.reason}", problem.fix)
    if health.warnings:
        return Finding(Verdict.WARNING, health.warnings[0], "see `invoke redis`")
    return Finding(Verdict.GOOD, f"{health.server or 'it'} at {health.target}")


def _database(settings: Settings) -> Finding:
    open_database(settings.sqlalchemy_url).close()
    return Finding(Verdict.GOOD, masked(settings.sqlalchemy_url))
