"""Islands in a ring."""

from loreley.map_elites.islands import Ring


def test_every_island_gets_its_turn() -> None:
    ring = Ring(islands=3, interval=10)

    assert [ring.island_of(ordinal) for ordinal in range(6)] == [0, 1, 2, 0, 1, 2]
    assert [ring.next_to(island) for island in range(3)] == [1, 2, 0]


def test_migrations_come_by_the_number_of_jobs() -> None:
    ring = Ring(islands=2, interval=10)

    assert [jobs for jobs in range(1, 36) if ring.migrates_after(jobs)] == [10, 20, 30]


def test_a_lone_island_and_an_interval_of_zero_know_no_migration() -> None:
    assert not Ring(islands=1, interval=10).migrates_after(100)
    assert not Ring(islands=2, interval=0).migrates_after(100)
