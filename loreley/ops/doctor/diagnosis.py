"""All that `invoke doctor` looks at."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

from loreley.config import Settings
from loreley.db.engine import open_database
from loreley.errors import LoreleyError, Problem
from loreley.ops.doctor.findings import Finding, examine, report_error
from loreley.ops.doctor.installation import host_checks
from loreley.ops.doctor.invariants import run_checks
from loreley.ops.doctor.judges import judge_checks
from loreley.ops.doctor.services import service_checks
from loreley.ops.doctor.trial import trial_checks

_SETTLE_SECONDS = 5.0


def diagnose(
    settings: Settings,
    *,
    with_run: bool,
    quick: bool = False,
    invalid: Sequence[Problem] = (),
) -> list[Finding]:
    """Findings about the installation and, if wanted, about the run it carries.

    ``quick`` leaves out the evaluation of the root commit. ``invalid`` says which settings stand
    at their defaults because what they were set to has no meaning.
    """
    checks = [
        *host_checks(settings, invalid),
        *service_checks(settings),
        *judge_checks(settings),
        *trial_checks(settings, quick=quick),
    ]
    findings = examine(checks)
    return [*findings, *_examine_run(settings)] if with_run else findings


def _examine_run(settings: Settings) -> list[Finding]:
    try:
        with closing(open_database(settings.sqlalchemy_url)) as database:
            return examine(run_checks(settings, database), settle_seconds=_SETTLE_SECONDS)
    except LoreleyError as error:
        return [replace(report_error(error), name="run")]
