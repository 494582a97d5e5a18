"""What `invoke redis` prints."""

import json
import sys

from loreley.ops.queue.facts import SEEN_SECONDS
from loreley.ops.queue.health import QueueHealth, format_mebibytes

_NOT_PERMITTED = "not permitted to read"


def format_health(health: QueueHealth) -> str:
    """The health as text for a terminal, without the problems, which go to stderr."""
    if health.latency_ms is None:
        return f"{health.target}: no answer"
    lines = [
        health.target,
        _format_row("server", health.server, f"answers in {health.latency_ms:.2f} ms"),
        _format_row(
            "memory", _format_memory(health), f"policy {health.memory_policy or _NOT_PERMITTED}"
        ),
        _format_row("persistence", health.persistence),
        _format_row("queue", f"{health.queue} (namespace {health.namespace})"),
        _format_row("  waiting", health.waiting),
        _format_row("  delayed", health.delayed),
        _format_row("  in work", health.unacknowledged, "fetched and not yet acknowledged"),
        _format_row("  dead", health.dead, "given up on, kept for 7 days"),
        _format_row(
            "processes",
            health.processes_seen,
            f"seen in the last {SEEN_SECONDS} s: workers, and schedulers that sent a job",
        ),
    ]
    return "\n".join(lines + [f"warning: {warning}" for warning in health.warnings])


def _format_row(name: str, value: object, note: str = "") -> str:
    shown = _NOT_PERMITTED if value is None else str(value)
    return f"  {name:<13}{shown}{f'; {note}' if note else ''}"


def _format_memory(health: QueueHealth) -> str | None:
    if health.used_memory_bytes is None:
        return None
    limit = (
        f"of {format_mebibytes(health.max_memory_bytes)}"
        if health.max_memory_bytes
        else "used, no limit"
    )
    return f"{format_mebibytes(health.used_memory_bytes)} {limit}"


def as_json(health: QueueHealth) -> str:
    """The health as one JSON object."""
    return json.dumps(health.to_mapping(), indent=2)


def print_problems(health: QueueHealth) -> None:
    """Print what keeps a worker from working on stderr, each problem as a block."""
    for problem in health.problems:
        print(problem, file=sys.stderr)
