"""The search as a whole, with a toy worker: it climbs, repeats, spreads, and survives restarts."""

from collections.abc import Iterator, Mapping
from random import Random

import pytest
from sqlalchemy import func, select

from loreley.core.jobs import JobState
from loreley.db.engine import Database, open_database
from loreley.db.experiment import read_projection
from loreley.db.models import commits, elites, jobs
from loreley.views.overview import Overview, read_arm_states, read_overview
from tests.db.support import rows
from tests.scheduler.simulation import Simulation, sphere, unique_database_url

pytestmark = pytest.mark.slow


# What the search does with the rows; that both kinds give the same rows is tested elsewhere.
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SHORT: dict[str, object] = {"scheduler_max_total_jobs": 40}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = open_database(database_url)
    yield database
    database.close()


def overview(database: Database) -> Overview:
    found = read_overview(database)
    assert found is not None
    return found


def trees(database: Database) -> list[str]:
    query = (
        select(commits.c.tree).join(jobs, jobs.c.id == commits.c.job_id).order_by(jobs.c.ordinal)
    )
    with database.read() as connection:
        return list(connection.execute(query).scalars())


def test_a_search_climbs_and_ends_at_its_budget(database: Database) -> None:
    Simulation(database).run()

    state = overview(database)
    assert state.ended == state.total == 100
    assert state.best is not None
    assert state.best.fitness > -1.5  # the root's is -13
    assert len(state.best_path) > 5


@only_sqlite
def test_the_same_seed_gives_the_same_trees(database: Database, database_url: str) -> None:
    other = open_database(unique_database_url(database_url))
    Simulation(database, SHORT).run()
    Simulation(other, SHORT).run()

    assert trees(database) == trees(other)
    other.close()


@only_sqlite
def test_another_seed_gives_other_trees(database: Database, database_url: str) -> None:
    other = open_database(unique_database_url(database_url))
    Simulation(database, SHORT).run()
    Simulation(other, SHORT | {"mapelites_random_seed": 2}).run()

    assert trees(database) != trees(other)
    other.close()


def test_islands_evolve_apart_and_exchange_their_best(database: Database) -> None:
    Simulation(database, {"mapelites_islands": 3, "mapelites_migration_interval": 30}).run()

    [experiment] = rows(database, "experiment")
    assert experiment["migrations"] == 3
    with database.read() as connection:
        homes = connection.execute(
            select(elites.c.commit, func.count(func.distinct(elites.c.island)))
            .group_by(elites.c.commit)
            .having(func.count(func.distinct(elites.c.island)) > 1)
        ).all()
    assert len(homes) >= 3
    assert [island.island for island in overview(database).islands] == [0, 1, 2]


@only_sqlite
def test_islands_keep_to_an_interval_that_was_changed_between_runs(database: Database) -> None:
    simulation = Simulation(
        database, {"mapelites_migration_interval": 1, "scheduler_max_total_jobs": 20}
    )
    simulation.run()
    simulation.settings |= {"mapelites_migration_interval": 5, "scheduler_max_total_jobs": 40}
    simulation.restart()

    simulation.run()

    [experiment] = rows(database, "experiment")
    assert experiment["migrations"] == 20 + 4


@only_sqlite
def test_positions_of_elites_have_no_gaps(database: Database) -> None:
    Simulation(database, {"mapelites_islands": 2}).run()

    for island in (0, 1):
        positions = [row["position"] for row in rows(database, "elites") if row["island"] == island]
        assert sorted(positions) == list(range(len(positions)))


def test_the_codes_own_axes_are_refitted_whenever_commits_have_doubled(
    database: Database,
) -> None:
    Simulation(database, {"mapelites_measures": [], "mapelites_descriptor_bins": 6}).run()

    with database.read() as connection:
        projection = read_projection(connection)
    assert projection is not None
    assert projection["fitted_on"] == 64
    assert overview(database).cells_filled > 6


def test_a_restart_in_the_middle_goes_on(database: Database) -> None:
    simulation = Simulation(database)
    for _ in range(4):
        simulation.scheduler.tick()
        simulation.work()
    simulation.scheduler.tick()  # jobs are created and sent, then the process dies
    simulation.restart()
    with database.begin() as connection:
        connection.execute(jobs.update().values(dispatched_at=jobs.c.dispatched_at - 60))

    simulation.run()

    assert overview(database).ended == overview(database).total == 100
    assert {row["state"] for row in rows(database, "jobs")} == {JobState.SUCCEEDED}


