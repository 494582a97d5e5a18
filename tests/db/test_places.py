"""What came of changes by place, on SQLite and on PostgreSQL: counted once, asked by agents."""

import pytest

from loreley.core.jobs import JobKind, JobRecord, Tries
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import AgentFailed, CandidateRejected, EvaluationFailed, JobFailed, JobLost
from tests.db.support import claimed, judged_commit, succeeded

BASE = judged_commit(1)


@pytest.fixture
def jobs(database: Database) -> Jobs:
    """A store whose base commit is judged, with the score 1."""
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(BASE.commit, {}))
    succeeded(database, schedule.create(NewJob(JobKind.BASELINE, -1, 7, BASE.commit)), BASE)
    return Jobs(database)


def new_job(database: Database) -> str:
    schedule = Schedule(database)
    ordinal = schedule.next_ordinal()
    return schedule.create(NewJob(JobKind.EVOLUTION, ordinal, 7, BASE.commit))


def succeed(database: Database, number: int, score: float, *places: str) -> None:
    judged = judged_commit(number, {"score": score})
    record = JobRecord(places=places)
    Jobs(database).succeed(claimed(database, new_job(database)), judged, record)


def fail(database: Database, failure: JobFailed, *places: str) -> None:
    record = JobRecord(places=places)
    Jobs(database).fail(claimed(database, new_job(database)), failure, record)


def test_a_change_is_counted_with_whether_a_metric_moved(database: Database, jobs: Jobs) -> None:
    succeed(database, 2, 1.0, "file", "line 1")
    succeed(database, 3, 0.5, "file", "line 2")

    assert jobs.find_tries(["file", "line 1", "line 2", "line 3"]) == {
        "file": Tries(2, 1),
        "line 1": Tries(1, 0),
        "line 2": Tries(1, 1),
    }


def test_what_was_changed_with_others_counts_only_when_nothing_moves(
    database: Database, jobs: Jobs
) -> None:
    for number, score in ((2, 1.0), (3, 0.5)):
        record = JobRecord(places=["file"], shared_places=["line 1"])
        judged = judged_commit(number, {"score": score})
        jobs.succeed(claimed(database, new_job(database)), judged, record)

    assert jobs.find_tries(["file", "line 1"]) == {"file": Tries(2, 1), "line 1": Tries(1, 0)}


@pytest.mark.parametrize(
    ("failure", "tries"),
    [
        (EvaluationFailed("a test fails"), {"file": Tries(1, 0)}),
        (CandidateRejected("judged before"), {"file": Tries(1, 0)}),
        (AgentFailed("no idea"), {}),
        (JobFailed("a full disk"), {}),
    ],
)
def test_a_failure_counts_where_it_is_the_candidates(
    database: Database, jobs: Jobs, failure: JobFailed, tries: dict[str, Tries]
) -> None:
    fail(database, failure, "file")

    assert jobs.find_tries(["file"]) == tries


def test_what_is_not_ours_to_end_is_not_counted(database: Database, jobs: Jobs) -> None:
    claim = claimed(database, new_job(database))
    jobs.release(claim)

    with pytest.raises(JobLost):
        jobs.fail(claim, EvaluationFailed("a test fails"), JobRecord(places=["file"]))

    assert jobs.find_tries(["file"]) == {}


def test_a_tree_is_known_when_it_was_judged_failed_or_is_being_judged(
    database: Database, jobs: Jobs
) -> None:
    asking, at_work = (claimed(database, new_job(database)) for _ in range(2))
    jobs.announce(at_work, "e" * 40)
    in_vain = claimed(database, new_job(database))
    jobs.announce(in_vain, "f" * 40)
    jobs.fail(in_vain, EvaluationFailed("a test fails"), JobRecord())

    assert jobs.is_tree_known(asking, BASE.tree)
    assert jobs.is_tree_known(asking, "e" * 40)
    assert not jobs.is_tree_known(at_work, "e" * 40)
    assert jobs.is_tree_known(asking, "f" * 40)
    assert not jobs.is_tree_known(asking, "d" * 40)
