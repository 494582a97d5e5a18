"""`invoke confirm`: a commit is measured beside the root, and by the hold-out, for a person."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from secrets import randbits

from loreley.config import Settings
from loreley.core.evaluation.assembly import (
    assemble_cascade,
    assemble_fingerprint,
    assemble_holdout,
)
from loreley.core.jobs import Claim, JobKind
from loreley.core.sandbox.sandbox import require_sandbox
from loreley.core.worker.confirming import ConfirmationOptions, Finalists
from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.db.confirmations import record_confirmation
from loreley.db.engine import Database, open_database
from loreley.db.experiment import read_experiment, refuse_other_judge
from loreley.db.jobs import Jobs
from loreley.errors import JobInterrupted, LoreleyError
from loreley.host import children
from loreley.host.deadline import Deadline
from loreley.host.signals import StopSignals
from loreley.ops.results.local_evaluator import SignalStop
from loreley.ops.results.selection import Selection, select_lineage
from loreley.ops.summary import name_gain
from loreley.views.lineage import Lineage

_PREPARE_SECONDS = 3600.0
_SHARE = 0.2  # where the settings let a run confirm nothing


def confirm_commit(settings: Settings, selection: Selection) -> Iterator[str]:
    """Lines about what is measured, and then what it has shown; kept as a run keeps it.

    Raises `LoreleyError` when there is nothing to compare, or this host judges otherwise.
    """
    with ExitStack() as stack:
        database = stack.enter_context(closing(open_database(settings.sqlalchemy_url)))
        lineage = select_lineage(database, selection)
        if lineage.last is lineage.root:
            raise LoreleyError(
                "the root commit is what others are measured beside",
                fix="wait until the evolution has found something fitter, or name a --commit",
            )
        with database.read() as connection:
            refuse_other_judge(connection, assemble_fingerprint(settings)())
        yield f"measuring {lineage.last.commit[:12]} beside the root {lineage.root_commit[:12]}"
        stop = SignalStop(stack.enter_context(StopSignals()))
        options = replace(RepositoryOptions.from_settings(settings), randomize=False)
        stack.enter_context(children.become_subreaper())
        repository = stack.enter_context(closing(WorkerRepository(options)))
        finalists = _assemble_finalists(settings, database, lineage, stop)
        try:
            repository.prepare(Deadline.after(_PREPARE_SECONDS, stop))
            confirmation, holdout = finalists.confirm(repository)
        except JobInterrupted:
            raise KeyboardInterrupt from None
        with database.begin() as connection:
            record_confirmation(
                database,
                connection,
                lineage.last.commit,
                lineage.last.job_id,
                confirmation,
                holdout,
            )
        gain = select_lineage(database, Selection(lineage.last.commit)).confirmation
    yield from (f"{name:<10}{text}" for name, text in name_gain(gain))


def _assemble_finalists(
    settings: Settings, database: Database, lineage: Lineage, stop: SignalStop
) -> Finalists:
    with database.read() as connection:
        experiment = read_experiment(connection)
    assert experiment is not None  # it has a lineage
    sandbox = require_sandbox(settings)
    judge, holdout = assemble_cascade(settings, sandbox), assemble_holdout(settings, sandbox)
    for evaluator in filter(None, (judge, holdout)):
        evaluator.check()
    claim = Claim(
        job_id=lineage.last.job_id,
        kind=JobKind.CONFIRMATION,
        attempt=0,  # none of a worker's
        token="",
        ordinal=lineage.last.ordinal,
        island=lineage.last.island,
        seed=randbits(32),
        root_commit=lineage.root_commit,
        base_commit=lineage.last.commit,
        inspirations=(),
        objective=experiment.objective,
        directions=experiment.directions,
    )
    share = settings.scheduler_confirmation_share or _SHARE
    return Finalists(
        claim,
        Jobs(database),
        judge,
        ConfirmationOptions(share, holdout=holdout),
        Deadline.after(settings.tasks_worker_time_limit_seconds, stop),
    )
