"""Which judge an experiment has, and who has measured its commits, on both databases."""

from collections.abc import Callable
from typing import Any

import pytest

from loreley.core.evaluation.evaluation import Evaluation, Metric
from loreley.core.evaluation.fingerprint import Fingerprint
from loreley.core.jobs import Claim, JobKind, JobRecord, JobState
from loreley.db.engine import Database
from loreley.db.experiment import Experiment, adopt_judge, read_judge
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import WorkerUnfit
from loreley.views.invariants import judge_flaws
from tests.db.support import claimed, job_row, judged_commit, rows

FIRST = Fingerprint("judge:evaluate", {"code 0/judge.py": "1f"}, {"repeats": 1})
OTHER = Fingerprint("judge:evaluate", {"code 0/judge.py": "9a"}, {"repeats": 1})
ROOT = judged_commit(0, parent=None)


@pytest.fixture
def jobs(database: Database) -> Jobs:
    Schedule(database).begin_experiment(Experiment(ROOT.commit, {}))
    return Jobs(database)


def asked(database: Database, kind: JobKind) -> str:
    schedule = Schedule(database)
    return schedule.create(NewJob(kind, -1 - len(rows(database, "jobs")), 0, ROOT.commit))


def judge_root(database: Database, judge: Fingerprint | None = FIRST) -> None:
    claim = claimed(database, asked(database, JobKind.BASELINE))
    Jobs(database).succeed(claim, ROOT, JobRecord(judge=judge, host="a" if judge else None))


def measure(database: Database, value: float, judge: Fingerprint, host: str) -> dict[str, Any]:
    claim = claimed(database, asked(database, JobKind.MEASUREMENT))
    evaluation = Evaluation("anew", (Metric("score", value), Metric("lines", 3.0)))
    Jobs(database).add_measurement(claim, evaluation, JobRecord(judge=judge, host=host))
    [root] = rows(database, "evaluations")
    return root


def test_the_judge_of_the_root_is_the_experiments(jobs: Jobs, database: Database) -> None:
    assert jobs.find_judge() is None

    judge_root(database)

    assert jobs.find_judge() == FIRST
    claim = claimed(database, asked(database, JobKind.MEASUREMENT))
    assert claim.judge_digest == FIRST.digest
    [judged] = rows(database, "evaluations")
    assert (judged["judge"], judged["host"]) == (FIRST.digest, "a")


def ending(jobs: Jobs, kind: JobKind) -> Callable[[Claim, JobRecord], None]:
    """How a worker records what came of a job of this kind."""
    judged = judged_commit(1)
    if kind is JobKind.BASELINE:
        return lambda claim, record: jobs.succeed(claim, judged, record)
    return lambda claim, record: jobs.add_measurement(claim, judged.evaluation, record)


@pytest.mark.parametrize("kind", [JobKind.BASELINE, JobKind.MEASUREMENT])
def test_what_another_judge_has_measured_is_not_recorded(
    jobs: Jobs, database: Database, kind: JobKind
) -> None:
    judge_root(database)
    claim = claimed(database, asked(database, kind))
    record = JobRecord(judge=OTHER)

    with pytest.raises(WorkerUnfit) as raised:
        ending(jobs, kind)(claim, record)

    said = str(raised.value)
    assert FIRST.digest[:12] in said
    assert OTHER.digest[:12] in said
    assert "files code 0/judge.py: 9a here, 1f there" in said
    assert job_row(database, claim.job_id)["state"] == JobState.RUNNING
    assert len(rows(database, "evaluations")) == 1


def test_a_measurement_by_the_same_judge_adds_to_the_figures(
    jobs: Jobs, database: Database
) -> None:
    judge_root(database)

    assert measure(database, 3.0, FIRST, "a")["host"] == "a"
    assert measure(database, 5.0, FIRST, "b")["host"] is None  # more than one

    [root] = jobs.find_judged([ROOT.commit])
    assert root.evaluation.metrics[0].samples == (1.0, 3.0, 5.0)


def test_the_first_worker_of_this_version_judges_a_run_of_an_earlier_one(
    jobs: Jobs, database: Database
) -> None:
    judge_root(database, None)

    with database.begin() as connection:
        assert adopt_judge(connection, FIRST)
        assert not adopt_judge(connection, OTHER)
        assert read_judge(connection) == FIRST
        assert judge_flaws(connection) == []


def test_no_judge_is_taken_before_anything_was_judged(jobs: Jobs, database: Database) -> None:
    with database.begin() as connection:
        assert not adopt_judge(connection, FIRST)
        assert read_judge(connection) is None
