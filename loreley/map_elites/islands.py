"""Populations that evolve apart and now and then exchange their best; pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ring:
    """Islands in a circle: each sends to the next."""

    islands: int
    interval: int  # jobs of the experiment between two migrations; 0: never

    def island_of(self, ordinal: int) -> int:
        """The island a job belongs to: every island gets its turn."""
        return ordinal % self.islands

    def next_to(self, island: int) -> int:
        """Where an island's elites migrate to."""
        return (island + 1) % self.islands

    def migrates_after(self, jobs_ended: int) -> bool:
        """Whether elites migrate now that so many jobs, at least one, have ended."""
        return self.islands > 1 and self.interval > 0 and jobs_ended % self.interval == 0
