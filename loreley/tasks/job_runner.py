"""What a worker process is put together from, and how it runs jobs for the actor."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Self

from loguru import logger

from loreley.config import Settings
from loreley.core.agents.assembly import (
    agent_environment,
    assemble_agents,
    granted_variables,
)
from loreley.core.agents.program_cache import ProgramCaches
from loreley.core.endpoints.embeddings import EmbeddingEndpoint
from loreley.core.evaluation.assembly import (
    assemble_cascade,
    assemble_fingerprint,
    assemble_holdout,
    describe_exposure,
    read_evaluator_source,
)
from loreley.core.evaluation.fingerprint import Fingerprint
from loreley.core.sandbox.sandbox import Level, require_sandbox
from loreley.core.tuning.number_tuning import TuneOptions
from loreley.core.worker.briefing import Briefing
from loreley.core.worker.code_descriptor import Describer, EmbeddingDescriber, TokenDescriber
from loreley.core.worker.confirming import ConfirmationOptions
from loreley.core.worker.drawing_anew import DrawingAnew
from loreley.core.worker.evolution import Evolution
from loreley.core.worker.gates import Gates
from loreley.core.worker.host_speed import HostSpeed
from loreley.core.worker.job_run import JobOptions
from loreley.core.worker.own_judge import OwnJudge
from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.core.worker.secret_scan import Secrets
from loreley.db.briefs.search_context import read_search_context
from loreley.db.embeddings import Embeddings
from loreley.db.engine import Database, open_database
from loreley.db.experiment import adopt_judge, refuse_other_judge
from loreley.db.jobs import Jobs
from loreley.db.spend import Spend
from loreley.errors import JobInterrupted, WorkerUnfit
from loreley.host import children
from loreley.host.deadline import Deadline, Stop
from loreley.host.health import Health
from loreley.tasks.connection import require_redis
from loreley.tasks.figures import serve_worker_figures
from loreley.tasks.presence import Presence, describe_worker
from loreley.tasks.renewal import Renewal

_PREPARE_SECONDS = 3600.0  # a first clone may be large
_CHECK_SECONDS = 60.0  # for a service to answer at all


class JobRunner:
    """Runs jobs for the actor, one at a time, and can be asked to give the running one up."""

    def __init__(
        self, evolution: Evolution, repository: WorkerRepository, presence: Presence
    ) -> None:
        self.repository = repository
        self._presence = presence
        self._evolution = evolution
        self._running = Stop()
        self.flaw: WorkerUnfit | None = None  # why it can run no job, once that is known

    @classmethod
    @contextmanager
    def open(cls, settings: Settings) -> Iterator[Self]:
        """Check and open every part; raises the `LoreleyError` of the first that fails."""
        require_redis(settings)
        with ExitStack() as stack:
            health = Health()
            stack.callback(health.stop)
            database = open_database(settings.sqlalchemy_url)
            stack.callback(database.close)
            sandbox = require_sandbox(settings)
            level = "INFO" if sandbox.level is Level.BUBBLEWRAP else "WARNING"
            logger.log(level, sandbox.describe())
            judge = assemble_cascade(settings, sandbox)
            judge.check()
            holdout = assemble_holdout(settings, sandbox)
            if holdout is not None:
                holdout.check()
            if exposure := describe_exposure(settings, sandbox):
                logger.warning(exposure)
            worker = describe_worker(sandbox.level)
            own_judge = OwnJudge(assemble_fingerprint(settings), worker.host)
            fingerprint = own_judge.take()
            _require_one_judge(database, fingerprint)
            environ = agent_environment(os.environ)
            caches = stack.enter_context(ProgramCaches.open())
            agent = assemble_agents(settings, sandbox, environ, caches)
            secrets = Secrets.collect(settings, environ, granted_variables(settings))
            describer = _create_describer(settings, database)
            if isinstance(describer, EmbeddingDescriber):
                describer.check(Deadline.after(_CHECK_SECONDS))
            stack.enter_context(children.become_subreaper())
            stack.enter_context(children.guard_children())
            repository = WorkerRepository(RepositoryOptions.from_settings(settings))
            stack.callback(repository.close)
            logger.debug("preparing the base clone of {}", settings.remote_target)
            repository.prepare(Deadline.after(_PREPARE_SECONDS))
            repository.try_push(Deadline.after(_CHECK_SECONDS))
            renewal = Renewal(sandbox, caches, partial(_create_briefing, database=database))
            evolution = Evolution(
                jobs=Jobs(database),
                repository=repository,
                agent=agent,
                judge=judge,
                options=JobOptions(
                    worker=worker.name,
                    lease_seconds=settings.tasks_worker_lease_seconds,
                    time_limit_seconds=settings.tasks_worker_time_limit_seconds,
                    branch_prefix=settings.worker_repo_job_branch_prefix,
                    agent_timeout_seconds=settings.worker_agent_timeout_seconds,
                    briefing=_create_briefing(settings, secrets, database),
                    confirmation=ConfirmationOptions(
                        settings.scheduler_confirmation_share, holdout=holdout
                    ),
                    own_judge=own_judge,
                    tuning=_create_tune_options(settings),
                    host_speed=HostSpeed(own_judge.host, fingerprint.machine),
                    describer=describer,
                    drawing_anew=_bound_tries(settings),
                    trials=settings.worker_agent_evaluations,
                    session_seconds=settings.worker_agent_session_seconds,
                    count_end=stack.enter_context(serve_worker_figures(settings, health)),
                    renew=lambda: renewal(evolution, repository),
                ),
            )
            presence = Presence(database, worker, health)
            with presence.shown():
                yield cls(evolution, repository, presence)

    def run(self, job_id: str) -> None:
        """Run a job to its end; raises `JobNotClaimed` when it is not ours to run.

        Raises `WorkerUnfit`, and keeps it as the ``flaw``, when this worker can run none.
        """
        self._running = Stop()
        try:
            self._evolution.run(job_id, self._running)
        except WorkerUnfit as error:
            self.flaw = error
            raise

    @property
    def is_busy(self) -> bool:
        """Whether a job is claimed."""
        return self._evolution.is_busy

    @property
    def is_draining(self) -> bool:
        """Whether it is asked to take no further job."""
        return self._presence.is_draining

    def interrupt(self) -> None:
        """Make the running job go back to the queue, from any thread."""
        self._running.ask(JobInterrupted("the worker is stopping"))


def _require_one_judge(database: Database, judge: Fingerprint) -> None:
    """Raise `ConfigError` when the experiment has another judge than this worker.

    The first worker of this version becomes the judge of a run that an earlier one began.
    """
    logger.info("judge: {}, on {}", judge.in_short, judge.machine)
    with database.begin() as connection:
        if adopt_judge(connection, judge):
            logger.warning(
                "the run was begun by an earlier version: it has this worker's judge from now on"
            )
        refuse_other_judge(connection, judge)


def _create_briefing(settings: Settings, secrets: Secrets, database: Database) -> Briefing:
    return Briefing(
        settings.worker_evolution_global_goal,
        gates=Gates.from_settings(settings, secrets),
        read_context=partial(read_search_context, database),
        budget_gate=Spend(database),
        secrets=secrets,
        judge=read_evaluator_source(settings),
    )


def _bound_tries(settings: Settings) -> DrawingAnew:
    by_time = not settings.mapelites_reproducible
    # Each candidate is embedded before it is judged, which may cost money.
    return DrawingAnew(1, by_time) if settings.embeds else DrawingAnew(by_time=by_time)


def _create_tune_options(settings: Settings) -> TuneOptions:
    return TuneOptions(
        settings.worker_tune_seconds,
        settings.worker_tune_evaluations,
        not settings.mapelites_reproducible,
        tuple(settings.worker_tune_parameters),
        tuple(settings.worker_repo_clean_excludes),
    )


def _create_describer(settings: Settings, database: Database) -> Describer | None:
    if settings.mapelites_measures:
        return None
    if not settings.embeds:
        return TokenDescriber()
    key, model = settings.mapelites_embedding_api_key, settings.mapelites_embedding_model or ""
    return EmbeddingDescriber(
        EmbeddingEndpoint(
            model, settings.mapelites_embedding_url, key.get_secret_value() if key else None
        ),
        Embeddings(database, model),
        settings.mapelites_embedding_price,
    )
