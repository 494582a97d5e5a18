"""Whether what a run claims of a timed metric holds, on a machine that is loaded on and off."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from benchmarks.commands import ROOT, environment, run
from benchmarks.comparison import Plan
from benchmarks.table import markdown
from loreley.config import Settings
from loreley.core.evaluation.paired_test import Difference, chance_of
from loreley.db.engine import open_database
from loreley.host.deadline import Stop
from loreley.ops.results.local_evaluator import LocalEvaluator
from loreley.views.overview import Overview, read_overview

_WORKERS = 3
_LOADERS = 2
_SWITCHING_SECONDS = 4.0
_LOAD = f"""
import time
while True:
    end = time.monotonic() + {_SWITCHING_SECONDS}
    while time.monotonic() < end:
        pass
    time.sleep({_SWITCHING_SECONDS})
"""
_PROGRAM = '''"""Counts which words stand beside each other in what it is given."""

import sys

{constants}


def count(words):
    """How often each two words stand beside each other."""
    found = {{}}
    for place in range(len(words) - 1):
        pair = words[place], words[place + 1]
        found[pair] = found.get(pair, 0) + 1
    return found


words = sys.stdin.read().split()
{work}
found = count(words)
for pair in sorted(found):
    print(*pair, found[pair])
'''
_PROGRAMS = {
    "work that can be left out": _PROGRAM.format(
        constants="LOOKS = 3", work="for _ in range(LOOKS):\n    sorted(words)"
    ),
    "nothing to gain": _PROGRAM.format(
        constants="LOOKS = 12\nMARGIN = 3.5\nLIMIT = 4000", work="LIMITS = [LOOKS, MARGIN, LIMIT]"
    ),
}
_EVALUATOR = '''"""Times a program; a result that is not the right one has no time."""

import hashlib
import pathlib
import resource
import subprocess
import sys
import time

INPUT = pathlib.Path(__file__).with_name("input.txt").read_bytes()
EXPECTED = "{digest}"
WARM_UPS, RUNS = 1, 3


def evaluate(context):
    end = time.monotonic() + context.timeout_seconds - 5
    seconds = [run(context.worktree, end) for _ in range(WARM_UPS + RUNS)][WARM_UPS:]
    return {{"metrics": [
        {{"name": "seconds", "value": min(seconds), "unit": "s", "higher_is_better": False}}
    ]}}


def run(worktree, end):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-I", "pairs.py"], cwd=worktree, input=INPUT, capture_output=True,
        timeout=end - time.monotonic(), check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if hashlib.sha256(done.stdout).hexdigest() != EXPECTED:
        raise ValueError("the result is wrong")
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
'''


@dataclass(frozen=True, slots=True)
class Claim:
    """What a run says of its best commit, and what fresh pairs of it and the root show."""

    repository: str
    words: str  # of the run
    measured_gain: float | None  # in seconds, positive is faster: what selection has seen
    is_confirmed: bool
    fresh: Sequence[float]  # gains of pairs measured afterwards, in seconds
    run_seconds: float
    load: tuple[float, float]  # the machine's, before and after

    @property
    def holds(self) -> str:
        """Whether the fresh pairs agree with what is claimed."""
        if not self.is_confirmed:
            return "nothing is claimed"
        return "yes" if chance_of(self.fresh) <= 0.05 else "NO"


def measure(plan: Plan, jobs: int, pairs: int) -> list[Claim]:
    """Let each repository evolve under load, and measure its best beside its root anew."""
    claims = []
    for name, program in list(_PROGRAMS.items())[: 1 if plan.quick else None]:
        plan.report(f"confirmation: {name}")
        with TemporaryDirectory(prefix="loreley-bench-") as folder, _loaded():
            claims.append(_evolve(Path(folder), name, program, jobs, pairs))
    return claims


def as_table(claims: Sequence[Claim]) -> str:
    """A row for each repository."""
    head = (
        *(
            "benchmark",
            "repository",
            "what the run says of its best",
            "selected for",
            "fresh pairs",
        ),
        *("faster in", "difference", "chance", "holds", "run", "load"),
    )
    return markdown([head, *map(_row, claims)])


def _row(claim: Claim) -> tuple[str, ...]:
    fresh = Difference.of(claim.fresh) if claim.fresh else None
    gained = claim.measured_gain
    return (
        "confirmation",
        claim.repository,
        claim.words,
        "" if gained is None else f"{-gained:+.4f} s",
        str(len(claim.fresh)),
        str(sum(gain > 0 for gain in claim.fresh)),
        f"{-fresh.estimate:+.4f} s ± {fresh.margin:.4f}" if fresh else "",
        f"{chance_of(claim.fresh):.2g}" if fresh else "",
        claim.holds,
        f"{claim.run_seconds:.0f} s",
        f"{claim.load[0]:.1f} to {claim.load[1]:.1f}",
    )


def _evolve(folder: Path, name: str, program: str, jobs: int, pairs: int) -> Claim:
    given = _prepare(folder, program)
    load, began = os.getloadavg()[0], time.monotonic()
    invoke = (sys.executable, "-m", "invoke", "--search-root", str(ROOT), "evolve")
    run([*invoke, "--jobs", str(jobs), "--workers", str(_WORKERS)], cwd=folder, more=given)
    seconds = time.monotonic() - began
    settings = _read_settings(given)
    with closing(open_database(settings.sqlalchemy_url)) as database:
        overview = read_overview(database)
    if overview is None or overview.best is None:
        raise RuntimeError("the run has no best commit")
    gain = overview.best_gain
    return Claim(
        repository=name,
        words=gain.text if gain else "the root itself",
        measured_gain=overview.gain,
        is_confirmed=gain is not None and gain.is_confirmed,
        fresh=tuple(_measure_pairs(settings, overview, pairs)) if gain else (),
        run_seconds=seconds,
        load=(load, os.getloadavg()[0]),
    )


def _measure_pairs(settings: Settings, overview: Overview, count: int) -> Iterator[float]:
    """Gains of the best on the root in pairs, the order of each drawn anew."""
    assert overview.best is not None
    names, random = [overview.root_commit, overview.best.commit], Random()
    with LocalEvaluator.opened(settings, overview.objective, Stop()) as evaluator:
        for _ in range(count):
            random.shuffle(names)
            scores = {name: evaluator.judge(name).estimate.score for name in names}
            yield scores[overview.best.commit] - scores[overview.root_commit]


def _prepare(folder: Path, program: str) -> Mapping[str, str]:
    """A remote with the program, and the settings of a run that makes it faster."""
    source, judges = folder / "source", folder / "judges"
    for made in (source, judges):
        made.mkdir()
    (source / "pairs.py").write_text(program)
    random = Random(1)
    text = " ".join(f"word{random.randrange(3000)}" for _ in range(20_000)).encode()
    (judges / "input.txt").write_bytes(text)
    printed = subprocess.run(
        [sys.executable, "-c", "import hashlib, subprocess, sys; print(hashlib.sha256("
         "subprocess.run([sys.executable, '-I', 'pairs.py'], input=sys.stdin.buffer.read(), "
         "capture_output=True, check=True).stdout).hexdigest())"],
        cwd=source, input=text, capture_output=True, check=True, env=environment(),
    )  # fmt: skip
    digest = printed.stdout.decode().strip()
    (judges / "timing.py").write_text(_EVALUATOR.format(digest=digest))
    for command in (
        ["git", "init", "-q", "-b", "main"],
        ["git", "add", "."],
        ["git", "commit", "-q", "-m", "Begin"],
        ["git", "clone", "-q", "--bare", str(source), str(folder / "remote.git")],
    ):
        run(command, cwd=source)
    return {
        "LORELEY_STATE_DIR": str(folder / "state"),
        "LOGS_BASE_DIR": str(folder),
        "WORKER_REPO_REMOTE_URL": str(folder / "remote.git"),
        "WORKER_REPO_WORKTREE": str(folder / "base"),
        "WORKER_EVALUATOR_PLUGIN": "timing:evaluate",
        "WORKER_EVALUATOR_PYTHON_PATHS": str(judges),
        "WORKER_TUNE_SECONDS": "0",
        "MAPELITES_FITNESS_METRIC": "seconds",
        "MAPELITES_FITNESS_HIGHER_IS_BETTER": "false",
    }


def _read_settings(given: Mapping[str, str]) -> Settings:
    """The same settings as the processes of the run have read."""
    values: dict[str, object] = {name.lower(): value for name, value in given.items()}
    values["worker_evaluator_python_paths"] = [given["WORKER_EVALUATOR_PYTHON_PATHS"]]
    return Settings.model_validate(values)


@contextmanager
def _loaded() -> Iterator[None]:
    """Processes that take a core each for some seconds, and leave it for as many."""
    loaders = [subprocess.Popen([sys.executable, "-c", _LOAD]) for _ in range(_LOADERS)]
    try:
        yield
    finally:
        for loader in loaders:
            loader.kill()
            loader.wait()
