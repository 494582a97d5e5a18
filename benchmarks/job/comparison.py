"""Whole runs of ``invoke evolve`` beside a loop that only asks, evaluates and writes a line."""

import http.client
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from sqlalchemy import select

from benchmarks.commands import ROOT, environment, run
from benchmarks.comparison import Plan
from benchmarks.job.model import CONSTANT
from benchmarks.table import markdown
from loreley.core.jobs import JobKind, JobState
from loreley.db.engine import open_database
from loreley.db.models import jobs

_HERE = Path(__file__).resolve().parent
_ALL = "all"
_COUNTED = (10, 30)  # jobs of the two runs whose processes are compared
_HEAD = (
    *("way", "CPU ms a job", "to floor", "wall ms a job", "first → last tenth", "start s"),
    *("memory MB", "disk KB a job", "processes a job"),
)
_PROGRAM = re.compile(rb"^\d+ +execve\(\"(?:[^\"]*/)?([^\"/]+)\"(?!.* = -1)", re.MULTILINE)
_FORK = re.compile(
    rb"^\d+ +(?:<\.\.\. )?v?(?:fork|clone3?)\b(?!.*CLONE_THREAD).* = [1-9]\d*$", re.M
)


@dataclass(frozen=True, slots=True)
class Cost:
    """What so many jobs took together; the seconds are of the processor unless named otherwise."""

    way: str
    jobs: int
    cpu_seconds: float
    wall_seconds: float
    tenths: tuple[float, float] | None = None  # mean wall seconds of a job, first and last
    start_seconds: float = 0.0  # to the first claim
    most_bytes: int = 0
    disk_bytes: int = 0
    parts: Mapping[str, float] = field(default_factory=dict)
    processes: Mapping[str, float] | None = None  # a job, by program


def measure(plan: Plan, count: int, agents: Sequence[str]) -> list[Cost]:
    """The floor, and Loreley with each of the agents; raises where a run does not succeed."""
    with tempfile.TemporaryDirectory(prefix="loreley-bench-") as name, _model(Path(name)) as port:
        folder = Path(name).resolve()
        _make_project(folder / "project")
        (folder / "judge").mkdir()
        shutil.copy(_HERE / "evaluator.py", folder / "judge" / "judge.py")
        plan.report(f"job: the floor, {count} jobs")
        found = [_floor(folder, port, count)]
        for agent in agents:
            plan.report(f"job: {agent}, {count} jobs")
            cost = _loreley(folder, port, agent, count)
            plan.report(f"job: {agent}, processes")
            found.append(replace_processes(cost, _count_processes(folder, port, agent)))
    return found


def as_table(found: Sequence[Cost]) -> str:
    """A row for each way, and where the processor's time and the processes of a job go."""
    floor = found[0]
    lines = [markdown([_HEAD, *(_row(each, floor) for each in found)])]
    for each in found[1:]:
        parts = {name: 1000 * seconds / each.jobs for name, seconds in each.parts.items()}
        lines.append(f"\n{each.way}, CPU ms a job: {_listed(parts)}")
        if each.processes:
            lines.append(f"{each.way}, processes a job: {_listed(each.processes)}")
    return "\n".join(lines)


def replace_processes(cost: Cost, processes: Mapping[str, float] | None) -> Cost:
    """The same cost with the processes of a job, counted in other runs."""
    values = {name: getattr(cost, name) for name in cost.__dataclass_fields__}
    return Cost(**(values | {"processes": processes}))


def _row(cost: Cost, floor: Cost) -> tuple[str, ...]:
    first, last = cost.tenths or (0.0, 0.0)
    mb = 1024 * 1024
    return (
        cost.way,
        f"{1000 * cost.cpu_seconds / cost.jobs:.0f}",
        f"{cost.cpu_seconds / floor.cpu_seconds:.2f}",
        f"{1000 * cost.wall_seconds / cost.jobs:.0f}",
        f"{1000 * first:.0f} → {1000 * last:.0f}" if cost.tenths else "",
        f"{cost.start_seconds:.1f}" if cost.start_seconds else "",
        f"{cost.most_bytes / mb:.0f}" if cost.most_bytes else "",
        f"{cost.disk_bytes / 1024 / cost.jobs:.1f}" if cost.disk_bytes else "",
        f"{cost.processes[_ALL]:.1f}" if cost.processes else "",
    )


def _listed(figures: Mapping[str, float]) -> str:
    ordered = sorted(figures.items(), key=lambda pair: -pair[1])
    return ", ".join(f"{name} {value:.1f}" for name, value in ordered if value >= 0.05)


