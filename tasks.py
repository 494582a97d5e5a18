"""What a person types: `invoke --list`. Each task is a few lines over `loreley.ops`."""

import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import task

# Above and here only what costs nothing, so that `invoke --list` is quick.
from loreley.ops.messages import failures_as_messages

if TYPE_CHECKING:
    from loreley.config import Settings

ROOT = Path(__file__).resolve().parent

_REPOSITORY_SETTINGS = (
    "WORKER_REPO_REMOTE_URL",
    "WORKER_EVALUATOR_PLUGIN",
    "WORKER_EVALUATOR_COMMAND",
)
_LOG_LEVEL = "threshold of the log, such as DEBUG; overrides LOG_LEVEL"


@task(
    help={
        "jobs": "stop when the experiment has had so many jobs, those of earlier runs included",
        "workers": "worker processes; 0: one for each core",
    }
)
@failures_as_messages()
def evolve(_c: Context, jobs: int = 200, workers: int = 0) -> None:
    """Evolve a repository, with a live line and a report.

    Evolves the configured repository, or the circle packing example where none is configured.
    Stopped by Ctrl+C or killed, it goes on from there when it is started again.
    """
    from loreley.ops.evolve import evolve as evolve_whole

    _prepare()
    sys.exit(evolve_whole(ROOT, jobs=jobs, workers=workers or os.cpu_count() or 1))


@task(help={"json": "print everything as one JSON object"})
@failures_as_messages()
def status(_c: Context, json: bool = False) -> None:
    """Tell how the experiment stands: jobs, best commit, failures."""
    from loreley.config import load_settings
    from loreley.ops.environment import enter_project
    from loreley.ops.status import status as describe

    enter_project(ROOT)
    print(describe(load_settings(), as_json=json))


@task(
    help={
        "job": "number or beginning of the id, as `invoke status` shows them",
        "artifact": "print only this file of it, such as patch.diff",
    }
)
@failures_as_messages()
def job(_c: Context, job: str, artifact: str | None = None) -> None:
    """Tell the story of one job: its commit, figures, patch and logs."""
    from loreley.config import load_settings
    from loreley.ops.environment import enter_project
    from loreley.ops.job_story import tell_job

    enter_project(ROOT)
    tell_job(load_settings(), job, artifact=artifact)


@task(
    help={
        "diff": "print what it does otherwise than the root, as a patch; raw unless on a terminal",
        "parent": "with --diff: than its parent, instead of the root",
        "island": "the best of this island instead",
        "commit": "this one instead: a job's number, or the beginning of a commit's or job's id",
        "json": "print everything as one JSON object",
    }
)
@failures_as_messages()
def best(
    _c: Context,
    diff: bool = False,
    parent: bool = False,
    island: str | None = None,
    commit: str | None = None,
    json: bool = False,
) -> None:
    """Tell which commit is best, why, and by which steps it came."""
    from loreley.ops.best import show_diff, tell_best
    from loreley.ops.choice import Choice

    settings, choice = _look(), Choice.read(commit, island)
    if diff or parent:
        show_diff(settings, choice, with_parent=parent)
    else:
        tell_best(settings, choice, as_json=json)


@task(
    help={
        "patch": "write one patch to this file, for `git am` and `git apply`; - is stdout",
        "branch": "push it to the remote as this branch",
        "squash": "with --branch: one commit on the root, instead of every step",
        "force": "replace a file or branch that exists",
        "island": "the best of this island instead of the best of all",
        "commit": "this one instead: a job's number, or the beginning of a commit's or job's id",
    }
)
@failures_as_messages()
def export(
    _c: Context,
    patch: str | None = None,
    branch: str | None = None,
    squash: bool = False,
    force: bool = False,
    island: str | None = None,
    commit: str | None = None,
) -> None:
    """Take the best commit out of the run, as a patch or a branch.

    The patch says in one mail what all steps from the root achieve together.
    """
    from loreley.ops.choice import Choice
    from loreley.ops.export import Export
    from loreley.ops.export import export as export_commit

    file = patch if patch in (None, "-") else str(Path(patch).absolute())
    settings = _look()
    wanted = Export(patch=file, branch=branch, squash=squash, force=force)
    export_commit(settings, Choice.read(commit, island), wanted)


