"""The contract of the job store, on SQLite and on PostgreSQL."""

import multiprocessing
from dataclasses import replace
from uuid import uuid4

import pytest

from loreley.core.evaluation.evaluation import Artifact, Evaluation, Metric
from loreley.core.jobs import Claim, JobKind, JobRecord, JobState, JudgedCommit
from loreley.db.engine import Database, open_database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import (
    AgentFailed,
    CandidateRejected,
    EvaluationFailed,
    FailureKind,
    JobEnded,
    JobFailed,
    JobLost,
    JobNotClaimed,
    TimeLimitReached,
)
from tests.db.support import job_row, rows

ROOT = "a" * 40
TREE = "d" * 40


@pytest.fixture
def jobs(database: Database) -> Jobs:
    return Jobs(database)


@pytest.fixture
def schedule(database: Database) -> Schedule:
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(ROOT, {}))
    return schedule


def queued(schedule: Schedule, ordinal: int = 0) -> str:
    job_id = schedule.create(
        NewJob(JobKind.EVOLUTION, ordinal, 7, ROOT, inspirations=("b" * 40,), island=2)
    )
    assert job_id in schedule.queue_pending()
    return job_id


def judged(commit: str = "c" * 40, tree: str = TREE, value: float = 1.5) -> JudgedCommit:
    metrics = (Metric("score", value, "m", True), Metric("cost", 2.0, None, False))
    return JudgedCommit(
        commit, tree, ROOT, "evolution/job/x-1", "change a number",
        {"edit_distance": 3, "code_size": 100},
        Evaluation("good", metrics, (), 0.5),
    )  # fmt: skip


def test_claim_takes_a_queued_job_with_everything_a_worker_needs(
    jobs: Jobs, schedule: Schedule
) -> None:
    job_id = queued(schedule)

    claim = jobs.claim(job_id, worker="host:1", lease_seconds=30)

    assert claim.job_id == job_id
    assert (claim.kind, claim.attempt, claim.ordinal) == (JobKind.EVOLUTION, 1, 0)
    assert (claim.root_commit, claim.base_commit) == (ROOT, ROOT)
    assert (claim.inspirations, claim.island, claim.seed) == (("b" * 40,), 2, 7)


def test_claim_refuses_a_job_that_runs(jobs: Jobs, schedule: Schedule) -> None:
    job_id = queued(schedule)
    jobs.claim(job_id, worker="host:1", lease_seconds=30)

    with pytest.raises(JobNotClaimed, match="running by host:1"):
        jobs.claim(job_id, worker="host:2", lease_seconds=30)


@pytest.mark.parametrize(
    "job_id",
    ["", "x", "../../etc/passwd", "' OR 1=1 --", "\x00", "1" * 10_000, None, 7, ["a"], {"a": 1}],
)
def test_claim_refuses_what_is_no_job_id(jobs: Jobs, job_id: object) -> None:
    with pytest.raises(JobNotClaimed, match="names no job"):
        jobs.claim(job_id, worker="host:1", lease_seconds=30)  # type: ignore[arg-type]


def test_claim_refuses_a_job_of_another_database(jobs: Jobs) -> None:
    with pytest.raises(JobNotClaimed, match="not in this database"):
        jobs.claim(str(uuid4()), worker="host:1", lease_seconds=30)


def test_claim_refuses_a_pending_job(jobs: Jobs, schedule: Schedule) -> None:
    job_id = schedule.create(NewJob(JobKind.EVOLUTION, 0, 7, ROOT))

    with pytest.raises(JobNotClaimed, match="it is pending"):
        jobs.claim(job_id, worker="host:1", lease_seconds=30)


