"""How an experiment stands, read from the database: for people, not for decisions."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, case, func, select

from loreley.core.evaluation.noise import Noise, ScoreRange, describe_hosts, describe_noise
from loreley.core.jobs import FINAL_STATES, JobKind, JobState
from loreley.db.confirmations import best_commit, fittest_confirmed
from loreley.db.engine import Database, now
from loreley.db.experiment import (
    Experiment,
    read_experiment,
    read_hosts,
    read_judge,
    read_progress,
)
from loreley.db.judged_commits import read_moves, read_to_judge_anew
from loreley.db.models import arms, commits, elites, evaluations, failed_tries, jobs
from loreley.map_elites.objective import Objective
from loreley.map_elites.plateaus import Plateau, find_plateaus
from loreley.views.gains import Gain, read_gain
from loreley.views.lineage import read_path_to


@dataclass(frozen=True, slots=True)
class Champion:
    """A judged commit and its fitness, in the metric's own direction."""

    commit: str
    fitness: float
    branch: str | None
    subject: str
    summary: str
    ordinal: int  # of the job that made it; negative for the root


@dataclass(frozen=True, slots=True)
class RunningJob:
    """A job a worker holds at the moment."""

    job_id: str
    ordinal: int
    worker: str
    attempt: int
    seconds: float  # since it was claimed


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job has no accepted commit."""

    job_id: str
    ordinal: int
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class IslandState:
    """The archive of one island."""

    island: int
    cells_filled: int
    best: float  # fitness, in the metric's own direction
    # By how much elites are fitter than the root, added up (Pugh et al. 2016); those that are not
    # add nothing. Where the root has no score, the first commit that has one stands for it.
    qd_score: float
    cells: int  # how many there are to be filled

    @property
    def coverage(self) -> float:
        """The share of the cells that hold an elite."""
        return self.cells_filled / self.cells


@dataclass(frozen=True, slots=True)
class ArmState:
    """What an agent or operator has done lately; older jobs count less and less."""

    kind: str
    name: str
    trials: float
    successes: float  # jobs whose commit entered the archive and beat the one it was made from
    seconds: float

    @property
    def success_rate(self) -> float:
        """Successes per trial."""
        return self.successes / self.trials if self.trials else 0.0


@dataclass(frozen=True, slots=True)
class Overview:
    """An experiment at one moment."""

    root_commit: str
    objective: Objective
    jobs: Mapping[JobState, int]  # evolution jobs only; every state has an entry
    judged: int  # commits that were evaluated, the root among them
    islands: tuple[IslandState, ...]
    root: Champion | None  # None: it has no fitness, or was not judged yet
    best: Champion | None
    best_path: tuple[str, ...]  # commits from the root to the best, both included
    best_gain: Gain | None  # None: there is no best, or it is the root
    # All islands taken as one archive, each cell with its best elite of any:
    cells_filled: int
    qd_score: float
    cells: int  # how many there are to be filled
    confirming: str | None = None  # the commit that is being measured beside the root
    confirmed: Champion | None = None  # the fittest that is better than the root; often the best
    confirmed_gain: Gain | None = None
    direction: str = ""  # in words, which one of the fitness is better, and who says so
    noise: Noise | None = None  # None: the root was not judged yet
    hosts: str | None = None  # how they differ in what they make of the root; None: they do not
    ceiling: Champion | None = None  # the root with tuned numbers; None: it is not better, or none
    plateaus: tuple[Plateau, ...] = ()  # jobs during which the best did not move for long
    tuning_tries: int = 0  # evaluations of tuning, beside those of the judged commits
    judge: str | None = None  # digest and evaluator; None: the root was not judged yet
    to_judge_anew: int = 0  # elites and the root, as the evaluator was changed on purpose
    evaluations: int = 0  # of candidates, failed ones and tries of tuning included
    failed_tries: int = 0  # of these, candidates that failed before their job went on with another
    tries: int = 0  # of these, those of tuning and of agents at work

    @property
    def ended(self) -> int:
        """How many jobs are in a final state."""
        return sum(self.jobs[state] for state in FINAL_STATES)

    @property
    def total(self) -> int:
        """How many jobs there have been."""
        return sum(self.jobs.values())

    @property
    def job_yield(self) -> float | None:
        """The share of the jobs that gave a new judged candidate; None before one has ended."""
        return self.jobs[JobState.SUCCEEDED] / self.ended if self.ended else None

    @property
    def evaluation_yield(self) -> float | None:
        """The share of the evaluations that did so; None before the first."""
        return self.jobs[JobState.SUCCEEDED] / self.candidates if self.candidates else None

    @property
    def candidates(self) -> int:
        """How many commits were evaluated, failed ones included."""
        return self.evaluations - self.tries

    @property
    def coverage(self) -> float:
        """The share of the cells that hold an elite of any island."""
        return self.cells_filled / self.cells

    @property
    def why_no_best(self) -> str:
        """In words, why there is no best commit, where there is none."""
        if self.to_judge_anew:
            return f"{self.to_judge_anew} commits are to be measured anew by the changed evaluator"
        if self.judged:
            return f"none of {self.judged} judged commits has a fitness"
        return "nothing has been judged yet"

    @property
    def gain(self) -> float | None:
        """By how much the best was measured as fitter than the root; positive is fitter.

        Whether it is better, `best_gain` says.
        """
        if self.best is None or self.root is None:
            return None
        return self.objective.gain(self.best.fitness, self.root.fitness)


def read_overview(database: Database) -> Overview | None:
    """The experiment as it stands, or None when no scheduler has begun one."""
    with database.read() as connection:
        experiment = read_experiment(connection)
        if experiment is None:
            return None
        objective = experiment.objective
        best = best_commit(connection)
        judge = read_judge(connection)
        root = _read_champion(connection, experiment.root_commit, objective)
        confirmed = fittest_confirmed(connection)
        root_score = objective.score(root.fitness) if root else _read_first_score(connection)
        filled, qd_score = _count_all_islands(connection, root_score)
        return Overview(
            root_commit=experiment.root_commit,
            objective=objective,
            jobs=_count_jobs(connection),
            judged=read_progress(connection).judged_commits,
            islands=_read_islands(connection, objective, root_score),
            root=root,
            best=_read_champion(connection, best, objective) if best else None,
            best_path=read_path_to(connection, best) if best else (),
            best_gain=read_gain(connection, best, experiment.root_commit, objective)
            if best
            else None,
            cells_filled=filled,
            qd_score=qd_score,
            cells=objective.grid.cells,
            confirming=_read_confirming(connection),
            confirmed=_read_champion(connection, confirmed, objective) if confirmed else None,
            confirmed_gain=read_gain(connection, confirmed, experiment.root_commit, objective)
            if confirmed
            else None,
            direction=experiment.describe_direction(),
            noise=read_noise(connection, experiment),
            hosts=compare_hosts(connection, experiment),
            ceiling=_read_ceiling(connection, experiment.root_commit, objective),
            plateaus=_read_plateaus(connection),
            tuning_tries=_count_tuning_tries(connection),
            judge=judge.in_short if judge else None,
            to_judge_anew=len(read_to_judge_anew(connection)) if judge else 0,
            evaluations=_count_evaluations(connection),
            failed_tries=_count_failed_tries(connection),
            tries=_count_tries(connection),
        )


def _read_ceiling(connection: Connection, root: str, objective: Objective) -> Champion | None:
    """What tuning alone, at the beginning, has made of the root."""
    query = select(jobs.c.commit).where(
        jobs.c.kind == JobKind.TUNE, jobs.c.ordinal < 0, jobs.c.state == JobState.SUCCEEDED
    )
    commit = connection.execute(query.where(jobs.c.base_commit == root).limit(1)).scalar()
    return _read_champion(connection, commit, objective) if commit else None


def _read_plateaus(connection: Connection) -> tuple[Plateau, ...]:
    newest = connection.execute(select(func.max(jobs.c.ordinal))).scalar()
    return find_plateaus(read_moves(connection)[0], newest or 0)


def read_noise(connection: Connection, about: Experiment) -> Noise | None:
    """The noise as it is known, and whether gains stand out of it; None without the root."""
    if not about.root_metrics:
        return None
    noise = describe_noise(about.objective, about.root_metrics)
    root = select(commits.c.score).where(commits.c.commit == about.root_commit)
    score = connection.execute(root).scalar()
    if score is None:
        return noise
    query = select(func.count(), func.min(commits.c.score), func.max(commits.c.score))
    count, least, most = connection.execute(query.where(commits.c.score.is_not(None))).one()
    return noise.beside(about.objective.name, ScoreRange(count, least, most, score))


def compare_hosts(connection: Connection, about: Experiment) -> str | None:
    """How hosts differ in what they make of the root commit, in words; None: they do not."""
    metric = about.objective.metric
    unit = next((each.unit for each in about.root_metrics if each.name == metric), None)
    return describe_hosts(read_hosts(connection), unit)


def read_arm_states(database: Database) -> list[ArmState]:
    """What agents and operators have done lately, those with most successes first."""
    query = (
        select(arms)
        .where(arms.c.kind != "gain")
        .order_by(arms.c.kind, arms.c.successes.desc(), arms.c.name)
    )
    with database.read() as connection:
        return [
            ArmState(row.kind, row.name, row.trials, row.successes, row.cost)
            for row in connection.execute(query)
        ]


def read_running(database: Database) -> list[RunningJob]:
    """The jobs that workers hold, by ordinal."""
    query = (
        select(
            jobs.c.id,
            jobs.c.ordinal,
            jobs.c.worker,
            jobs.c.attempt,
            (now() - jobs.c.claimed_at).label("seconds"),
        )
        .where(jobs.c.state == JobState.RUNNING)
        .order_by(jobs.c.ordinal)
    )
    with database.read() as connection:
        return [RunningJob(*row) for row in connection.execute(query)]


def read_failures(database: Database, *, limit: int) -> list[Failure]:
    """The latest jobs that failed or were rejected, newest first."""
    query = (
        select(jobs.c.id, jobs.c.ordinal, jobs.c.failure_kind, jobs.c.failure)
        .where(jobs.c.state.in_([JobState.FAILED, JobState.REJECTED]))
        .order_by(jobs.c.finished_at.desc())
        .limit(limit)
    )
    with database.read() as connection:
        return [
            Failure(row.id, row.ordinal, row.failure_kind or "rejected", row.failure or "")
            for row in connection.execute(query)
        ]


def _read_confirming(connection: Connection) -> str | None:
    query = select(jobs.c.base_commit).where(
        jobs.c.kind == JobKind.CONFIRMATION, jobs.c.state.not_in(FINAL_STATES)
    )
    return connection.execute(query.limit(1)).scalar()


def _count_jobs(connection: Connection) -> Mapping[JobState, int]:
    query = select(jobs.c.state, func.count()).where(jobs.c.ordinal >= 0).group_by(jobs.c.state)
    found = {JobState(state): count for state, count in connection.execute(query)}
    return {state: found.get(state, 0) for state in JobState}


def _count_evaluations(connection: Connection) -> int:
    """How many candidates evaluators have seen: the last one of each job, and those before."""
    in_vain = jobs.c.state.in_([JobState.FAILED, JobState.REJECTED]) & jobs.c.tree.is_not(None)
    judged = in_vain | (jobs.c.state == JobState.SUCCEEDED)
    query = select(func.count()).select_from(jobs).where(jobs.c.ordinal >= 0, judged)
    counts = _count_failed_tries(connection), _count_tries(connection)
    return connection.execute(query).scalar_one() + sum(counts)


def _count_tries(connection: Connection) -> int:
    return connection.execute(select(func.sum(jobs.c.tries))).scalar() or 0


def _count_tuning_tries(connection: Connection) -> int:
    query = select(func.sum(jobs.c.tries)).where(jobs.c.kind == JobKind.TUNE)
    return connection.execute(query).scalar() or 0


def _count_failed_tries(connection: Connection) -> int:
    return connection.execute(select(func.count()).select_from(failed_tries)).scalar_one()


def _read_islands(
    connection: Connection, objective: Objective, root_score: float
) -> tuple[IslandState, ...]:
    gain = elites.c.score - root_score
    query = (
        select(
            elites.c.island,
            func.count().label("filled"),
            func.max(elites.c.score).label("best"),
            func.sum(case((gain > 0, gain), else_=0.0)).label("gains"),
        )
        .group_by(elites.c.island)
        .order_by(elites.c.island)
    )
    return tuple(
        IslandState(
            island=row.island,
            cells_filled=row.filled,
            best=objective.fitness(row.best),
            qd_score=row.gains,
            cells=objective.grid.cells,
        )
        for row in connection.execute(query)
    )


def _count_all_islands(connection: Connection, root_score: float) -> tuple[int, float]:
    """How many cells any island has filled, and by how much they are fitter than the root."""
    query = select(func.max(elites.c.score)).group_by(elites.c.cell)
    scores = connection.execute(query).scalars().all()
    return len(scores), sum(max(0.0, score - root_score) for score in scores)


def _read_first_score(connection: Connection) -> float:
    """The score of the first commit taken in that has one; 0 before."""
    query = (
        select(commits.c.score)
        .join(jobs, jobs.c.id == commits.c.job_id)
        .where(commits.c.score.is_not(None), jobs.c.ingested_at.is_not(None))
        .order_by(jobs.c.ingested_at, jobs.c.ordinal)
        .limit(1)
    )
    return connection.execute(query).scalar() or 0.0


def _read_champion(connection: Connection, commit: str, objective: Objective) -> Champion | None:
    query = (
        select(
            commits.c.commit,
            commits.c.score,
            commits.c.branch,
            commits.c.subject,
            evaluations.c.summary,
            jobs.c.ordinal,
        )
        .select_from(commits)
        .join(evaluations, evaluations.c.commit == commits.c.commit)
        .join(jobs, jobs.c.id == commits.c.job_id)
        .where(commits.c.commit == commit, commits.c.score.is_not(None))
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return Champion(
        commit=row.commit,
        fitness=objective.fitness(row.score),
        branch=row.branch,
        subject=row.subject,
        summary=row.summary,
        ordinal=row.ordinal,
    )
