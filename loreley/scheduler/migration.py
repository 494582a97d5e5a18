"""Elites that move from island to island."""

from dataclasses import replace

from loguru import logger
from sqlalchemy import Connection

from loreley.db.archive import Archive
from loreley.db.experiment import read_progress, write_migrations
from loreley.map_elites.islands import Ring

_ELITES = 3  # that leave an island at a time


class Migration:
    """Sends each island's best to the next one, whenever enough jobs have ended.

    It goes by the number of jobs alone, not by how many migrations there have been: so it does
    as its interval says when that was changed between two runs.
    """

    def __init__(self, ring: Ring) -> None:
        self._ring = ring

    def tick(self, connection: Connection, archive: Archive) -> None:
        """Let elites migrate if it is time; to be called once for each job that has ended."""
        done = read_progress(connection)
        if not self._ring.migrates_after(done.ended_jobs):
            return
        number = done.migrations + 1
        # All leave before any arrives: an elite that has just arrived does not travel on.
        leaving = [
            elite for island in range(self._ring.islands) for elite in archive.best(island, _ELITES)
        ]
        entered = 0
        for elite in leaving:
            there = replace(elite, island=self._ring.next_to(elite.island))
            entered += archive.add(there).enters
        write_migrations(connection, number)
        logger.info("migration {}: {} elites settled on the next island", number, entered)
