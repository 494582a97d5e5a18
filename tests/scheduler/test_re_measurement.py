"""Who is really better, under noise."""

from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, update

from loreley.core.evaluation.evaluation import Metric
from loreley.db.archive import Archive, PlacedCommit
from loreley.db.engine import Database
from loreley.db.models import commits, jobs, metrics
from loreley.db.scores import write_score
from loreley.map_elites.archive import AddResult
from loreley.map_elites.fitness import Estimate
from loreley.scheduler.re_measurement import ReMeasurement
from tests.db.support import create_commits, rows

NOISY = (0.0, 1.0, 2.0)


def measure(connection: Connection, commit: str, **samples: Sequence[float]) -> Estimate:
    """Let a commit have these samples of each metric; the first metric is its fitness."""
    connection.execute(metrics.delete().where(metrics.c.commit == commit))
    figures = [
        Metric(name, sum(each) / len(each), samples=tuple(each)) for name, each in samples.items()
    ]
    for position, figure in enumerate(figures):
        connection.execute(
            metrics.insert().values(
                commit=commit,
                name=figure.name,
                position=position,
                value=figure.value,
                samples=list(figure.samples),
                higher_is_better=True,
            )
        )
    estimate = Estimate(figures[0].value, figures[0].error)
    write_score(connection, commit, estimate, island=0)
    return estimate


def offer(database: Database, commit: str, **samples: Sequence[float]) -> AddResult:
    """Offer a commit to the only cell; a challenge opens where it is not clear who is better."""
    with database.begin() as connection:
        archive = Archive(database, connection)
        placed = PlacedCommit(0, 0, commit, measure(connection, commit, **samples), (0.0,))
        outcome = archive.add(placed)
        if outcome is AddResult.CHALLENGING:
            ReMeasurement(database).open(connection, archive, placed)
    return outcome


def under_way(database: Database) -> list[str]:
    """The commits that are to be measured."""
    found = [row for row in rows(database, "jobs") if row["kind"] == "measurement"]
    return [row["base_commit"] for row in found if row["ingested_at"] is None]


def end(connection: Connection, commit: str) -> None:
    """Let the measurement of a commit be taken in."""
    done = update(jobs).where(jobs.c.kind == "measurement", jobs.c.base_commit == commit)
    connection.execute(done.values(ingested_at=1.0))


def settle(database: Database, commit: str, **samples: Sequence[float]) -> None:
    """Let a commit have been measured again, with these samples in all."""
    with database.begin() as connection:
        end(connection, commit)
        archive = Archive(database, connection)
        archive.reestimate(commit, measure(connection, commit, **samples))
        ReMeasurement(database).settle(connection, archive, commit)


@pytest.fixture
def names(database: Database) -> list[str]:
    names = create_commits(database, 3)
    with database.begin() as connection:
        connection.execute(update(commits).values(island=0))
    return names


def test_a_contest_ends_though_a_metric_is_not_reported_any_more(
    database: Database, names: list[str]
) -> None:
    first, second, _ = names
    offer(database, first, score=NOISY, x=NOISY)
    assert offer(database, second, score=[0.1, 1.1, 2.1], x=NOISY) is AddResult.CHALLENGING

    for count in range(4, 21):  # of the fitness there is never another sample
        settle(database, first, score=NOISY, x=[1.0] * count)
        settle(database, second, score=[0.1, 1.1, 2.1], x=[1.0] * count)

    assert under_way(database) == []
    assert rows(database, "challenges") == []


def test_a_contest_ends_though_nothing_known_is_reported_any_more(
    database: Database, names: list[str]
) -> None:
    first, second, _ = names
    offer(database, first, score=NOISY)
    assert offer(database, second, score=[0.1, 1.1, 2.1]) is AddResult.CHALLENGING
    asked = 0

    while (waiting := under_way(database)) and asked < 50:
        asked += 1
        [commit] = waiting
        settle(database, commit, score=NOISY if commit == first else [0.1, 1.1, 2.1])

    assert asked == 2 * 20
    assert rows(database, "challenges") == []


def test_a_challenger_is_held_against_the_elite_that_came_meanwhile(
    database: Database, names: list[str]
) -> None:
    first, second, third = names
    offer(database, first, score=NOISY)
    assert offer(database, second, score=[0.1, 1.1, 2.1]) is AddResult.CHALLENGING
    assert under_way(database) == [first]
    offer(database, third, score=[9.0, 9.1, 9.2])

    settle(database, first, score=[*NOISY, *NOISY])

    assert rows(database, "challenges") == []
    assert under_way(database) == []


@pytest.mark.parametrize("is_bounded", [True, False])
def test_contests_end_when_they_have_taken_their_time(
    database: Database, names: list[str], is_bounded: bool
) -> None:
    first, second, _ = names
    measuring = ReMeasurement(database, is_bounded_in_time=is_bounded)
    offer(database, first, score=NOISY)
    assert offer(database, second, score=[0.1, 1.1, 2.1]) is AddResult.CHALLENGING

    with database.begin() as connection:
        end(connection, first)
        took = update(jobs).where(jobs.c.kind == "measurement")
        connection.execute(took.values(claimed_at=1000.0, finished_at=1061.0))
        measuring.settle(connection, Archive(database, connection), first)

    assert under_way(database) == ([] if is_bounded else [first])
    assert len(rows(database, "challenges")) == int(not is_bounded)


def test_a_commit_that_cannot_be_measured_again_ends_its_contests(
    database: Database, names: list[str]
) -> None:
    first, second, _ = names
    offer(database, first, score=NOISY)
    offer(database, second, score=[0.1, 1.1, 2.1])

    with database.begin() as connection:
        end(connection, first)
        ReMeasurement(database).give_up(connection, Archive(database, connection), first)

    assert rows(database, "challenges") == []
    assert under_way(database) == []
    assert [row["commit"] for row in rows(database, "elites")] == [first]
