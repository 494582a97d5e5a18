"""When and how the axes of the code descriptor are fitted anew."""

from random import Random

from sqlalchemy import update

from loreley.core.map_elites.descriptor import DIMENSIONS, packed, zero
from loreley.core.map_elites.fitness import Estimate
from loreley.db.archive import Archive
from loreley.db.engine import Database
from loreley.db.models import commits
from loreley.db.schedule import Experiment, Schedule
from loreley.db.scores import read_projection, write_score
from loreley.scheduler.landscape import CodeLandscape
from tests.db.support import create_commits


def scatter(database: Database, names: list[str]) -> None:
    """Give these commits a score and a place of their own."""
    random = Random(1)
    with database.begin() as connection:
        for name in names:
            vector = zero()
            vector[random.randrange(DIMENSIONS)] = random.gauss(0, 1)
            where = update(commits).where(commits.c.commit == name)
            connection.execute(where.values(vector=packed(vector), branch=name))
            write_score(connection, name, Estimate(random.random()), island=0)


def grow(landscape: CodeLandscape, database: Database, judged_commits: int) -> object:
    with database.begin() as connection:
        landscape.grow(connection, Archive(database, connection, confidence=2), judged_commits)
    with database.read() as connection:
        return read_projection(connection)


def test_axes_stay_until_commits_have_doubled_though_few_of_them_have_a_score(
    database: Database,
) -> None:
    Schedule(database).found(Experiment("a" * 40, {}))
    names = create_commits(database, 40)
    landscape = CodeLandscape(axes=2, bins=10, projection=None)
    scatter(database, names[:3])

    first = grow(landscape, database, 20)
    scatter(database, names[3:6])

    assert first is not None
    assert grow(landscape, database, 39) == first
    assert grow(landscape, database, 40) != first
