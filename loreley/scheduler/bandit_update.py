"""What each finished job teaches about its operator and agent."""

from sqlalchemy import Connection

from loreley.db.bandit_stats import read_arms, write_arm
from loreley.db.engine import Database
from loreley.db.judged_commits import read_failed_tries
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
        """Credit a job's agent and operator with its success and its cost.

        What it has tried in vain before is charged to the operators of that.
        """
        tries = read_failed_tries(connection, job.job_id)
        if job.agent:
            self._credit(connection, "agent", job.agent, success, job.seconds)
        for each in tries:
            if each.operator:
                self._credit(connection, "operator", each.operator, False, each.seconds)
        if job.operator:
            seconds = max(0.0, job.seconds - sum(each.seconds for each in tries))
            self._credit(connection, "operator", job.operator, success, seconds)

    def _credit(
        self,
        connection: Connection,
        kind: str,
        name: str,
        success: bool,
        seconds: float,
    ) -> None:
        cost = 1.0 if self._reproducible else seconds
        arm = read_arms(connection, kind).get(name, Arm())
        arm = arm.after(success=success, cost=cost, memory=_MEMORY)
        write_arm(self._database, connection, kind=kind, name=name, arm=arm)
