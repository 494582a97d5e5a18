"""The jobs in the database as a worker sees them: claim, renew, finish, all fenced by a token."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar
from uuid import UUID, uuid4

from sqlalchemy import Connection, RowMapping, Update, literal, select, update
from sqlalchemy.exc import IntegrityError

from loreley.core.evaluation.confirmation import Confirmation
from loreley.core.evaluation.evaluation import Evaluation
from loreley.core.evaluation.fingerprint import Fingerprint
from loreley.core.evaluation.holdout import Holdout, HoldoutResult
from loreley.core.evaluation.noise import describe_noise
from loreley.core.jobs import (
    FINAL_STATES,
    Claim,
    FailedTry,
    Hindrance,
    JobKind,
    JobRecord,
    JobState,
    JudgedCommit,
    Trial,
    Tries,
)
from loreley.db.bandit_stats import add_try, differs_from, read_tries
from loreley.db.briefs.notebook import insert_findings
from loreley.db.confirmations import read_holdout, record_confirmation
from loreley.db.engine import Database, now
from loreley.db.experiment import (
    read_experiment,
    read_hosts,
    read_judge,
    require_judge,
    write_host,
)
from loreley.db.faults.hindrances import insert_hindrance, is_alone_in_failing
from loreley.db.faults.pause import read_pause
from loreley.db.judged_commits import (
    MeasuredBy,
    insert_failed_try,
    insert_judged_commit,
    insert_trial,
    is_by_the_judge,
    is_trial_known,
    read_best,
    read_judged_commits,
    read_trial,
    read_trials,
    record_measurement,
    sum_evaluated_seconds,
    to_storable,
)
from loreley.db.models import artifacts, commits, failed_tries, jobs, trials
from loreley.errors import (
    CandidateRejected,
    FailureKind,
    JobEnded,
    JobFailed,
    JobLost,
    JobNotClaimed,
)
from loreley.host.backoff import retry_outages
from loreley.host.deadline import Deadline, Stop

_AT_ONCE = Deadline(at=0.0)  # passed long ago
_FAILURE_LENGTH = 2_000
_GENERATIONS = 50  # back to which tuning is looked for
_KEPT_BY_HEIRS = (
    "steps",
    "shifts",
    "climbs_left",
)  # of the progress of tuning: values are their own
_OF_THE_CANDIDATE = (FailureKind.EVALUATION, FailureKind.TIMEOUT)
_IN_VAIN = (jobs.c.state == JobState.REJECTED) | (
    (jobs.c.state == JobState.FAILED) & (jobs.c.failure_kind == FailureKind.EVALUATION)
)
_FAILS_AGAIN = trials.c.failure.is_not(None) & trials.c.is_lasting
_PAST = {
    JobState.SUCCEEDED: "succeeded",
    JobState.REJECTED: "was rejected",
    JobState.FAILED: "failed",
}


Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def _retried(
    method: Callable[Concatenate["Jobs", Parameters], Result],
) -> Callable[Concatenate["Jobs", Parameters], Result]:
    """The method, tried again after each outage for as long as its store is to wait."""

    @wraps(method)
    def retry(self: "Jobs", /, *args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return retry_outages(partial(method, self, *args, **kwargs), self.retry_deadline)

    return retry


class Jobs:
    """The `JobStore` on SQLAlchemy; every change is one short transaction."""

    def __init__(self, database: Database, retry_deadline: Deadline = _AT_ONCE) -> None:
        """Until ``retry_deadline`` it waits for a database that does not answer."""
        self._database = database
        self.retry_deadline = retry_deadline

    def retrying_until(self, stop: Stop) -> "Jobs":
        """The same store, which waits for the database until ``stop`` is asked."""
        return Jobs(self._database, Deadline(stop=stop))

    @_retried
    def claim(self, job_id: str, *, worker: str, lease_seconds: float) -> Claim:
        """Take a queued job for ``lease_seconds``; raises `JobNotClaimed`."""
        key = _parse_job_id(job_id)
        token = str(uuid4())
        taken = (
            update(jobs)
            .where(jobs.c.id == key, jobs.c.state == JobState.QUEUED)
            .values(
                state=JobState.RUNNING,
                attempt=jobs.c.attempt + 1,
                token=token,
                tree=None,
                meaning=None,
                worker=worker,
                claimed_at=now(),
                lease_until=now() + lease_seconds,
                renewed_at=now(),
            )
            .returning(*jobs.c)
        )
        with self._database.begin() as connection:
            row = connection.execute(taken).mappings().one_or_none()
            if row is None:
                raise _explain_refusal(connection, key)
            pause = read_pause(connection)
            if pause is not None and pause.probe != key:
                raise JobNotClaimed("the run pauses", target=key, reason=pause.why)
            known = read_experiment(connection)
            assert known is not None  # its jobs are there
            progress = row["progress"] or _find_steps(connection, row)
            # What the root's judge of before said of directions binds no other one.
            is_said = is_by_the_judge(connection, known.root_commit)
        return Claim(
            job_id=row["id"],
            kind=JobKind(row["kind"]),
            attempt=row["attempt"],
            token=token,
            ordinal=row["ordinal"],
            island=row["island"],
            seed=row["seed"],
            root_commit=known.root_commit,
            base_commit=row["base_commit"],
            inspirations=tuple(row["inspirations"]),
            agent=row["agent"],
            operator=row["operator"],
            objective=known.objective,
            tries=row["attempt"] - row["uncounted_attempts"],
            directions=known.directions if is_said else {},
            judge_digest=known.judge_digest,
            progress=progress,
        )

    def renew(self, claim: Claim, *, lease_seconds: float) -> None:
        """Hold the job for ``lease_seconds`` from now; raises `JobLost` when it is not ours."""
        with self._database.begin() as connection:
            renewed = {"lease_until": now() + lease_seconds, "renewed_at": now()}
            _change(connection, claim, _claimed(claim).values(**renewed))

    def require_held(self, claim: Claim) -> None:
        """Raise `JobLost` when the job is not ours any more, as it was cancelled."""
        held = select(jobs.c.id).where(jobs.c.id == claim.job_id, jobs.c.token == claim.token)
        with self._database.read() as connection:
            if connection.execute(held).first() is None:
                raise _explain_loss(connection, claim)

    @_retried
    def release(self, claim: Claim, *, counts: bool = True) -> None:
        """Put the job back into the queue; raises `JobLost`.

        The attempt ``counts`` against the job, unless it ended for the worker's sake. Its number,
        which names branches and folders, is not given again.
        """
        with self._database.begin() as connection:
            _change(connection, claim, _queued_again(claim, counts=counts))

    @_retried
    def give_back(self, claim: Claim, hindrance: Hindrance) -> None:
        """Put the job back into the queue, its attempt uncounted; raises `JobLost`."""
        with self._database.begin() as connection:
            insert_hindrance(connection, claim, hindrance)
            _change(connection, claim, _queued_again(claim, counts=False))

    @_retried
    def keep_progress(self, claim: Claim, progress: Mapping[str, Any], record: JobRecord) -> None:
        """Keep what a further attempt goes on from, and count the tries so far.

        Raises `JobLost`.
        """
        counted = {"tries": record.tries, "tried_seconds": record.tried_seconds}
        with self._database.begin() as connection:
            _change(connection, claim, _claimed(claim).values(progress=dict(progress), **counted))

    def note_hindrance(self, claim: Claim, hindrance: Hindrance) -> None:
        """Let everyone know what keeps the result of a job that is held; raises `JobLost`."""
        with self._database.begin() as connection:
            # Like every transaction of a job's, this one begins with its row.
            _change(connection, claim, _claimed(claim).values(token=claim.token))
            insert_hindrance(connection, claim, hindrance)

    def is_alone_in_failing(self, worker: str) -> bool:
        """Whether the worker was hindered several times in a row while others were not at all."""
        with self._database.read() as connection:
            return is_alone_in_failing(connection, worker)

    @_retried
    def succeed(self, claim: Claim, judged: JudgedCommit, record: JobRecord) -> None:
        """Record the commit and everything about it at once; raises `JobLost`.

        Raises `CandidateRejected`, and records nothing, when another job judged the same tree
        in the meantime.
        """
        with self._database.begin() as connection:
            require_judge(connection, record.judge)
            _finish(connection, claim, record, state=JobState.SUCCEEDED, commit=judged.commit)
            insert_judged_commit(self._database, connection, claim.job_id, judged, _by(record))
            insert_findings(connection, claim, record, judged.tree)
            if record.places:
                moved = differs_from(connection, claim.base_commit, judged.evaluation)
                add_try(self._database, connection, record, moved=moved)
            _insert_artifacts(connection, claim, record)

    @_retried
    def add_measurement(self, claim: Claim, evaluation: Evaluation, record: JobRecord) -> None:
        """Add what was measured to the commit's earlier figures; raises `JobLost`.

        Figures of another judge are replaced.
        """
        commit = claim.base_commit
        with self._database.begin() as connection:
            require_judge(connection, record.judge)
            _finish(connection, claim, record, state=JobState.SUCCEEDED, commit=commit)
            record_measurement(connection, commit, evaluation, _by(record))
            _insert_artifacts(connection, claim, record)

    @_retried
    def evaluated_seconds(self) -> float:
        """How long the evaluations of all commits have taken together."""
        with self._database.read() as connection:
            return sum_evaluated_seconds(connection)

    @_retried
    def confirm(
        self, claim: Claim, confirmation: Confirmation, holdout: Holdout | None, record: JobRecord
    ) -> None:
        """Record what measuring the base commit beside the root has shown; raises `JobLost`."""
        commit = claim.base_commit
        with self._database.begin() as connection:
            require_judge(connection, record.judge)
            _finish(connection, claim, record, state=JobState.SUCCEEDED, commit=commit)
            record_confirmation(
                self._database, connection, commit, claim.job_id, confirmation, holdout
            )
            _insert_artifacts(connection, claim, record)

    @_retried
    def find_holdout(self, commit: str) -> HoldoutResult | None:
        """What the hold-out has said of a commit; None: it was not asked yet."""
        with self._database.read() as connection:
            return read_holdout(connection, commit)

    @_retried
    def fail(self, claim: Claim, failure: JobFailed, record: JobRecord) -> None:
        """Record why there is no commit; raises `JobLost`."""
        rejected = isinstance(failure, CandidateRejected)
        with self._database.begin() as connection:
            _finish(
                connection,
                claim,
                record,
                state=JobState.REJECTED if rejected else JobState.FAILED,
                failure_kind=None if rejected else failure.kind,
                failure=to_storable(failure.summary)[:_FAILURE_LENGTH],
                fix=to_storable(failure.fix)[:_FAILURE_LENGTH] or None,
            )
            if rejected or failure.kind in _OF_THE_CANDIDATE:
                add_try(self._database, connection, record, moved=False)
            insert_findings(connection, claim, record, None)
            _insert_artifacts(connection, claim, record)

    @_retried
    def add_failed_try(self, claim: Claim, failed: FailedTry, record: JobRecord) -> None:
        """Record that the announced tree was judged in vain, and the job goes on without it.

        Raises `JobLost`. Again is fine.
        """
        forgotten = _claimed(claim).values(tree=None, meaning=None)
        held = _claimed(claim).values(token=claim.token).returning(jobs.c.tree, jobs.c.meaning)
        with self._database.begin() as connection:
            row = connection.execute(held).first()
            if row is None:
                raise _explain_loss(connection, claim)
            if row.tree is None:  # recorded before: only the answer was lost
                return
            _change(connection, claim, forgotten)
            insert_failed_try(connection, claim, row.tree, row.meaning, failed)
            add_try(self._database, connection, record, moved=False)

    @_retried
    def add_trial(self, claim: Claim, trial: Trial, record: JobRecord) -> None:
        """Record a trial of the announced tree, and count the tries so far; raises `JobLost`.

        Again is fine.
        """
        held = _claimed(claim).values(token=claim.token).returning(jobs.c.meaning)
        counted = {"tries": record.tries, "tried_seconds": record.tried_seconds}
        with self._database.begin() as connection:
            row = connection.execute(held).first()
            if row is None:
                raise _explain_loss(connection, claim)
            if is_trial_known(connection, claim, trial.number):  # only the answer was lost
                return
            _change(connection, claim, _claimed(claim).values(tree=None, meaning=None, **counted))
            insert_trial(connection, claim, row.meaning, trial, _by(record))

    @_retried
    def find_trials(self, claim: Claim) -> list[Trial]:
        """The trials of the job so far, those of earlier attempts included, in their order."""
        with self._database.read() as connection:
            return read_trials(connection, claim.job_id)

    @_retried
    def find_trial(self, tree: str, record: JobRecord) -> Evaluation | None:
        """What the record's judge has said of a tree on the record's host, in a trial of any job.

        None: it was not asked, or the tree has failed.
        """
        with self._database.read() as connection:
            return read_trial(connection, tree, _by(record))

    @_retried
    def find_best(self) -> JudgedCommit | None:
        """The fittest commit of the experiment; None where none has a fitness."""
        with self._database.read() as connection:
            return read_best(connection)

    @_retried
    def announce(self, claim: Claim, tree: str, meaning: str | None = None) -> None:
        """Say which tree the job is about to judge, and what it means; raises `JobLost`.

        Raises `CandidateRejected` when that tree, or one that means the same, was judged before, be
        it in vain, or when another job is about it. A judgement that ran out of time does not
        count.
        """
        with self._database.begin() as connection:
            try:
                # First, as it waits for a job that is just ending, whose outcome then shows.
                _change(connection, claim, _claimed(claim).values(tree=tree, meaning=meaning))
            except IntegrityError:
                raise CandidateRejected(
                    "another job is judging the same tree", target=tree
                ) from None
            twin = _find_twin(connection, tree)
            if twin is not None:
                raise CandidateRejected("the same tree was judged before", target=twin)
            twin = _find_twin_in_meaning(connection, claim, meaning)
            if twin is not None:
                raise CandidateRejected(
                    "the same tree was judged before, but for blanks, comments or local names",
                    target=twin,
                    setting="WORKER_GATE_MEANING",
                    fix="set it to false if these are what is to be improved",
                )

    @_retried
    def is_tree_known(self, claim: Claim, tree: str, meaning: str | None = None) -> bool:
        """Whether `announce` would refuse the tree by now."""
        at_work = select(jobs.c.id).where(
            jobs.c.tree == tree, jobs.c.state == JobState.RUNNING, jobs.c.id != claim.job_id
        )
        with self._database.read() as connection:
            if connection.execute(at_work.limit(1)).first() is not None:
                return True
            return (
                _find_twin(connection, tree) is not None
                or _find_twin_in_meaning(connection, claim, meaning) is not None
            )

    @_retried
    def find_tries(self, places: Sequence[str]) -> Mapping[str, Tries]:
        """What came of changes at these places; those never changed are left out."""
        with self._database.read() as connection:
            return read_tries(connection, places)

    @_retried
    def lacks_host(self, host: str) -> bool:
        """Whether the root's metric is noisy and the host's figure of it is not known."""
        with self._database.read() as connection:
            known = read_experiment(connection)
            noise = describe_noise(known.objective, known.root_metrics) if known else None
            return bool(noise and noise.spread) and host not in read_hosts(connection)

    @_retried
    def record_host(self, host: str, machine: str, root_fitness: Sequence[float]) -> None:
        """Keep what a host makes of the root commit."""
        with self._database.begin() as connection:
            write_host(self._database, connection, host, machine, root_fitness)

    @_retried
    def find_judge(self) -> Fingerprint | None:
        """What the experiment judges with; None before the root was judged."""
        with self._database.read() as connection:
            return read_judge(connection)

    @_retried
    def find_judged(self, commits_wanted: Sequence[str]) -> list[JudgedCommit]:
        """The judged ones of these commits, in their order."""
        if not commits_wanted:
            return []
        with self._database.read() as connection:
            return read_judged_commits(connection, commits_wanted)


def _by(record: JobRecord) -> MeasuredBy:
    return MeasuredBy(record.judge.digest if record.judge else None, record.host)


def _insert_artifacts(connection: Connection, claim: Claim, record: JobRecord) -> None:
    for artifact in record.artifacts:
        connection.execute(
            artifacts.insert().values(
                job_id=claim.job_id,
                attempt=claim.attempt,
                name=artifact.name,
                media_type=artifact.media_type,
                content=artifact.content,
                created_at=now(),
            )
        )


def _parse_job_id(job_id: object) -> str:
    """The one spelling of a job id that the database uses."""
    try:
        return str(UUID(job_id if isinstance(job_id, str) else ""))
    except ValueError:
        raise JobNotClaimed("the message names no job", target=repr(job_id)[:100]) from None


def _claimed(claim: Claim) -> Update:
    return update(jobs).where(
        jobs.c.id == claim.job_id,
        jobs.c.token == claim.token,
        jobs.c.state == JobState.RUNNING,
    )


def _queued_again(claim: Claim, *, counts: bool) -> Update:
    return _claimed(claim).values(
        state=JobState.QUEUED,
        token=None,
        lease_until=None,
        dispatched_at=None,
        uncounted_attempts=jobs.c.uncounted_attempts + int(not counts),
    )


def _change(connection: Connection, claim: Claim, statement: Update) -> None:
    if connection.execute(statement).rowcount == 0:
        raise _explain_loss(connection, claim)


def _explain_loss(connection: Connection, claim: Claim) -> JobLost:
    """Why the job is not held, as its row shows."""
    row = connection.execute(
        select(jobs.c.state, jobs.c.commit, jobs.c.failure_kind, jobs.c.failure).where(
            jobs.c.id == claim.job_id,
            jobs.c.attempt == claim.attempt,
            jobs.c.state.in_(list(FINAL_STATES)),
        )
    ).first()
    if row is not None and row.state == JobState.CANCELLED:
        return JobLost("the job was cancelled", target=claim.job_id, reason=row.failure or "")
    if row is None or row.failure_kind == FailureKind.LOST:
        return JobLost(
            "the job is no longer ours",
            target=claim.job_id,
            reason="its lease ended, and another worker may have taken it",
        )
    commit = f" with {row.commit[:12]}" if row.commit else ""
    return JobEnded(
        "the job has ended", target=claim.job_id, reason=f"it {_PAST[row.state]}{commit}"
    )


def _find_steps(connection: Connection, row: RowMapping) -> dict[str, Any] | None:
    """How tuning has ended that made the base of a job, or the nearest of its ancestors."""
    if row["kind"] != JobKind.TUNE:
        return None
    base = select(commits.c.parent, commits.c.job_id, literal(0).label("generation"))
    line = base.where(commits.c.commit == row["base_commit"]).cte("line", recursive=True)
    line = line.union_all(
        select(commits.c.parent, commits.c.job_id, line.c.generation + 1).where(
            commits.c.commit == line.c.parent, line.c.generation < _GENERATIONS
        )
    )
    tuned = (
        select(jobs.c.progress)
        .join(line, line.c.job_id == jobs.c.id)
        .where(jobs.c.kind == JobKind.TUNE)
        .order_by(line.c.generation)
        .limit(1)
    )
    progress = connection.execute(tuned).scalar()
    if not progress:
        return None
    return {name: progress[name] for name in _KEPT_BY_HEIRS if name in progress}


def _find_twin(connection: Connection, tree: str) -> str | None:
    """The commit that was judged with this tree, or the job that judged it in vain."""
    commit = select(commits.c.commit).where(commits.c.tree == tree)
    job = select("job " + jobs.c.id).where(jobs.c.tree == tree, _IN_VAIN)
    within = select("job " + failed_tries.c.job_id).where(failed_tries.c.tree == tree)
    trial = select("job " + trials.c.job_id).where(trials.c.tree == tree, _FAILS_AGAIN)
    return connection.execute(commit.union_all(job, within, trial).limit(1)).scalar()


def _find_twin_in_meaning(connection: Connection, claim: Claim, meaning: str | None) -> str | None:
    """The root, or another job that has judged, tried or judges what means the same."""
    if meaning is None:
        return None
    if not meaning:
        return claim.root_commit
    judges = jobs.c.state.in_([JobState.SUCCEEDED, JobState.RUNNING]) | _IN_VAIN
    others = jobs.c.id != claim.job_id
    job = select("job " + jobs.c.id).where(jobs.c.meaning == meaning, others, judges)
    within = select("job " + failed_tries.c.job_id).where(failed_tries.c.meaning == meaning)
    trial = select("job " + trials.c.job_id).where(trials.c.meaning == meaning, _FAILS_AGAIN)
    return connection.execute(job.union_all(within, trial).limit(1)).scalar()


def _finish(connection: Connection, claim: Claim, record: JobRecord, **values: Any) -> None:
    if record.agent is not None:
        values |= {
            "agent": record.agent,
            "operator": record.operator,
            "agent_seconds": record.agent_seconds,
            "subject": None if record.subject is None else to_storable(record.subject),
        }
    if record.tries or record.trials:
        values |= {
            "tries": record.tries,
            "tried_seconds": record.tried_seconds,
            "progress": record.progress,
        }
    _change(
        connection,
        claim,
        _claimed(claim).values(token=None, lease_until=None, finished_at=now(), **values),
    )


def _explain_refusal(connection: Connection, key: str) -> JobNotClaimed:
    row = connection.execute(select(jobs.c.state, jobs.c.worker).where(jobs.c.id == key)).first()
    if row is None:
        return JobNotClaimed(
            "the job is not in this database",
            target=key,
            fix="give each experiment a TASKS_REDIS_NAMESPACE or TASKS_QUEUE_NAME of its own",
        )
    by = f" by {row.worker}" if row.state == JobState.RUNNING else ""
    return JobNotClaimed("the job is not waiting", target=key, reason=f"it is {row.state}{by}")