@contextmanager
def _model(folder: Path) -> Iterator[int]:
    """The port of a model that answers at once, served by a process whose time does not count."""
    command = [sys.executable, str(_HERE / "model.py"), str(folder)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            while not (folder / "port").exists():
                time.sleep(0.02)
            yield int((folder / "port").read_text())
        finally:
            process.kill()


def _make_project(folder: Path) -> None:
    folder.mkdir()
    chosen = random.Random(1)
    text = "".join(f"C{number:02} = {chosen.random():.4f}\n" for number in range(32))
    (folder / "constants.py").write_text(text)
    for command in (["init", "-q", "-b", "main"], ["add", "-A"], ["commit", "-q", "-m", "Begin"]):
        run(["git", *command], cwd=folder)


def _floor(folder: Path, port: int, count: int) -> Cost:
    """Ask, evaluate, write a line."""
    work, before, began = folder / "floor", os.times(), time.perf_counter()
    work.mkdir()
    text = (folder / "project" / "constants.py").read_text()
    judge = [sys.executable, str(folder / "judge" / "judge.py")]
    client = http.client.HTTPConnection("127.0.0.1", port)
    with (work / "lines").open("w") as lines:
        for _ in range(count):
            body = {"model": "stub", "messages": [{"role": "user", "content": text}]}
            client.request("POST", "/v1/chat/completions", json.dumps(body))
            answer = json.load(client.getresponse())["choices"][0]["message"]["content"]
            changed = CONSTANT.findall(answer)
            child = text.replace(" = ".join(changed[0]), " = ".join(changed[1]))
            (work / "constants.py").write_text(child)
            done = subprocess.run(judge, cwd=work, capture_output=True, check=True)
            lines.write(f"{done.stdout.decode().strip()}\n")
            lines.flush()
    wall = time.perf_counter() - began
    cpu = sum(os.times()[:4]) - sum(before[:4])
    return Cost("floor: ask, evaluate, write a line", count, cpu, wall)


def _loreley(folder: Path, port: int, agent: str, count: int) -> Cost:
    state = folder / f"{agent}-{count}"
    remote = _fresh_remote(folder, state)
    before = _disk_bytes(remote)
    figures = _run(folder, port, agent, count, state)
    database = open_database(f"sqlite:///{state / 'loreley.db'}")
    ended = (
        select(jobs.c.claimed_at, jobs.c.finished_at)
        .where(jobs.c.kind == JobKind.EVOLUTION, jobs.c.state == JobState.SUCCEEDED)
        .order_by(jobs.c.finished_at)
    )
    with database.read() as connection:
        spans = connection.execute(ended).all()
        first_claim = connection.execute(select(jobs.c.claimed_at).order_by(jobs.c.claimed_at))
        start = first_claim.scalars().first() - figures["began"]
    database.close()
    seconds = [span.finished_at - span.claimed_at for span in spans]
    tenth = max(1, len(seconds) // 10)
    kept = state.rglob("*.db*"), state.rglob("artifacts/**/*")
    return Cost(
        f"Loreley, {agent}",
        count,
        figures["cpu_seconds"],
        figures["wall_seconds"],
        (mean(seconds[:tenth]), mean(seconds[-tenth:])),
        start,
        figures["most_bytes"],
        sum(_disk_bytes(path) for paths in kept for path in paths) + _disk_bytes(remote) - before,
        figures["parts"],
    )


def _fresh_remote(folder: Path, state: Path) -> Path:
    remote = state / "remote.git"
    state.mkdir()
    run(["git", "clone", "-q", "--bare", str(folder / "project"), str(remote)], cwd=folder)
    return remote


def _run(
    folder: Path, port: int, agent: str, count: int, state: Path, before: Sequence[str] = ()
) -> dict[str, Any]:
    """The figures of a whole run; ``before`` stands in front of the command that is measured."""
    settings = {
        "LORELEY_STATE_DIR": state,
        "LOGS_BASE_DIR": state,
        "WORKER_REPO_REMOTE_URL": state / "remote.git",
        "WORKER_REPO_WORKTREE": state / "clone",
        "WORKER_EVALUATOR_PLUGIN": "judge:evaluate",
        "WORKER_EVALUATOR_PYTHON_PATHS": folder / "judge",
        "MAPELITES_FITNESS_METRIC": "score",
        "MAPELITES_FITNESS_HIGHER_IS_BETTER": "true",
        "MAPELITES_MEASURES": "first:0:1:10,second:0:1:10",
        "WORKER_AGENT": agent,
        "WORKER_CHAT_URL": f"http://127.0.0.1:{port}/v1",
        "WORKER_CHAT_MODEL": "stub",
        "WORKER_TUNE_SECONDS": "0",  # what the floor does not do either: tuning, confirmation
        "SCHEDULER_CONFIRMATION_SHARE": "0",
    }
    evolve = [sys.executable, "-m", "invoke", "evolve", "--workers", "1", "--jobs", str(count)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.job.measured", *before, *evolve],
        cwd=ROOT,
        env=environment() | {name: str(value) for name, value in settings.items()},
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the run of {agent} failed: {done.stderr.decode()[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _count_processes(folder: Path, port: int, agent: str) -> Mapping[str, float] | None:
    """Programs started for one job: by the difference of two runs, none for what starts once."""
    if shutil.which("strace") is None:
        return None
    counts = []
    for count in _COUNTED:
        state = folder / f"{agent}-counted-{count}"
        _fresh_remote(folder, state)
        trace = state / "trace"
        _run(
            *(folder, port, agent, count, state),
            [
                "strace",
                "-f",
                "-qq",
                "-e",
                "trace=execve,fork,vfork,clone,clone3",
                "-e",
                "signal=none",
                "-o",
                str(trace),
            ],
        )
        content = trace.read_bytes()
        found = Counter(name.decode() for name in _PROGRAM.findall(content))
        counts.append(found | Counter({_ALL: len(_FORK.findall(content))}))
    fewer, more = counts
    jobs_between = _COUNTED[1] - _COUNTED[0]
    return {name: (more[name] - fewer[name]) / jobs_between for name in more}


def _disk_bytes(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
