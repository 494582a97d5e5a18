"""When a run pauses, what tries whether it may go on, and when it does; on a real database."""

from dataclasses import dataclass, field

import pytest

from loreley.core.jobs import Hindrance, JobKind, JobRecord, JobState
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.faults.pause import Pause, begin_pause, end_pause
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import AgentFailed, Fault, JobNotClaimed, RunBraked
from loreley.scheduler.faults.pausing import PauseOptions, Pausing
from tests.db.support import job_row
from tests.support import eventually

ROOT = "a" * 40
QUICK = PauseOptions(probe_seconds=0.02)
KEY = Hindrance(Fault.PROVIDER, "the endpoint refuses the key", "set the key")
LIMIT = Hindrance(Fault.PROVIDER, "status 429", wait_seconds=3 * 86_400)
DISK = Hindrance(Fault.HOST, "No space left on device", "free some disk space")


@dataclass
class Run:
    """A run whose jobs end as they are told to."""

    database: Database
    count: int = 0
    created: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        Schedule(self.database).begin_experiment(Experiment(ROOT, {}))

    def job(self) -> str:
        """A job that waits."""
        schedule = Schedule(self.database)
        self.count += 1
        job_id = schedule.create(NewJob(JobKind.EVOLUTION, self.count, 7, ROOT))
        schedule.queue_pending()
        return job_id

    def hindered(self, hindrance: Hindrance, worker: str = "one", job_id: str = "") -> str:
        """Let a worker give a job back; its id."""
        store = Jobs(self.database)
        claim = store.claim(job_id or self.job(), worker=worker, lease_seconds=30)
        store.give_back(claim, hindrance)
        return claim.job_id

    def ended(self, worker: str = "one", job_id: str = "") -> None:
        """Let a worker end a job."""
        store = Jobs(self.database)
        claim = store.claim(job_id or self.job(), worker=worker, lease_seconds=30)
        store.fail(claim, AgentFailed("nonsense"), JobRecord())

    def create_one(self) -> int:
        """Create a job for the pause to try with."""
        self.created.append(self.job())
        return 1

    def tick(self, pausing: Pausing) -> Pause | None:
        """Look once."""
        return pausing.tick(self.create_one)


@pytest.fixture
def run(database: Database) -> Run:
    return Run(database)


def test_a_run_pauses_when_all_recent_results_are_alike(run: Run) -> None:
    pausing = Pausing(run.database, QUICK)
    for worker in ("one", "two"):
        run.hindered(KEY, worker)
    assert run.tick(pausing) is None

    run.hindered(KEY, "one")

    pause = run.tick(pausing)
    assert pause is not None
    assert (pause.fault, pause.fix) == (Fault.PROVIDER, "set the key")


def test_no_job_can_be_claimed_during_a_pause_but_the_one_that_tries(run: Run) -> None:
    pausing = Pausing(run.database, QUICK)
    waiting = [run.hindered(KEY) for _ in range(3)]
    run.tick(pausing)
    with pytest.raises(JobNotClaimed, match="the run pauses"):
        Jobs(run.database).claim(waiting[0], worker="one", lease_seconds=30)

    eventually(lambda: getattr(run.tick(pausing), "probe", None))

    pause = run.tick(pausing)
    assert pause is not None
    assert pause.probe in waiting
    Jobs(run.database).claim(pause.probe, worker="one", lease_seconds=30)


def test_a_job_that_ends_makes_the_run_go_on_and_all_others_be_sent_again(run: Run) -> None:
    pausing = Pausing(run.database, QUICK)
    waiting = [run.hindered(KEY) for _ in range(3)]
    Schedule(run.database).mark_dispatched(waiting)
    run.tick(pausing)
    eventually(lambda: getattr(run.tick(pausing), "probe", None))
    pause = run.tick(pausing)
    assert pause is not None
    assert pause.probe is not None

    run.ended("two", pause.probe)

    assert run.tick(pausing) is None
    others = [each for each in waiting if each != pause.probe]
    assert [job_row(run.database, each)["dispatched_at"] for each in others] == [None, None]


