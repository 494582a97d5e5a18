"""What a run has come to since it was started: why jobs came to nothing, and its exit code."""

from collections.abc import Sequence
from dataclasses import dataclass

from loreley.core.jobs import JobState
from loreley.db.engine import Database
from loreley.views.overview import read_overview
from loreley.views.pausing import (
    Reason,
    describe_pause,
    read_current_pause,
    read_frequent_reasons,
    read_moment,
)


@dataclass(frozen=True, slots=True)
class Standing:
    """How the experiment stood at one moment."""

    at: float
    judged: int  # candidates, without the root
    ended: int


@dataclass(frozen=True, slots=True)
class Result:
    """What has become of a run."""

    judged: int
    ended: int
    pause: str | None  # in words, where it pauses still
    frequent: Sequence[Reason]
    is_as_asked: bool = False  # a person has asked for the pause

    @property
    def reasons(self) -> str:
        """The most frequent reasons why jobs came to nothing, each with its fix; for people."""
        lines = []
        for number, reason in enumerate(self.frequent):
            name = "" if number else "reasons"
            lines.append(f"{name:<10}{reason.count} {reason.fate}: {reason.text}")
            if reason.fix:
                lines.append(f"{'':<10}  fix: {reason.fix}")
        if self.pause:
            lines.append(f"paused    {self.pause}")
        return "\n".join(lines)

    def exit_code(self, *, stopped: bool) -> int:
        """1 where the run is hindered still, or nothing was judged though nobody stopped it."""
        came_to_nothing = self.judged == 0 and self.ended > 0
        is_hindered = self.pause is not None and not self.is_as_asked
        return int(is_hindered or (came_to_nothing and not stopped))


def read_standing(database: Database) -> Standing:
    """How the experiment stands now."""
    overview = read_overview(database)
    jobs = overview.jobs if overview else {}
    ended = overview.ended if overview else 0
    return Standing(read_moment(database), jobs.get(JobState.SUCCEEDED, 0), ended)


def read_result(database: Database, before: Standing) -> Result:
    """What has become of the run since then."""
    now, pause = read_standing(database), read_current_pause(database)
    return Result(
        judged=now.judged - before.judged,
        ended=now.ended - before.ended,
        pause=describe_pause(pause, with_fix=False) if pause and not pause.is_over else None,
        is_as_asked=pause is not None and pause.is_asked_for,
        frequent=read_frequent_reasons(database, since=before.at),
    )
