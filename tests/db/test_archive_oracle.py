"""The archive in the database against pyribs' GridArchive, on the same random sequences."""

from collections.abc import Iterator
from random import Random

import pytest

from loreley.db.archive import Archive, IslandPopulation, PlacedCommit
from loreley.db.engine import Database, open_database
from loreley.db.experiment import Experiment
from loreley.db.schedule import Schedule
from loreley.map_elites.archive import AddResult
from loreley.map_elites.cells import Grid, Measure
from loreley.map_elites.fitness import Estimate
from loreley.views.overview import read_overview
from tests.db.support import create_commits

_GRID = Grid((Measure("x", -1.0, 1.0, 7), Measure("y", 0.0, 10.0, 5)))
_STATUS = {0: AddResult.REJECTED, 1: AddResult.IMPROVED, 2: AddResult.NEW}

pytestmark = pytest.mark.slow


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
    yield database
    database.close()


@pytest.mark.parametrize("seed", [1, 2])
def test_the_same_sequence_gives_the_same_answers_and_the_same_archive(
    database: Database, seed: int
) -> None:
    from ribs.archives import GridArchive  # half a minute, where nothing is compiled yet

    oracle = GridArchive(
        solution_dim=1,
        dims=[measure.bins for measure in _GRID.measures],
        ranges=[(measure.low, measure.high) for measure in _GRID.measures],
    )
    random = Random(seed)
    commits = create_commits(database, 300)
    for number, commit in enumerate(commits):
        # Few different scores, so that ties happen; some places outside the ranges.
        score = float(random.randrange(12))
        place = (random.uniform(-1.3, 1.3), random.uniform(-2.0, 12.0))
        expected = oracle.add_single([float(number)], score, place)
        with database.begin() as connection:
            answer = Archive(database, connection).add(
                PlacedCommit(0, _GRID.cell_of(place), commit, Estimate(score), place)
            )
        assert answer == _STATUS[int(expected["status"])]

    with database.read() as connection:
        population = IslandPopulation(connection, 0)
        elites = population.at(range(population.size()))
    ours = {elite.cell: (commits.index(elite.commit), elite.score) for elite in elites}
    theirs = oracle.data()
    assert ours == {
        int(cell): (int(solution[0]), float(score))
        for cell, solution, score in zip(
            theirs["index"], theirs["solution"], theirs["objective"], strict=True
        )
    }


def test_coverage_qd_score_and_best_are_those_of_the_oracle(database: Database) -> None:
    from ribs.archives import GridArchive

    oracle = GridArchive(
        solution_dim=1,
        dims=[measure.bins for measure in _GRID.measures],
        ranges=[(measure.low, measure.high) for measure in _GRID.measures],
    )
    texts = [f"{m.name}:{m.low}:{m.high}:{m.bins}" for m in _GRID.measures]
    search = {"mapelites_fitness_metric": "s", "mapelites_fitness_higher_is_better": True}
    Schedule(database).begin_experiment(
        Experiment("a" * 40, search | {"mapelites_measures": texts})
    )
    random = Random(3)
    for number, commit in enumerate(create_commits(database, 60)):
        score, place = random.random(), (random.uniform(-1, 1), random.uniform(0, 10))
        oracle.add_single([float(number)], score, place)
        with database.begin() as connection:
            Archive(database, connection).add(
                PlacedCommit(0, _GRID.cell_of(place), commit, Estimate(score), place)
            )

    overview = read_overview(database)

    assert overview is not None
    [island] = overview.islands
    assert island.coverage == oracle.stats.coverage
    assert island.qd_score == pytest.approx(float(oracle.stats.qd_score))
    assert island.best == oracle.stats.obj_max
