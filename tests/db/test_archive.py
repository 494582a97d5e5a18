"""The archive in the database against a dictionary, on SQLite and on PostgreSQL."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from loreley.db.archive import Archive, IslandPopulation, PlacedCommit
from loreley.db.engine import Database
from loreley.db.models import elites as elites_table
from loreley.map_elites.archive import AddResult, compare
from loreley.map_elites.fitness import Estimate
from loreley.map_elites.objective import LARGEST_SCORE
from loreley.map_elites.sampler import Elite
from tests.db.support import create_commits, rows

MOST = 16


@dataclass(frozen=True)
class Offer:
    island: int
    cell: int
    score: float
    error: float

    @property
    def estimate(self) -> Estimate:
        return Estimate(self.score, self.error)


_figures = st.integers(-3_000_000, 3_000_000).map(lambda millionths: millionths / 1e6)

offers = st.lists(
    st.builds(
        Offer,
        st.integers(0, 1),
        st.integers(0, 3),
        st.integers(-3, 3).map(float) | _figures,  # few different scores, so that ties happen
        st.sampled_from([0.0, 0.0, 0.4, 2.0]) | _figures.map(abs),
    ),
    max_size=MOST,
)


def expected(model: dict[tuple[int, int], Offer], offer: Offer) -> AddResult:
    """What the archive should say by the pure rule; keeps the model in step."""
    elite = model.get((offer.island, offer.cell))
    result = compare(offer.estimate, elite.estimate if elite else None)
    if result.enters:
        model[offer.island, offer.cell] = offer
    return result


def offered(database: Database, offer: Offer, commit: str) -> AddResult:
    with database.begin() as connection:
        return Archive(database, connection).add(
            PlacedCommit(offer.island, offer.cell, commit, offer.estimate, (1.0, 2.0))
        )


@pytest.fixture
def commits(database: Database) -> list[str]:
    return create_commits(database, MOST)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(offers)
def test_any_sequence_gives_the_answers_and_the_archive_of_a_dictionary(
    database: Database, commits: list[str], sequence: list[Offer]
) -> None:
    with database.begin() as connection:
        connection.execute(elites_table.delete())
    model: dict[tuple[int, int], Offer] = {}
    by_commit = dict(zip(commits, sequence, strict=False))

    for commit, offer in by_commit.items():
        assert offered(database, offer, commit) == expected(model, offer)

    found = rows(database, "elites")
    assert {(row["island"], row["cell"]): by_commit[row["commit"]] for row in found} == model
    for island in (0, 1):
        positions = [row["position"] for row in found if row["island"] == island]
        assert sorted(positions) == list(range(len(positions)))


def test_an_elite_is_kept_with_its_place_and_improvements(
    database: Database, commits: list[str]
) -> None:
    for score, commit in enumerate(commits[:3]):
        offered(database, Offer(1, 7, score, 0.0), commit)

    [row] = rows(database, "elites")
    assert (row["commit"], row["score"], row["improvements"]) == (commits[2], 2.0, 2)
    assert (row["island"], row["cell"], row["measures"]) == (1, 7, [1.0, 2.0])


def test_an_elite_that_is_offered_again_challenges_nobody(
    database: Database, commits: list[str]
) -> None:
    """After a crash a job is taken in again; and a measured elite is offered with a new score."""
    offered(database, Offer(0, 0, 1.0, 1.0), commits[0])

    assert offered(database, Offer(0, 0, 1.5, 1.0), commits[0]) is AddResult.REJECTED


@pytest.mark.parametrize("score", [LARGEST_SCORE, -LARGEST_SCORE, 5e-324, 0.1 + 0.2])
def test_scores_come_back_as_they_were(
    database: Database, commits: list[str], score: float
) -> None:
    offered(database, Offer(0, 0, score, 0.0), commits[0])

    assert rows(database, "elites")[0]["score"] == score


def test_an_island_shows_its_own_elites(database: Database, commits: list[str]) -> None:
    for cell, commit in enumerate(commits[:6]):
        offered(database, Offer(cell % 2, cell, float(cell), 0.0), commit)

    with database.read() as connection:
        population = IslandPopulation(connection, 1)
        by_position = population.at(range(population.size()))
        in_cells = population.in_cells([0, 3, 4, 5, 99])
        empty = IslandPopulation(connection, 2)
        assert (empty.size(), empty.at([]), empty.in_cells([1])) == (0, [], [])

        ranked = [population.ranked(rank).cell for rank in range(population.size())]

    assert ranked == [5, 3, 1]
    assert {elite.cell for elite in by_position} == {1, 3, 5}
    assert sorted(in_cells, key=lambda elite: elite.cell) == [
        Elite(3, commits[3], 3.0),
        Elite(5, commits[5], 5.0),
    ]


def test_curiosity_grows_with_success_and_never_falls_below_nothing(
    database: Database, commits: list[str]
) -> None:
    offered(database, Offer(0, 0, 1.0, 0.0), commits[0])
    seen = []
    for entered in (False, True, True, False):
        with database.begin() as connection:
            archive = Archive(database, connection)
            archive.credit(0, commits[0], entered=entered)
            archive.credit(1, commits[0], entered=True)  # of another island: nobody's
        seen.append(rows(database, "elites")[0]["curiosity"])

    assert seen == [0.0, 1.0, 2.0, 1.5]


def test_a_new_elite_begins_without_curiosity(database: Database, commits: list[str]) -> None:
    offered(database, Offer(0, 0, 1.0, 0.0), commits[0])
    with database.begin() as connection:
        Archive(database, connection).credit(0, commits[0], entered=True)

    offered(database, Offer(0, 0, 2.0, 0.0), commits[1])

    assert rows(database, "elites")[0]["curiosity"] == 0.0


def test_the_best_come_best_first(database: Database, commits: list[str]) -> None:
    for cell, (score, commit) in enumerate(zip([1.0, 3.0, 2.0, 3.0], commits, strict=False)):
        offered(database, Offer(0, cell, score, 0.0), commit)

    with database.read() as connection:
        best = Archive(database, connection).best(0, 3)

    assert [elite.commit for elite in best] == [commits[1], commits[3], commits[2]]


def test_an_archive_that_is_filled_anew_keeps_the_best_of_each_cell(
    database: Database, commits: list[str]
) -> None:
    offered(database, Offer(0, 5, 9.0, 0.0), commits[9])
    placed = [
        PlacedCommit(0, cell, commit, Estimate(score), (0.0,))
        for cell, score, commit in [
            (1, 1.0, commits[0]),
            (1, 2.0, commits[1]),
            (1, 2.0, commits[2]),
            (2, -1.0, commits[3]),
        ]
    ]

    with database.begin() as connection:
        Archive(database, connection).replace_all(placed)

    assert {row["cell"]: row["commit"] for row in rows(database, "elites")} == {
        1: commits[1],
        2: commits[3],
    }
    assert sorted(row["position"] for row in rows(database, "elites")) == [0, 1]


def test_an_elite_holds_its_new_cell_against_what_is_not_better_beyond_the_noise(
    database: Database, commits: list[str]
) -> None:
    placed = [
        PlacedCommit(0, 1, commits[0], Estimate(1.0, 0.1), (0.1,)),
        PlacedCommit(0, 1, commits[1], Estimate(1.2, 0.5), (0.1,)),  # luck
        PlacedCommit(0, 2, commits[2], Estimate(1.0, 0.1), (0.2,)),
        PlacedCommit(0, 2, commits[3], Estimate(1.5, 0.1), (0.2,)),
    ]

    with database.begin() as connection:
        Archive(database, connection).replace_all(placed)

    assert {row["cell"]: row["commit"] for row in rows(database, "elites")} == {
        1: commits[0],
        2: commits[3],
    }


def test_an_elite_stays_as_curious_in_its_new_cell(database: Database, commits: list[str]) -> None:
    offered(database, Offer(0, 5, 1.0, 0.0), commits[0])
    with database.begin() as connection:
        archive = Archive(database, connection)
        archive.credit(0, commits[0], entered=True)

        archive.replace_all(
            [
                PlacedCommit(0, 1, commits[0], Estimate(1.0), (0.1,)),
                PlacedCommit(0, 2, commits[1], Estimate(1.0), (0.2,)),
            ]
        )

    curiosity = {row["commit"]: row["curiosity"] for row in rows(database, "elites")}
    assert curiosity == {commits[0]: 1.0, commits[1]: 0.0}


@pytest.mark.parametrize(("high", "error"), [(LARGEST_SCORE, 0.0), (LARGEST_SCORE, 1e90)])
def test_scores_as_large_as_they_may_be_are_compared(
    database: Database, commits: list[str], high: float, error: float
) -> None:
    assert offered(database, Offer(0, 0, -high, error), commits[0]) is AddResult.NEW
    assert offered(database, Offer(0, 0, high, error), commits[1]) is AddResult.IMPROVED
    assert offered(database, Offer(0, 0, -high, error), commits[2]) is AddResult.REJECTED


def test_a_tiny_gain_is_a_gain(database: Database, commits: list[str]) -> None:
    assert offered(database, Offer(0, 0, 1e-200, 0.0), commits[0]) is AddResult.NEW
    assert offered(database, Offer(0, 0, 3e-200, 0.0), commits[1]) is AddResult.IMPROVED
    assert offered(database, Offer(0, 0, 9e-200, 1e-99), commits[2]) is AddResult.CHALLENGING


def test_those_who_add_at_the_same_time_take_turns(database: Database, commits: list[str]) -> None:
    def add(worker: int) -> None:
        for number in range(MOST):
            offered(database, Offer(0, 4 * number + worker, 1.0, 0.0), commits[number])

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(add, worker) for worker in range(3)]:
            done.result()

    positions = [row["position"] for row in rows(database, "elites")]
    assert sorted(positions) == list(range(3 * MOST))
