"""Findings of agents with the figures that the archive has of them, on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import update

from loreley.core.evaluation.confirmation import Confirmation
from loreley.core.evaluation.evaluation import Evaluation, Metric
from loreley.core.evaluation.paired_test import Verdict
from loreley.core.findings import Effect, Finding, MeasuredFinding, Standing
from loreley.core.jobs import Claim, JobKind, JobRecord, JudgedCommit, Trial
from loreley.db.briefs.notebook import read_findings, withdraw_note
from loreley.db.briefs.search_context import read_search_context
from loreley.db.engine import Database
from loreley.db.experiment import Experiment, read_experiment
from loreley.db.jobs import Jobs
from loreley.db.models import commits
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import EvaluationFailed
from tests.db.support import claimed, judged_commit, rows

ROOT = judged_commit(1, parent=None)
HELPS = Finding(Effect.HELPS, "Caching squares")


@pytest.fixture(autouse=True)
def experiment(database: Database) -> None:
    search = {"mapelites_fitness_metric": "score"}
    Schedule(database).begin_experiment(Experiment(ROOT.commit, search))
    claim = begin(database, ROOT, JobKind.BASELINE)
    end(database, claim, ROOT)


def begin(database: Database, base: JudgedCommit, kind: JobKind = JobKind.EVOLUTION) -> Claim:
    number = Schedule(database).next_ordinal()
    return claimed(database, Schedule(database).create(NewJob(kind, number, 7, base.commit)))


def end(
    database: Database, claim: Claim, judged: JudgedCommit, *findings: Finding, score: float = 1.0
) -> JudgedCommit:
    """End a job with a commit of this score."""
    Jobs(database).succeed(claim, judged, JobRecord(findings=findings))
    with database.begin() as connection:
        of_commit = commits.c.commit == judged.commit
        connection.execute(update(commits).where(of_commit).values(score=score, error=0.0))
    return judged


def child(number: int, parent: JudgedCommit) -> JudgedCommit:
    return judged_commit(number, parent=parent.commit)


def findings(database: Database, base: JudgedCommit | None = None) -> list[MeasuredFinding]:
    with database.read() as connection:
        known = read_experiment(connection)
        assert known is not None
        return read_findings(connection, known, base.commit if base else None)


def quoted(database: Database, base: JudgedCommit) -> tuple[str, ...]:
    return read_search_context(database, begin(database, base)).findings


def test_a_finding_is_quoted_with_the_gain_of_its_commit(database: Database) -> None:
    end(database, begin(database, ROOT), child(2, ROOT), HELPS, score=1.25)

    assert quoted(database, ROOT) == (
        "helps: Caching squares (000000000000: 0.25 better than what it began with)",
    )


def test_a_contradicted_finding_falls_out(database: Database) -> None:
    end(database, begin(database, ROOT), child(2, ROOT), HELPS, score=0.75)

    assert quoted(database, ROOT) == ()
    [found] = findings(database)
    assert found.standing is Standing.CONTRADICTED


def test_what_is_confirmed_and_what_went_on_from_it_is_known(database: Database) -> None:
    first = end(database, begin(database, ROOT), child(2, ROOT), HELPS, score=2.0)
    end(database, begin(database, first), child(3, first), score=3.0)
    end(database, begin(database, first), child(4, first), score=1.5)
    Jobs(database).fail(begin(database, first), EvaluationFailed("it broke"), JobRecord())
    confirmation = Confirmation(Verdict.CONFIRMED, (1.0,), (2.0,))
    Jobs(database).confirm(
        begin(database, first, JobKind.CONFIRMATION), confirmation, None, JobRecord()
    )

    [found] = findings(database)

    assert (found.heirs, found.better_heirs, found.is_confirmed) == (3, 1, True)


def test_a_finding_rests_on_a_state_that_the_job_has_judged(database: Database) -> None:
    claim, jobs = begin(database, ROOT), Jobs(database)
    worse = Evaluation("", (Metric("score", 0.5),))
    for number, (tree, evaluation) in enumerate([("ab" * 20, worse), ("cd" * 20, None)], start=1):
        jobs.announce(claim, tree)
        failure = "" if evaluation else "it broke"
        jobs.add_trial(claim, Trial(number, tree, evaluation, failure), JobRecord())
    end(
        database,
        claim,
        child(2, ROOT),
        Finding(Effect.HARMS, "Unrolling", "ab" * 6),
        Finding(Effect.HARMS, "Threads", "cd" * 6),
        Finding(Effect.HARMS, "Nobody knows", "ef" * 6),
    )

    assert quoted(database, ROOT) == (
        "harms: Unrolling (abababababab: 0.5 worse than what it began with)",
        "harms: Threads (cdcdcdcdcdcd: the evaluation failed)",
    )


def test_a_failed_job_leaves_what_rests_on_its_trials(database: Database) -> None:
    claim, jobs = begin(database, ROOT), Jobs(database)
    jobs.announce(claim, "ab" * 20)
    jobs.add_trial(claim, Trial(1, "ab" * 20, None, "it broke"), JobRecord())
    on_state = Finding(Effect.HARMS, "Threads", "ab" * 20)
    jobs.fail(claim, EvaluationFailed("broke"), JobRecord(findings=[on_state, HELPS]))

    assert [each.finding.text for each in findings(database)] == ["Threads"]


def test_only_findings_of_the_line_of_a_base_bear_on_it(database: Database) -> None:
    first = end(database, begin(database, ROOT), child(2, ROOT), score=2.0)
    other = end(database, begin(database, ROOT), child(3, ROOT), score=2.0)
    end(database, begin(database, first), child(4, first), HELPS, score=3.0)

    assert len(findings(database, first)) == 1
    assert findings(database, other) == []
    assert findings(database, ROOT) == []


def test_a_beginning_that_two_trees_share_names_none(database: Database) -> None:
    second = replace(child(3, ROOT), tree="abcdef0" + "2" * 33)
    end(database, begin(database, ROOT), replace(child(2, ROOT), tree="abcdef0" + "1" * 33))
    end(database, begin(database, ROOT), second, replace(HELPS, state="abcdef0"))
    end(database, begin(database, ROOT), child(4, ROOT), replace(HELPS, state="abcdef02"))

    assert [each.finding.state for each in findings(database)] == [second.commit]


def test_a_withdrawn_finding_is_gone_and_a_note_of_people_is_none(database: Database) -> None:
    end(database, begin(database, ROOT), child(2, ROOT), HELPS, score=2.0)
    [row] = rows(database, "notes")

    assert withdraw_note(database, row["id"])

    assert findings(database) == []
