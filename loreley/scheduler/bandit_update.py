"""What each finished job teaches about its operator and agent."""

from sqlalchemy import Connection

from loreley.db.bandit_stats import read_arms, write_arm
from loreley.db.engine import Database
from loreley.db.schedule import EndedJob
from loreley.map_elites.bandit import Arm

_MEMORY = 0.98  # what a trial counts after the next one: half after 34


class BanditUpdate:
    """Keeps the statistics of the bandit up to date."""

    def __init__(self, database: Database, *, reproducible: bool) -> None:
        """``reproducible``: every trial costs the same, whatever the clock says."""
        self._database = database
        self._reproducible = reproducible

    def update(self, connection: Connection, job: EndedJob, *, success: bool) -> None:
        """Credit a job's agent and operator with its success and its cost."""
        cost = 1.0 if self._reproducible else job.seconds
        for kind, name in (("agent", job.agent), ("operator", job.operator)):
            if name:
                arm = read_arms(connection, kind).get(name, Arm())
                write_arm(
                    self._database,
                    connection,
                    kind=kind,
                    name=name,
                    arm=arm.after(success=success, cost=cost, memory=_MEMORY),
                )
