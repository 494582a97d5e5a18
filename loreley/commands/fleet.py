"""What an operator asks of a run and of the workers of every host."""

from invoke.context import Context
from invoke.tasks import task

from loreley.commands.options import JobId, Target
from loreley.commands.project import Project
from loreley.ops.messages import failures_as_messages


@task(help={"json": "print everything as one JSON list"})
@failures_as_messages()
def workers(c: Context, json: bool = False) -> None:
    """List the workers of every host, and what each is at."""
    from loreley.ops.fleet.workers import list_workers

    print(list_workers(Project.of(c).settings(), as_json=json))


@task(help={"reason": "why, for whoever looks at the run"})
@failures_as_messages()
def pause(c: Context, reason: str = "") -> None:
    """Pause a run: no further job begins, on any host."""
    from loreley.ops.fleet.steering import pause_run

    print(pause_run(Project.of(c).settings(), reason))


@task
@failures_as_messages()
def resume(c: Context) -> None:
    """Let a run go on that pauses, for whatever reason it does."""
    from loreley.ops.fleet.steering import resume_run

    print(resume_run(Project.of(c).settings()))


@task(help={"job": "number or beginning of the id, as the task status shows them"})
@failures_as_messages()
def cancel(c: Context, job: JobId) -> None:
    """Cancel a job that waits or runs.

    It counts for nothing in --jobs, and another one takes its place.
    """
    from loreley.ops.fleet.steering import cancel_job

    print(cancel_job(Project.of(c).settings(), job))


@task(
    help={
        "target": "a host, or one worker as the task workers shows it",
        "wait": "until all of them have ended, as a hook before a shutdown does",
    }
)
@failures_as_messages()
def drain(c: Context, target: Target, wait: bool = False) -> None:
    """Let workers end after the job that they are at, with exit code 0."""
    from loreley.ops.fleet.steering import drain_workers

    for line in drain_workers(Project.of(c).settings(), target, wait=wait):
        print(line, flush=True)
