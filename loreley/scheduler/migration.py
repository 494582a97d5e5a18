"""Elites that move from island to island."""

from loguru import logger
from sqlalchemy import Connection

from loreley.db.archive import AddResult, Archive, Placed
from loreley.db.schedule import progress
from loreley.db.scores import write_migrations
from loreley.map_elites.fitness import Estimate
from loreley.map_elites.islands import Ring


class Migration:
    """Sends each island's best to the next one, whenever enough jobs have ended.

    It goes by the number of jobs alone, not by how many migrations there have been: so it does
    as its interval says when that was changed between two runs.
    """

    def __init__(self, ring: Ring, elites: int) -> None:
        self._ring = ring
        self._elites = elites

    def tick(self, connection: Connection, archive: Archive) -> None:
        """Let elites migrate if it is time; to be called once for each job that has ended."""
        done = progress(connection)
        if not self._ring.migrates_after(done.ended_jobs):
            return
        number = done.migrations + 1
        # All leave before any arrives: who has just come does not travel on.
        travellers = {
            island: archive.best(island, self._elites) for island in range(self._ring.islands)
        }
        welcome = 0
        for island, leaving in travellers.items():
            for elite in leaving:
                arrived = archive.add(
                    Placed(
                        island=self._ring.next_to(island),
                        cell=elite["cell"],
                        commit=elite["commit"],
                        estimate=Estimate(elite["score"], elite["error"]),
                        measures=tuple(elite["measures"]),
                    )
                )
                welcome += arrived in (AddResult.NEW, AddResult.IMPROVED)
        write_migrations(connection, number)
        logger.info("migration {}: {} elites settled on the next island", number, welcome)
