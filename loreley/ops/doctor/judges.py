"""Whether this host judges as the experiment does."""

from contextlib import closing

from loreley.config import Settings
from loreley.core.evaluation.assembly import assemble_fingerprint
from loreley.core.evaluation.fingerprint import explain_other_judge
from loreley.core.evaluation.options import EvaluatorOptions
from loreley.db.engine import open_database, read_revision
from loreley.db.experiment import read_judge
from loreley.db.migrations import HEAD
from loreley.errors import ConfigError
from loreley.ops.doctor.findings import Check, Finding, Verdict


def judge_checks(settings: Settings) -> list[Check]:
    """The check of this host's fingerprint."""
    return [Check("judge", lambda: _check_judge(settings))]


def _check_judge(settings: Settings) -> Finding:
    """Compare it with the experiment's, without changing a database of an earlier version."""
    if not EvaluatorOptions.from_settings(settings).name:
        return Finding(Verdict.WARNING, "not compared: there is no evaluator", "set one first")
    here = assemble_fingerprint(settings)()
    known = None
    if read_revision(settings.sqlalchemy_url) == HEAD:
        with (
            closing(open_database(settings.sqlalchemy_url)) as database,
            database.read() as connection,
        ):
            known = read_judge(connection)
    if known is None:
        return Finding(Verdict.GOOD, f"{here.in_short}; the experiment has none yet")
    if known != here:
        raise explain_other_judge(ConfigError, known, here)
    return Finding(Verdict.GOOD, f"{here.in_short}, the experiment's")
