"""The scheduler's side of the jobs, on SQLite and on PostgreSQL."""

import threading

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError

from loreley.core.jobs import JobKind, JobRecord, JobState
from loreley.db.engine import Database, now
from loreley.db.experiment import Experiment, read_progress
from loreley.db.jobs import Jobs
from loreley.db.models import jobs as jobs_table
from loreley.db.schedule import EndedJob, NewJob, Schedule, mark_ingested, note_outcome
from loreley.errors import AgentFailed, CandidateRejected, JobLost
from tests.db.support import claimed, failed, job_row, judged_commit, rows, succeeded

ROOT = "a" * 40


@pytest.fixture
def schedule(database: Database) -> Schedule:
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(ROOT, {"measures": ["x:0:1:2"], "metric": None}))
    return schedule


def create(schedule: Schedule, ordinal: int = 0) -> str:
    return schedule.create(NewJob(JobKind.EVOLUTION, ordinal, 7, ROOT))


def take(database: Database, job: EndedJob) -> bool:
    with database.begin() as connection:
        return mark_ingested(connection, job)


def test_a_running_job_is_cancelled_only_where_that_is_wanted(
    schedule: Schedule, database: Database
) -> None:
    job_id = create(schedule)
    claim = claimed(database, job_id)
    assert not schedule.cancel(job_id, "by ann")
    Jobs(database).require_held(claim)

    assert schedule.cancel(job_id, "by ann", is_running=True)

    with pytest.raises(JobLost, match=r"(?s)was cancelled.*by ann"):
        Jobs(database).require_held(claim)
    with pytest.raises(JobLost):
        Jobs(database).succeed(claim, judged_commit(), JobRecord())
    assert job_row(database, job_id)["state"] == JobState.CANCELLED
    assert schedule.count_cancelled() == 1


def test_an_empty_database_has_no_experiment(database: Database) -> None:
    schedule = Schedule(database)

    assert schedule.experiment() is None
    assert (schedule.next_ordinal(), schedule.count_unfinished(), schedule.find_ended()) == (
        0,
        0,
        [],
    )
    assert schedule.find_last_baseline() is None


def test_the_first_experiment_is_the_one_that_counts(schedule: Schedule) -> None:
    first = schedule.experiment()

    second = schedule.begin_experiment(Experiment("b" * 40, {}))

    assert second == first == schedule.experiment()
    assert first == Experiment(ROOT, {"measures": ["x:0:1:2"], "metric": None})


def test_a_new_job_is_pending_with_all_it_was_given(schedule: Schedule, database: Database) -> None:
    job = NewJob(
        JobKind.EVOLUTION, 3, 2**56 - 1, ROOT, ("b" * 40,), island=2, agent="a", operator="o"
    )

    row = job_row(database, schedule.create(job))

    assert (row["state"], row["attempt"], row["lost_leases"]) == (JobState.PENDING, 0, 0)
    assert (row["ordinal"], row["seed"], row["island"]) == (3, 2**56 - 1, 2)
    assert (row["base_commit"], row["inspirations"]) == (ROOT, ["b" * 40])
    assert (row["agent"], row["operator"]) == ("a", "o")


def test_a_job_of_the_same_ordinal_is_left_as_it_is(schedule: Schedule, database: Database) -> None:
    first = create(schedule, 0)

    create(schedule, 0)

    assert [row["id"] for row in rows(database, "jobs")] == [first]


def test_the_next_ordinal_counts_evolution_jobs_only(schedule: Schedule) -> None:
    schedule.create_extra(JobKind.BASELINE, ROOT)
    assert schedule.next_ordinal() == 0

    create(schedule, 0)
    create(schedule, 1)
    assert schedule.next_ordinal() == 2


def test_an_extra_job_is_made_again_only_after_it_was_taken_in(
    schedule: Schedule, database: Database
) -> None:
    schedule.create_extra(JobKind.BASELINE, ROOT)
    schedule.create_extra(JobKind.BASELINE, ROOT)
    [job_id] = [row["id"] for row in rows(database, "jobs")]
    failed(database, job_id, AgentFailed("no"))
    schedule.create_extra(JobKind.BASELINE, ROOT)
    assert len(rows(database, "jobs")) == 1

    [ended] = schedule.find_ended()
    take(database, ended)
    schedule.create_extra(JobKind.BASELINE, ROOT)
    schedule.create_extra(JobKind.MEASUREMENT, ROOT)

    assert sorted(row["ordinal"] for row in rows(database, "jobs")) == [-3, -2, -1]


