"""A command with all that it starts: processor, memory, processes; ``python -m … COMMAND …``.

The command's output goes to stderr, the figures as JSON to stdout. Linux only.
"""

import json
import os
import resource
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from loreley.host.subreaper import become_subreaper

_SAMPLE_SECONDS = 0.25
_TICKS = os.sysconf("SC_CLK_TCK")
_ROLES = {
    "run_scheduler.py": "scheduler",
    "run_worker.py": "worker",
    "redis-server": "queue",
    "valkey-server": "queue",
    "evolve": "line",
}


class Sampler:
    """What the descendants of this process have used so far, looked at now and then."""

    def __init__(self) -> None:
        self.most_bytes = 0  # proportional, of all together
        self.own: dict[str, float] = {}  # seconds by pid and role
        self.children: dict[str, float] = {}  # of those that ended and were waited for

    def sample(self) -> None:
        """Look once."""
        total = 0
        for pid, stat in _descendants(os.getpid()):
            with suppress(OSError):
                arguments = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
                role = _role(arguments)
                if role is not None:
                    self.own[f"{pid} {role}"] = (int(stat[11]) + int(stat[12])) / _TICKS
                    self.children[f"{pid} {role}"] = (int(stat[13]) + int(stat[14])) / _TICKS
                total += _proportional_bytes(pid)
        self.most_bytes = max(self.most_bytes, total)

    def by_role(self) -> dict[str, float]:
        """Processor seconds of the parts that live long, and of what the worker has started."""
        found: dict[str, float] = {}
        for key, seconds in self.own.items():
            role = key.partition(" ")[2]
            found[role] = found.get(role, 0.0) + seconds
        below = [seconds for key, seconds in self.children.items() if key.endswith(" worker")]
        return found | {"below worker": sum(below)}


def _role(arguments: list[str]) -> str | None:
    for argument in arguments:
        name = argument.rpartition("/")[2]
        if name in _ROLES:
            return _ROLES[name]
    return None


def _descendants(top: int) -> Iterator[tuple[int, list[str]]]:
    """Every descendant, with the fields of its ``stat`` from the third on."""
    stats = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            stats[int(path.parent.name)] = path.read_text().rpartition(")")[2].split()
    below = {top}
    for pid in sorted(stats):  # a parent has the smaller number, but for a wrap
        if int(stats[pid][1]) in below:
            below.add(pid)
            yield pid, stats[pid]


def _proportional_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> int:
    """Run the command, wait for whatever it leaves, print the figures."""
    sampler, is_over = Sampler(), threading.Event()

    def watch() -> None:
        while not is_over.wait(_SAMPLE_SECONDS):
            sampler.sample()

    watcher = threading.Thread(target=watch, daemon=True)
    with become_subreaper():
        watcher.start()
        began = time.time()
        child = os.posix_spawnp(
            sys.argv[1],
            sys.argv[1:],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)],
        )
        _, status = os.waitpid(child, 0)
        ended = time.time()
        with suppress(ChildProcessError):
            while True:
                os.wait()
    is_over.set()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = {
        "began": began,
        "wall_seconds": ended - began,
        "cpu_seconds": used.ru_utime + used.ru_stime,
        "most_bytes": sampler.most_bytes,
        "parts": sampler.by_role(),
    }
    print(json.dumps(figures))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(main())
