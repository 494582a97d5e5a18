"""What an agent is told of the past: people's notes, and how others failed before it; pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PastFailure:
    """An attempt from a commit nearby that led to nothing."""

    subject: str  # what was tried, in one line, where that is known
    reason: str
    error_tail: str = ""  # the end of what the evaluator or the agent printed


@dataclass(frozen=True, slots=True)
class Recollection:
    """What is known when a job begins; of notes and failures the newest is last."""

    aim: str = ""  # what makes one commit better than another, in a sentence
    constraints: tuple[str, ...] = ()  # what a commit must fulfil to count
    notes: tuple[str, ...] = ()
    failures: tuple[PastFailure, ...] = ()
