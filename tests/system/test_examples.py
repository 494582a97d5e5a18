"""The examples as a person starts them: one command, real parts, a better commit at the end."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

import pytest
from sqlalchemy import select

from loreley.core.jobs import FINAL_STATES
from loreley.db.engine import open_database
from loreley.db.models import commits, jobs
from loreley.views.overview import Overview, read_arm_states, read_overview
from tests.support import PROJECT_ROOT

pytestmark = pytest.mark.slow


@pytest.fixture
def state() -> Iterator[Path]:
    """A state folder; not pytest's own, whose path is too long for a socket."""
    with TemporaryDirectory(prefix="lt-") as folder:
        yield Path(folder)


def evolved(example: str, state: Path, jobs: int, **settings: str) -> str:
    """Run an example to the end of its budget; what it says."""
    done = subprocess.run(
        [sys.executable, f"examples/{example}.py", "--jobs", str(jobs), "--workers", "1"],
        cwd=PROJECT_ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "LORELEY_STATE_DIR": str(state),
            "LOGS_BASE_DIR": str(state),
            "WORKER_TUNE_SECONDS": "0",
        }
        | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def overview(state: Path) -> Overview:
    """How the experiment in a state folder stands."""
    database = open_database(f"sqlite:///{state / 'loreley.db'}")
    try:
        found = read_overview(database)
    finally:
        database.close()
    assert found is not None
    return found


@pytest.mark.skipif(
    not (which("gcc") and which("make")) and not os.environ.get("REQUIRE_TEST_SERVICES"),
    reason="gcc or make is not installed",
)
def test_the_sorting_example_evolves_a_kernel_in_c(state: Path) -> None:
    said = evolved("evol_sorting", state, 8, WORKER_EVALUATOR_REPEATS="1")

    run = overview(state)
    assert run.objective.name == "nanoseconds"
    assert not run.objective.higher_is_better
    assert run.ended == 8
    assert run.gain is not None
    assert run.gain > 0
    assert re.search(r"best +nanoseconds [\d.]+, from [\d.]+ at the root", said)


def test_the_sine_example_keeps_several_compromises(state: Path) -> None:
    evolved("evol_sine", state, 10, MAPELITES_REPRODUCIBLE="true", MAPELITES_RANDOM_SEED="1")

    run = overview(state)
    assert run.ended == 10
    assert run.cells_filled >= 3
    assert run.gain is not None
    assert run.gain > 0


def test_a_missing_compiler_is_reported_at_once(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "examples/evol_sorting.py", "--jobs", "1"],
        cwd=PROJECT_ROOT,
        env={"PATH": str(tmp_path), "HOME": str(tmp_path), "LORELEY_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "make and gcc cannot be found on PATH" in done.stderr
    assert "build-essential" in done.stderr
    assert list(tmp_path.iterdir()) == []


def story(state: Path) -> list[tuple[str, str | None, str | None]]:
    """Every job in its order: how it ended, its operator, the tree that it made."""
    database = open_database(f"sqlite:///{state / 'loreley.db'}")
    query = (
        select(jobs.c.state, jobs.c.operator, commits.c.tree)
        .join(commits, commits.c.job_id == jobs.c.id, isouter=True)
        .where(jobs.c.kind == "evolution")
        .order_by(jobs.c.ordinal)
    )
    try:
        with database.read() as connection:
            rows = [tuple(row) for row in connection.execute(query)]
        arms = {arm.name for arm in read_arm_states(database) if arm.kind == "operator"}
    finally:
        database.close()
    assert all(row[0] in FINAL_STATES for row in rows)
    assert arms == {row[1] for row in rows if row[1]}
    return rows


def test_one_worker_and_the_same_seed_make_the_same_trees(state: Path) -> None:
    settings = {
        "MAPELITES_REPRODUCIBLE": "true",
        "MAPELITES_RANDOM_SEED": "5",
        "MAPELITES_SEED_POPULATION_SIZE": "2",
    }
    for run in ("one", "two"):
        (state / run).mkdir()
        evolved("evol_circle_packing", state / run, 10, **settings)

    one, two = story(state / "one"), story(state / "two")
    assert one == two
    assert len(one) == 10
    assert len({tree for _, _, tree in one if tree}) >= 4
