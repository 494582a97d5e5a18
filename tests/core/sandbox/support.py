"""Children in a sandbox, and what they say."""

import os
import sys

import pytest

from loreley.core.sandbox.confinement import Confinement
from loreley.core.sandbox.sandbox import Level, Sandbox, obstacle_to, probe
from loreley.host import children
from loreley.host.deadline import Deadline


def at(level: Level) -> Sandbox:
    sandbox = Sandbox(level, probe().tools)
    if obstacle := obstacle_to(sandbox):
        pytest.skip(str(obstacle))
    return sandbox


def run(sandbox: Sandbox, confinement: Confinement, argv: list[str]) -> children.Completed:
    return children.capture(
        sandbox.command(argv, confinement),
        env={"PATH": os.environ["PATH"]},
        cwd=confinement.cwd,
        deadline=Deadline.after(30),
    )


def python(sandbox: Sandbox, confinement: Confinement, code: str, *arguments: object) -> str:
    """What the code printed, or the last line of its error."""
    argv = [sys.executable, "-I", "-c", code, *map(str, arguments)]
    completed = run(sandbox, confinement, argv)
    if completed.exit_code == 0:
        return completed.stdout.decode().strip()
    return completed.stderr.decode().strip().splitlines()[-1]


READ = "import sys; print(open(sys.argv[1]).read())"
WRITE = "import sys; open(sys.argv[1], 'w').write('changed')"