def test_the_last_baseline_is_the_one_that_counts(schedule: Schedule, database: Database) -> None:
    schedule.create_extra(JobKind.BASELINE, ROOT)
    failed(database, rows(database, "jobs")[0]["id"], AgentFailed("no", reason="why"))
    [ended] = schedule.find_ended()

    before = schedule.find_last_baseline()
    take(database, ended)
    after = schedule.find_last_baseline()
    schedule.create_extra(JobKind.BASELINE, ROOT)
    schedule.create_extra(JobKind.MEASUREMENT, ROOT)
    again = schedule.find_last_baseline()

    assert before
    assert after
    assert again
    assert (before.state, before.ingested, before.failure) == (JobState.FAILED, False, "no: why")
    assert after.ingested
    assert (again.state, again.ingested, again.failure) == (JobState.PENDING, False, None)


def test_pending_jobs_are_queued_in_the_order_of_their_creation(schedule: Schedule) -> None:
    job_ids = [create(schedule, ordinal) for ordinal in range(30)]

    assert schedule.queue_pending() == job_ids


def test_a_queued_job_is_named_until_its_message_was_sent(
    schedule: Schedule, database: Database
) -> None:
    first, second = create(schedule, 0), create(schedule, 1)
    assert schedule.queue_pending() == schedule.queue_pending() == [first, second]

    schedule.mark_dispatched([first])

    assert schedule.queue_pending() == [second]
    assert job_row(database, first)["state"] == JobState.QUEUED


def test_a_job_that_was_given_back_is_sent_anew(schedule: Schedule, database: Database) -> None:
    job_id = create(schedule)
    claim = claimed(database, job_id)
    schedule.mark_dispatched([job_id])
    assert schedule.queue_pending() == []

    Jobs(database).release(claim)

    assert schedule.queue_pending() == [job_id]


def test_more_jobs_than_a_statement_has_places_for_are_noted(schedule: Schedule) -> None:
    """As many as may wait at once, by the bound of SCHEDULER_MAX_UNFINISHED_JOBS."""
    schedule.mark_dispatched(["none"] * 10_000)


def test_a_job_nobody_claims_is_unanswered_after_a_while(
    schedule: Schedule, database: Database
) -> None:
    silent, running, unsent = (create(schedule, ordinal) for ordinal in range(3))
    schedule.queue_pending()
    schedule.mark_dispatched([silent, running])
    claimed(database, running)
    with database.begin() as connection:
        connection.execute(
            update(jobs_table).where(jobs_table.c.id != unsent).values(dispatched_at=now() - 60)
        )

    assert schedule.find_unclaimed(older_than_seconds=50) == [silent]
    assert schedule.find_unclaimed(older_than_seconds=70) == []


def test_reaping_counts_the_workers_a_job_has_lost(schedule: Schedule, database: Database) -> None:
    job_id = create(schedule)
    Jobs(database).release(claimed(database, job_id))
    claimed(database, job_id, lease_seconds=-1)

    assert schedule.reap(max_attempts=2) == ([job_id], [])
    row = job_row(database, job_id)
    assert (row["lost_leases"], row["attempt"]) == (1, 2)  # giving it back is no loss
    assert (row["token"], row["lease_until"], row["dispatched_at"]) == (None, None, None)

    claimed(database, job_id, lease_seconds=-1)
    assert schedule.reap(max_attempts=2) == ([], [job_id])
    row = job_row(database, job_id)
    assert "died or fell silent 2 times" in row["failure"]
    assert row["finished_at"] is not None
    assert schedule.reap(max_attempts=2) == ([], [])


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)  # SQLite has one lock
def test_reaping_does_not_wait_for_a_worker_that_waits_for_it(
    schedule: Schedule, database: Database
) -> None:
    silent, slow = (claimed(database, create(schedule, n), lease_seconds=-1) for n in range(2))
    Jobs(database).announce(silent, "t" * 40)
    of_slow = update(jobs_table).where(jobs_table.c.id == slow.job_id)
    reaped: list[tuple[list[str], list[str]]] = []
    reaping = threading.Thread(target=lambda: reaped.append(schedule.reap(max_attempts=3)))

    with pytest.raises(IntegrityError), database.begin() as connection:  # noqa: PT012
        connection.execute(of_slow.values(subject="held"))
        reaping.start()
        waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while reaping.is_alive() and not connection.execute(waiting).scalar():
            pass
        connection.execute(of_slow.values(tree="t" * 40))

    reaping.join()
    assert sorted(reaped[0][0]) == sorted([silent.job_id, slow.job_id])


