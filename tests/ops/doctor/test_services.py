"""What the doctor sees of queue, database, experiment, repository and clocks."""

from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import create_engine, inspect, text

from loreley.config import Settings
from loreley.db.engine import open_database
from loreley.db.experiment import Experiment
from loreley.db.schedule import Schedule
from loreley.ops.doctor.findings import Finding, Verdict, examine
from loreley.ops.doctor.services import service_checks
from tests.core.worker.upstream import Upstream, git
from tests.ops.experiment import usual
from tests.services import free_port


def found(settings: Settings) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(service_checks(settings))}


def verdicts(settings: Settings) -> dict[str, str]:
    return {name: str(finding.verdict) for name, finding in found(settings).items()}


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream.create(tmp_path / "upstream")


def given(
    upstream: Upstream, database_url: str, redis_url: str = "", **changes: object
) -> Settings:
    return Settings.model_validate(
        {
            "worker_repo_remote_url": str(upstream.path),
            "database_url": database_url,
            "tasks_redis_url": redis_url or f"redis://127.0.0.1:{free_port()}/0",
            "mapelites_fitness_metric": "score",
            **changes,
        }
    )


def test_whole_services_are_good_and_stay_as_they_are(
    upstream: Upstream, database_url: str, redis_url: str
) -> None:
    before = git("for-each-ref", cwd=upstream.path)

    seen = found(given(upstream, database_url, redis_url))

    assert {name: str(one.verdict) for name, one in seen.items() if name != "queue server"} == {
        "database": "good",
        "experiment": "good",
        "repository": "good",
        "clocks": "good",
    }
    assert "first start" in seen["database"].seen
    assert upstream.head()[:12] in seen["repository"].seen
    assert git("for-each-ref", cwd=upstream.path) == before
    if database_url.startswith("postgresql"):
        engine = create_engine(database_url)
        assert inspect(engine).get_table_names() == []
        engine.dispose()
    else:
        assert not Path(database_url.removeprefix("sqlite:///")).exists()


def test_what_is_away_is_bad_and_keeps_nobody_else_from_being_looked_at(
    upstream: Upstream,
) -> None:
    nobody = given(
        upstream, f"postgresql://u:hunter2@127.0.0.1:{free_port()}/x", worker_repo_branch="trunk"
    )

    seen = found(nobody)

    assert {name: str(one.verdict) for name, one in seen.items()} == {
        "queue server": "bad",
        "database": "bad",
        "experiment": "warning",
        "repository": "bad",
        "clocks": "warning",
    }
    assert "its branches are main" in seen["repository"].seen
    assert all(one.fix for one in seen.values())
    assert "hunter2" not in str(seen)


@pytest.mark.parametrize(("revision", "verdict"), [("0001", "warning"), ("9999", "bad")])
def test_a_schema_of_another_version_is_reported_and_left_alone(
    upstream: Upstream, database_url: str, revision: str, verdict: str
) -> None:
    settings = given(upstream, database_url)
    with (
        closing(open_database(settings.sqlalchemy_url)) as database,
        database.begin() as connection,
    ):
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{revision}'"))

    seen = found(settings)

    assert seen["database"].verdict == verdict
    assert revision in seen["database"].seen
    engine = create_engine(settings.sqlalchemy_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == (
            revision
        )
    engine.dispose()


def test_a_file_that_is_no_database_is_bad(upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database, but long enough to look at\n" * 100)

    assert verdicts(given(upstream, f"sqlite:///{tmp_path / 'text.db'}"))["database"] == "bad"


def test_settings_of_another_experiment_are_bad(tmp_path: Path) -> None:
    run = usual(tmp_path, mapelites_fitness_metric="time")

    experiment = found(run.settings)["experiment"]

    assert experiment.verdict is Verdict.BAD
    assert "another experiment" in experiment.seen


def test_the_same_experiment_is_good(upstream: Upstream, tmp_path: Path) -> None:
    settings = given(upstream, f"sqlite:///{tmp_path / 'x.db'}", mapelites_measures=["a:0:1:2"])
    search = {
        "mapelites_fitness_metric": settings.mapelites_fitness_metric,
        "mapelites_fitness_higher_is_better": True,
        "mapelites_fitness_weights": [],
        "mapelites_constraints": [],
        "mapelites_measures": ["a:0:1:2"],
        "mapelites_islands": settings.mapelites_islands,
    }
    with closing(open_database(settings.sqlalchemy_url)) as database:
        Schedule(database).begin_experiment(Experiment("a" * 40, search))

    experiment = found(settings)["experiment"]

    assert (experiment.verdict, experiment.seen[:17]) == (Verdict.GOOD, "root aaaaaaaaaaaa")


def test_a_remote_that_may_only_be_read_is_bad(upstream: Upstream, tmp_path: Path) -> None:
    refusing = tmp_path / "git-receive-pack"
    refusing.write_text("#!/bin/sh\necho 'this repository is read-only' >&2\nexit 1\n")
    refusing.chmod(0o755)
    git("config", "--global", "remote.pushDefault", "x", cwd=tmp_path)
    git("config", "--global", f"url.ext::{refusing}.pushInsteadOf", "file://", cwd=tmp_path)
    url = f"sqlite:///{tmp_path / 'x.db'}"

    read_only = given(upstream, url, worker_repo_remote_url=f"file://{upstream.path}")

    assert verdicts(given(upstream, url))["repository"] == "good"
    assert verdicts(read_only)["repository"] == "bad"