def test_success_is_recorded_whole(jobs: Jobs, schedule: Schedule, database: Database) -> None:
    claim = jobs.claim(queued(schedule), worker="host:1", lease_seconds=30)

    jobs.succeed(claim, judged(), JobRecord([Artifact("patch.diff", "text/x-diff", b"+1")]))

    assert jobs.find_judged(["c" * 40]) == [judged()]
    row = job_row(database, claim.job_id)
    assert (row["state"], row["commit"]) == (JobState.SUCCEEDED, "c" * 40)
    assert row["finished_at"] >= row["claimed_at"]
    assert (row["token"], row["lease_until"]) == (None, None)
    assert [(row["name"], row["content"]) for row in rows(database, "artifacts")] == [
        ("patch.diff", b"+1")
    ]


def test_failure_is_recorded_with_its_kind_and_reason(
    jobs: Jobs, schedule: Schedule, database: Database
) -> None:
    claim = jobs.claim(queued(schedule), worker="host:1", lease_seconds=30)

    jobs.fail(claim, AgentFailed("no proposal", reason="out of ideas"), JobRecord())

    row = job_row(database, claim.job_id)
    assert (row["state"], row["failure_kind"]) == (JobState.FAILED, FailureKind.AGENT)
    assert row["failure"] == "no proposal: out of ideas"


@pytest.mark.parametrize(("said", "kept"), [("a\0b", "a\ufffdb"), ("a\udcffb", "a\\udcffb")])
def test_text_that_no_database_takes_is_recorded_all_the_same(
    jobs: Jobs, schedule: Schedule, database: Database, said: str, kept: str
) -> None:
    """Files may be called so, and agents may say so."""
    first, second = two_claims(jobs, schedule)
    record = JobRecord(agent="x", subject=said)

    jobs.fail(first, AgentFailed("no proposal", reason=said), record)
    jobs.succeed(second, replace(judged(), subject=said), record)

    row = job_row(database, first.job_id)
    assert (row["failure"], row["subject"]) == (f"no proposal: {kept}", kept)
    assert [each.subject for each in jobs.find_judged(["c" * 40])] == [kept]


def test_rejection_is_a_state_of_its_own(
    jobs: Jobs, schedule: Schedule, database: Database
) -> None:
    claim = jobs.claim(queued(schedule), worker="host:1", lease_seconds=30)

    jobs.fail(claim, CandidateRejected("the agent changed nothing"), JobRecord())

    row = job_row(database, claim.job_id)
    assert (row["state"], row["failure_kind"]) == (JobState.REJECTED, None)


def test_release_queues_the_job_for_a_second_attempt(jobs: Jobs, schedule: Schedule) -> None:
    job_id = queued(schedule)
    jobs.release(jobs.claim(job_id, worker="host:1", lease_seconds=30))

    assert schedule.queue_pending() == [job_id]
    assert jobs.claim(job_id, worker="host:2", lease_seconds=30).attempt == 2


def test_an_attempt_that_ended_for_the_workers_sake_does_not_count(
    jobs: Jobs, schedule: Schedule
) -> None:
    job_id = queued(schedule)
    jobs.release(jobs.claim(job_id, worker="host:1", lease_seconds=30))
    jobs.release(jobs.claim(job_id, worker="host:1", lease_seconds=30), counts=False)

    assert schedule.queue_pending() == [job_id]
    third = jobs.claim(job_id, worker="host:2", lease_seconds=30)

    assert (third.attempt, third.tries) == (3, 2)


def test_an_expired_lease_goes_to_the_next_worker_and_fences_the_first(
    jobs: Jobs, schedule: Schedule, database: Database
) -> None:
    job_id = queued(schedule)
    first = jobs.claim(job_id, worker="host:1", lease_seconds=-1)

    assert schedule.reap(max_attempts=3) == ([job_id], [])
    second = jobs.claim(job_id, worker="host:2", lease_seconds=30)

    with pytest.raises(JobLost):
        jobs.renew(first, lease_seconds=30)
    with pytest.raises(JobLost):
        jobs.release(first)
    with pytest.raises(JobLost):
        jobs.succeed(first, judged(), JobRecord())
    with pytest.raises(JobLost):
        jobs.fail(first, AgentFailed("late"), JobRecord())
    assert rows(database, "commits") == []
    jobs.succeed(second, judged(), JobRecord())
    assert job_row(database, job_id)["state"] == JobState.SUCCEEDED


