"""When and how the axes of the code descriptor are fitted anew."""

from random import Random

import pytest
from sqlalchemy import update

from loreley.db.archive import Archive
from loreley.db.engine import Database
from loreley.db.experiment import Experiment, read_descriptor_space, read_projection
from loreley.db.models import commits
from loreley.db.schedule import Schedule
from loreley.db.scores import write_score
from loreley.errors import ConfigError
from loreley.map_elites.descriptor import DIMENSIONS, pack, zero
from loreley.map_elites.fitness import Estimate
from loreley.map_elites.objective import Objective
from loreley.scheduler.descriptor_space import refit, require_same_dimensions
from tests.db.support import create_commits

OBJECTIVE = Objective(metric="score", code_axes=2, code_bins=10)


def scatter(database: Database, names: list[str]) -> None:
    """Give these commits a score and a place of their own."""
    random = Random(1)
    with database.begin() as connection:
        for name in names:
            vector = zero()
            vector[random.randrange(DIMENSIONS)] = random.gauss(0, 1)
            where = update(commits).where(commits.c.commit == name)
            connection.execute(where.values(vector=pack(vector), branch=name))
            write_score(connection, name, Estimate(random.random()), island=0)


@pytest.fixture
def names(database: Database) -> list[str]:
    """Commits of an experiment, the first three with a place."""
    Schedule(database).begin_experiment(Experiment("a" * 40, {}))
    names = create_commits(database, 40)
    scatter(database, names[:3])
    return names


def grow(database: Database, judged_commits: int) -> object:
    with database.begin() as connection:
        refit(connection, Archive(database, connection), OBJECTIVE, judged_commits)
    with database.read() as connection:
        return read_projection(connection)


def place(database: Database) -> object:
    """Where a commit without any text stands."""
    with database.read() as connection:
        return read_descriptor_space(connection, OBJECTIVE).measure({}, pack(zero()))


def test_axes_stay_until_commits_have_doubled_though_few_of_them_have_a_score(
    database: Database, names: list[str]
) -> None:
    first = grow(database, 20)
    scatter(database, names[3:6])

    assert first is not None
    assert grow(database, 39) == first
    assert grow(database, 40) != first


def test_axes_that_were_rolled_back_place_nothing(database: Database, names: list[str]) -> None:
    with database.begin() as connection:
        refit(connection, Archive(database, connection), OBJECTIVE, 3)
        connection.rollback()

    assert place(database) == (0.5, 0.5)


def test_axes_that_another_scheduler_has_fitted_count_at_once(
    database: Database, names: list[str]
) -> None:
    first = grow(database, 3)

    assert grow(database, 4) == first
    assert place(database) != (0.5, 0.5)


def test_a_descriptor_of_another_length_is_refused_with_both(database: Database) -> None:
    require_same_dimensions(None)
    require_same_dimensions({"mean": [0.0] * DIMENSIONS})

    with pytest.raises(ConfigError, match="32 dimensions, this version's 64"):
        require_same_dimensions({"mean": [0.0] * 32})
