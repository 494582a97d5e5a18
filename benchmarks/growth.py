"""The scheduler's cost of a job as the experiment grows."""

import os
import tempfile
from array import array
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from random import Random

from sqlalchemy import create_engine, make_url

from benchmarks.comparison import Comparison, Plan
from loreley.config import Settings
from loreley.core.evaluation.evaluation import Evaluation, Metric
from loreley.core.jobs import JobRecord, JobState, JudgedCommit
from loreley.db.archive import Archive
from loreley.db.engine import Database, now, open_database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import commits, elites, evaluations, experiment, jobs, metrics
from loreley.db.schedule import Schedule
from loreley.map_elites.cells import Grid, Measure
from loreley.map_elites.descriptor import DIMENSIONS, pack
from loreley.map_elites.objective import Objective
from loreley.scheduler.assembly import Parts, assemble
from loreley.scheduler.descriptor_space import refit

_ROOT = "a" * 40
_BINS = 100
_GRID = Grid((Measure("x", 0.0, 1.0, _BINS), Measure("y", 0.0, 1.0, _BINS)))
_SMALL = 100
_SIZES = {10_000: 1.1, 100_000: 1.3}  # commits, and the largest ratio that is good enough
_QUICK_SIZES = {1_000: 1.1}
_JOBS_PER_ROUND = 10


class _Queue:
    def __init__(self) -> None:
        self.job_ids: list[str] = []

    def send(self, job_id: str, *, first: bool = False) -> None:  # noqa: ARG002
        self.job_ids.append(job_id)

    def waiting(self) -> list[str]:
        return self.job_ids


class _Search:
    """An experiment that has had many jobs already, and goes on."""

    def __init__(self, database: Database, size: int) -> None:
        self.database = database
        self.commits = size
        self._random = Random(size)
        self._queue = _Queue()
        found = Schedule(database).begin_experiment(Experiment(_ROOT, {}))
        _fill(database, size, self._random)
        self._parts = _parts(database, found, self._queue)

    def jobs(self, count: int) -> None:
        """Create, do and take in so many jobs."""
        parts = self._parts
        for _ in range(count):
            parts.job_creation.tick()
            parts.dispatch.tick()
            self._work()
            for job in parts.ingest.waiting():
                parts.ingest.take(job)

    def refit(self) -> None:
        """Fit the axes of the code descriptor, and place every commit anew."""
        objective = Objective(metric="score", code_axes=2, code_bins=10)
        with self.database.begin() as connection:
            connection.execute(experiment.update().values(projection=None))
            archive = Archive(self.database, connection)
            refit(connection, archive, objective, self.commits)

    def _work(self) -> None:
        store = Jobs(self.database)
        for job_id in self._queue.job_ids:
            claim = store.claim(job_id, worker="bench", lease_seconds=60)
            store.find_judged([claim.base_commit, *claim.inspirations])
            self.commits += 1
            name = f"{self.commits:040x}"
            store.announce(claim, name)
            figures = (
                Metric("score", self._random.random()),
                Metric("x", self._random.random()),
                Metric("y", self._random.random()),
            )
            branch = f"evolution/job/{claim.name}"
            judged = JudgedCommit(
                *(name, name, claim.base_commit, branch, ""),
                footprint={"edit_distance": 1, "code_size": 1},
                evaluation=Evaluation("", figures),
                vector=_vector(self._random),
            )
            store.succeed(claim, judged, JobRecord(agent="bench", operator=claim.operator))
        self._queue.job_ids.clear()


def growth(plan: Plan) -> Iterator[Comparison]:
    """A job's cost in a large experiment against its cost in a small one."""
    for place, databases in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
        if place == "SQLite" or plan.postgresql_url:
            for size, target in (_QUICK_SIZES if plan.quick else _SIZES).items():
                yield from _compare_sizes(plan, place, databases, size, target)


def _compare_sizes(
    plan: Plan, place: str, databases: "_Databases", size: int, target: float
) -> Iterator[Comparison]:
    with databases(plan) as (small_url, large_url):
        small = _search(small_url, _SMALL, plan)
        large = _search(large_url, size, plan)
        try:
            yield _compare_jobs(plan, place, small, large, size, target)
            yield _compare_refits(plan, place, small, large, size, target)
        finally:
            small.database.close()
            large.database.close()


def _compare_jobs(
    plan: Plan, place: str, small: _Search, large: _Search, size: int, target: float
) -> Comparison:
    for search in (small, large):
        search.jobs(_JOBS_PER_ROUND)  # statements are compiled, pages are read
    rounds = plan.rounds(15)
    ours, floor = plan.in_turn(
        f"growth to {size:,} in {place}",
        [partial(large.jobs, _JOBS_PER_ROUND)] * rounds,
        [partial(small.jobs, _JOBS_PER_ROUND)] * rounds,
    )
    return Comparison(
        "growth",
        f"a job's work in {place} with {size:,} commits",
        f"the same with {_SMALL:,} commits",
        tuple(seconds / _JOBS_PER_ROUND for seconds in ours),
        tuple(seconds / _JOBS_PER_ROUND for seconds in floor),
        target,
    )


