"""New jobs: how many, from what, and always the same for the same seed."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import pytest

from loreley.core.jobs import JobKind
from loreley.db.archive import Archive, PlacedCommit
from loreley.db.bandit_stats import write_arm
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.schedule import Schedule, mark_ingested
from loreley.db.scores import write_score
from loreley.db.workers import WorkerProcess, drain, register
from loreley.errors import AgentFailed
from loreley.map_elites.bandit import Arm
from loreley.map_elites.cells import Grid, Measure
from loreley.map_elites.fitness import Estimate
from loreley.map_elites.islands import Ring
from loreley.map_elites.sampler import BaseChoice, Sampler
from loreley.scheduler.job_creation import JobCreation, JobCreationOptions
from tests.db.support import create_commits, failed, rows

ROOT = "a" * 40
GRID = Grid((Measure("x", 0, 10, 10),))


@pytest.fixture
def schedule(database: Database) -> Schedule:
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(ROOT, {}))
    return schedule


def job_creation(
    database: Database,
    *,
    max_unfinished: int | None = 4,
    max_total: int | None = None,
    seed_population: int = 0,
    random_seed: int = 1,
    islands: int = 1,
    agents: Mapping[str, float] = MappingProxyType({}),
    base_choice: BaseChoice = BaseChoice.UNIFORM,
    plateaus: bool = True,
) -> JobCreation:
    return JobCreation(
        database,
        Sampler(GRID, {base_choice: 1.0}),
        Ring(islands, 0),
        JobCreationOptions(
            root_commit=ROOT,
            max_unfinished=max_unfinished,
            max_total=max_total,
            seed_population=seed_population,
            random_seed=random_seed,
            operators={"swap": 1.0, "shift": 2.0},
            agents=agents,
            plateaus=plateaus,
        ),
    )


def jobs(database: Database) -> list[dict[str, Any]]:
    """The jobs that were created, by ordinal."""
    created = [row for row in rows(database, "jobs") if row["seed"] != 7]
    return sorted(created, key=lambda row: int(row["ordinal"]))


def fill(database: Database, island: int, cells: int) -> list[str]:
    """An archive with an elite in each of the first cells; uses up the ordinal 0."""
    commits = create_commits(database, cells)
    with database.begin() as connection:
        archive = Archive(database, connection)
        for cell, commit in enumerate(commits):
            archive.add(PlacedCommit(island, cell, commit, Estimate(float(cell)), (0.0,)))
    return commits


def end(database: Database, schedule: Schedule) -> None:
    """Let every job fail and be taken in."""
    for row in rows(database, "jobs"):
        if row["ingested_at"] is None:
            failed(database, row["id"], AgentFailed("no"))
    for job in schedule.find_ended():
        with database.begin() as connection:
            mark_ingested(connection, job)


def test_unset_three_jobs_wait_or_run_for_each_worker_that_is_online(
    schedule: Schedule, database: Database
) -> None:
    assert job_creation(database, max_unfinished=None).tick() == 8

    with database.begin() as connection:
        for number in range(5):
            register(connection, WorkerProcess(f"{number}", f"h:{number}", "h", "b", "1", "none"))
        drain(connection, "h:0")

    assert job_creation(database, max_unfinished=None).tick() == 3 * 4 - 8


def test_as_many_jobs_are_made_as_may_wait(database: Database, schedule: Schedule) -> None:
    assert [job_creation(database, max_unfinished=3).tick() for _ in range(2)] == [3, 0]

    assert [row["ordinal"] for row in jobs(database)] == [0, 1, 2]
    assert {row["kind"] for row in jobs(database)} == {JobKind.EVOLUTION}


def test_room_is_made_by_what_was_taken_in(database: Database, schedule: Schedule) -> None:
    one = job_creation(database, max_unfinished=3)
    one.tick()
    end(database, schedule)

    assert one.tick() == 3
    assert [row["ordinal"] for row in jobs(database)] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("total", [0, 1, 5])
def test_the_budget_is_kept_to_the_job(database: Database, schedule: Schedule, total: int) -> None:
    one = job_creation(database, max_total=total)
    made = 0
    for _ in range(5):
        made += one.tick()
        assert one.is_done is (total == 0)
        if total == 0:
            break
        end(database, schedule)
        if one.is_done:
            break

    assert made == total
    assert one.is_done


def test_a_budget_below_what_there_has_been_makes_nothing(
    database: Database, schedule: Schedule
) -> None:
    job_creation(database, max_unfinished=4).tick()
    end(database, schedule)

    assert job_creation(database, max_total=2).tick() == 0
    assert job_creation(database, max_total=2).is_done


def test_without_a_budget_it_is_never_done(database: Database, schedule: Schedule) -> None:
    job_creation(database).tick()
    end(database, schedule)

    assert not job_creation(database).is_done


def test_jobs_begin_at_the_root_while_there_is_no_elite(
    database: Database, schedule: Schedule
) -> None:
    job_creation(database).tick()

    assert {(row["base_commit"], *row["inspirations"]) for row in jobs(database)} == {(ROOT,)}


def test_the_first_jobs_begin_at_the_root_and_later_ones_at_elites(
    database: Database, schedule: Schedule
) -> None:
    commits = fill(database, 0, 3)

    job_creation(database, max_unfinished=9, seed_population=4).tick()

    bases = [row["base_commit"] for row in jobs(database)]
    assert jobs(database)[0]["ordinal"] == 1
    assert set(bases[:3]) == {ROOT}
    assert set(bases[3:]) <= set(commits)
    assert all(
        row["inspirations"] and row["base_commit"] not in row["inspirations"]
        for row in jobs(database)[3:]
    )


def test_each_island_has_its_turn_and_its_own_elites(
    database: Database, schedule: Schedule
) -> None:
    commits = fill(database, 1, 3)

    job_creation(database, max_unfinished=9, islands=2).tick()

    for row in jobs(database):
        assert row["island"] == row["ordinal"] % 2
        assert (row["base_commit"] in commits) is (row["island"] == 1)


def test_the_same_seed_makes_the_same_jobs_and_another_others(
    database: Database, schedule: Schedule
) -> None:
    def created(seed: int) -> list[tuple[object, ...]]:
        with database.begin() as connection:
            connection.exec_driver_sql("DELETE FROM elites")
            connection.exec_driver_sql("DELETE FROM commits")
            connection.exec_driver_sql("DELETE FROM jobs")
        fill(database, 0, 8)
        job_creation(database, max_unfinished=9, random_seed=seed).tick()
        return [
            (row["seed"], row["base_commit"], *row["inspirations"], row["operator"])
            for row in jobs(database)
        ]

    first, second, other = created(1), created(1), created(2)

    assert first == second
    assert not set(first) & set(other)
    assert len({job[0] for job in first}) == len(first)  # a seed of its own for each


def test_operators_are_chosen_among_those_of_the_agent(
    database: Database, schedule: Schedule
) -> None:
    job_creation(database, max_unfinished=50).tick()

    assert {row["operator"] for row in jobs(database)} == {"swap", "shift"}


def test_two_schedulers_make_each_job_once(database: Database, schedule: Schedule) -> None:
    one, other = job_creation(database), job_creation(database)

    one.tick()
    other.tick()

    assert len(jobs(database)) == 4


def test_one_agent_is_no_choice(database: Database, schedule: Schedule) -> None:
    job_creation(database, agents={"claude": 1.0}).tick()

    assert {job["agent"] for job in jobs(database)} == {None}


def test_agents_are_tried_by_their_weights_and_only_genetic_has_operators(
    database: Database, schedule: Schedule
) -> None:
    job_creation(database, max_unfinished=60, agents={"claude": 3.0, "genetic": 1.0}).tick()

    created = jobs(database)
    names = [job["agent"] for job in created]
    assert 35 <= names.count("claude") <= 55
    assert all((job["operator"] is None) == (job["agent"] == "claude") for job in created)


def test_an_agent_whose_candidates_enter_the_archive_is_preferred(
    database: Database, schedule: Schedule
) -> None:
    with database.begin() as connection:
        for name, successes in (("claude", 1.0), ("codex", 20.0)):
            arm = Arm(trials=30.0, successes=successes, cost=30.0)
            write_arm(database, connection, kind="agent", name=name, arm=arm)

    job_creation(database, max_unfinished=60, agents={"claude": 1.0, "codex": 1.0}).tick()

    names = [job["agent"] for job in jobs(database)]
    assert names.count("codex") > 45
    assert names.count("claude") > 0


@pytest.mark.parametrize("plateaus", [True, False])
def test_on_a_plateau_jobs_start_from_any_elite(
    database: Database, schedule: Schedule, plateaus: bool
) -> None:
    *_, fittest = fill(database, 0, 10)
    with database.begin() as connection:
        write_score(connection, fittest, Estimate(9.0))  # by job 0, and nothing after it

    job_creation(
        database, max_unfinished=100, base_choice=BaseChoice.FITNESS, plateaus=plateaus
    ).tick()

    bases = [row["base_commit"] for row in jobs(database)]
    assert 15 < bases[:50].count(fittest) < 35  # one in two
    assert (bases[51:].count(fittest) < 12) is plateaus  # one in ten
