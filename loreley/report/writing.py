"""`invoke report`: where the report goes."""

import sys
from contextlib import closing
from pathlib import Path

from loreley.config import Settings
from loreley.db.engine import open_database
from loreley.ops.messages import say
from loreley.ops.output_file import output_file
from loreley.report.facts import read_run_facts
from loreley.report.page import render_html, render_json
from loreley.views.job_rows import to_json_lines

_SIGN = b'<meta name="generator" content="Loreley">'
_HEAD_BYTES = 2048


def write_report(settings: Settings, path: Path, *, force: bool = False) -> None:
    """Write the page to ``path``, over an earlier report but over nothing else unless ``force``.

    Raises `LoreleyError` when there is no run, or the file cannot be written.
    """
    content = render_html(read_run_facts(settings)).encode("utf-8", "replace")
    with output_file(path, force=force or _is_report(path)) as output:
        output.write(content)
    say(f"wrote     {path} ({len(content):,} bytes): one file, to be opened by any browser")


def print_report(settings: Settings) -> None:
    """Print everything the page tells as one JSON object; raises `LoreleyError`."""
    sys.stdout.write(f"{render_json(read_run_facts(settings))}\n")


def print_jobs(settings: Settings) -> None:
    """Print every job with its metrics as JSON Lines, the newest first."""
    with closing(open_database(settings.sqlalchemy_url)) as database:
        for line in to_json_lines(database):
            sys.stdout.write(line)


def _is_report(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return _SIGN in file.read(_HEAD_BYTES)
    except OSError:
        return False