def test_a_job_that_tries_in_vain_is_followed_at_a_growing_distance(run: Run) -> None:
    pausing = Pausing(run.database, QUICK)
    for _ in range(3):
        run.hindered(KEY)
    distances = []
    for number in range(1, 4):
        pause = None
        while pause is None or pause.probes < number:
            pause = run.tick(pausing)
        assert pause.probe is not None
        distances.append(pause.probe_at)
        run.hindered(KEY, job_id=pause.probe)

    assert distances[2] - distances[1] > distances[1] - distances[0] > 0


def test_a_limit_of_days_pauses_at_once_and_is_asked_about_every_hour(run: Run) -> None:
    pausing = Pausing(run.database, QUICK)

    run.hindered(LIMIT)

    pause = run.tick(pausing)
    assert pause is not None
    assert pause.until == pytest.approx(pause.since + 3 * 86_400, abs=5)
    assert pause.probe_at == pytest.approx(pause.since + 3600, abs=5)


def test_a_limit_of_one_of_several_agents_pauses_nothing_at_once(run: Run) -> None:
    pausing = Pausing(run.database, PauseOptions(has_one_agent=False))

    run.hindered(LIMIT)

    assert run.tick(pausing) is None


def test_one_broken_host_among_good_ones_pauses_nothing(run: Run) -> None:
    pausing = Pausing(run.database, QUICK)
    Jobs(run.database).claim(run.job(), worker="good", lease_seconds=30)

    for _ in range(5):
        run.hindered(DISK, "broken")

    assert run.tick(pausing) is None


def test_a_job_that_is_hindered_while_others_are_not_is_cancelled(run: Run) -> None:
    pausing = Pausing(run.database, QUICK)
    gone = Hindrance(Fault.REMOTE, "a commit is neither here nor on the remote")
    job_id = run.hindered(gone)
    for worker in ("two", "three"):
        run.ended(worker)
        run.hindered(gone, worker, job_id)

    run.tick(pausing)

    assert job_row(run.database, job_id)["state"] == JobState.CANCELLED
    assert Schedule(run.database).count_cancelled() == 1


def test_a_pause_without_a_waiting_job_has_one_made(run: Run) -> None:
    pausing = Pausing(run.database, QUICK)
    jobs = [run.hindered(KEY) for _ in range(3)]
    run.tick(pausing)
    for job_id in jobs:
        Schedule(run.database).cancel(job_id, "not wanted")

    eventually(lambda: getattr(run.tick(pausing), "probe", None))

    assert len(run.created) == 1


def test_a_pause_that_lasts_too_long_ends_the_run_until_it_is_started_again(run: Run) -> None:
    pausing = Pausing(run.database, PauseOptions(longest_hours=0))
    job_id = run.hindered(KEY)
    for _ in range(2):
        run.hindered(KEY)

    with pytest.raises(RunBraked, match="SCHEDULER_MAX_PAUSE_HOURS") as raised:
        run.tick(pausing)
    pausing.end_run(raised.value)

    with pytest.raises(JobNotClaimed):
        Jobs(run.database).claim(job_id, worker="one", lease_seconds=30)
    Pausing(run.database, QUICK)
    Jobs(run.database).claim(job_id, worker="one", lease_seconds=30)


def test_a_new_start_tries_at_once(run: Run) -> None:
    first = Pausing(run.database, QUICK)
    run.hindered(LIMIT)
    run.tick(first)

    second = Pausing(run.database, QUICK)

    pause = run.tick(second)
    assert pause is not None
    assert pause.probe is not None


def test_a_pause_that_a_person_asks_for_lasts_until_a_person_ends_it(run: Run) -> None:
    run.hindered(KEY)
    pausing = Pausing(run.database, QUICK)
    job_id = run.job()
    asked = Pause(Fault.PERSON, "by ann", "", since=0.0, probe_at=0.0)
    begin_pause(run.database, asked)

    assert pausing.tick(run.create_one) == asked
    assert Pausing(run.database, QUICK).tick(run.create_one) == asked  # it was started anew
    with pytest.raises(JobNotClaimed, match="by ann"):
        Jobs(run.database).claim(job_id, worker="one", lease_seconds=30)
    assert run.created == []

    end_pause(run.database)
    assert run.tick(pausing) is None  # nor is it resumed into what hindered it before
    run.ended(job_id=job_id)
