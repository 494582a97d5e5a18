"""Who descends from whom among the judged commits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from loreley.db.engine import Database
from loreley.db.experiment import read_experiment
from loreley.db.models import commits, elites, jobs
from loreley.map_elites.objective import Objective

_DEEPEST = 20_000  # generations; more than any run has


@dataclass(frozen=True, slots=True)
class Ancestor:
    """A judged commit in a tree of them."""

    commit: str
    parent: str | None
    fitness: float | None  # in the metric's own direction; None: it has none
    score: float | None  # higher is better
    subject: str
    ordinal: int  # of the job that made it
    is_elite: bool  # whether it stands in the archive


@dataclass(frozen=True, slots=True)
class Ancestry:
    """A tree of commits, parents before their children, with the path to one of them."""

    members: tuple[Ancestor, ...]
    path: tuple[str, ...]  # from the root to the chosen commit, both included
    left_out: int  # elites that the tree has no room for


def read_ancestry(database: Database, chosen: str, *, at_most: int) -> Ancestry | None:
    """The chosen commit's line, and those of the archive's elites, the fittest first.

    At most so many commits beside the chosen one's own line. None when it was never judged.
    """
    with database.read() as connection:
        known = read_experiment(connection)
        parents = _read_ancestors(connection, [chosen])
        if known is None or chosen not in parents:
            return None
        path = _path_to(chosen, parents)
        fittest = select(elites.c.commit, elites.c.score).distinct().order_by(elites.c.score.desc())
        names = [each.commit for each in connection.execute(fittest)]
        parents |= _read_ancestors(connection, names[: at_most + len(path)])
        wanted, left_out = _choose_members(path, names, parents, at_most)
        members = _read_members(connection, wanted, known.objective, set(names))
    by_name = {each.commit: each for each in members}
    return Ancestry(tuple(by_name[name] for name in wanted if name in by_name), path, left_out)


def _read_ancestors(connection: Connection, names: Sequence[str]) -> dict[str, str | None]:
    """The parents of these commits and of all their ancestors."""
    found: dict[str, str | None] = {}
    ahead: set[str] = set(names)
    for _ in range(_DEEPEST):
        if not ahead:
            break
        query = select(commits.c.commit, commits.c.parent).where(commits.c.commit.in_(ahead))
        found |= {row.commit: row.parent for row in connection.execute(query)}
        ahead = {parent for name in ahead if (parent := found.get(name))} - found.keys()
    return found


def _path_to(commit: str, parents: dict[str, str | None]) -> tuple[str, ...]:
    line: list[str] = []
    at: str | None = commit
    while at is not None and at in parents and len(line) <= _DEEPEST:
        line.append(at)
        at = parents[at]
    return tuple(reversed(line))


def _choose_members(
    path: Sequence[str], names: Iterable[str], parents: dict[str, str | None], at_most: int
) -> tuple[list[str], int]:
    """The commits to show, each after its parent, and how many elites do not fit."""
    wanted = dict.fromkeys(path)
    left_out = 0
    room = len(path) + at_most
    for name in names:
        new = [each for each in _path_to(name, parents) if each not in wanted]
        if name not in parents or len(wanted) + len(new) > room:
            left_out += 1
            continue
        wanted |= dict.fromkeys(new)
    return list(wanted), left_out


def _read_members(
    connection: Connection, names: Sequence[str], objective: Objective, standing: set[str]
) -> list[Ancestor]:
    found: list[Ancestor] = []
    for start in range(0, len(names), 500):
        query = (
            select(commits, jobs.c.ordinal)
            .join(jobs, jobs.c.id == commits.c.job_id)
            .where(commits.c.commit.in_(names[start : start + 500]))
        )
        for row in connection.execute(query).mappings():
            score = row["score"]
            found.append(
                Ancestor(
                    commit=row["commit"],
                    parent=row["parent"],
                    fitness=None if score is None else objective.fitness(score),
                    score=score,
                    subject=row["subject"],
                    ordinal=row["ordinal"],
                    is_elite=row["commit"] in standing,
                )
            )
    return found