def test_what_a_worker_recorded_itself_is_reported_as_that(jobs: Jobs, schedule: Schedule) -> None:
    """As when the answer was lost, and the worker asks again."""
    claims = two_claims(jobs, schedule)
    jobs.succeed(claims[0], judged(), JobRecord())
    jobs.fail(claims[1], AgentFailed("no idea"), JobRecord())

    with pytest.raises(JobEnded) as succeeded:
        jobs.succeed(claims[0], judged(), JobRecord())
    with pytest.raises(JobEnded) as renewed:
        jobs.renew(claims[1], lease_seconds=30)

    assert "it succeeded with cccccccccccc" in succeeded.value.summary
    assert "it failed" in renewed.value.summary


def test_a_job_that_was_given_up_as_lost_is_not_told_as_recorded(
    jobs: Jobs, schedule: Schedule
) -> None:
    claim = jobs.claim(queued(schedule), worker="host:1", lease_seconds=-1)
    schedule.reap(max_attempts=1)

    with pytest.raises(JobLost) as lost:
        jobs.succeed(claim, judged(), JobRecord())

    assert not isinstance(lost.value, JobEnded)


def test_a_renewed_lease_is_not_reaped(jobs: Jobs, schedule: Schedule) -> None:
    claim = jobs.claim(queued(schedule), worker="host:1", lease_seconds=-1)
    jobs.renew(claim, lease_seconds=30)

    assert schedule.reap(max_attempts=3) == ([], [])


def test_a_job_that_keeps_killing_workers_is_given_up(
    jobs: Jobs, schedule: Schedule, database: Database
) -> None:
    job_id = queued(schedule)
    for _ in range(2):
        jobs.claim(job_id, worker="host:1", lease_seconds=-1)
        assert schedule.reap(max_attempts=3) == ([job_id], [])
    jobs.claim(job_id, worker="host:1", lease_seconds=-1)

    assert schedule.reap(max_attempts=3) == ([], [job_id])
    row = job_row(database, job_id)
    assert (row["state"], row["failure_kind"]) == (JobState.FAILED, FailureKind.LOST)


def test_the_same_tree_is_accepted_once(jobs: Jobs, schedule: Schedule, database: Database) -> None:
    first, second = two_claims(jobs, schedule)
    jobs.succeed(first, judged(), JobRecord())

    with pytest.raises(CandidateRejected, match="same tree"):
        jobs.succeed(second, judged(commit="e" * 40), JobRecord())

    assert job_row(database, second.job_id)["state"] == JobState.RUNNING
    assert len(rows(database, "commits")) == 1


def two_claims(jobs: Jobs, schedule: Schedule) -> list[Claim]:
    return [
        jobs.claim(queued(schedule, ordinal), worker=f"host:{ordinal}", lease_seconds=30)
        for ordinal in range(2)
    ]


def test_a_tree_that_another_job_is_judging_is_refused(
    jobs: Jobs, schedule: Schedule, database: Database
) -> None:
    first, second = two_claims(jobs, schedule)
    jobs.announce(first, TREE)
    jobs.announce(first, TREE)

    with pytest.raises(CandidateRejected, match="another job is judging"):
        jobs.announce(second, TREE)

    assert job_row(database, second.job_id)["tree"] is None


def test_a_tree_that_was_judged_is_refused_with_its_commit(jobs: Jobs, schedule: Schedule) -> None:
    first, second = two_claims(jobs, schedule)
    jobs.announce(first, TREE)
    jobs.succeed(first, judged(), JobRecord())

    with pytest.raises(CandidateRejected, match=f"(?s)judged before.*{'c' * 40}"):
        jobs.announce(second, TREE)


