"""New jobs: which commit they start from, what inspires them, and with which seed."""

import hashlib
from dataclasses import dataclass
from random import Random

from loreley.core.jobs import JobKind
from loreley.core.map_elites.sampler import Choice, choose
from loreley.db.archive import Archive
from loreley.db.schedule import NewJob, Schedule


@dataclass(frozen=True, slots=True)
class BreedingOptions:
    """How many jobs there may be, and how they begin."""

    max_unfinished: int
    max_total: int | None
    seed_population: int
    random_seed: int


class Breeding:
    """Creates jobs until enough wait or the budget is spent."""

    def __init__(
        self, schedule: Schedule, archive: Archive, root_commit: str, options: BreedingOptions
    ) -> None:
        self._schedule = schedule
        self._archive = archive
        self._root_commit = root_commit
        self._options = options

    def tick(self) -> int:
        """Create the jobs there is room for; how many."""
        first = self._schedule.next_ordinal()
        room = self._options.max_unfinished - self._schedule.unfinished()
        if self._options.max_total is not None:
            room = min(room, self._options.max_total - first)
        if room <= 0:
            return 0
        elites = self._archive.elites(island=0)
        for ordinal in range(first, first + room):
            seed = _seed(self._options.random_seed, ordinal)
            if ordinal < self._options.seed_population or not elites:
                choice = Choice(self._root_commit, ())
            else:
                choice = choose(elites, Random(seed))
            self._schedule.create(
                NewJob(JobKind.EVOLUTION, ordinal, seed, choice.base, choice.inspirations)
            )
        return room

    @property
    def is_done(self) -> bool:
        """Whether every job of the budget has been created and has ended."""
        total = self._options.max_total
        return (
            total is not None
            and self._schedule.next_ordinal() >= total
            and self._schedule.unfinished() == 0
        )


def _seed(random_seed: int, ordinal: int) -> int:
    digest = hashlib.sha256(f"{random_seed}:{ordinal}".encode()).digest()
    return int.from_bytes(digest[:7])
