"""Candidates that failed before their job went on, on SQLite and on PostgreSQL."""

import pytest

from loreley.core.jobs import Claim, FailedTry, JobKind, JobRecord, Tries
from loreley.db.bandit_stats import read_arms
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.judged_commits import read_failed_tries
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import CandidateRejected, JobLost
from loreley.map_elites.bandit import Arm
from loreley.scheduler.bandit_update import BanditUpdate
from tests.db.support import claimed, judged_commit, rows

ROOT = "a" * 40
TREE = "e" * 40
FIRST = FailedTry(1, "shift-number", "shift 1 to 2", "a test fails", 2.0)


def new_claim(database: Database) -> Claim:
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(ROOT, {}))
    return claimed(
        database, schedule.create(NewJob(JobKind.EVOLUTION, schedule.next_ordinal(), 7, ROOT))
    )


def fail_first(database: Database, *places: str) -> Claim:
    """A job whose first candidate has failed, and which runs."""
    claim, jobs = new_claim(database), Jobs(database)
    jobs.announce(claim, TREE)
    jobs.add_failed_try(claim, FIRST, JobRecord(places=places))
    return claim


def test_a_tree_that_failed_within_a_job_is_known_at_once(database: Database) -> None:
    claim, jobs = fail_first(database), Jobs(database)
    other = new_claim(database)

    assert jobs.is_tree_known(claim, TREE)
    assert jobs.is_tree_known(other, TREE)
    with pytest.raises(CandidateRejected, match="judged before"):
        jobs.announce(other, TREE)
    jobs.announce(claim, "f" * 40)
    jobs.succeed(claim, judged_commit(), JobRecord())
    with database.read() as connection:
        assert read_failed_tries(connection, claim.job_id) == [FIRST]


def test_a_failed_try_is_counted_once_though_its_answer_was_lost(database: Database) -> None:
    claim, jobs = fail_first(database, "file"), Jobs(database)

    jobs.add_failed_try(claim, FIRST, JobRecord(places=["file"]))

    assert len(rows(database, "failed_tries")) == 1
    assert jobs.find_tries(["file"]) == {"file": Tries(1, 0)}


def test_a_job_that_is_lost_records_no_failed_try(database: Database) -> None:
    claim, jobs = new_claim(database), Jobs(database)
    jobs.announce(claim, TREE)
    jobs.release(claim)

    with pytest.raises(JobLost):
        jobs.add_failed_try(claim, FIRST, JobRecord(places=["file"]))

    assert rows(database, "failed_tries") == []
    assert jobs.find_tries(["file"]) == {}


def test_an_operator_pays_for_what_it_tried_in_vain(database: Database) -> None:
    claim, jobs = fail_first(database), Jobs(database)
    jobs.announce(claim, "f" * 40)
    jobs.succeed(claim, judged_commit(), JobRecord(agent="genetic", operator="flip-bit"))
    [ended] = Schedule(database).find_ended()

    with database.begin() as connection:
        BanditUpdate(database, reproducible=True).update(connection, ended, gain=1.0)
        arms = read_arms(connection, "operator")
        assert read_arms(connection, "agent") == {"genetic": Arm(1.0, 1.0, 1.0)}

    assert arms == {"flip-bit": Arm(1.0, 1.0, 1.0), "shift-number": Arm(1.0, 0.0, 1.0)}
