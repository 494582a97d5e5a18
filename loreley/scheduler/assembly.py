"""The scheduler's parts, put together from the settings."""

from contextlib import suppress
from dataclasses import dataclass

from loreley.config import Role, Settings, load_renewed_settings
from loreley.core.agents.genetic.operators.weights import WEIGHTS
from loreley.core.worktrees.footprint import BUILT_IN_MEASURES
from loreley.db.engine import Database
from loreley.db.experiment import Experiment, read_projection
from loreley.db.jobs import Jobs
from loreley.db.schedule import Schedule
from loreley.errors import LoreleyError
from loreley.git.git import Git
from loreley.git.remote import Remote
from loreley.map_elites.islands import Ring
from loreley.map_elites.sampler import Sampler
from loreley.scheduler.artifact_retention import Retention
from loreley.scheduler.bandit_update import BanditUpdate
from loreley.scheduler.baseline import Baseline, Rejudging, RequiredMetrics, RootTuning
from loreley.scheduler.budget_limits import Budget, limits_from_settings
from loreley.scheduler.descriptor_space import require_same_dimensions
from loreley.scheduler.dispatch import Dispatch, Queue
from loreley.scheduler.faults.equal_failures import EqualFailures
from loreley.scheduler.faults.pausing import PauseOptions, Pausing
from loreley.scheduler.ingest import Ingest
from loreley.scheduler.job_creation import JobCreation, JobCreationOptions, draw_seed
from loreley.scheduler.migration import Migration
from loreley.scheduler.pruning import JobBranches, Pruning
from loreley.scheduler.re_measurement import Finalists, ReMeasurement


@dataclass(frozen=True, slots=True)
class Parts:
    """What a scheduler works with."""

    ingest: Ingest
    baseline: Baseline
    root_tuning: RootTuning
    rejudging: Rejudging
    job_creation: JobCreation
    finalists: Finalists
    dispatch: Dispatch
    budget: Budget
    retention: Retention
    pruning: Pruning
    pausing: Pausing
    equal_failures: EqualFailures


def assemble(database: Database, experiment: Experiment, settings: Settings, queue: Queue) -> Parts:
    """The parts for one experiment."""
    schedule = Schedule(database)
    finalists = Finalists(database, are_wanted=settings.scheduler_confirmation_share > 0)
    ingest = _assemble_ingest(database, settings, finalists)
    return Parts(
        ingest=ingest,
        rejudging=Rejudging(database, ingest, experiment.root_commit),
        finalists=finalists,
        baseline=Baseline(
            schedule,
            experiment.root_commit,
            RequiredMetrics(Jobs(database), _collect_required_metrics(settings)),
        ),
        root_tuning=RootTuning(
            database,
            experiment.root_commit,
            settings.worker_tune_seconds,
            draw_seed(settings.mapelites_random_seed, -1),
        ),
        job_creation=_assemble_job_creation(database, experiment, settings),
        dispatch=Dispatch(schedule, queue, max_attempts=settings.scheduler_job_max_attempts),
        budget=Budget(database, limits_from_settings(settings)),
        retention=Retention(database, settings.scheduler_artifact_ttl_hours),
        pruning=_assemble_pruning(database, settings),
        pausing=Pausing(
            database,
            PauseOptions(
                settings.scheduler_probe_seconds,
                settings.scheduler_max_pause_hours,
                has_one_agent=len(settings.agent_weights) == 1,
            ),
        ),
        equal_failures=EqualFailures(settings.scheduler_max_equal_failures),
    )


def _assemble_ingest(database: Database, settings: Settings, finalists: Finalists) -> Ingest:
    objective = settings.objective
    if not objective.measures:
        with database.read() as connection:
            require_same_dimensions(read_projection(connection))
    ring = _ring(settings)
    is_automatic = settings.worker_evaluator_repeats is None
    return Ingest(
        database,
        objective,
        ring,
        re_measurement=ReMeasurement(
            database, is_bounded_in_time=is_automatic and not settings.mapelites_reproducible
        ),
        finalists=finalists,
        migration=Migration(ring),
        bandit=BanditUpdate(database, reproducible=settings.mapelites_reproducible),
        repeats_are_automatic=is_automatic,
    )


def _collect_required_metrics(settings: Settings) -> dict[str, list[str]]:
    fitness = settings.mapelites_fitness_metric
    measures = [measure.name for measure in settings.mapelites_measures]
    return {
        "MAPELITES_FITNESS_METRIC": [fitness] if fitness else [],
        "MAPELITES_FITNESS_WEIGHTS": [term.metric for term in settings.mapelites_fitness_weights],
        "MAPELITES_CONSTRAINTS": [each.metric for each in settings.mapelites_constraints],
        "MAPELITES_MEASURES": [name for name in measures if name not in BUILT_IN_MEASURES],
    }


def _assemble_pruning(database: Database, settings: Settings) -> Pruning:
    url = settings.worker_repo_remote_url
    remote = Remote.parse(url.get_secret_value()) if url is not None else None

    def find_branches() -> JobBranches:
        assert remote is not None
        git, prefix = Git(settings.worker_repo_git_bin), settings.worker_repo_job_branch_prefix
        return JobBranches(git, renew_credentials(remote), prefix)

    return Pruning(
        database, find_branches if remote else None, settings.worker_repo_job_branch_ttl_hours
    )


def renew_credentials(remote: Remote) -> Remote:
    """The same remote with what `.env` says of it by now."""
    with suppress(LoreleyError):
        if (url := load_renewed_settings(Role.SCHEDULER).worker_repo_remote_url) is not None:
            renewed = Remote.parse(url.get_secret_value())
            return renewed if renewed.is_same_as(remote) else remote
    return remote


def _ring(settings: Settings) -> Ring:
    return Ring(settings.mapelites_islands, settings.mapelites_migration_interval)


def _assemble_job_creation(
    database: Database, experiment: Experiment, settings: Settings
) -> JobCreation:
    shares = {share.metric: share.weight for share in settings.mapelites_base_choice}
    return JobCreation(
        database,
        Sampler(settings.objective.grid, shares),
        _ring(settings),
        JobCreationOptions(
            root_commit=experiment.root_commit,
            max_unfinished=settings.scheduler_max_unfinished_jobs,
            max_total=settings.scheduler_max_total_jobs,
            seed_population=settings.mapelites_seed_population_size,
            random_seed=settings.mapelites_random_seed,
            operators=WEIGHTS if "genetic" in settings.agent_weights else {},
            agents=settings.agent_weights,
            tune_seconds=settings.worker_tune_seconds,
            session_seconds=settings.worker_agent_session_seconds,
            session_agents=settings.measuring_agents,
            reproducible=settings.mapelites_reproducible,
            plateaus=settings.mapelites_plateaus,
        ),
    )
