"""Judges a sorting kernel in C: the less processor time it takes, the better.

The candidate is built from its own sources by the example's own rules, and runs in processes of its
own, on numbers that are drawn anew for each evaluation. It is believed nothing but its output,
which must be its input in order; its time is what the kernel of the machine has counted.

Metrics that tell kernels apart, with ranges for MAPELITES_MEASURES:

- ``ordered_share:0:1:10``, the time on nearly ordered numbers over the time on random ones.
"""

import os
import resource
import shutil
import signal
import subprocess
from array import array
from contextlib import suppress
from pathlib import Path
from random import Random, SystemRandom
from typing import Any, Protocol

COUNT = 60_000  # integers in each input
RUNS = 3  # with each input
SMALL_COUNTS = (0, 1, 2, 3, 7, 100)
SOURCES = ("kernel.c", "kernel.h", "main.c")
RULES = Path(__file__).resolve().with_name("Makefile")
BUILD_SECONDS = 30.0
CPU_SECONDS = 1  # of one run
WALL_SECONDS = 20.0


class Context(Protocol):
    """What the evaluator is called with."""

    worktree: Path
    scratch: Path
    commit: str
    timeout_seconds: float


def evaluate(context: Context) -> dict[str, Any]:
    """The candidate's metrics; raises `ValueError` naming the first thing that is wrong."""
    program = built(context.worktree, context.scratch / "build")
    random = Random(SystemRandom().getrandbits(64))
    for count in SMALL_COUNTS:
        few = array("i", (random.randrange(-9, 9) for _ in range(count)))
        seconds_to_sort(program, few, context.scratch)
    start = least(program, array("i"), context.scratch)  # of a process with nothing to sort
    mixed, ordered, repeated = (
        max(0.0, least(program, values, context.scratch) - start) for values in inputs(random)
    )
    nanoseconds = (mixed + ordered + repeated) / (3 * COUNT) * 1e9
    return {
        "summary": f"{nanoseconds:.1f} ns for each of {COUNT} integers",
        "metrics": [
            {
                "name": "nanoseconds",
                "value": nanoseconds,
                "unit": "ns",
                "higher_is_better": False,
            },
            {"name": "ordered_share", "value": min(2.0, ordered / max(mixed, 1e-9))},
        ],
    }


def inputs(random: Random) -> "tuple[array[int], array[int], array[int]]":
    """Integers in random order, in nearly the right order, and with many that are equal."""
    mixed = array("i", random.randbytes(COUNT * array("i").itemsize))
    ordered = array("i", sorted(mixed))
    for _ in range(COUNT // 50):
        place = random.randrange(COUNT - 20)
        other = place + random.randrange(20)
        ordered[place], ordered[other] = ordered[other], ordered[place]
    return mixed, ordered, array("i", list(random.randbytes(COUNT)))


def built(worktree: Path, folder: Path) -> Path:
    """The candidate's program, made in ``folder`` of its sources alone."""
    folder.mkdir()
    for name in SOURCES:
        source = worktree / name
        if source.is_symlink() or not source.is_file():
            raise ValueError(f"{name} is missing or no regular file")
        shutil.copyfile(source, folder / name)
    made = subprocess.run(
        ["make", "--silent", "-f", str(RULES), "sorted"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        timeout=BUILD_SECONDS,
        check=False,
    )
    if made.returncode != 0:
        raise ValueError(f"it does not compile: {first_error(made.stderr)}")
    return folder / "sorted"


def first_error(output: bytes) -> str:
    """The compiler's first complaint, on one line."""
    lines = output.decode(errors="replace").splitlines()
    errors = [line for line in lines if "error:" in line] or lines or ["it said nothing"]
    return errors[0][:300]


def least(program: Path, values: "array[int]", scratch: Path) -> float:
    """The processor time of the run that was disturbed least."""
    return min(seconds_to_sort(program, values, scratch) for _ in range(RUNS))


def seconds_to_sort(program: Path, values: "array[int]", scratch: Path) -> float:
    """Processor time that the program takes; raises `ValueError` where the answer is wrong."""
    given, answer = scratch / "given.bin", scratch / "answer.bin"
    given.write_bytes(values.tobytes())
    with given.open("rb") as stdin, answer.open("wb") as stdout:
        process = subprocess.Popen(
            [str(program)],
            cwd=scratch,
            env={},
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=limit,
        )
        seconds = ended(process)
    if answer.read_bytes() != array("i", sorted(values)).tobytes():
        raise ValueError(f"{len(values)} integers came back wrong")
    return seconds


def ended(process: "subprocess.Popen[bytes]") -> float:
    """Wait for the candidate, whose session ends with it; its processor time in seconds."""
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(process.pid, signal.SIGKILL))
    signal.setitimer(signal.ITIMER_REAL, WALL_SECONDS)
    try:
        _, status, used = os.wait4(process.pid, 0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        with suppress(ProcessLookupError):  # what it has left behind was not counted
            os.killpg(process.pid, signal.SIGKILL)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise ValueError(f"it ran longer than {CPU_SECONDS} s")
    if process.returncode != 0:
        raise ValueError(f"it ended with exit code {process.returncode}")
    return used.ru_utime + used.ru_stime


def limit() -> None:
    """Bound what the candidate may use: time, memory and the size of its answer."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (256 * 1024 * 1024,) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8 * COUNT,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
