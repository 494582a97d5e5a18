"""What agents were told and answered is kept for a while."""

from sqlalchemy import update

from loreley.core.evaluation.evaluation import Artifact
from loreley.core.jobs import JobKind, JobRecord
from loreley.db.engine import Database, now
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import artifacts
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import AgentFailed
from loreley.scheduler.artifact_retention import Retention
from tests.db.support import claimed, rows

KEPT = {"patch.diff", "failure.log"}
TOLD = {"prompt.md", "agent.log"}


def fill(database: Database, *, hours_ago: float) -> None:
    Schedule(database).begin_experiment(Experiment("a" * 40, {}))
    job_id = Schedule(database).create(NewJob(JobKind.EVOLUTION, 0, 7, "a" * 40))
    record = JobRecord([Artifact(name, "text/plain", b"x") for name in sorted(KEPT | TOLD)])
    Jobs(database).fail(claimed(database, job_id), AgentFailed("no"), record)
    with database.begin() as connection:
        connection.execute(update(artifacts).values(created_at=now() - hours_ago * 3600))


def names(database: Database) -> set[str]:
    return {row["name"] for row in rows(database, "artifacts")}


def test_old_briefs_and_answers_are_deleted_and_nothing_else(database: Database) -> None:
    fill(database, hours_ago=25)

    Retention(database, 24).tick()

    assert names(database) == KEPT


def test_younger_ones_stay(database: Database) -> None:
    fill(database, hours_ago=23)

    Retention(database, 24).tick()

    assert names(database) == KEPT | TOLD


def test_zero_hours_keep_everything(database: Database) -> None:
    fill(database, hours_ago=24 * 365)

    Retention(database, 0).tick()

    assert names(database) == KEPT | TOLD


def test_it_looks_now_and_then_only(database: Database) -> None:
    seconds = [0.0]
    retention = Retention(database, 24, clock=lambda: seconds[0])
    retention.tick()
    fill(database, hours_ago=25)

    seconds[0] = 599
    retention.tick()
    assert names(database) == KEPT | TOLD
    seconds[0] = 601
    retention.tick()

    assert names(database) == KEPT
