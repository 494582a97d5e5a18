"""What each finished job teaches about its operator and agent."""

from sqlalchemy import Connection

from loreley.core.jobs import JobKind
from loreley.db.bandit_stats import read_arms, read_cost, write_arm
from loreley.db.engine import Database
from loreley.db.judged_commits import read_failed_tries
from loreley.db.schedule import EndedJob
from loreley.map_elites.bandit import Arm

EDIT, TUNE = "edit", "tune"  # the ways to a better commit, as arms
LENGTH = "length"  # of an agent's work, with these arms:
ONE_SHOT, SESSION = "one-shot", "session"
GENETIC = "genetic"  # the agent that needs no session: it measures nothing
GAIN = "gain"  # of those that succeeded lately, beside the ways
_MEMORY = 0.98  # what a trial counts after the next one: half after 34
_MEMORY_OF_TUNING = 0.5  # which has many trials at once
_MEMORY_OF_SESSIONS = 0.8  # which have several


class BanditUpdate:
    """Keeps the statistics of the bandit up to date."""

    def __init__(self, database: Database, *, reproducible: bool) -> None:
        """``reproducible``: every trial costs the same, whatever the clock says."""
        self._database = database
        self._reproducible = reproducible

    def update(self, connection: Connection, job: EndedJob, *, gain: float) -> None:
        """Credit a job's way, agent and operator with its cost, and with success where it gained.

        ``gain`` is by how much its commit is better than its base; 0 where it did not enter. What
        it has tried in vain before is charged to the operators of that.
        """
        if job.kind is JobKind.TUNE:
            self._update_tuning(connection, job, gain)
            return
        success = float(gain > 0)
        self._credit(connection, "way", EDIT, success, job.seconds)
        if success:
            self._credit(connection, GAIN, EDIT, gain, job.seconds)
        if job.agent:
            self._credit(connection, "agent", job.agent, success, job.seconds)
        if job.agent and job.agent != GENETIC:
            self._update_lengths(connection, job, gain)
        tries = read_failed_tries(connection, job.job_id)
        for each in tries:
            if each.operator:
                self._credit(connection, "operator", each.operator, 0.0, each.seconds)
        if job.operator:
            seconds = max(0.0, job.seconds - sum(each.seconds for each in tries))
            self._credit(connection, "operator", job.operator, success, seconds)

    def _update_lengths(self, connection: Connection, job: EndedJob, gain: float) -> None:
        """Credit one-shot work or a session with its cost in seconds and dollars.

        Each evaluation of a session was a trial; as many succeeded as one-shot jobs would have for
        such a gain.
        """
        cost = 1.0 if self._reproducible else read_cost(connection, job.job_id, job.seconds)
        if job.kind is not JobKind.SESSION:
            success = float(gain > 0)
            self._change(connection, LENGTH, ONE_SHOT, success=success, cost=cost)
            if success:
                self._credit(connection, GAIN, ONE_SHOT, gain, job.seconds)
            return
        of_one = read_arms(connection, GAIN).get(ONE_SHOT)
        trials = max(1, job.tries + 1)
        typical = of_one.successes / of_one.trials if of_one else gain
        self._change(
            *(connection, LENGTH, SESSION),
            trials=trials,
            success=min(trials, gain / typical) if gain > 0 else 0.0,
            cost=trials if self._reproducible else cost,
            memory=_MEMORY_OF_SESSIONS,
        )

    def _update_tuning(self, connection: Connection, job: EndedJob, gain: float) -> None:
        """Each of its tries was a trial; as many succeeded as edits would have, for such a gain."""
        of_edits = read_arms(connection, GAIN).get(EDIT)
        tries = max(1, job.tries)
        typical = of_edits.successes / of_edits.trials if of_edits else gain
        self._change(
            *(connection, "way", TUNE),
            trials=tries,
            success=min(tries, gain / typical) if gain > 0 else 0.0,
            cost=tries if self._reproducible else job.seconds,
            memory=_MEMORY_OF_TUNING,
        )

    def _credit(
        self, connection: Connection, kind: str, name: str, success: float, seconds: float
    ) -> None:
        cost = 1.0 if self._reproducible else seconds
        self._change(connection, kind, name, success=success, cost=cost)

    def _change(
        self,
        connection: Connection,
        kind: str,
        name: str,
        *,
        success: float,
        cost: float,
        trials: float = 1.0,
        memory: float = _MEMORY,
    ) -> None:
        known = read_arms(connection, kind).get(name, Arm())
        arm = known.after(success=success, cost=cost, memory=memory, trials=trials)
        write_arm(self._database, connection, kind=kind, name=name, arm=arm)
