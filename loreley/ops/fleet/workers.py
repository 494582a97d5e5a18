"""The workers of every host, for a person and for programs."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict

from loreley.config import Settings
from loreley.db.engine import open_database
from loreley.db.workers import SeenWorker, read_workers
from loreley.invocation import installed_version, typed
from loreley.views.wording import duration, shorten, tabulate

_WORD_LENGTH = 100
_GONE_SHOWN = 5


def list_workers(settings: Settings, *, as_json: bool) -> str:
    """Every worker that is online, and the last of those that went within a day."""
    with closing(open_database(settings.sqlalchemy_url)) as database, database.read() as connection:
        seen = read_workers(connection)
    if as_json:
        return json.dumps([asdict(worker) for worker in seen], indent=2)
    return "\n".join(describe_workers(seen))


def describe_workers(seen: Sequence[SeenWorker]) -> list[str]:
    """Each worker in a line, with what is odd about it."""
    online = [worker for worker in seen if worker.is_online]
    gone = sorted(
        (worker for worker in seen if not worker.is_online),
        key=lambda worker: worker.silent if worker.left is None else worker.left,
    )
    if not online:
        lines = [f"no worker is online; `{typed('worker')}` starts one"]
    else:
        hosts = len({worker.host for worker in online})
        busy = sum(worker.job is not None for worker in online)
        lines = [f"{len(online)} online on {hosts} host{'s' * (hosts > 1)}, {busy} at work"]
        lines += tabulate([_to_row(worker) for worker in online])
        lines += [
            f"  {worker.name}: {shorten(worker.last_word, _WORD_LENGTH)}"
            for worker in online
            if worker.last_word
        ]
    lines += [f"gone   {_describe_end(worker)}" for worker in gone[:_GONE_SHOWN]]
    lines += _warn(online)
    return lines


def _to_row(worker: SeenWorker) -> tuple[str, ...]:
    if worker.job is None:
        work = "drains" if worker.drains else "waits"
    else:
        number = f"job #{worker.job}" if worker.job >= 0 else "a measurement"
        work = f"{number} for {duration(worker.job_seconds)}{', drains' * worker.drains}"
    return (worker.name, work, f"up {duration(worker.age)}", worker.version, worker.sandbox)


def _describe_end(worker: SeenWorker) -> str:
    if worker.left is not None:
        return f"{worker.name}: left {duration(worker.left)} ago"
    word = f"; last: {shorten(worker.last_word, _WORD_LENGTH)}" if worker.last_word else ""
    return f"{worker.name}: fell silent {duration(worker.silent)} ago{word}"


def _warn(online: Sequence[SeenWorker]) -> list[str]:
    lines = []
    here = installed_version()
    others = sorted({worker.version for worker in online} - {here})
    if others:
        lines.append(f"warning: {', '.join(others)} is at work, and {here} here: upgrade all")
    lines += [
        f"warning: several machines are called {host}: give each its own name"
        for host in sorted({worker.host for worker in online})
        if len({worker.boot for worker in online if worker.host == host}) > 1
    ]
    sandboxes = {worker.sandbox for worker in online}
    if len(sandboxes) > 1:
        lines.append(f"warning: sandboxes differ: {', '.join(sorted(sandboxes))}")
    return lines
