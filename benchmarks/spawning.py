"""What confining a child costs."""

import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.commands import environment, run
from benchmarks.comparison import Comparison, Plan
from loreley.core.sandbox.confinement import Confinement
from loreley.core.sandbox.sandbox import Level, Sandbox, obstacle_to, probe
from loreley.host import children
from loreley.host.deadline import Deadline

_PROGRAM = shutil.which("true") or "/bin/true"


def sandbox_per_spawn(plan: Plan) -> Iterator[Comparison]:
    """A child at each level the host offers against the same child, started plainly."""
    rounds = plan.rounds(50)
    tools = probe().tools
    with tempfile.TemporaryDirectory(prefix="loreley-bench-") as name:
        folder = Path(name).resolve()
        for level in Level:
            sandbox = Sandbox(level, tools)
            if obstacle := obstacle_to(sandbox):
                plan.report(f"sandbox: {obstacle}")
                continue
            ours, floor = plan.in_turn(
                f"sandbox {level}",
                [partial(_run_confined, sandbox, folder)] * rounds,
                [partial(run, [_PROGRAM])] * rounds,
            )
            yield Comparison(
                "sandbox", f"`true` in sandbox {level}", "`true`, started plainly", ours, floor
            )


def _run_confined(sandbox: Sandbox, folder: Path) -> None:
    confinement = Confinement(
        cwd=folder, writable=(folder,), memory_bytes=1 << 32, file_size_bytes=1 << 26
    )
    with tempfile.TemporaryFile() as output:
        outcome = children.run(
            sandbox.command([_PROGRAM], confinement),
            env=environment(),
            cwd=folder,
            output=output,
            deadline=Deadline.after(60),
        )
    assert outcome.succeeded, outcome
