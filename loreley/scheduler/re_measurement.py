"""Noise: who is really better is measured until it is clear or has cost enough."""

from collections.abc import Iterable

from sqlalchemy import Connection

from loreley.core.evaluation.confirmation import Confirmation
from loreley.core.evaluation.paired_test import Verdict
from loreley.core.jobs import JobKind
from loreley.db.archive import Archive, PlacedCommit
from loreley.db.challenges import (
    Challenge,
    add_challenge,
    count_samples,
    drop_challenge,
    read_challenges_with,
    read_stalled_challenges,
    sum_measuring_seconds,
)
from loreley.db.confirmations import next_finalist, record_confirmation
from loreley.db.engine import Database
from loreley.db.judged_commits import sum_evaluated_seconds
from loreley.db.schedule import insert_extra
from loreley.db.scores import read_score
from loreley.map_elites.archive import AddResult

_MOST_DOUBTFUL = 2  # finalists: each further one is another chance for noise
_LEAST_SECONDS = 60.0  # that measuring again may take in any case
_MOST_SAMPLES = 20  # of one commit; a difference that they do not show is none


class ReMeasurement:
    """Candidates that seem better than an elite, but not beyond the noise of both."""

    def __init__(self, database: Database, *, is_bounded_in_time: bool = False) -> None:
        """In time it may take as long as all first evaluations together, and a minute at least."""
        self._database = database
        self._is_bounded_in_time = is_bounded_in_time

    def open(self, connection: Connection, archive: Archive, challenger: PlacedCommit) -> None:
        """Have the challenger and the elite of its cell measured again."""
        challenge = Challenge(
            challenger.island, challenger.cell, challenger.commit, challenger.measures
        )
        if self._measure(connection, archive, challenge):
            add_challenge(self._database, connection, challenge)

    def lose(self, connection: Connection, archive: Archive, commit: str) -> None:
        """Take a commit that turned out to have no fitness out of its challenges and its cells."""
        open_ones = read_challenges_with(connection, commit)
        archive.remove(commit)
        self._compare(connection, archive, open_ones)
        self._compare(connection, archive, read_stalled_challenges(connection))

    def give_up(self, connection: Connection, archive: Archive, commit: str) -> None:
        """End the challenges of a commit that cannot be measured again; elites stay."""
        for challenge in read_challenges_with(connection, commit):
            drop_challenge(connection, challenge)
        self._compare(connection, archive, read_stalled_challenges(connection))

    def settle(self, connection: Connection, archive: Archive, commit: str) -> None:
        """Compare anew wherever ``commit``, just measured, is an elite or a challenger.

        And where it was measured as an elite that another one has replaced meanwhile.
        """
        self._compare(connection, archive, read_challenges_with(connection, commit))
        self._compare(connection, archive, read_stalled_challenges(connection))

    def _compare(
        self, connection: Connection, archive: Archive, open_ones: Iterable[Challenge]
    ) -> None:
        for challenge in open_ones:
            if not self._offer_again(connection, archive, challenge):
                drop_challenge(connection, challenge)

    def _offer_again(self, connection: Connection, archive: Archive, challenge: Challenge) -> bool:
        """Offer the challenger again; whether it is still undecided and worth measuring."""
        estimate = read_score(connection, challenge.commit)
        if estimate is None:
            return False
        placed = PlacedCommit(
            challenge.island, challenge.cell, challenge.commit, estimate, challenge.measures
        )
        undecided = archive.add(placed) is AddResult.CHALLENGING
        return undecided and self._measure(connection, archive, challenge)

    def _measure(self, connection: Connection, archive: Archive, challenge: Challenge) -> bool:
        """Ask for a measurement of the less measured of both; False when there were enough."""
        elite = archive.elite(challenge.island, challenge.cell)
        if elite is None:
            return False
        samples = count_samples(connection, [elite.commit, challenge.commit])
        least = min(samples, key=lambda commit: (samples[commit], commit))
        if samples[least] >= _MOST_SAMPLES or self._has_taken_its_time(connection):
            return False
        insert_extra(self._database, connection, JobKind.MEASUREMENT, least)
        return True

    def _has_taken_its_time(self, connection: Connection) -> bool:
        if not self._is_bounded_in_time:
            return False
        spent = sum_measuring_seconds(connection)
        return spent > max(_LEAST_SECONDS, sum_evaluated_seconds(connection))


class Finalists:
    """The fittest commits at the end of a run: each is measured beside the root."""

    def __init__(self, database: Database, *, are_wanted: bool) -> None:
        self._database = database
        self._are_wanted = are_wanted

    def tick(self) -> bool:
        """Whether nothing is left to confirm; asks for the next confirmation when nobody has."""
        if not self._are_wanted:
            return True
        with self._database.begin() as connection:
            commit = next_finalist(connection, most_doubtful=_MOST_DOUBTFUL)
            if commit is not None:
                insert_extra(self._database, connection, JobKind.CONFIRMATION, commit)
        return commit is None

    def give_up(self, connection: Connection, commit: str, job_id: str, reason: str) -> None:
        """Note that a finalist could not be measured beside the root."""
        unclear = Confirmation(Verdict.NOT_CONFIRMED, reason=reason)
        record_confirmation(self._database, connection, commit, job_id, unclear, None)
