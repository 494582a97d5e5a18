"""Islands in a ring."""

from loreley.core.map_elites.islands import Ring


def test_every_island_gets_its_turn() -> None:
    ring = Ring(islands=3, interval=10)

    assert [ring.island_of(ordinal) for ordinal in range(6)] == [0, 1, 2, 0, 1, 2]
    assert [ring.next_to(island) for island in range(3)] == [1, 2, 0]


def test_migrations_are_due_by_the_number_of_jobs() -> None:
    ring = Ring(islands=2, interval=10)

    assert [ring.migrations_due(jobs) for jobs in (0, 9, 10, 35)] == [0, 0, 1, 3]


def test_a_lone_island_and_an_interval_of_zero_know_no_migration() -> None:
    assert Ring(islands=1, interval=10).migrations_due(100) == 0
    assert Ring(islands=2, interval=0).migrations_due(100) == 0
