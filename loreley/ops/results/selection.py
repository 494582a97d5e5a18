"""Which commit a task is about: the best one, unless another is named."""

import re
from dataclasses import dataclass
from typing import Self

from loreley.db.confirmations import best_commit
from loreley.db.engine import Database
from loreley.errors import ConfigError, LoreleyError
from loreley.invocation import typed
from loreley.views.job_story import find_jobs
from loreley.views.lineage import (
    MOST_MATCHES,
    Lineage,
    commit_of_job,
    commits_beginning,
    known_islands,
    read_lineage,
)
from loreley.views.overview import read_overview

_ISLAND = re.compile(r"[0-9]{1,9}")  # a database's integers end soon after
_SHORTEST_ID = 8  # fewer digits are a job's number
_BEGIN = f"`{typed('evolve')}` begins one; an experiment lives in the database of DATABASE_URL"


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for: at most one of both; neither means the best of all."""

    wanted: str | None = None  # a job's number, or the beginning of a commit's or a job's id
    island: int | None = None

    @classmethod
    def read(cls, commit: str | None, island: str | None) -> Self:
        """The selection of two command line options; raises `ConfigError`."""
        if commit is not None and island is not None:
            raise ConfigError(
                "two commits are asked for",
                setting="--commit, --island",
                fix="use at most one of them",
            )
        if island is not None and not _ISLAND.fullmatch(island):
            raise ConfigError(
                "an island is a number", setting=f"--island {island[:40]}", fix="such as --island 0"
            )
        return cls(commit, None if island is None else int(island))


def select_lineage(database: Database, selection: Selection) -> Lineage:
    """The lineage of what was chosen.

    Raises `LoreleyError` when there is no such commit, or more than one.
    """
    overview = read_overview(database)
    if overview is None:
        raise LoreleyError("there is no experiment yet", fix=_BEGIN)
    if selection.wanted is None:
        commit = _find_best(database, selection.island, overview.why_no_best)
    else:
        commit = _find_named(database, selection.wanted)
    lineage = read_lineage(database, commit)
    if lineage is None:
        raise LoreleyError("the database knows no such commit", target=commit)
    return lineage


def _find_best(database: Database, island: int | None, why_none: str) -> str:
    with database.read() as connection:
        commit = best_commit(connection, island=island)
        islands = known_islands(connection)
    if commit is not None:
        return commit
    if island is not None and islands:
        known = ", ".join(map(str, islands))
        raise LoreleyError(
            "there is no such island", setting=f"--island {island}", fix=f"use one of: {known}"
        )
    raise LoreleyError(
        why_none,
        fix=f"wait for further evaluations; `{typed('status')}` tells what keeps them from coming",
    )


def _find_named(database: Database, wanted: str) -> str:
    """The commit of a job by its number, else of a commit or a job by the beginning of its id."""
    name = wanted.strip()
    is_number = name.removeprefix("#").isdecimal() and len(name) < _SHORTEST_ID
    with database.read() as connection:
        found = commits_beginning(connection, name) if name and not is_number else []
    found = found or find_jobs(database, name)
    if len(found) > 1:
        raise LoreleyError(
            "several commits or jobs are meant",
            target=name,
            reason=", ".join(each[:12] for each in found[:MOST_MATCHES]),
            fix="give more characters of the id",
        )
    if not found:
        raise LoreleyError(
            "there is no such job or judged commit",
            target=name,
            fix="give a job's number, or the first characters of a job's or a commit's id",
        )
    return _find_commit_of_job(database, found[0], name) if "-" in found[0] else found[0]


def _find_commit_of_job(database: Database, job_id: str, name: str) -> str:
    with database.read() as connection:
        commit = commit_of_job(connection, job_id)
    if commit is None:
        raise LoreleyError(
            "the job has no commit",
            target=name,
            fix=f"`{typed('job ID')}` tells why; name another",
        )
    return commit