@task(
    help={
        "evaluations": "stop after so many; what was left out until then stays out",
        "keep": "which share of the gain over the root must stay",
        "push": "push the result to the remote, instead of to a branch of the base clone only",
        "patch": "write the result to this file, for `git am` and `git apply`",
        "force": "replace the patch file if it exists",
        "island": "the best of this island instead of the best of all",
        "commit": "this one instead: a job's number, or the beginning of a commit's or job's id",
    }
)
@failures_as_messages()
def minimise(
    _c: Context,
    evaluations: str = "200",
    keep: str = "1",
    push: bool = False,
    patch: str | None = None,
    force: bool = False,
    island: str | None = None,
    commit: str | None = None,
) -> None:
    """Leave out of the best commit what does not carry its gain.

    Parts of its difference are left out and the rest is evaluated as a worker does, until no
    single hunk is in vain. The result is one commit on the root. Ctrl+C keeps what was found.
    """
    from loguru import logger

    from loreley.ops.choice import Choice
    from loreley.ops.minimising import Minimising
    from loreley.ops.minimising import minimise as minimise_commit

    logger.disable("loreley")  # its progress is told by lines of its own
    file = Path(patch).absolute() if patch else None
    most, share = _number("evaluations", evaluations), _number("keep", keep)
    wanted = Minimising(int(most), share, push, file, force)
    minimise_commit(_look(), Choice.read(commit, island), wanted)


@task(
    help={
        "output": "the file to write; an earlier report there is replaced",
        "force": "replace the file whatever it is",
        "json": "print everything as one JSON object instead",
    }
)
@failures_as_messages()
def report(
    _c: Context, output: str = "loreley-report.html", force: bool = False, json: bool = False
) -> None:
    """Write the run, as far as it is, into one HTML file."""
    from loreley.report.writing import print_report, write_report

    path = Path(output).absolute()
    settings = _look()
    if json:
        print_report(settings)
    else:
        write_report(settings, path, force=force)


@task(
    help={
        "once": "print it once, as in a pipe, and end",
        "every": "draw it anew after so many seconds",
    }
)
@failures_as_messages()
def top(_c: Context, once: bool = False, every: str = "2") -> None:
    """Watch a run in the terminal until Ctrl+C."""
    from loreley.ops.top import top as show

    show(_look(), every_seconds=_number("every", every), once=once)


@task(help={"log-level": _LOG_LEVEL})
@failures_as_messages()
def worker(_c: Context, log_level: str | None = None) -> None:
    """Run a worker until Ctrl+C; it takes one job at a time.

    The settings are those of the environment, then of `.env`. A configured Redis must answer;
    with none configured the embedded queue server is started. The task then becomes
    script/run_worker.py: signals and the exit code are the script's own.
    """
    from loreley.ops.environment import become

    _prepare()
    become(ROOT / "script" / "run_worker.py", *_option("--log-level", log_level))


@task(
    help={"log-level": _LOG_LEVEL, "max-jobs": "stop when the experiment has had so many jobs"},
)
@failures_as_messages()
def scheduler(_c: Context, log_level: str | None = None, max_jobs: str | None = None) -> None:
    """Run the scheduler until Ctrl+C; it decides what is tried.

    Like `invoke worker` it sees to settings and queue, then becomes script/run_scheduler.py.
    """
    from loreley.ops.environment import become

    _prepare()
    options = _option("--log-level", log_level) + _option("--max-jobs", max_jobs)
    become(ROOT / "script" / "run_scheduler.py", *options)


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
    _c: Context,
    follow: bool = False,
    lines: int = 50,
    level: str | None = None,
    role: str | None = None,
    run: int = 1,
    list_runs: bool = False,
) -> None:
    """Show the end of the newest run's logs, or follow them.

    Processes that overlapped in time are one run; their lines are interleaved by time, each
    with the process it is from. The logs are those below LOGS_BASE_DIR, or below the project.
    """
    from loreley.ops.environment import enter_project
    from loreley.ops.log_view import LogView, known_level, known_roles, logs_base

    enter_project(ROOT)
    base = logs_base(os.environ.get("LOGS_BASE_DIR"))
    view = LogView(base, roles=known_roles(role), level=known_level(level))
    if list_runs:
        view.list_runs()
    elif follow:
        with suppress(KeyboardInterrupt):
            view.follow(lines=lines)
    else:
        view.show(lines=lines, run=run)


@task(help={"text": "what every later agent is to know, in a line"})
@failures_as_messages()
def note(_c: Context, text: str) -> None:
    """Tell every later agent something, until the note is withdrawn."""
    from loreley.ops.notes import note as add

    print(add(_look(), text))


