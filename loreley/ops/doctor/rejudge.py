"""`invoke rejudge`: the evaluator was changed on purpose, so root and elites are measured anew."""

from collections.abc import Iterator
from contextlib import closing

from sqlalchemy import Connection, func, select

from loreley.config import Settings
from loreley.core.evaluation.assembly import (
    assemble_cascade,
    assemble_fingerprint,
    assemble_holdout,
)
from loreley.core.evaluation.fingerprint import Fingerprint
from loreley.core.sandbox.sandbox import require_sandbox
from loreley.db.engine import open_database
from loreley.db.experiment import begin_judging_anew, read_experiment, read_judge
from loreley.db.models import confirmations, elites, evaluations
from loreley.errors import ConfigError
from loreley.invocation import typed


def rejudge(settings: Settings, *, yes: bool, dry_run: bool) -> Iterator[str]:
    """Lines about what differs and what is done about it; with ``yes`` it is done.

    Raises `ConfigError` where nothing can be judged anew, and without ``yes`` or ``dry_run``.
    """
    here = assemble_fingerprint(settings)()
    with closing(open_database(settings.sqlalchemy_url)) as database:
        with database.read() as connection:
            known = _require_run(connection)
            if known == here:
                yield f"nothing to do: the experiment's judge is this host's, {here.in_short}"
                return
            yield from _describe(connection, known, here)
        if dry_run:
            return
        if not yes:
            raise ConfigError(
                "nothing was changed", fix=f"to do it, run `{typed('rejudge --yes')}`"
            )
        _require_evaluator(settings)
        with database.begin() as connection:
            begin_judging_anew(connection, here)
    yield (
        f"done; start scheduler and workers, as by `{typed('evolve')}`: they measure the root "
        "and the "
        "elites first. Workers with the evaluator of before are refused, or end by themselves"
    )


def _require_run(connection: Connection) -> Fingerprint | None:
    """The experiment's judge, if it is known."""
    has_judged = connection.execute(select(func.count()).select_from(evaluations)).scalar_one()
    if read_experiment(connection) is None or not has_judged:
        raise ConfigError(
            "there is nothing to judge anew",
            reason="no commit of the experiment was judged yet",
            fix="start it: the evaluator that the first worker has is the experiment's judge",
        )
    return read_judge(connection)


def _require_evaluator(settings: Settings) -> None:
    sandbox = require_sandbox(settings)
    assemble_cascade(settings, sandbox).check()
    if holdout := assemble_holdout(settings, sandbox):
        holdout.check()


def _describe(
    connection: Connection, known: Fingerprint | None, here: Fingerprint
) -> Iterator[str]:
    yield f"judge     {known.in_short if known else 'of an earlier version, not known'}"
    yield f"here      {here.in_short}"
    for difference in here.differences(known) if known else ():
        yield f"differs   {difference}"
    count = connection.execute(select(func.count(elites.c.commit.distinct()))).scalar_one()
    dropped = connection.execute(select(func.count()).select_from(confirmations)).scalar_one()
    yield f"measured  anew are the root and {count} elites; their figures of before are replaced"
    yield f"dropped   are {dropped} confirmations, and what the hold-out said"
