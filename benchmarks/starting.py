"""How long the command lines take to answer."""

from collections.abc import Iterator
from functools import partial

from benchmarks.commands import python
from benchmarks.comparison import Comparison, Plan

HELP_TARGET = 1.3


def help_of_scripts(plan: Plan) -> Iterator[Comparison]:
    """`--help` of both scripts against the import of the module that prints it."""
    rounds = plan.rounds(30)
    python("-c", "import argparse")
    for script in ("script/run_worker.py", "script/run_scheduler.py"):
        python(script, "--help")  # compiles what is not yet
        ours, floor = plan.in_turn(
            f"{script} --help",
            [partial(python, script, "--help")] * rounds,
            [partial(python, "-c", "import argparse")] * rounds,
        )
        yield Comparison(
            "help",
            f"`{script} --help`",
            '`python -c "import argparse"`',
            ours,
            floor,
            HELP_TARGET,
        )


def list_of_tasks(plan: Plan) -> Iterator[Comparison]:
    """`invoke --list` against the import of Invoke."""
    rounds = plan.rounds(20)
    python("-m", "invoke", "--list")
    ours, floor = plan.in_turn(
        "invoke --list",
        [partial(python, "-m", "invoke", "--list")] * rounds,
        [partial(python, "-c", "import invoke")] * rounds,
    )
    yield Comparison("list", "`invoke --list`", '`python -c "import invoke"`', ours, floor)
