"""The scheduler's parts, put together from the settings."""

from dataclasses import dataclass

from loreley.config import Settings
from loreley.core.agents.genetic.operators.weights import WEIGHTS
from loreley.db.engine import Database
from loreley.db.jobs import Jobs
from loreley.db.schedule import Experiment, Schedule
from loreley.db.scores import read_projection
from loreley.git.git import Git
from loreley.git.remote import Remote
from loreley.map_elites.cells import Measure
from loreley.map_elites.fitness import Constraint, Fitness, Term
from loreley.map_elites.islands import Ring
from loreley.map_elites.sampler import Sampler
from loreley.scheduler.artifact_retention import Retention
from loreley.scheduler.bandit_update import Learning
from loreley.scheduler.baseline import Baseline, Needs
from loreley.scheduler.budget_limits import Budget, limits_of
from loreley.scheduler.descriptor_space import (
    OWN_FIGURES,
    CodeLandscape,
    Landscape,
    NamedLandscape,
    require_same_dimensions,
)
from loreley.scheduler.dispatch import Dispatch, Queue
from loreley.scheduler.ingest import Ingest, Yardstick
from loreley.scheduler.job_creation import Breeding, BreedingOptions
from loreley.scheduler.migration import Migration
from loreley.scheduler.pruning import JobBranches, Pruning
from loreley.scheduler.re_measurement import Contests


@dataclass(frozen=True, slots=True)
class Parts:
    """What a scheduler works with."""

    ingest: Ingest
    baseline: Baseline
    breeding: Breeding
    dispatch: Dispatch
    budget: Budget
    retention: Retention
    pruning: Pruning


def assemble(database: Database, experiment: Experiment, settings: Settings, queue: Queue) -> Parts:
    """The parts for one experiment."""
    schedule = Schedule(database)
    return Parts(
        ingest=_ingest(database, settings),
        baseline=Baseline(
            schedule, experiment.root_commit, Needs(Jobs(database), _needed_metrics(settings))
        ),
        breeding=_breeding(database, experiment, settings),
        dispatch=Dispatch(schedule, queue, max_attempts=settings.scheduler_job_max_attempts),
        budget=Budget(database, limits_of(settings)),
        retention=Retention(database, settings.scheduler_artifact_ttl_hours),
        pruning=_pruning(database, settings),
    )


def _ingest(database: Database, settings: Settings) -> Ingest:
    ring = _ring(settings)
    return Ingest(
        database,
        Yardstick(
            fitness_of(settings),
            _landscape(database, settings),
            settings.mapelites_noise_confidence,
        ),
        ring,
        contests=Contests(database),
        migration=Migration(ring, settings.mapelites_migration_elites),
        learning=Learning(database, reproducible=settings.mapelites_reproducible),
    )


def fitness_of(settings: Settings) -> Fitness:
    """What makes one number of an evaluation."""
    terms = [Term.parse(text) for text in settings.mapelites_fitness_weights]
    if settings.mapelites_fitness_metric:
        sign = 1.0 if settings.mapelites_fitness_higher_is_better else -1.0
        terms = [Term(settings.mapelites_fitness_metric, sign)]
    return Fitness(terms, [Constraint.parse(text) for text in settings.mapelites_constraints])


def _needed_metrics(settings: Settings) -> dict[str, list[str]]:
    fitness = settings.mapelites_fitness_metric
    weights = map(Term.parse, settings.mapelites_fitness_weights)
    constraints = map(Constraint.parse, settings.mapelites_constraints)
    measures = [Measure.parse(text).name for text in settings.mapelites_measures]
    return {
        "MAPELITES_FITNESS_METRIC": [fitness] if fitness else [],
        "MAPELITES_FITNESS_WEIGHTS": [term.metric for term in weights],
        "MAPELITES_CONSTRAINTS": [constraint.metric for constraint in constraints],
        "MAPELITES_MEASURES": [name for name in measures if name not in OWN_FIGURES],
    }


def _landscape(database: Database, settings: Settings) -> Landscape:
    if settings.mapelites_measures:
        return NamedLandscape([Measure.parse(text) for text in settings.mapelites_measures])
    with database.read() as connection:
        require_same_dimensions(read_projection(connection))
    return CodeLandscape(settings.mapelites_descriptor_axes, settings.mapelites_descriptor_bins)


def _pruning(database: Database, settings: Settings) -> Pruning:
    url = settings.worker_repo_remote_url
    branches = None
    if url is not None:
        git = Git(settings.worker_repo_git_bin)
        remote = Remote.parse(url.get_secret_value())
        branches = JobBranches(git, remote, settings.worker_repo_job_branch_prefix)
    return Pruning(database, branches, settings.worker_repo_job_branch_ttl_hours)


def _ring(settings: Settings) -> Ring:
    return Ring(settings.mapelites_islands, settings.mapelites_migration_interval)


def _breeding(database: Database, experiment: Experiment, settings: Settings) -> Breeding:
    shares = map(Term.parse, settings.mapelites_base_choice)
    sampler = Sampler(
        _landscape(database, settings).grid, {share.metric: share.weight for share in shares}
    )
    return Breeding(
        database,
        sampler,
        _ring(settings),
        BreedingOptions(
            root_commit=experiment.root_commit,
            max_unfinished=settings.scheduler_max_unfinished_jobs,
            max_total=settings.scheduler_max_total_jobs,
            seed_population=settings.mapelites_seed_population_size,
            random_seed=settings.mapelites_random_seed,
            operators=WEIGHTS if "genetic" in settings.agent_weights else {},
            agents=settings.agent_weights,
        ),
    )
