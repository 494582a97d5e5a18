"""What is known when a job begins, on both databases."""

from dataclasses import replace

from loreley.core.agents.protocol import PastFailure
from loreley.core.evaluation.evaluation import Artifact
from loreley.core.jobs import JobKind, JobRecord
from loreley.db.briefs.notebook import add_note, withdraw_note
from loreley.db.briefs.search_context import read_search_context
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import AgentFailed, CandidateRejected, EvaluationFailed, JobFailed
from tests.db.support import claimed, judged_commit, succeeded

ROOT = "a" * 40


def job(database: Database, base: str = ROOT, inspirations: tuple[str, ...] = ()) -> str:
    number = Schedule(database).next_ordinal()
    return Schedule(database).create(NewJob(JobKind.EVOLUTION, number, 7, base, inspirations))


def failed(
    database: Database, failure: JobFailed, *, subject: str | None, base: str = ROOT
) -> None:
    claim = claimed(database, job(database, base))
    log = Artifact("failure.log", "text/plain", failure.log.encode())
    Jobs(database).fail(claim, failure, JobRecord([log], agent="stub", subject=subject))


def begin(database: Database, **search: object) -> None:
    Schedule(database).begin_experiment(Experiment(ROOT, search))


def test_the_aim_and_the_constraints_are_those_of_the_experiment(database: Database) -> None:
    begin(
        database,
        mapelites_fitness_metric="seconds",
        mapelites_fitness_higher_is_better=False,
        mapelites_constraints=["tests >= 1"],
    )

    context = read_search_context(database, claimed(database, job(database)))

    assert context.aim == "What counts is the metric seconds: less of it is better."
    assert context.constraints == ("tests >= 1",)


def test_a_weighted_aim_names_the_metrics(database: Database) -> None:
    begin(database, mapelites_fitness_weights=["speed:2", "size:-1"])

    context = read_search_context(database, claimed(database, job(database)))

    assert context.aim.endswith("more of it is better: speed:2, size:-1.")


def test_agents_are_given_standing_notes_and_no_withdrawn_ones(database: Database) -> None:
    begin(database)
    old = add_note(database, "Old.")
    add_note(database, "Look at the cache.")
    withdraw_note(database, old)

    context = read_search_context(database, claimed(database, job(database)))

    assert context.notes == ("Look at the cache.",)


def test_failures_of_the_same_base_are_reported_newest_last(database: Database) -> None:
    begin(database)
    failed(
        database, EvaluationFailed("it broke", log="Traceback\nZeroDivisionError"), subject="one"
    )
    failed(database, CandidateRejected("too large"), subject="two")

    context = read_search_context(database, claimed(database, job(database)))

    assert context.failures == (
        PastFailure("one", "it broke", "Traceback\nZeroDivisionError"),
        PastFailure("two", "too large"),
    )


def test_of_many_failures_the_latest_five_are_reported(database: Database) -> None:
    begin(database)
    for number in range(7):
        failed(database, CandidateRejected("no"), subject=f"try {number}")

    context = read_search_context(database, claimed(database, job(database)))

    assert [each.subject for each in context.failures] == [
        f"try {number}" for number in range(2, 7)
    ]


def test_failures_far_away_and_of_agents_without_a_proposal_are_left_out(
    database: Database,
) -> None:
    begin(database)
    failed(database, CandidateRejected("no"), subject="elsewhere", base="b" * 40)
    failed(database, AgentFailed("not logged in"), subject=None)

    context = read_search_context(database, claimed(database, job(database)))

    assert context.failures == ()


def test_failures_of_the_parent_and_of_inspirations_are_near(database: Database) -> None:
    begin(database)
    child = replace(judged_commit(1), parent=ROOT)
    succeeded(database, job(database), child)
    failed(database, CandidateRejected("no"), subject="of the parent")
    failed(database, CandidateRejected("no"), subject="of the inspiration", base="c" * 40)

    context = read_search_context(
        database, claimed(database, job(database, child.commit, inspirations=("c" * 40,)))
    )

    assert [each.subject for each in context.failures] == ["of the parent", "of the inspiration"]


def test_what_the_evaluator_printed_of_the_base_commit_is_known(database: Database) -> None:
    begin(database)
    claim = claimed(database, job(database))
    log = Artifact("evaluation.log", "text/plain", b"slow: pack.py:12(place)")
    Jobs(database).succeed(claim, judged_commit(1), JobRecord([log]))

    later = read_search_context(database, claimed(database, job(database, judged_commit(1).commit)))
    other = read_search_context(database, claimed(database, job(database, "b" * 40)))

    assert later.base_log == "slow: pack.py:12(place)"
    assert other.base_log == ""
