"""How a run goes."""

from contextlib import suppress
from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

from loreley.commands.options import (
    Address,
    Count,
    File,
    JobId,
    Level,
    Name,
    Port,
    Role,
    Seconds,
    count,
    number,
)
from loreley.commands.project import Project
from loreley.ops.messages import failures_as_messages


@task(help={"json": "print everything as one JSON object"})
@failures_as_messages()
def status(c: Context, json: bool = False) -> None:
    """Show how the experiment stands: jobs, best commit, failures."""
    from loreley.config import load_settings
    from loreley.ops.environment import enter_project
    from loreley.ops.status import describe_status

    enter_project(Project.of(c).root)
    print(describe_status(load_settings(), as_json=json))


@task(
    help={
        "once": "print it once, as in a pipe, and end",
        "every": "draw it anew after so many seconds",
    }
)
@failures_as_messages()
def top(c: Context, once: bool = False, every: Seconds = "2") -> None:
    """Watch a run in the terminal until Ctrl+C or q.

    Tab leads from the run to its jobs and its workers; s sorts jobs, Enter tells one's story.
    """
    from loreley.ops.top.screen import show_run

    show_run(Project.of(c).settings(), every_seconds=number("every", every), once=once)


@task(
    help={
        "host": "address to listen at; beyond loopback everybody who reaches it can read all",
        "port": "port to listen at; 0: any that is free",
    }
)
@failures_as_messages()
def ui(c: Context, host: Address = "127.0.0.1", port: Port = "8420") -> None:
    """Show the evolution on a local web page, until Ctrl+C.

    It reads the database and the logs, and needs neither a run nor the internet. Nothing can be
    changed on it unless LORELEY_UI_TOKEN is set. Where its libraries are missing, uv brings them.
    """
    from loreley.ops.extras import require_extra
    from loreley.ops.logs.view import find_logs_base

    require_extra("ui", "starlette", "uvicorn")
    from loreley.web.serving import serve

    settings = Project.of(c).settings()
    serve(settings, find_logs_base(settings.logs_base_dir), host=host, port=count("port", port))


@task(
    help={
        "output": "the file to write; an earlier report there is replaced",
        "force": "replace the file whatever it is",
        "json": "print everything as one JSON object instead",
        "lines": "print every job with its metrics instead, as JSON Lines",
    }
)
@failures_as_messages()
def report(
    c: Context,
    output: File = "loreley-report.html",
    force: bool = False,
    json: bool = False,
    lines: bool = False,
) -> None:
    """Write the run, as far as it is, into one HTML file."""
    from loreley.report.writing import print_jobs, print_report, write_report

    path = Path(output).absolute()
    settings = Project.of(c).settings()
    if json:
        print_report(settings)
    elif lines:
        print_jobs(settings)
    else:
        write_report(settings, path, force=force)


@task(
    help={
        "job": "number or beginning of the id, as the task status shows them",
        "artifact": "print only this file of it, such as patch.diff",
    }
)
@failures_as_messages()
def job(c: Context, job: JobId, artifact: Name | None = None) -> None:
    """Show the story of one job: its commit, figures, patch and logs."""
    from loreley.config import load_settings
    from loreley.ops.environment import enter_project
    from loreley.ops.job_story import print_job

    enter_project(Project.of(c).root)
    print_job(load_settings(), job, artifact=artifact)


@task(
    help={
        "follow": "go on with what is added, through rotations and new starts, until Ctrl+C",
        "lines": "how many lines of the end to show first",
        "level": "only events of this level and above, such as WARNING",
        "role": "only processes of this role: worker or scheduler",
        "run": "another run than the newest, which is 1",
        "list-runs": "list the runs instead, the newest first",
    }
)
@failures_as_messages()
def logs(
    c: Context,
    follow: bool = False,
    lines: Count = "50",
    level: Level | None = None,
    role: Role | None = None,
    run: Count = "1",
    list_runs: bool = False,
) -> None:
    """Show the end of the newest run's logs, or follow them.

    Processes that overlapped in time are one run; their lines are interleaved by time, each
    with the process it is from. The logs are those below LOGS_BASE_DIR, or below the project.
    """
    from loreley.config import valid_settings
    from loreley.ops.environment import enter_project
    from loreley.ops.logs.view import LogView, find_logs_base, parse_level, parse_roles

    enter_project(Project.of(c).root)
    base = find_logs_base(valid_settings()[0].logs_base_dir)
    view = LogView(base, roles=parse_roles(role), level=parse_level(level))
    if list_runs:
        view.list_runs()
    elif follow:
        with suppress(KeyboardInterrupt):
            view.follow(lines=count("lines", lines))
    else:
        view.show(lines=count("lines", lines), run=count("run", run))
