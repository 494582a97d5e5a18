"""What must hold of a run whatever was killed when: database, remote, queue and this host.

Each job ends in exactly one final state with at most one accepted commit; nothing runs past its
lease; no process, worktree or lock outlives its job; the database says what is still to be run.
"""

from collections.abc import Callable
from pathlib import Path

from redis.exceptions import RedisError
from sqlalchemy import Connection

from loreley.config import Settings
from loreley.core.jobs import JobState
from loreley.core.worktrees.leftovers import find_leftovers
from loreley.db.engine import Database
from loreley.errors import GitError
from loreley.git.clone_folder import find_clone_folder
from loreley.git.git import Git
from loreley.host.tempdirs import find_abandoned_folders
from loreley.invocation import typed
from loreley.ops.doctor.findings import Check, Finding, Verdict, all_hold
from loreley.ops.doctor.strays import find_strays
from loreley.tasks.connection import redis_client, unavailable
from loreley.tasks.messages import read_known_jobs
from loreley.views.invariants import (
    archive_flaws,
    commit_flaws,
    job_counts,
    job_flaws,
    jobs_in,
    judge_flaws,
    overdue_jobs,
    recorded_branches,
)

_SLACK_SECONDS = 10.0  # in which a scheduler that runs ends a lease
_REPORT = "please report it, with the logs"
_START_SCHEDULER = "start the scheduler: it goes on where it was"
_START_WORKER = "start a worker with the same settings: it removes them"


def run_checks(settings: Settings, database: Database) -> list[Check]:
    """The checks of the run in the configured database, repository and queue."""
    run = _Run(settings, database)
    return [
        Check("jobs", run.jobs),
        Check("commits", run.commits),
        Check("archive", run.archive),
        Check("judge of elites", run.judge),
        Check("branches", run.branches),
        Check("leases", run.leases),
        Check("queue", run.queue),
        Check("worktrees and locks", run.leftovers),
        Check("processes", run.processes),
        Check("temporary folders", run.temporary),
    ]


class _Run:
    """One run, looked at from all sides."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._database = database

    def jobs(self) -> Finding:
        """Whether each job is in one state, with what belongs to it."""
        with self._database.read() as connection:
            flaws = job_flaws(connection)
            total, ended = job_counts(connection)
        return all_hold(flaws, good=f"{total} jobs, {ended} of them ended", fix=_REPORT)

    def commits(self) -> Finding:
        """Whether each job has as many accepted commits as its outcome says."""
        return self._find_no_flaws(commit_flaws, "one for each success, none for others")

    def archive(self) -> Finding:
        """Whether each job was taken in once."""
        return self._find_no_flaws(archive_flaws, "every job was counted once")

    def judge(self) -> Finding:
        """Whether all elites and the root were judged by the experiment's judge."""
        with self._database.read() as connection:
            flaws = judge_flaws(connection)
        return all_hold(
            flaws,
            good="the experiment's, for each of them and the root",
            fix=f"start scheduler and worker, which measure them anew after `{typed('rejudge')}`",
        )

    def branches(self) -> Finding:
        """Whether the remote holds what the database says."""
        with self._database.read() as connection:
            recorded = recorded_branches(connection)
        url = self._settings.worker_repo_remote_url
        if url is None:
            return Finding(Verdict.WARNING, "no remote is configured", "set WORKER_REPO_REMOTE_URL")
        git = Git(self._settings.worker_repo_git_bin)
        prefix = self._settings.worker_repo_job_branch_prefix
        try:
            present = git.list_remote_branches(url.get_secret_value(), prefix)
        except GitError as error:
            return Finding(Verdict.BAD, error.summary, error.problems[0].fix)
        flaws = [
            f"{branch} is {present.get(branch, 'missing')}, not {commit}"
            for branch, commit in recorded.items()
            if present.get(branch) != commit
        ]
        return all_hold(
            flaws,
            good=f"{len(recorded)} on the remote, as recorded",
            fix="bring them back from a worker's base clone: nobody but Loreley may delete them",
        )

    def leases(self) -> Finding:
        """Whether nothing runs past its lease."""
        with self._database.read() as connection:
            overdue = overdue_jobs(connection, slack_seconds=_SLACK_SECONDS)
            running = len(jobs_in(connection, JobState.RUNNING))
        return all_hold(overdue, good=f"{running} jobs run within theirs", fix=_START_SCHEDULER)

    def queue(self) -> Finding:
        """Whether each job that waits has a message."""
        with self._database.read() as connection:
            queued = jobs_in(connection, JobState.QUEUED)
            pending = jobs_in(connection, JobState.PENDING)
        settings = self._settings
        try:
            with redis_client(settings, retries=0) as client:
                name = f"{settings.tasks_redis_namespace}:{settings.tasks_queue_name}"
                known = read_known_jobs(client, name)
        except RedisError as error:
            raise unavailable(settings, error) from error
        silent = [
            f"job {job_id} waits without a message" for job_id in queued if job_id not in known
        ]
        silent += [f"job {job_id} waits to be sent" for job_id in pending]
        return all_hold(
            silent,
            good=f"{len(queued)} jobs wait, each with a message",
            fix=_START_SCHEDULER,
            otherwise=Verdict.WARNING,
        )

    def leftovers(self) -> Finding:
        """Whether the base clone and the worktrees hold nothing of dead workers."""
        return all_hold(
            find_leftovers(self._base),
            good="none without a live owner",
            fix=_START_WORKER,
            otherwise=Verdict.WARNING,
        )

    def processes(self) -> Finding:
        """Whether no process of a job has outlived its worker."""
        found = find_strays(self._base)
        return all_hold(found, good="none without a worker", fix="end them: kill -9 and the id")

    def temporary(self) -> Finding:
        """Whether no process has left temporary folders."""
        return all_hold(
            find_abandoned_folders(),
            good="none without an owner",
            fix=_START_WORKER,
            otherwise=Verdict.WARNING,
        )

    @property
    def _base(self) -> Path:
        return find_clone_folder(self._settings).resolve()

    def _find_no_flaws(self, look: Callable[[Connection], list[str]], good: str) -> Finding:
        with self._database.read() as connection:
            return all_hold(look(connection), good=good, fix=_REPORT)