@task(help={"withdraw": "leave the note of this number out of later briefs"})
@failures_as_messages()
def notes(_c: Context, withdraw: int = 0) -> None:
    """List what every agent is told by people, or withdraw a note."""
    from loreley.ops import notes as standing

    settings = _look()
    print(standing.withdraw(settings, withdraw) if withdraw else standing.notes(settings))


@task(
    help={
        "host": "address to listen at; beyond loopback everybody who reaches it can read all",
        "port": "port to listen at; 0: any that is free",
    }
)
@failures_as_messages()
def ui(_c: Context, host: str = "127.0.0.1", port: int = 8420) -> None:
    """Show the evolution on a local web page, until Ctrl+C.

    It reads the database and the logs, and needs neither a run nor the internet. Nothing can be
    changed on it unless LORELEY_UI_TOKEN is set. Where its libraries are missing, uv brings them.
    """
    from loreley.ops.extras import require_extra

    require_extra("ui", "jinja2", "starlette", "uvicorn", "xstatic")
    from loreley.web.serving import serve

    settings = _look()
    serve(settings, Path(settings.logs_base_dir or ROOT), host=host, port=port)


@task(help={"json": "print everything as one JSON object"})
@failures_as_messages()
def redis(_c: Context, json: bool = False) -> None:
    """Tell whether a worker could work with the queue server.

    Exit code 1 if not, with what to change.
    """
    from loreley.ops.environment import with_queue
    from loreley.ops.health import examine
    from loreley.ops.health_report import as_json, as_text, complain

    health = examine(with_queue(ROOT))
    print(as_json(health) if json else as_text(health))
    if not json:
        complain(health)
    sys.exit(0 if health.lets_workers_work else 1)


@task(
    help={
        "run": "also whether the run is whole: jobs, branches, leases, messages, leftovers",
        "quick": "leave out the evaluation of the root commit, which takes as long as it takes",
        "json": "print everything as one JSON list",
    }
)
@failures_as_messages()
def doctor(_c: Context, run: bool = False, quick: bool = False, json: bool = False) -> None:
    """Tell what is wrong here, and what to change.

    Exit code 1 when something is bad. With --run it looks at the run, too: one final state for
    each job, its commit on the remote, nothing past its lease, nothing left behind.
    """
    from loguru import logger

    from loreley.ops.diagnosis import diagnose
    from loreley.ops.doctor import as_json, as_text, exit_code
    from loreley.ops.surroundings import surroundings

    logger.disable("loreley")  # everything is said by the findings
    found = surroundings(ROOT, lambda settings: _example_defaults(settings, ready=True))
    findings = diagnose(found.settings, with_run=run, quick=quick, invalid=found.problems)
    print(as_json(findings) if json else as_text(findings))
    sys.exit(exit_code(findings))


@task(
    name="test",
    help={
        "keyword": "only tests whose names match, as pytest's -k",
        "path": "only tests of this file or folder",
        "fast": "only tests that take less than a second",
        "slow": "only the others",
        "coverage": "tell which lines no test reaches",
        "processes": "how many processes share the tests; 0: as many as are useful here",
    },
)
@failures_as_messages()
def run_tests(
    _c: Context,
    keyword: str | None = None,
    path: str | None = None,
    fast: bool = False,
    slow: bool = False,
    coverage: bool = False,
    processes: int = 0,
) -> None:
    """Run the tests.

    Where the development tools are not installed, uv brings them.
    """
    from loreley.ops.handover import replace_process
    from loreley.ops.tools import TestChoice, pytest_command

    os.chdir(ROOT)
    choice = TestChoice(keyword, path, fast, slow, processes, coverage)
    replace_process(pytest_command(choice))


@task(help={"fix": "mend format and style where that can be done"})
@failures_as_messages()
def lint(c: Context, fix: bool = False) -> None:
    """Judge format, style and types."""
    from loreley.ops.tools import lint_commands, run_all

    run_all(lint_commands(fix=fix), _runner(c))


@task
@failures_as_messages()
def check(c: Context) -> None:
    """Do all that a change must pass: lint, tests and coverage."""
    from loreley.ops.tools import TestChoice, lint_commands, pytest_command, run_all

    run_all([*lint_commands(), pytest_command(TestChoice(coverage=True))], _runner(c))


