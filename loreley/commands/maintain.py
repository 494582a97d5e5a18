"""What keeps a run well."""

import sys

from invoke.context import Context
from invoke.tasks import task

from loreley.commands.options import Command, Count, Globs, Name, Repository, count
from loreley.commands.project import Project
from loreley.ops.messages import failures_as_messages


@task(
    help={
        "command": "the command that runs the program, in a checkout of it",
        "metric": "the number to improve, which it prints as NAME: 1.5; or seconds of CPU time",
        "lower": "less of the metric is better",
        "test": "a command that has to succeed, such as the tests",
        "goal": "what agents are told to achieve, in a sentence",
        "agent": "who changes the code: claude, codex, chat …; without, the genetic agent",
        "editable": "globs of the files that may be changed, such as src/**; without, all",
        "repository": "path or URL of the repository, if it is not in this folder",
    }
)
@failures_as_messages()
def init(
    c: Context,
    command: Command | None = None,
    metric: Name = "seconds",
    lower: bool = False,
    test: Command | None = None,
    goal: str | None = None,
    agent: Name | None = None,
    editable: Globs | None = None,
    repository: Repository = ".",
) -> None:
    """Make a repository ready to be evolved: settings and an evaluator.

    Asks where flags are missing, on a terminal. Runs the program a few times at the commit that
    evolution begins at, to see what it prints and how much its number varies. Writes `.env`,
    `evaluators/measure.py` and lines of `.gitignore`, makes a clone in which candidates are
    branches, and then does what the task doctor does.
    """
    from loreley.invocation import typed
    from loreley.ops.setup.project import set_up
    from loreley.ops.setup.wishes import Wishes

    project = Project.of(c)
    wishes = Wishes(
        command=command or "",
        metric=metric,
        higher_is_better=metric != "seconds" and not lower,
        test=test or "",
        goal=goal or "",
        agent=agent or "",
        editable=editable or "",
        repository=repository,
    )
    set_up(project.root, wishes, project.home / ".env.example")
    code = _print_findings(project)
    if code == 0:
        print(f"ready: `{typed('evolve --jobs 60')}`, then `{typed('best --diff')}`")
    sys.exit(code)


@task(
    help={
        "run": "also whether the run is whole: jobs, branches, leases, messages, leftovers",
        "quick": "leave out the evaluation of the root commit, which takes as long as it takes",
        "json": "print everything as one JSON list",
    }
)
@failures_as_messages()
def doctor(c: Context, run: bool = False, quick: bool = False, json: bool = False) -> None:
    """Find what is wrong here, and what to change.

    Exit code 1 when something is bad. With --run it looks at the run, too: one final state for
    each job, its commit on the remote, nothing past its lease, nothing left behind.
    """
    sys.exit(_print_findings(Project.of(c), run=run, quick=quick, json=json))


def _print_findings(
    project: Project, *, run: bool = False, quick: bool = False, json: bool = False
) -> int:
    """Look at everything; the exit code."""
    from loguru import logger

    from loreley.ops.doctor.diagnosis import diagnose
    from loreley.ops.doctor.findings import as_json, as_text, exit_code
    from loreley.ops.doctor.surroundings import read_surroundings

    logger.disable("loreley")  # everything is said by the findings
    found = read_surroundings(
        project.root, lambda settings: project.example_defaults(settings, ready=True)
    )
    findings = diagnose(found.settings, with_run=run, quick=quick, invalid=found.problems)
    print(as_json(findings) if json else as_text(findings))
    return exit_code(findings)


@task(
    help={
        "yes": "do it; without, only what differs is told",
        "dry-run": "only tell what would be done",
    }
)
@failures_as_messages()
def rejudge(c: Context, yes: bool = False, dry_run: bool = False) -> None:
    """Judge the elites anew, after a change of the evaluator.

    For when the evaluator was changed on purpose. The root and all elites are measured by it
    before the run goes on; figures and confirmations of before are dropped.
    """
    from loreley.ops.doctor.rejudge import rejudge as judge_anew

    for line in judge_anew(Project.of(c).settings(), yes=yes, dry_run=dry_run):
        print(line)


@task(help={"json": "print everything as one JSON object"})
@failures_as_messages()
def redis(c: Context, json: bool = False) -> None:
    """Check whether a worker could work with the queue server.

    Exit code 1 if not, with what to change.
    """
    from loreley.ops.environment import choose_queue, enter_project
    from loreley.ops.queue.health import examine
    from loreley.ops.queue.health_text import as_json, format_health, print_problems

    enter_project(Project.of(c).root)
    health = examine(choose_queue())
    print(as_json(health) if json else format_health(health))
    if not json:
        print_problems(health)
    sys.exit(0 if health.lets_workers_work else 1)


@task(
    help={
        "rename": "give this run another name, with --to",
        "to": "the other name",
        "delete": "delete this run, with all of its jobs, figures and branches",
        "yes": "with --delete: do it",
        "json": "print everything as one JSON list",
    }
)
@failures_as_messages()
def runs(
    c: Context,
    rename: Name | None = None,
    to: Name | None = None,
    delete: Name | None = None,
    yes: bool = False,
    json: bool = False,
) -> None:
    """List the runs of this state folder or database."""
    from loreley.errors import ConfigError
    from loreley.ops.runs.changing import delete_run, rename_run
    from loreley.ops.runs.known import list_runs

    settings = Project.of(c).settings()
    if (rename is None) != (to is None):
        raise ConfigError("--rename and --to belong together", fix="--rename OLD --to NEW")
    if rename and to:
        print(rename_run(settings, rename, to))
    elif delete:
        for line in delete_run(settings, delete, yes=yes):
            print(line)
    else:
        print(list_runs(settings, as_json=json))


@task(help={"text": "what every later agent is to know, in a line"})
@failures_as_messages()
def note(c: Context, text: str) -> None:
    """Add a note that every later agent reads, until it is withdrawn."""
    from loreley.ops.notes import save_note

    print(save_note(Project.of(c).settings(), text))


@task(help={"withdraw": "leave the note or finding of this number out of later briefs"})
@failures_as_messages()
def notes(c: Context, withdraw: Count | None = None) -> None:
    """List the notes and findings that agents read, or withdraw one."""
    from loreley.ops.notes import list_notes
    from loreley.ops.notes import withdraw as withdraw_note

    settings = Project.of(c).settings()
    if withdraw is None:
        print(list_notes(settings))
    else:
        print(withdraw_note(settings, count("withdraw", withdraw)))