@pytest.mark.parametrize("failure", [EvaluationFailed("it broke"), CandidateRejected("stage 1")])
def test_a_tree_that_was_judged_in_vain_is_refused_with_its_job(
    jobs: Jobs, schedule: Schedule, failure: JobFailed
) -> None:
    first, second = two_claims(jobs, schedule)
    jobs.announce(first, TREE)
    jobs.fail(first, failure, JobRecord())

    with pytest.raises(CandidateRejected, match=f"(?s)judged before.*job {first.job_id}"):
        jobs.announce(second, TREE)


@pytest.mark.parametrize("failure", [TimeLimitReached("too slow"), JobFailed("a defect")])
def test_a_tree_may_be_judged_again_where_the_job_failed_for_other_reasons(
    jobs: Jobs, schedule: Schedule, failure: JobFailed
) -> None:
    first, second = two_claims(jobs, schedule)
    jobs.announce(first, TREE)
    jobs.fail(first, failure, JobRecord())

    jobs.announce(second, TREE)


def test_a_job_that_begins_anew_leaves_its_tree_to_others(
    jobs: Jobs, schedule: Schedule, database: Database
) -> None:
    first, second = two_claims(jobs, schedule)
    jobs.announce(first, TREE)
    jobs.release(first)
    jobs.announce(second, TREE)
    schedule.queue_pending()

    again = jobs.claim(first.job_id, worker="host:0", lease_seconds=30)

    assert job_row(database, again.job_id)["tree"] is None
    with pytest.raises(CandidateRejected, match="another job is judging"):
        jobs.announce(again, TREE)
    with pytest.raises(JobLost):
        jobs.announce(first, "e" * 40)


def test_judged_keeps_the_order_asked_for(jobs: Jobs, schedule: Schedule) -> None:
    for ordinal, letter in enumerate("cef"):
        claim = jobs.claim(queued(schedule, ordinal), worker="host:1", lease_seconds=30)
        jobs.succeed(claim, judged(commit=letter * 40, tree=letter * 40), JobRecord())

    wanted = ["f" * 40, "0" * 40, "c" * 40]

    assert [found.commit for found in jobs.find_judged(wanted)] == ["f" * 40, "c" * 40]


def _claim_all(
    url: str, job_ids: list[str], results: "multiprocessing.Queue[tuple[list[str], list[str]]]"
) -> None:
    """Claim what can be had, and with each job announce the tree that the others want, too."""
    database = open_database(url)
    claimed, announced = [], []
    for number, job_id in enumerate(job_ids):
        try:
            claim = Jobs(database).claim(job_id, worker="host:x", lease_seconds=30)
        except JobNotClaimed:
            continue
        claimed.append(job_id)
        tree = f"{number // 4:040x}"
        try:
            Jobs(database).announce(claim, tree)
        except CandidateRejected:
            continue
        announced.append(tree)
    database.close()
    results.put((claimed, announced))


@pytest.mark.slow
def test_four_processes_claim_each_job_and_announce_each_tree_exactly_once(
    database: Database, schedule: Schedule
) -> None:
    for ordinal in range(60):
        schedule.create(NewJob(JobKind.EVOLUTION, ordinal, 7, ROOT))
    job_ids = schedule.queue_pending()
    url = database.engine.url.render_as_string(hide_password=False)
    spawn = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[tuple[list[str], list[str]]] = spawn.Queue()
    claimers = [spawn.Process(target=_claim_all, args=(url, job_ids, results)) for _ in range(4)]
    for claimer in claimers:
        claimer.start()
    done = [results.get(timeout=60) for _ in claimers]
    for claimer in claimers:
        claimer.join(timeout=60)

    assert sorted(job_id for claimed, _ in done for job_id in claimed) == sorted(job_ids)
    trees = [tree for _, announced in done for tree in announced]
    assert sorted(trees) == [f"{number:040x}" for number in range(15)]
