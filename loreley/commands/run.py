"""What evolves: the whole run, a worker, a scheduler."""

import os
import sys

from invoke.context import Context
from invoke.tasks import task

from loreley.commands.options import Count, Level, count, option
from loreley.commands.project import Project
from loreley.ops.messages import failures_as_messages

_LOG_LEVEL = "threshold of the log, such as DEBUG; overrides LOG_LEVEL"
_MOST_WORKERS = 1000  # on one machine; more are a slip of the finger


@task(
    help={
        "jobs": "stop when the experiment has had so many jobs, those of earlier runs included",
        "workers": "worker processes; 0: one for each core",
    }
)
@failures_as_messages()
def evolve(c: Context, jobs: Count = "200", workers: Count = "0") -> None:
    """Evolve a repository, with a live line and a report.

    Evolves the configured repository, or the circle packing example where none is configured.
    Stopped by Ctrl+C or killed, it goes on from there when it is started again.
    """
    from loreley.ops.evolve import evolve as evolve_whole

    budget = count("jobs", jobs)
    processes = count("workers", workers, most=_MOST_WORKERS) or os.cpu_count() or 1
    project = Project.of(c)
    project.prepare()
    sys.exit(evolve_whole(project.scripts, jobs=budget, workers=processes))


@task(help={"log-level": _LOG_LEVEL})
@failures_as_messages()
def worker(c: Context, log_level: Level | None = None) -> None:
    """Run a worker until Ctrl+C; it takes one job at a time.

    The settings are those of the environment, then of `.env`. A configured Redis must answer;
    with none configured the embedded queue server is started. The task then becomes
    script/run_worker.py: signals and the exit code are the script's own.
    """
    from loreley.ops.environment import become

    project = Project.of(c)
    project.prepare()
    become(project.scripts / "run_worker.py", *option("--log-level", log_level))


@task(
    help={"log-level": _LOG_LEVEL, "max-jobs": "stop when the experiment has had so many jobs"},
)
@failures_as_messages()
def scheduler(c: Context, log_level: Level | None = None, max_jobs: Count | None = None) -> None:
    """Run the scheduler until Ctrl+C; it decides what is tried.

    Like `invoke worker` it sees to settings and queue, then becomes script/run_scheduler.py.
    """
    from loreley.ops.environment import become

    project = Project.of(c)
    project.prepare()
    options = option("--log-level", log_level) + option("--max-jobs", max_jobs)
    become(project.scripts / "run_scheduler.py", *options)
