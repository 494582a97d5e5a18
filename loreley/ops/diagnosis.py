"""All that `invoke doctor` looks at."""

from contextlib import closing

from loreley.config import Settings
from loreley.db.engine import open_database
from loreley.ops.doctor import Finding, examine
from loreley.ops.installation import installation_checks
from loreley.ops.invariants import run_checks

_SETTLE_SECONDS = 5.0


def diagnose(settings: Settings, *, with_run: bool) -> list[Finding]:
    """Findings about the installation and, if wanted, about the run it carries.

    Raises `LoreleyError` when the database of a run cannot be opened.
    """
    findings = examine(installation_checks(settings))
    if with_run:
        with closing(open_database(settings.sqlalchemy_url)) as database:
            findings += examine(run_checks(settings, database), settle_seconds=_SETTLE_SECONDS)
    return findings
