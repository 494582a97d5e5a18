"""What a change of Loreley needs."""

import os
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from invoke.context import Context
from invoke.tasks import task

from loreley.commands.options import count, option
from loreley.commands.project import Project
from loreley.ops.messages import failures_as_messages


@task(
    name="test",
    help={
        "keyword": "only tests whose names match, as pytest's -k",
        "path": "only tests of this file or folder",
        "quick": "only what is worth running after each change, about a minute",
        "slow": "only the others",
        "coverage": "tell which lines no test reaches",
        "processes": "how many processes share the tests; 0: as many as are useful here",
    },
)
@failures_as_messages()
def run_tests(
    c: Context,
    keyword: str | None = None,
    path: str | None = None,
    quick: bool = False,
    slow: bool = False,
    coverage: bool = False,
    processes: str = "0",
) -> None:
    """Run the tests.

    Where the development tools are not installed, uv brings them.
    """
    from development.tools import TestChoice, pytest_command
    from loreley.ops.replace_process import replace_process

    os.chdir(Project.of(c).root)
    choice = TestChoice(keyword, path, quick, slow, count("processes", processes), coverage)
    replace_process(pytest_command(choice))


@task(help={"fix": "mend format and style where that can be done"})
@failures_as_messages()
def lint(c: Context, fix: bool = False) -> None:
    """Judge format, style and types."""
    from development.tools import lint_commands, run_all

    run_all(lint_commands(fix=fix), _make_runner(c))


@task
@failures_as_messages()
def check(c: Context) -> None:
    """Do all that a change must pass: lint, tests and coverage."""
    from development.tools import TestChoice, lint_commands, pytest_command, run_all

    run_all([*lint_commands(), pytest_command(TestChoice(coverage=True))], _make_runner(c))


@task(
    help={
        "quick": "a few rounds on small repositories: to see that it runs, not how fast",
        "only": "one benchmark: help, list, engine, tuning, worktree, sandbox, database, growth, "
        "search, operators, confirmation, yield, brief, job or proof",
        "json": "also write every measurement to this file",
        "seeds": "of search and proof: a run of each way for each of them (default: 1,2,3,4,5; of "
        "proof ten)",
        "jobs": "of search: jobs of each run (default: 400); of proof: evaluations (200)",
        "results": "of proof: a folder that keeps its runs, to go on from, and its drawings",
        "way": "of search: only this way to search: archive, best, root, single or unlearnt",
    }
)
@failures_as_messages()
def bench(
    c: Context,
    quick: bool = False,
    only: str | None = None,
    json: str | None = None,
    seeds: str | None = None,
    jobs: str | None = None,
    results: str | None = None,
    way: str | None = None,
) -> None:
    """Measure Loreley against the bare commands for the same work.

    The benchmarks search, which compares the archive with simpler ways to search, operators, which
    measures the genetic agent's, confirmation, which tries what a run claims under load,
    yield, which counts how many jobs are of use, brief, which sees what a brief shows of real
    packages from PyPI, and job, which tells what a job costs beside its evaluator, take minutes and
    run only when they are named; proof, which compares ways to search on six problems, takes an
    hour.
    """
    from loreley.ops.replace_process import replace_process

    output = [
        *option("--json", json and str(Path(json).absolute())),
        *option("--results", results and str(Path(results).absolute())),
    ]
    os.chdir(Project.of(c).root)
    options = [*(["--quick"] if quick else []), *option("--only", only), *output]
    options += [
        *option("--seeds", seeds),
        *option("--jobs", None if jobs is None else str(count("jobs", jobs))),
        *option("--way", way),
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
def remove_products(c: Context, all: bool = False, dry_run: bool = False) -> None:  # noqa: A002
    """Remove caches and build products, listing them.

    Nothing outside the project is touched, wherever the settings point.
    """
    from development.cleaning import clean

    verb = "would remove" if dry_run else "removed"
    root = Project.of(c).root
    for path in clean(root, state=all, dry_run=dry_run):
        print(f"{verb} {path.relative_to(root)}")


@task(help={"upgrade": "take the newest versions that fit, instead of keeping those pinned"})
@failures_as_messages()
def pins(c: Context, upgrade: bool = False) -> None:
    """Pin every dependency, with its hashes.

    Versions go into pyproject.toml for uv, hashes into requirements/ for whoever installs
    with --require-hashes.
    """
    from development.pins import write_pins

    print(f"{write_pins(Project.of(c).root, _make_runner(c), upgrade=upgrade)} pins written")


@task(
    help={
        "into": "the folder to install them into; about 5 GB",
        "only": "only these, by the names of their presets, with commas",
    }
)
@failures_as_messages()
def agents(c: Context, into: str, only: str | None = None) -> None:
    """Install the coding agents that npm and PyPI have, to be tested.

    Nothing outside the folder is changed but the caches of npm and uv.
    """
    from development.agents import install_agents

    folder = Path(into).expanduser().absolute()
    names = [name.strip() for name in only.split(",")] if only else []
    for name in install_agents(folder, _make_runner(c), names):
        print(f"{name}: no registry has it")
    print(f"REAL_AGENTS_PATH={folder / 'bin'}")


def _make_runner(c: Context) -> Callable[[Sequence[str]], bool]:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    root = Project.of(c).root

    def run(command: Sequence[str]) -> bool:
        print(f"$ {shlex.join(command)}", flush=True)
        with c.cd(str(root)):
            result = c.run(shlex.join(command), warn=True, in_stream=False)
        return result is not None and result.ok

    return run