@only_sqlite
def test_a_search_whose_jobs_all_fail_goes_on_seeding(database: Database) -> None:
    no_brake: dict[str, object] = {
        "scheduler_max_total_jobs": 30,
        "scheduler_max_equal_failures": 0,
    }
    Simulation(database, no_brake, failing_share=1.0).run()

    state = overview(database)
    assert state.jobs[JobState.FAILED] == 30
    assert state.best is not None
    assert state.best.commit == state.root_commit


@only_sqlite
def test_constraints_keep_candidates_out(database: Database) -> None:
    Simulation(database, {"mapelites_constraints": ["x <= 1"]}).run()

    assert overview(database).ended == 100
    assert all(row["measures"][0] <= 1 for row in rows(database, "elites"))
    assert "infeasible" in {row["archive_outcome"] for row in rows(database, "jobs")}


@only_sqlite
def test_operators_are_credited(database: Database) -> None:
    Simulation(database).run()

    arms = read_arm_states(database)
    assert sum(arm.trials for arm in arms if arm.kind == "operator") > 20
    assert any(arm.successes > 1 for arm in arms if arm.kind == "operator")


def constant(_genome: Mapping[str, float], _random: Random) -> Mapping[str, float]:
    """A plain on which all are alike."""
    return {"score": 1.0, "x": 2.0, "y": 2.0}


@only_sqlite
def test_where_all_are_alike_the_first_stays(database: Database) -> None:
    Simulation(database, {"scheduler_max_total_jobs": 20}, judge=constant).run()

    state = overview(database)
    assert state.ended == 20
    assert [island.cells_filled for island in state.islands] == [1, 1]
    assert {row["commit"] for row in rows(database, "elites")} == {state.root_commit}


def noisy(genome: Mapping[str, float], random: Random) -> Mapping[str, float]:
    """A plain with hills so low that the noise hides them."""
    height = 0.02 * sphere(genome, random)["score"]
    return {"score": height + random.gauss(0, 1), "x": genome["x"], "y": genome["y"]}


@only_sqlite
def test_a_single_sample_tells_no_noise_and_opens_no_challenge(database: Database) -> None:
    simulation = Simulation(
        database,
        {"mapelites_measures": ["x:-50:50:1"], "scheduler_max_total_jobs": 60},
        judge=noisy,
        repeats=1,
    )

    simulation.run()

    assert "measurement" not in [row["kind"] for row in rows(database, "jobs")]


def test_the_roots_noise_has_candidates_measured_again_as_often_as_it_takes(
    database: Database,
) -> None:
    simulation = Simulation(
        database,
        {"mapelites_measures": ["x:-50:50:1"], "scheduler_max_total_jobs": 60},
        judge=noisy,
    )

    simulation.run()

    kinds = [row["kind"] for row in rows(database, "jobs")]
    samples = [len(row["samples"]) for row in rows(database, "metrics") if row["name"] == "score"]
    assert 3 < kinds.count("measurement") < 60 * 8
    assert min(samples) == 1
    assert 3 < max(samples) <= 20
    errors = [row["error"] for row in rows(database, "commits")]
    assert min(errors) > 0.1  # which is about 1, divided by the root of how often it was measured


@only_sqlite
def test_an_exact_metric_is_measured_once(database: Database) -> None:
    Simulation(database, SHORT).run()

    assert "measurement" not in [row["kind"] for row in rows(database, "jobs")]
    assert {row["error"] for row in rows(database, "commits")} == {0.0}
    counts = {len(row["samples"]) for row in rows(database, "metrics")}
    assert counts == {1, 5}  # the root's


def test_challenges_end_and_leave_the_better_one(database: Database) -> None:
    simulation = Simulation(
        database,
        {"mapelites_measures": ["x:-50:50:1"], "scheduler_max_total_jobs": 60},
        judge=noisy,
        repeats=3,
    )

    simulation.run()

    kinds = [row["kind"] for row in rows(database, "jobs")]
    assert 3 < kinds.count("measurement") < 60 * 8
    assert rows(database, "challenges") == []
    samples = [len(row["samples"]) for row in rows(database, "metrics") if row["name"] == "score"]
    assert min(samples) == 3
    assert 3 < max(samples) <= 23
