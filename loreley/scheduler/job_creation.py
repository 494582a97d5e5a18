"""New jobs: which commit they start from, what inspires them, with which operator and seed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from random import Random

from loguru import logger
from sqlalchemy import Connection

from loreley.core.jobs import JobKind
from loreley.db.archive import IslandPopulation
from loreley.db.bandit_stats import is_tuned, read_arms, read_tuning_share
from loreley.db.engine import Database
from loreley.db.judged_commits import read_moves
from loreley.db.schedule import NewJob, Schedule
from loreley.db.workers import count_online
from loreley.map_elites.bandit import Arm, choose_arm
from loreley.map_elites.islands import Ring
from loreley.map_elites.plateaus import find_plateaus
from loreley.map_elites.sampler import BaseChoice, Sampler, Selection
from loreley.scheduler.bandit_update import EDIT, LENGTH, ONE_SHOT, SESSION, TUNE
from loreley.scheduler.baseline import LEAST_TRIES

_LEAST_WEIGHT = 0.001
_LEAST_UNFINISHED = 8
_JOBS_A_WORKER = 3
_MOST_TUNING = 4.0  # as a multiple of the time that all other jobs have taken
_FULL_AFTER = 2.0  # times a tuning, of such time, tuning may take as much again
_JOBS_FOR_LAST = 100  # of a limited run, for each of its last jobs that tunes
_TUNED_AT_ONCE = 2  # on a plateau
_JOBS_FOR_ONE = 10  # that tunes, where runs must repeat exactly
_GENETIC = "genetic"  # the agent whose operators are chosen here


@dataclass(frozen=True, slots=True)
class JobCreationOptions:
    """How many jobs there may be, and how they begin."""

    root_commit: str
    max_unfinished: int | None  # None: as many as keep the workers at work that are online
    max_total: int | None
    seed_population: int
    random_seed: int
    operators: Mapping[str, float]  # of `genetic`, with how often each is tried at first
    agents: Mapping[str, float] = field(default_factory=dict)  # to choose among, likewise
    tune_seconds: float = 0.0  # that a job tunes numbers; 0: none does
    session_seconds: float = 0.0  # that a session takes; 0: there are none
    session_agents: frozenset[str] = frozenset()  # those that measure, and may have sessions
    reproducible: bool = False  # the clock decides nothing
    plateaus: bool = True  # on which something else is tried


class PlateauWatch:
    """Reads what has moved the best since it was asked last."""

    def __init__(self) -> None:
        self._moves: list[int] = []
        self._best: float | None = None
        self._is_on = False

    def is_on_plateau(self, connection: Connection, ordinal: int) -> bool:
        """Whether the best has not moved for long before this job."""
        moves, self._best = read_moves(connection, self._best)
        self._moves = sorted({*self._moves, *moves})
        found = find_plateaus(self._moves, ordinal)
        is_on = bool(found) and found[-1].end is None
        if is_on and not self._is_on:
            logger.info(
                "a plateau: the best is of job {}; other bases and longer tuning are tried",
                self._moves[-1],
            )
        elif self._is_on and not is_on:
            logger.info("the plateau is over: job {} has made a better commit", self._moves[-1])
        self._is_on = is_on
        return is_on


class JobCreation:
    """Creates jobs until enough wait or the budget is spent."""

    def __init__(
        self, database: Database, sampler: Sampler, ring: Ring, options: JobCreationOptions
    ) -> None:
        self._database = database
        self._schedule = Schedule(database)
        self._sampler = sampler
        self._ring = ring
        self._options = options
        self._plateau_watch = PlateauWatch() if options.plateaus else None

    def tick(self, at_most: int | None = None, *, under_way: int | None = None) -> int:
        """Create the jobs there is room for, ``at_most`` so many; how many.

        ``under_way``: how many may wait or run together, if fewer than the settings say.
        """
        first = self._schedule.next_ordinal()
        limits = [self._find_max_unfinished(), *([] if under_way is None else [under_way])]
        room = min(limits) - self._schedule.count_unfinished()
        if self._options.max_total is not None:
            room = min(room, self._options.max_total - first + self._schedule.count_cancelled())
        if at_most is not None:
            room = min(room, at_most)
        for ordinal in range(first, first + room):
            self._schedule.create(self._next_job(ordinal))
        return max(0, room)

    def _find_max_unfinished(self) -> int:
        """Enough that no worker waits for the scheduler to wake up."""
        if self._options.max_unfinished is not None:
            return self._options.max_unfinished
        with self._database.read() as connection:
            return max(_LEAST_UNFINISHED, _JOBS_A_WORKER * count_online(connection))

    @property
    def is_settled(self) -> bool:
        """Whether every job has ended and was taken in."""
        return self._schedule.count_unfinished() == 0

    @property
    def is_done(self) -> bool:
        """Whether every job of the budget has been created, has ended and was taken in."""
        total = self._options.max_total
        return (
            total is not None
            and self._schedule.next_ordinal() - self._schedule.count_cancelled() >= total
            and self.is_settled
        )

    def _next_job(self, ordinal: int) -> NewJob:
        seed = draw_seed(self._options.random_seed, ordinal)
        random = Random(seed)
        island = self._ring.island_of(ordinal)
        with self._database.read() as connection:
            is_on_plateau = self._plateau_watch is not None and self._plateau_watch.is_on_plateau(
                connection, ordinal
            )
            if self._is_to_tune(connection, ordinal, random, is_on_plateau=is_on_plateau):
                commit = self._choose_tuned(connection, island, random)
                if commit is not None:
                    return NewJob(JobKind.TUNE, ordinal, seed, commit, island=island)
            sampler = self._sampler
            if is_on_plateau:
                sampler = replace(sampler, shares={BaseChoice.UNIFORM: 1.0})
            selection = self._select(sampler, connection, ordinal, island, random)
            agent = self._choose_agent(connection, random)
            kind = self._choose_length(connection, agent, random)
            operator = (
                self._choose_operator(connection, random) if agent in (None, _GENETIC) else None
            )
        return NewJob(
            kind=kind,
            ordinal=ordinal,
            seed=seed,
            base_commit=selection.base,
            inspirations=selection.inspirations,
            island=island,
            agent=agent,
            operator=operator,
        )

    def _is_to_tune(
        self, connection: Connection, ordinal: int, random: Random, *, is_on_plateau: bool
    ) -> bool:
        """Whether the next job tunes numbers: by what that has brought, within its share."""
        seconds = self._options.tune_seconds
        if not seconds or ordinal < self._options.seed_population:
            return False
        share = read_tuning_share(connection, self._options.root_commit)
        if share.root_evaluation_seconds is None:
            return False
        if self._options.reproducible:
            is_due = _JOBS_FOR_ONE * (share.jobs + 1) <= ordinal
        else:
            after = share.seconds + (share.running + 1) * seconds
            is_worth_it = share.root_evaluation_seconds * LEAST_TRIES <= seconds
            # Little at first: before the numbers' optimum is worth knowing, structure is.
            most = min(_MOST_TUNING, share.other_seconds / (_FULL_AFTER * seconds))
            is_due = is_worth_it and after <= most * share.other_seconds
            if is_worth_it and self._is_among_last(ordinal):
                return True
        if not is_due or (is_on_plateau and share.running < _TUNED_AT_ONCE):
            return is_due
        arms = read_arms(connection, "way")
        return choose_arm(self._weigh_ways(arms.get(EDIT, Arm())), arms, random) == TUNE

    def _is_among_last(self, ordinal: int) -> bool:
        """Whether a limited run ends with it: no structure comes after, and numbers remain."""
        total = self._options.max_total
        return total is not None and ordinal >= total - total // _JOBS_FOR_LAST

    def _weigh_ways(self, edit: Arm) -> dict[str, float]:
        """How often each way is tried without a reason: for as long as the other in all."""
        is_timed = edit.trials and not self._options.reproducible
        seconds = edit.cost / edit.trials if is_timed else self._options.tune_seconds
        return {EDIT: 1.0, TUNE: min(1.0, max(_LEAST_WEIGHT, seconds / self._options.tune_seconds))}

    def _choose_tuned(self, connection: Connection, island: int, random: Random) -> str | None:
        """The commit whose numbers are tuned: often the best; None where all were drawn before."""
        population = IslandPopulation(connection, island)
        selection = self._sampler.choose(population, random)
        if selection is None:
            return None
        drawn = [population.ranked(0).commit, selection.base]
        return next((commit for commit in drawn if not is_tuned(connection, commit)), None)

    def _select(
        self,
        sampler: Sampler,
        connection: Connection,
        ordinal: int,
        island: int,
        random: Random,
    ) -> Selection:
        """What the job works on; the root commit for the first, and while there is no elite."""
        root = Selection(self._options.root_commit, ())
        if ordinal < self._options.seed_population:
            return root
        return sampler.choose(IslandPopulation(connection, island), random) or root

    def _choose_agent(self, connection: Connection, random: Random) -> str | None:
        """One of several agents; None where there is no choice."""
        if len(self._options.agents) < 2:
            return None
        return choose_arm(self._options.agents, read_arms(connection, "agent"), random)

    def _choose_length(self, connection: Connection, agent: str | None, random: Random) -> JobKind:
        """Whether the agent works once or for long: by what either has gained for its cost."""
        seconds, agents = self._options.session_seconds, self._options.agents
        only = agent or next(iter(agents), "")
        if not seconds or only not in self._options.session_agents:
            return JobKind.EVOLUTION
        arms = read_arms(connection, LENGTH)
        one = arms.get(ONE_SHOT, Arm())
        is_timed = one.trials and not self._options.reproducible
        usual = one.cost / one.trials if is_timed else seconds
        weights = {ONE_SHOT: 1.0, SESSION: min(1.0, max(_LEAST_WEIGHT, usual / seconds))}
        is_session = choose_arm(weights, arms, random) == SESSION
        return JobKind.SESSION if is_session else JobKind.EVOLUTION

    def _choose_operator(self, connection: Connection, random: Random) -> str | None:
        if not self._options.operators:
            return None
        return choose_arm(self._options.operators, read_arms(connection, "operator"), random)


def draw_seed(random_seed: int, ordinal: int) -> int:
    """The seed of the job of this number."""
    digest = hashlib.sha256(f"{random_seed}:{ordinal}".encode()).digest()
    return int.from_bytes(digest[:7])