def test_ended_jobs_come_in_the_order_in_which_they_ended(
    schedule: Schedule, database: Database
) -> None:
    job_ids = [create(schedule, ordinal) for ordinal in range(4)]
    succeeded(database, job_ids[2], judged_commit(1))
    failed(database, job_ids[0], AgentFailed("no idea"))
    failed(database, job_ids[1], CandidateRejected("nothing changed"))
    with database.begin() as connection:  # the clocks of both databases are coarser than tests
        for moment, job_id in enumerate([job_ids[2], job_ids[0], job_ids[1]]):
            connection.execute(
                update(jobs_table)
                .where(jobs_table.c.id == job_id)
                .values(finished_at=100.0 + moment, claimed_at=98.5)
            )

    ended = schedule.find_ended()

    assert [job.job_id for job in ended] == [job_ids[2], job_ids[0], job_ids[1]]
    assert [job.state for job in ended] == [
        JobState.SUCCEEDED,
        JobState.FAILED,
        JobState.REJECTED,
    ]
    assert [job.commit for job in ended] == [judged_commit(1).commit, None, None]
    assert [job.failure for job in ended] == [None, "no idea", "nothing changed"]
    assert [job.seconds for job in ended] == [1.5, 2.5, 3.5]
    assert schedule.find_ended(limit=1) == ended[:1]


def test_a_job_is_taken_in_once(schedule: Schedule, database: Database) -> None:
    succeeded(database, create(schedule), judged_commit(1))
    [job] = schedule.find_ended()

    assert take(database, job)
    assert not take(database, job)

    assert schedule.find_ended() == []
    with database.read() as connection:
        counted = read_progress(connection)
    assert (counted.ended_jobs, counted.judged_commits) == (1, 1)


def test_of_two_schedulers_one_takes_a_job_in(schedule: Schedule, database: Database) -> None:
    succeeded(database, create(schedule), judged_commit(1))
    [job] = schedule.find_ended()
    answers: list[bool] = []
    threads = [
        threading.Thread(target=lambda: answers.append(take(database, job))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [False, True]


def test_what_fails_while_a_job_is_taken_in_leaves_it_waiting(
    schedule: Schedule, database: Database
) -> None:
    succeeded(database, create(schedule), judged_commit(1))
    [job] = schedule.find_ended()

    with pytest.raises(ZeroDivisionError), database.begin() as connection:  # noqa: PT012
        mark_ingested(connection, job)
        raise ZeroDivisionError

    assert schedule.find_ended() == [job]
    with database.read() as connection:
        assert read_progress(connection).ended_jobs == 0


@pytest.mark.parametrize(
    ("kind", "counted"),
    [
        (JobKind.EVOLUTION, (1, 1)),
        (JobKind.BASELINE, (0, 1)),
        (JobKind.MEASUREMENT, (0, 0)),
    ],
)
def test_only_what_was_judged_anew_counts_as_progress(
    schedule: Schedule, database: Database, kind: JobKind, counted: tuple[int, int]
) -> None:
    succeeded(database, create(schedule), judged_commit(1))
    [job] = schedule.find_ended()
    with database.begin() as connection:
        connection.execute(update(jobs_table).values(kind=kind))
    [job] = schedule.find_ended()

    take(database, job)

    with database.read() as connection:
        found = read_progress(connection)
    assert (found.ended_jobs, found.judged_commits) == counted


def test_a_failed_job_is_progress_without_a_commit(schedule: Schedule, database: Database) -> None:
    failed(database, create(schedule), AgentFailed("no"))
    [job] = schedule.find_ended()

    take(database, job)

    with database.read() as connection:
        found = read_progress(connection)
    assert (found.ended_jobs, found.judged_commits) == (1, 0)


def test_the_outcome_is_kept_with_the_job(schedule: Schedule, database: Database) -> None:
    succeeded(database, create(schedule), judged_commit(1))
    [job] = schedule.find_ended()

    with database.begin() as connection:
        note_outcome(connection, job, "improved")

    assert job_row(database, job.job_id)["archive_outcome"] == "improved"


def test_a_job_is_unfinished_until_it_was_taken_in(schedule: Schedule, database: Database) -> None:
    job_id = create(schedule)
    assert schedule.count_unfinished() == 1

    failed(database, job_id, AgentFailed("no"))
    assert schedule.count_unfinished() == 1

    take(database, schedule.find_ended()[0])
    assert schedule.count_unfinished() == 0