@task(
    help={
        "quick": "a few rounds on small repositories: to see that it runs, not how fast",
        "only": "one benchmark: help, list, engine, worktree, sandbox, database, growth, search or "
        "operators",
        "json": "also write every measurement to this file",
        "seeds": "of search: a run of each way to search for each of them (default: 1,2,3,4,5)",
        "jobs": "of search: jobs of each run (default: 400)",
        "way": "of search: only this way to search, archive, best or root",
    }
)
@failures_as_messages()
def bench(
    _c: Context,
    quick: bool = False,
    only: str | None = None,
    json: str | None = None,
    seeds: str | None = None,
    jobs: int | None = None,
    way: str | None = None,
) -> None:
    """Measure Loreley against the bare commands for the same work.

    The benchmarks search, which compares the archive with simpler ways to search, and operators,
    which measures the genetic agent's, take minutes and run only when they are named.
    """
    from loreley.ops.handover import replace_process

    output = _option("--json", json and str(Path(json).absolute()))
    os.chdir(ROOT)
    options = [*(["--quick"] if quick else []), *_option("--only", only), *output]
    options += [
        *_option("--seeds", seeds),
        *_option("--jobs", None if jobs is None else str(jobs)),
        *_option("--way", way),
    ]
    replace_process([sys.executable, "-m", "benchmarks", *options])


@task(
    name="clean",
    help={
        "all": "also the state folder .loreley and the logs; refused while processes use them",
        "dry-run": "only list what would be removed",
    },
)
@failures_as_messages()
def remove_products(_c: Context, all: bool = False, dry_run: bool = False) -> None:  # noqa: A002
    """Remove caches and build products, listing them.

    Nothing outside the project is touched, wherever the settings point.
    """
    from loreley.ops.cleaning import clean

    verb = "would remove" if dry_run else "removed"
    for path in clean(ROOT, state=all, dry_run=dry_run):
        print(f"{verb} {path.relative_to(ROOT)}")


@task(help={"upgrade": "take the newest versions that fit, instead of keeping those pinned"})
@failures_as_messages()
def pins(c: Context, upgrade: bool = False) -> None:
    """Pin every dependency, with its hashes.

    Versions go into pyproject.toml for uv, hashes into requirements/ for whoever installs
    with --require-hashes.
    """
    from loreley.ops.pins import write_pins

    print(f"{write_pins(ROOT, _runner(c), upgrade=upgrade)} pins written")


def _prepare() -> None:
    """See to settings and queue; with no repository configured, to the example's as well."""
    from examples.evol_circle_packing import EXAMPLE
    from loreley.config import is_configured
    from loreley.ops.environment import enter_project, prepare
    from loreley.ops.messages import tell

    enter_project(ROOT)
    if is_configured(*_REPOSITORY_SETTINGS):
        prepare(ROOT)
    else:
        tell("repository: none is configured; taking the circle packing example")
        EXAMPLE.prepare()


def _look() -> "Settings":
    """The settings for looking at a run, the example's where no repository is configured."""
    from loreley.config import load_settings
    from loreley.ops.environment import enter_project

    enter_project(ROOT)
    enter_project(ROOT, _example_defaults(load_settings()))
    return load_settings()


def _example_defaults(settings: "Settings", *, ready: bool = False) -> Mapping[str, str]:
    """The example's settings where no other repository is configured; ``ready``: makes its."""
    from examples.evol_circle_packing import EXAMPLE
    from loreley.config import is_configured
    from loreley.ops.embedded_repository import ensure_repository

    if is_configured(*_REPOSITORY_SETTINGS):
        return {}
    defaults = EXAMPLE.defaults(settings.loreley_state_dir.absolute())
    if ready:
        ensure_repository(EXAMPLE.folder / "repository", Path(defaults["WORKER_REPO_REMOTE_URL"]))
    return defaults


def _number(flag: str, text: str) -> float:
    """The value of a flag; Invoke's own answer to what is no number is a traceback."""
    from math import isfinite

    from loreley.errors import ConfigError

    with suppress(ValueError):
        if isfinite(number := float(text)):
            return number
    raise ConfigError("that is no number", setting=f"--{flag} {text}", fix="such as 1 or 0.5")


def _option(name: str, value: str | None) -> list[str]:
    return [] if value is None else [name, value]


def _runner(c: Context) -> Callable[[Sequence[str]], bool]:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(command: Sequence[str]) -> bool:
        print(f"$ {shlex.join(command)}", flush=True)
        with c.cd(str(ROOT)):
            result = c.run(shlex.join(command), warn=True, in_stream=False)
        return result is not None and result.ok

    return run


namespace = Collection(
    evolve,
    status,
    best,
    export,
    minimise,
    report,
    top,
    job,
    worker,
    scheduler,
    logs,
    note,
    notes,
    ui,
    redis,
    doctor,
    run_tests,
    lint,
    check,
    bench,
    remove_products,
    pins,
)
