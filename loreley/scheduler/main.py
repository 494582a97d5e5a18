"""The scheduler: ingest what ended, create and dispatch what comes next, stop at the budget."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from loguru import logger

from loreley.config import Settings
from loreley.core.git import Git
from loreley.core.map_elites.cells import Measure
from loreley.core.map_elites.fitness import Constraint, Fitness, Term
from loreley.core.map_elites.islands import Ring
from loreley.core.map_elites.projection import Projection
from loreley.core.map_elites.sampler import Sampler
from loreley.core.worker.agents.genetic.operators import OPERATORS
from loreley.db.engine import Database, open_database
from loreley.db.schedule import Experiment, Schedule
from loreley.db.scores import read_projection
from loreley.entry import ExitCode
from loreley.errors import ConfigError, ServiceUnavailable
from loreley.logs import tell
from loreley.scheduler.baseline import Baseline
from loreley.scheduler.breeding import Breeding, BreedingOptions
from loreley.scheduler.contests import Contests
from loreley.scheduler.dispatch import Dispatch
from loreley.scheduler.ingest import Ingest, Yardstick
from loreley.scheduler.landscape import CodeLandscape, Landscape, NamedLandscape
from loreley.scheduler.learning import Learning
from loreley.scheduler.migration import Migration
from loreley.signals import StopSignals
from loreley.tasks.connection import require_redis
from loreley.tasks.queue import JobQueue


class Scheduler:
    """One experiment's clockwork; any number of ticks, interrupted anywhere, lose nothing."""

    def __init__(
        self, ingest: Ingest, baseline: Baseline, breeding: Breeding, dispatch: Dispatch
    ) -> None:
        self._ingest = ingest
        self._baseline = baseline
        self._breeding = breeding
        self._dispatch = dispatch

    @classmethod
    @contextmanager
    def opened(cls, settings: Settings) -> Iterator[Self]:
        """Check and open everything; raises the `LoreleyError` of the first that fails."""
        require_redis(settings)
        database = open_database(settings.sqlalchemy_url)
        try:
            schedule = Schedule(database)
            experiment = _experiment(schedule, settings)
            logger.info("evolving from {}", experiment.root_commit[:12])
            yield cls(
                _ingest(database, settings),
                Baseline(schedule, experiment.root_commit),
                _breeding(database, experiment, settings),
                _dispatch(schedule, settings),
            )
        finally:
            database.close()

    def tick(self) -> bool:
        """Do what can be done now; False when the experiment's budget is spent and settled."""
        for job in self._ingest.waiting():
            self._ingest.take(job)
            # One by one: with one worker every choice then sees the same archive in every run.
            self._breed()
        created = self._breed()
        self._dispatch.tick()
        return created > 0 or not self._breeding.is_done

    def _breed(self) -> int:
        return self._breeding.tick() if self._baseline.tick() else 0

    def run(self, signals: StopSignals, *, poll_interval_seconds: float) -> ExitCode:
        """Tick until the budget is spent or a stop is asked for."""
        while not signals.wait(poll_interval_seconds):
            try:
                if not self.tick():
                    tell("scheduler: every job of the budget is done")
                    return ExitCode.STOPPED
            except ServiceUnavailable as error:
                logger.warning("waiting for a service: {}", error.summary)
        tell("scheduler: stopped; start it again to go on")
        return ExitCode.INTERRUPTED if signals.count > 1 else ExitCode.STOPPED


def _experiment(schedule: Schedule, settings: Settings) -> Experiment:
    """The experiment of the database, begun now if there is none; raises on a contradiction."""
    known = schedule.experiment()
    wanted_root = settings.mapelites_experiment_root_commit
    if known is None:
        root = wanted_root or _head_of_branch(settings)
        known = schedule.found(Experiment(root, _search(settings)))
    if wanted_root is not None and wanted_root != known.root_commit:
        raise _contradiction("MAPELITES_EXPERIMENT_ROOT_COMMIT", known.root_commit, wanted_root)
    for name, value in _search(settings).items():
        if known.search.get(name) != value:
            raise _contradiction(name.upper(), known.search.get(name), value)
    return known


def _search(settings: Settings) -> dict[str, object]:
    """The settings that give scores and cells their meaning; fixed for an experiment."""
    names = [
        "mapelites_fitness_metric",
        "mapelites_fitness_higher_is_better",
        "mapelites_fitness_weights",
        "mapelites_constraints",
        "mapelites_measures",
        "mapelites_islands",
    ]
    if not settings.mapelites_measures:
        names += ["mapelites_descriptor_axes", "mapelites_descriptor_bins"]
    return {name: getattr(settings, name) for name in names}


def _contradiction(setting: str, known: object, wanted: object) -> ConfigError:
    return ConfigError(
        "the database holds another experiment",
        setting=setting,
        reason=f"it began with {known!r}, now it is {wanted!r}",
        fix="set it back, or begin anew with another DATABASE_URL or LORELEY_STATE_DIR",
    )


def _head_of_branch(settings: Settings) -> str:
    url = settings.worker_repo_remote_url
    assert url is not None  # the role's settings were checked
    git = Git(binary=settings.worker_repo_git_bin)
    return git.remote_head(url.get_secret_value(), settings.worker_repo_branch)


def _ingest(database: Database, settings: Settings) -> Ingest:
    ring = _ring(settings)
    return Ingest(
        database,
        Yardstick(
            _fitness(settings),
            _landscape(database, settings),
            settings.mapelites_noise_confidence,
        ),
        ring,
        contests=Contests(database),
        migration=Migration(ring, settings.mapelites_migration_elites),
        learning=Learning(database, reproducible=settings.mapelites_reproducible),
    )


def _fitness(settings: Settings) -> Fitness:
    terms = [Term.parse(text) for text in settings.mapelites_fitness_weights]
    if settings.mapelites_fitness_metric:
        sign = 1.0 if settings.mapelites_fitness_higher_is_better else -1.0
        terms = [Term(settings.mapelites_fitness_metric, sign)]
    return Fitness(terms, [Constraint.parse(text) for text in settings.mapelites_constraints])


def _landscape(database: Database, settings: Settings) -> Landscape:
    if settings.mapelites_measures:
        return NamedLandscape([Measure.parse(text) for text in settings.mapelites_measures])
    with database.read() as connection:
        known = read_projection(connection)
    return CodeLandscape(
        settings.mapelites_descriptor_axes,
        settings.mapelites_descriptor_bins,
        Projection.from_mapping(known) if known else None,
    )


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
            operators={operator.name: operator.weight for operator in OPERATORS},
        ),
    )


def _dispatch(schedule: Schedule, settings: Settings) -> Dispatch:
    queue = JobQueue()
    return Dispatch(
        schedule,
        send=queue.send,
        waiting_messages=queue.waiting,
        max_attempts=settings.scheduler_job_max_attempts,
    )
