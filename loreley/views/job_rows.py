"""Every job as a row of plain values with its metrics: for spreadsheets, programs and notebooks."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from sqlalchemy import select

from loreley.db.engine import Database
from loreley.db.models import metrics
from loreley.views.job_list import JobFilter, JobLine, read_page

EVERY_JOB = JobFilter()
_READ_AT_ONCE = 500
_BEGINS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # in a spreadsheet

Row = dict[str, Any]
"""The fields of a `JobLine`, times as ISO 8601, and ``metrics``, a mapping of names to values."""


def read_rows(database: Database, wanted: JobFilter = EVERY_JOB) -> Iterator[Row]:
    """The jobs that are wanted, the newest first; read in pieces, so that many do no harm."""
    below: int | None = None
    while True:
        page = read_page(database, wanted, limit=_READ_AT_ONCE, below=below)
        figures = _read_metrics(database, [line.commit for line in page.lines if line.commit])
        for line in page.lines:
            yield _to_row(line, figures.get(line.commit or "", {}))
        if page.older_than is None:
            return
        below = page.older_than


def to_csv(database: Database, wanted: JobFilter = EVERY_JOB) -> Iterator[str]:
    """The same as lines of CSV: a head, then a line for each job with a column for each metric."""
    with database.read() as connection:
        names = sorted(connection.execute(select(metrics.c.name).distinct()).scalars())
    columns = [field.name for field in fields(JobLine)]
    yield _write_line([*columns, *names])
    for row in read_rows(database, wanted):
        values = [row[column] for column in columns]
        yield _write_line([*values, *(row["metrics"].get(name) for name in names)])


def to_json_lines(database: Database, wanted: JobFilter = EVERY_JOB) -> Iterator[str]:
    """The same as JSON Lines."""
    for row in read_rows(database, wanted):
        yield f"{json.dumps(row, ensure_ascii=False)}\n"


def _read_metrics(database: Database, names: list[str]) -> dict[str, dict[str, float]]:
    query = select(metrics.c.commit, metrics.c.name, metrics.c.value).where(
        metrics.c.commit.in_(names)
    )
    found: dict[str, dict[str, float]] = {}
    with database.read() as connection:
        for row in connection.execute(query.order_by(metrics.c.commit, metrics.c.position)):
            found.setdefault(row.commit, {})[row.name] = row.value
    return found


def _to_row(line: JobLine, figures: Mapping[str, float]) -> Row:
    values = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in asdict(line).items()
    }
    return values | {"metrics": dict(figures)}


def _write_line(values: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([_disarm(value) for value in values])
    return line.getvalue()


def _disarm(value: Any) -> Any:
    """The value, and a text so that no spreadsheet takes it for a formula."""
    is_risky = isinstance(value, str) and value.startswith(_BEGINS_A_FORMULA)
    return f"'{value}" if is_risky else value
