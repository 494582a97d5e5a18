"""States that were judged while an agent was at work, on SQLite and on PostgreSQL."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from loreley.core.evaluation.evaluation import Evaluation, Metric
from loreley.core.evaluation.fingerprint import Fingerprint
from loreley.core.jobs import JobRecord, JobState, Trial
from loreley.db.engine import Database
from loreley.db.jobs import Jobs
from loreley.db.models import commits, jobs
from loreley.errors import CandidateRejected, JobLost
from loreley.views.overview import read_overview
from tests.db.support import job_row, judged_commit, rows
from tests.db.test_failed_tries import new_claim

TREE, OTHER = "e" * 40, "f" * 40
MEASURED = Evaluation("fine", (Metric("score", 2.0, "s", False, (1.0, 2.0, 3.0)),), (), 0.5)
JUDGE = Fingerprint("judge", {}, {})
RECORD = JobRecord(tries=1, tried_seconds=0.7, judge=JUDGE, host="here")
PASSED = Trial(1, TREE, MEASURED, seconds=0.7)
FAILED = Trial(2, OTHER, None, failure="a test fails\0", seconds=0.1)


def test_a_trial_is_recorded_once_with_its_figures(database: Database) -> None:
    claim, store = new_claim(database), Jobs(database)
    store.announce(claim, TREE, "meant")

    store.add_trial(claim, PASSED, RECORD)
    store.add_trial(claim, PASSED, RECORD)

    [row] = rows(database, "trials")
    assert (row["tree"], row["meaning"], row["failure"]) == (TREE, "meant", None)
    job = job_row(database, claim.job_id)
    assert (job["tries"], job["tried_seconds"], job["tree"]) == (1, 0.7, None)
    assert store.find_trials(claim) == [PASSED]
    assert store.find_trial(TREE, RECORD) == MEASURED


@pytest.mark.parametrize(
    "other",
    [replace(RECORD, host="elsewhere"), replace(RECORD, judge=replace(JUDGE, evaluator="other"))],
)
def test_figures_of_another_judge_or_host_are_not_known(
    database: Database, other: JobRecord
) -> None:
    claim, store = new_claim(database), Jobs(database)
    store.announce(claim, TREE)
    store.add_trial(claim, PASSED, RECORD)

    assert store.find_trial(TREE, other) is None


@pytest.mark.parametrize("is_lasting", [True, False])
def test_a_tree_that_fails_again_is_refused_to_every_job(
    database: Database, is_lasting: bool
) -> None:
    claim, store = new_claim(database), Jobs(database)
    store.announce(claim, OTHER, "meant")
    store.add_trial(claim, replace(FAILED, is_lasting=is_lasting), RECORD)
    other = new_claim(database)

    assert store.find_trial(OTHER, RECORD) is None
    for tree, meaning in ((OTHER, None), ("d" * 40, "meant")):
        assert store.is_tree_known(other, tree, meaning) is is_lasting
        if is_lasting:
            with pytest.raises(CandidateRejected, match="judged before"):
                store.announce(other, tree, meaning)
        else:
            store.announce(other, tree, meaning)


def test_a_tree_that_has_passed_a_trial_may_become_a_commit(database: Database) -> None:
    claim, store = new_claim(database), Jobs(database)
    store.announce(claim, TREE)
    store.add_trial(claim, PASSED, RECORD)

    store.announce(claim, TREE)
    record = JobRecord(trials=1)  # that one is the commit, and no try beside it
    store.succeed(claim, replace(judged_commit(), tree=TREE), record)

    job = job_row(database, claim.job_id)
    assert (job["state"], job["tries"], job["tried_seconds"]) == (JobState.SUCCEEDED, 0, 0.0)


def test_a_trial_of_a_job_that_is_lost_is_not_recorded(database: Database) -> None:
    claim, store = new_claim(database), Jobs(database)
    with database.begin() as connection:
        connection.execute(update(jobs).values(token="another"))

    with pytest.raises(JobLost):
        store.add_trial(claim, PASSED, RECORD)
    assert rows(database, "trials") == []


def test_the_best_commit_is_the_fittest(database: Database) -> None:
    store = Jobs(database)
    assert store.find_best() is None
    for number, score in ((1, 2.0), (2, 3.0), (3, None)):
        claim = new_claim(database)
        judged = replace(judged_commit(number), tree=f"{number:040x}")
        store.succeed(claim, judged, JobRecord())
        with database.begin() as connection:
            named = commits.c.commit == judged.commit
            connection.execute(update(commits).where(named).values(score=score))

    best = store.find_best()
    assert best is not None
    assert best.commit == judged_commit(2).commit


def test_trials_count_as_evaluations_and_not_as_candidates(database: Database) -> None:
    claim, store = new_claim(database), Jobs(database)
    record = JobRecord()
    for number, tree in enumerate((TREE, OTHER), start=1):
        record.tries = record.trials = number
        store.announce(claim, tree)
        store.add_trial(claim, replace(PASSED, number=number, tree=tree), record)
    store.succeed(claim, judged_commit(), record)

    overview = read_overview(database)
    assert overview is not None
    assert (overview.evaluations, overview.candidates, overview.tuning_tries) == (3, 1, 0)
