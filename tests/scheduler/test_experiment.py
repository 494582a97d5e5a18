"""What an experiment is about: written down once, held against every later start."""

from pathlib import Path
from typing import Any

import pytest

from loreley.config import Settings
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.schedule import Schedule
from loreley.errors import ConfigError
from loreley.scheduler.experiment import begin_or_resume
from tests.core.worker.upstream import Upstream, git


@pytest.fixture
def schedule(database: Database) -> Schedule:
    return Schedule(database)


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream.create(tmp_path / "upstream")


def settings(upstream: Upstream, **values: Any) -> Settings:
    base: dict[str, Any] = {
        "worker_repo_remote_url": str(upstream.path),
        "mapelites_fitness_metric": "score",
    }
    return Settings(_env_file=None, **base | values)


def test_the_root_is_the_head_of_the_branch_at_the_first_start(
    schedule: Schedule, upstream: Upstream
) -> None:
    assert begin_or_resume(schedule, settings(upstream)).root_commit == upstream.head()


def test_a_root_stays_when_the_branch_goes_on(schedule: Schedule, upstream: Upstream) -> None:
    root = upstream.head()
    begin_or_resume(schedule, settings(upstream))
    upstream.commit({"README.md": "Later\n"})

    assert begin_or_resume(schedule, settings(upstream)).root_commit == root


def test_a_root_stays_when_history_is_rewritten(schedule: Schedule, upstream: Upstream) -> None:
    root = upstream.head()
    begin_or_resume(schedule, settings(upstream))
    git("commit", "-q", "--amend", "-m", "Rewritten", cwd=upstream.author)
    git("push", "-q", "--force", "origin", "main", cwd=upstream.author)
    assert upstream.head() != root

    assert begin_or_resume(schedule, settings(upstream)).root_commit == root


def test_another_root_is_refused(schedule: Schedule, upstream: Upstream) -> None:
    root = upstream.head()
    begin_or_resume(schedule, settings(upstream))
    other = upstream.commit({"README.md": "Later\n"})

    with pytest.raises(ConfigError, match="MAPELITES_EXPERIMENT_ROOT_COMMIT") as raised:
        begin_or_resume(schedule, settings(upstream, mapelites_experiment_root_commit=other))

    assert root in raised.value.summary
    assert other in raised.value.summary


@pytest.mark.parametrize(
    ("setting", "changed"),
    [
        ("mapelites_islands", 3),
        ("mapelites_fitness_metric", "speed"),
        ("mapelites_fitness_higher_is_better", False),
        ("mapelites_constraints", ["memory <= 5"]),
        ("mapelites_measures", ["size:0:9:3"]),
        ("mapelites_descriptor_axes", 3),
        ("mapelites_descriptor_bins", 7),
        ("mapelites_descriptor", "embedding"),
    ],
)
def test_a_change_of_what_scores_and_cells_mean_is_refused(
    schedule: Schedule, upstream: Upstream, setting: str, changed: object
) -> None:
    begin_or_resume(schedule, settings(upstream))

    with pytest.raises(ConfigError, match="the database holds another experiment") as raised:
        begin_or_resume(schedule, settings(upstream, **{setting: changed}))

    [problem] = raised.value.problems
    assert problem.setting == setting.upper()
    assert f"now it is {changed!r}" in problem.reason
    assert "DATABASE_URL" in problem.fix


def test_another_model_of_embeddings_is_refused(schedule: Schedule, upstream: Upstream) -> None:
    embedding = {"mapelites_descriptor": "embedding", "mapelites_embedding_model": "one"}
    begin_or_resume(schedule, settings(upstream, **embedding))

    with pytest.raises(ConfigError, match="MAPELITES_EMBEDDING_MODEL"):
        begin_or_resume(
            schedule, settings(upstream, **embedding | {"mapelites_embedding_model": "two"})
        )


def test_how_candidates_are_chosen_may_change(schedule: Schedule, upstream: Upstream) -> None:
    begin_or_resume(schedule, settings(upstream))

    assert begin_or_resume(
        schedule,
        settings(
            upstream,
            mapelites_base_choice=["uniform:1"],
            mapelites_migration_interval=7,
            mapelites_random_seed=3,
        ),
    )


def test_an_experiment_that_is_older_than_a_setting_goes_on_with_its_default(
    schedule: Schedule, upstream: Upstream
) -> None:
    schedule.begin_experiment(
        Experiment(
            upstream.head(),
            {
                "mapelites_fitness_metric": "score",
                "mapelites_fitness_higher_is_better": True,
                "mapelites_fitness_weights": [],
                "mapelites_constraints": [],
                "mapelites_measures": [],
                "mapelites_islands": 2,
                "mapelites_descriptor_axes": 2,
                "mapelites_descriptor_bins": 10,
            },
        )
    )

    assert begin_or_resume(schedule, settings(upstream)).root_commit == upstream.head()
    with pytest.raises(ConfigError, match="it began with 'tokens'"):
        begin_or_resume(schedule, settings(upstream, mapelites_descriptor="embedding"))
