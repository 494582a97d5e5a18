"""What must hold in the database whatever was killed when; reads only."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Connection, RowMapping, func, select

from loreley.core.jobs import FINAL_STATES, SEARCHING, JobKind, JobState
from loreley.db.engine import now
from loreley.db.judged_commits import read_to_judge_anew
from loreley.db.models import commits, elites, experiment, jobs, metrics


def job_flaws(connection: Connection) -> list[str]:
    """Jobs whose columns contradict their state."""
    rows = connection.execute(select(jobs).order_by(jobs.c.ordinal)).mappings()
    return [f"job {row['id']}: {flaw}" for row in rows for flaw in _find_job_flaws(row)]


def _find_job_flaws(row: RowMapping) -> Iterator[str]:
    state = JobState(row["state"])
    is_running = state is JobState.RUNNING
    if is_running and not (row["token"] and row["worker"] and row["lease_until"]):
        yield "it runs and nobody holds it"
    if not is_running and row["lease_until"] is not None:
        yield f"it is {state} and has a lease"
    if state.is_final != (row["finished_at"] is not None):
        yield f"it is {state}, and finished at {row['finished_at']}"
    if (state is JobState.SUCCEEDED) != (row["commit"] is not None):
        yield f"it is {state}, with commit {row['commit']}"
    if (state is JobState.FAILED) != (row["failure_kind"] is not None):
        yield f"it is {state}, with failure {row['failure_kind']}"
    if row["ingested_at"] is not None and not state.is_final:
        yield f"it is {state} and was taken into the archive"


def commit_flaws(connection: Connection) -> list[str]:
    """Jobs with another number of accepted commits than their outcome says, and bare commits."""
    made = (
        select(
            commits.c.job_id, func.count().label("made"), func.min(commits.c.commit).label("one")
        )
        .group_by(commits.c.job_id)
        .subquery()
    )
    query = select(jobs.c.id, jobs.c.kind, jobs.c.state, jobs.c.commit, made.c.made, made.c.one)
    joined = query.select_from(jobs.outerjoin(made, made.c.job_id == jobs.c.id))
    flaws = []
    for row in connection.execute(joined):
        makes_one = row.state == JobState.SUCCEEDED and JobKind(row.kind).makes_commit
        if (row.made or 0) != int(makes_one):
            flaws.append(f"job {row.id}: {row.state}, with {row.made or 0} accepted commits")
        elif makes_one and row.one != row.commit:
            flaws.append(f"job {row.id}: its commit {row.commit} is recorded as {row.one}")
    measured = select(metrics.c.commit).distinct()
    bare = select(commits.c.commit).where(commits.c.commit.not_in(measured))
    return flaws + [
        f"commit {name}: it has no figures" for name in connection.execute(bare).scalars()
    ]


def archive_flaws(connection: Connection) -> list[str]:
    """Where the archive and its counters contradict the jobs that were taken in."""
    row = connection.execute(select(experiment)).first()
    if row is None:
        return []
    taken_in = jobs.c.ingested_at.is_not(None)
    ended = _count(connection, taken_in, jobs.c.kind.in_(SEARCHING))
    judged = _count(
        connection,
        taken_in,
        jobs.c.kind.in_([kind for kind in JobKind if kind.makes_commit]),
        jobs.c.state == JobState.SUCCEEDED,
    )
    flaws = []
    if row.ended_jobs != ended:
        flaws.append(f"{row.ended_jobs} jobs were counted, {ended} taken in")
    if row.judged_commits != judged:
        flaws.append(f"{row.judged_commits} commits were counted, {judged} taken in")
    places = select(elites.c.island, func.count(), func.max(elites.c.position))
    for island, count, last in connection.execute(places.group_by(elites.c.island)):
        if last != count - 1:
            flaws.append(f"island {island}: {count} elites, and the last position is {last}")
    return flaws


def judge_flaws(connection: Connection) -> list[str]:
    """Elites, and the root, that another evaluator has judged than the experiment's."""
    digest = connection.execute(select(experiment.c.judge_digest)).scalar()
    return [
        f"commit {row.commit[:12]}: judged by {(row.judge or 'nobody known')[:12]}"
        f"{f' on {row.host}' if row.host else ''}, the experiment's judge is {digest[:12]}"
        for row in read_to_judge_anew(connection)
        if digest is not None
    ]


def overdue_jobs(connection: Connection, *, slack_seconds: float) -> list[str]:
    """Jobs that run although their lease ended longer ago than a scheduler needs."""
    query = select(jobs.c.id, jobs.c.worker, (now() - jobs.c.lease_until).label("seconds")).where(
        jobs.c.state == JobState.RUNNING, jobs.c.lease_until < now() - slack_seconds
    )
    return [
        f"job {row.id}: the lease of {row.worker} ended {row.seconds:.0f} s ago"
        for row in connection.execute(query)
    ]


def jobs_in(connection: Connection, *states: JobState) -> list[str]:
    """The ids of jobs in one of these states, by ordinal."""
    query = select(jobs.c.id).where(jobs.c.state.in_(states)).order_by(jobs.c.ordinal)
    return list(connection.execute(query).scalars())


def recorded_branches(connection: Connection) -> dict[str, str]:
    """The commit that each recorded branch must hold."""
    query = select(commits.c.branch, commits.c.commit).where(commits.c.branch.is_not(None))
    return {row.branch: row.commit for row in connection.execute(query)}


def job_counts(connection: Connection) -> tuple[int, int]:
    """How many jobs there are, and how many of them are in a final state."""
    query = select(jobs.c.state, func.count()).group_by(jobs.c.state)
    counts = {JobState(state): count for state, count in connection.execute(query)}
    return sum(counts.values()), sum(counts.get(state, 0) for state in FINAL_STATES)


def _count(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    query = select(func.count()).select_from(jobs).where(*conditions)
    return connection.execute(query).scalar_one()
