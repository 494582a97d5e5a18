"""Whether the services answer as a run needs it: queue, database, experiment, remote, clocks."""

import os
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from redis.exceptions import RedisError
from sqlalchemy import select

from loreley.config import Settings
from loreley.db.engine import now, open_database, read_revision
from loreley.db.experiment import read_experiment
from loreley.db.migrations import HEAD
from loreley.errors import ConfigError, LoreleyError
from loreley.git.git import Git
from loreley.git.remote import Remote
from loreley.invocation import typed
from loreley.masking import masked
from loreley.ops.doctor.findings import Check, Finding, Verdict
from loreley.ops.queue.health import examine as examine_queue
from loreley.scheduler.experiment import require_same
from loreley.tasks.connection import redis_client
from loreley.views.overview import compare_hosts, read_noise

_SKEW_SECONDS = 2.0
_UNEQUAL_HOSTS = "let hosts of one speed evaluate, or a metric count that no host's speed moves"
_UNMOVED = "look whether the evaluator measures the candidate's code, and finely enough"
_SHARED_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"})


def service_checks(settings: Settings) -> list[Check]:
    """The checks of what scheduler and workers share."""
    return [
        Check("queue server", lambda: _check_queue_server(settings)),
        Check("database", lambda: _check_database(settings)),
        Check("experiment", lambda: _check_experiment(settings)),
        Check("repository", lambda: _check_repository(settings)),
        Check("clocks", lambda: _check_clocks(settings)),
    ]


def _check_queue_server(settings: Settings) -> Finding:
    health = examine_queue(settings)
    if health.problems:
        problem = health.problems[0]
        return Finding(Verdict.BAD, f"{problem.what}: {problem.reason}", problem.fix)
    if health.warnings:
        return Finding(Verdict.WARNING, health.warnings[0], f"see `{typed('redis')}`")
    return Finding(Verdict.GOOD, f"{health.server or 'it'} at {health.target}")


def _check_database(settings: Settings) -> Finding:
    """What is there, without changing it."""
    url = settings.sqlalchemy_url
    revision, shown = read_revision(url), masked(url)
    kind = _find_file_system(Path(url.partition(":///")[2])) if url.startswith("sqlite") else ""
    if kind in _SHARED_FILE_SYSTEMS:
        return Finding(
            Verdict.BAD,
            f"{shown} lies on {kind}, where SQLite's locks do not hold",
            "use PostgreSQL for several machines, or a local disk for one",
        )
    if revision is None:
        return Finding(Verdict.GOOD, f"{shown}: its tables are made at the first start")
    if revision > HEAD:
        raise ConfigError(
            "the database was written by a newer Loreley",
            target=shown,
            reason=f"its schema is revision {revision}, this version knows {HEAD}",
            fix="run that version here, too, or choose another database",
        )
    if revision < HEAD:
        return Finding(
            Verdict.WARNING,
            f"{shown}: its schema is revision {revision}, this version's is {HEAD}",
            "the next start brings it up to date: stop what runs an older version before",
        )
    return Finding(Verdict.GOOD, f"{shown}, schema {revision}")


def _check_experiment(settings: Settings) -> Finding:
    try:
        revision = read_revision(settings.sqlalchemy_url)
    except LoreleyError:
        return Finding(
            Verdict.WARNING, "not looked at: the database does not tell", "mend the database first"
        )
    if revision != HEAD:
        return Finding(Verdict.GOOD, "none yet: the scheduler begins one")
    with (
        closing(open_database(settings.sqlalchemy_url)) as database,
        database.read() as connection,
    ):
        known = read_experiment(connection)
        noise = read_noise(connection, known) if known else None
        hosts = compare_hosts(connection, known) if known else None
    if known is None:
        return Finding(Verdict.GOOD, "none yet: the scheduler begins one")
    require_same(known, settings)
    seen = f"root {known.root_commit[:12]}; the settings are those it has"
    if noise is None:
        return Finding(Verdict.GOOD, seen)
    seen = f"{seen}; noise: {noise.text}"
    if not noise.is_moved:
        return Finding(Verdict.WARNING, seen, _UNMOVED)
    if hosts is not None:
        return Finding(Verdict.WARNING, f"{seen}; {hosts}", _UNEQUAL_HOSTS)
    return Finding(Verdict.GOOD, seen)


def _check_repository(settings: Settings) -> Finding:
    """Whether it can be read, has the branch, and may be pushed to."""
    url = settings.worker_repo_remote_url
    if url is None:
        return Finding(Verdict.BAD, "no repository is configured", "set WORKER_REPO_REMOTE_URL")
    git, remote = Git(settings.worker_repo_git_bin), Remote.parse(url.get_secret_value())
    head = git.remote_head(remote, settings.worker_repo_branch)
    _require_writable(git, remote, settings.worker_repo_job_branch_prefix, head)
    return Finding(
        Verdict.GOOD,
        f"{remote}: {settings.worker_repo_branch} is at {head[:12]}, job branches may be pushed",
    )


def _require_writable(git: Git, remote: Remote, prefix: str, head: str) -> None:
    """Push a branch and delete it again; raises `LoreleyError`."""
    folder = Path(remote.url)
    if folder.is_dir() and not os.access(folder, os.W_OK):
        raise LoreleyError(
            "the repository cannot be written to",
            target=str(folder),
            fix="let this user write there, or set WORKER_REPO_REMOTE_URL to another one",
        )
    git.try_push(remote, prefix, head)


def _check_clocks(settings: Settings) -> Finding:
    """Whether the services' clocks are this host's; those that are away are left out."""
    skews = dict(_measure_skews(settings))
    if not skews:
        return Finding(Verdict.WARNING, "no service tells its time", "mend the services first")
    name = max(skews, key=lambda each: abs(skews[each]))
    if abs(skews[name]) > _SKEW_SECONDS:
        return Finding(
            Verdict.WARNING,
            f"that of the {name} is {skews[name]:+.1f} s off this host's: times in logs and "
            "reports do not fit together",
            "keep the clocks of all machines in step, with chrony or systemd-timesyncd",
        )
    return Finding(Verdict.GOOD, f"within {max(map(abs, skews.values())):.2f} s of this host's")


def _measure_skews(settings: Settings) -> Iterator[tuple[str, float]]:
    """By how many seconds each service's clock is ahead."""
    with suppress(RedisError, LoreleyError, OSError):
        with redis_client(settings, retries=0) as client:
            began = time.time()
            seconds, microseconds = client.time()  # type: ignore[misc,unused-ignore]
            skew = seconds + microseconds / 1e6 - (began + time.time()) / 2
        yield "queue server", skew
    with suppress(LoreleyError, OSError):
        if read_revision(settings.sqlalchemy_url) == HEAD:
            with (
                closing(open_database(settings.sqlalchemy_url)) as database,
                database.read() as connection,
            ):
                began = time.time()
                seconds = connection.execute(select(now())).scalar_one()
                skew = seconds - (began + time.time()) / 2
            yield "database", skew


def _find_file_system(path: Path) -> str:
    """The kind of file system that holds the path, as the kernel calls it; empty if unknown."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return ""
    place = path.absolute()
    above = [mount for mount in mounts if place.is_relative_to(mount[1])]
    return max(above, key=lambda mount: len(mount[1]))[2] if above else ""