def _compare_refits(
    plan: Plan, place: str, small: _Search, large: _Search, size: int, target: float
) -> Comparison:
    """A refit by the commit: as it happens at doublings only, its share of each job's cost."""
    for search in (small, large):
        search.refit()
    rounds = plan.rounds(5)
    ours, floor = plan.in_turn(
        f"axes of {size:,} in {place}",
        [large.refit] * rounds,
        [small.refit] * rounds,
    )
    return Comparison(
        "growth",
        f"a commit's share of a refit in {place} with {size:,} commits",
        f"the same with {_SMALL:,} commits",
        tuple(seconds / large.commits for seconds in ours),
        tuple(seconds / small.commits for seconds in floor),
        target,
    )


_Databases = Callable[[Plan], AbstractContextManager[tuple[str, str]]]


@contextmanager
def _sqlite(_plan: Plan) -> Iterator[tuple[str, str]]:
    with tempfile.TemporaryDirectory(prefix="loreley-bench-") as name:
        yield f"sqlite:///{name}/small.db", f"sqlite:///{name}/large.db"


@contextmanager
def _postgresql(plan: Plan) -> Iterator[tuple[str, str]]:
    assert plan.postgresql_url is not None
    server = create_engine(
        make_url(plan.postgresql_url).set(drivername="postgresql+psycopg"),
        isolation_level="AUTOCOMMIT",
    )
    names = [f"loreley_bench_{size}_{os.getpid()}" for size in ("small", "large")]
    with server.connect() as connection:
        try:
            for name in names:
                connection.exec_driver_sql(f"CREATE DATABASE {name}")
            small, large = (
                server.url.set(database=name).render_as_string(hide_password=False)
                for name in names
            )
            yield small, large
        finally:
            for name in names:
                connection.exec_driver_sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _search(url: str, size: int, plan: Plan) -> _Search:
    plan.report(f"growth: making {size:,} commits")
    return _Search(open_database(url), size)


def _parts(database: Database, found: Experiment, queue: _Queue) -> Parts:
    settings = Settings(
        mapelites_fitness_metric="score",
        mapelites_measures=list(_GRID.measures),
        mapelites_islands=1,
        mapelites_seed_population_size=0,
        scheduler_max_unfinished_jobs=1,
    )
    return assemble(database, found, settings, queue)


def _fill(database: Database, size: int, random: Random) -> None:
    """So many jobs that are done, each with a commit, and the elites among them."""
    names = [f"{number:040x}" for number in range(size)]
    places = [(random.random(), random.random()) for _ in names]
    vectors = [_vector(random) for _ in range(50)]
    best: dict[int, int] = {}
    for number, place in enumerate(places):
        best.setdefault(_GRID.cell_of(place), number)
    with database.begin() as connection:
        for start in range(0, size, 5_000):
            some = range(start, min(start + 5_000, size))
            connection.execute(jobs.insert(), [_job(number, names) for number in some])
            connection.execute(
                commits.insert(),
                [_commit(number, names, random.choice(vectors)) for number in some],
            )
            connection.execute(
                evaluations.insert(),
                [{"commit": names[number], "summary": "", "seconds": 0.0} for number in some],
            )
            connection.execute(
                metrics.insert(),
                [row for number in some for row in _metrics(names[number], places[number])],
            )
        connection.execute(
            elites.insert(),
            [
                {
                    "island": 0,
                    "cell": cell,
                    "position": position,
                    "commit": names[number],
                    "score": 0.5,
                    "error": 0.0,
                    "curiosity": 0.0,
                    "measures": list(places[number]),
                    "improvements": 0,
                    "updated_at": 0.0,
                }
                for position, (cell, number) in enumerate(best.items())
            ],
        )
        connection.execute(
            experiment.update().values(ended_jobs=size, judged_commits=size, created_at=now())
        )


def _job(number: int, names: list[str]) -> dict[str, object]:
    return {
        "id": names[number][-36:],
        "ordinal": number,
        "kind": "evolution",
        "state": JobState.SUCCEEDED,
        "island": 0,
        "seed": number,
        "base_commit": _ROOT,
        "inspirations": [],
        "created_at": float(number),
        "finished_at": float(number),
        "ingested_at": float(number),
        "tree": names[number],
        "commit": names[number],
    }


def _commit(number: int, names: list[str], vector: bytes) -> dict[str, object]:
    return {
        "commit": names[number],
        "tree": names[number],
        "job_id": names[number][-36:],
        "branch": names[number],
        "subject": "",
        "traits": {},
        "vector": vector,
        "island": 0,
        "score": 0.5,
        "error": 0.0,
        "edit_distance": 1,
        "code_size": 1,
        "created_at": float(number),
    }


def _vector(random: Random) -> bytes:
    return pack(array("f", (random.gauss(0, 1) for _ in range(DIMENSIONS))))


def _metrics(name: str, place: tuple[float, float]) -> Iterator[dict[str, object]]:
    figures = {"score": 0.5, "x": place[0], "y": place[1]}
    for position, (metric, value) in enumerate(figures.items()):
        yield {
            "commit": name,
            "name": metric,
            "position": position,
            "value": value,
            "samples": [value],
            "higher_is_better": True,
        }
