"""A small repository and what an answer makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from loreley.core.agents.answers.edits import apply_edits
from loreley.core.agents.answers.reader import read_answer

PACK = """import math

LIMIT = 3


def radius(count):
    total = 0
    for number in range(count):
        total += number
    return math.sqrt(total)


def area(count):
    return math.pi * radius(count) ** 2
"""
NOTES = "# Notes\n\nRun it.\n"
FILES = {"src/pack.py": PACK, "notes.md": NOTES, "run.sh": "python src/pack.py\n"}
BETTER = PACK.replace("LIMIT = 3", "LIMIT = 5")
SEARCH = "<<<<<<< SEARCH\nLIMIT = 3\n=======\nLIMIT = 5\n>>>>>>> REPLACE\n"


@dataclass(frozen=True)
class Outcome:
    """What is written, if anything, and what is asked about."""

    contents: Mapping[str, str]
    errors: tuple[str, ...]
    summary: str

    @property
    def is_better(self) -> bool:
        return self.errors == () and self.contents == {"src/pack.py": BETTER}


def outcome_of(answer: str, files: Mapping[str, str] = FILES) -> Outcome:
    """All of the answer or none of it, as the agent does it."""
    parsed = read_answer(answer, files.get)
    contents, errors = apply_edits(parsed.edits, files.get, lambda _path: None)
    every = (*parsed.errors, *errors)
    return Outcome({} if every else dict(contents), every, parsed.summary)
