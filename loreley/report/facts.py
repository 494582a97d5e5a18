"""All that `invoke report` tells, read once."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy import func, select

from loreley.config import Settings, as_written
from loreley.core.jobs import JobState
from loreley.core.sandbox.child_output import legible
from loreley.db.engine import Database, open_database
from loreley.db.models import jobs
from loreley.errors import LoreleyError
from loreley.git.objects import ObjectStore
from loreley.git.patches import diffstat, patch_file
from loreley.invocation import typed
from loreley.masking import masked
from loreley.ops.results.commit_source import open_objects
from loreley.ops.summary import name_gain
from loreley.views.archive_map import IslandMap, read_island
from loreley.views.charts.cloud import Point, read_cloud
from loreley.views.charts.history import History, Moment
from loreley.views.costs import Expense, read_expenses
from loreley.views.lineage import Lineage, read_lineage
from loreley.views.overview import (
    ArmState,
    Failure,
    Overview,
    read_arm_states,
    read_failures,
    read_overview,
)

_MOMENTS = 400
_EVALUATIONS = 2_000
_FAILURES = 200  # the latest, of which some of each kind are shown
_DIFF_BYTES = 400 * 1024
_MASK = "***"


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Jobs that failed for one kind of reason, with the latest of them."""

    kind: str
    count: int
    latest: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class BestDiff:
    """What the best commit does otherwise than the root."""

    stat: str
    text: str
    is_cut: bool
    problem: str = ""  # why there is none


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run at one moment."""

    made_at: datetime
    database: str
    remote: str
    overview: Overview
    began_at: datetime
    ended_at: datetime | None  # when the latest job ended
    moments: tuple[Moment, ...]
    evaluations: tuple[Point, ...]  # judged commits; of very many every so manyth
    islands: tuple[IslandMap, ...]
    lineage: Lineage | None
    diff: BestDiff | None
    failures: tuple[FailureGroup, ...]
    expenses: tuple[Expense, ...]
    arms: tuple[ArmState, ...]
    settings: Mapping[str, str]  # those that are not at their defaults

    @property
    def gain(self) -> tuple[tuple[str, str], ...]:
        """Whether the best is better than the root, and what the hold-out says, by their names."""
        return tuple(name_gain(self.overview.best_gain))


def read_run_facts(settings: Settings) -> RunFacts:
    """The facts of the configured run; raises `LoreleyError` when there is none."""
    with closing(open_database(settings.sqlalchemy_url)) as database:
        overview = read_overview(database)
        if overview is None:
            raise LoreleyError(
                "there is no experiment yet",
                target=masked(settings.sqlalchemy_url),
                fix=f"`{typed('evolve')}` begins one",
            )
        with database.read() as connection:
            times = select(func.min(jobs.c.created_at), func.max(jobs.c.finished_at))
            began, ended = connection.execute(times).one()
        # The same commit as in the overview: a better one may have come meanwhile.
        lineage = read_lineage(database, overview.best.commit) if overview.best else None
        history = History(database)
        return RunFacts(
            made_at=datetime.now(UTC),
            database=masked(settings.sqlalchemy_url),
            remote=settings.remote_target,
            overview=overview,
            began_at=datetime.fromtimestamp(began or 0, UTC),
            ended_at=datetime.fromtimestamp(ended, UTC) if ended else None,
            moments=tuple(history.read(at_most=_MOMENTS)),
            evaluations=read_cloud(database, at_most=_EVALUATIONS).points,
            islands=tuple(_read_islands(database, overview)),
            lineage=lineage,
            diff=_try_diff(settings, lineage) if lineage and len(lineage.steps) > 1 else None,
            failures=_group_failures(database),
            expenses=tuple(read_expenses(database)),
            arms=tuple(read_arm_states(database)),
            settings=_list_changed_settings(settings),
        )


def _read_islands(database: Database, overview: Overview) -> Iterator[IslandMap]:
    for island in overview.islands:
        if (found := read_island(database, island.island)) is not None:
            yield found


def _try_diff(settings: Settings, lineage: Lineage) -> BestDiff:
    """The diff as far as a page can show it, or why there is none."""
    old, new = lineage.root_commit, lineage.last.commit
    try:
        with open_objects(settings, [old, new]) as store:
            return _read_diff(store, old, new)
    except LoreleyError as error:
        return BestDiff("", "", is_cut=False, problem=error.summary)


def _read_diff(store: ObjectStore, old: str, new: str) -> BestDiff:
    with patch_file(store, old, new, binary=False) as patch:
        with patch.open("rb") as file:
            text = legible(file.read(_DIFF_BYTES).decode("utf-8", "replace"))
        is_cut = patch.stat().st_size > _DIFF_BYTES
    return BestDiff(legible(diffstat(store, old, new)), text, is_cut)


def _group_failures(database: Database) -> tuple[FailureGroup, ...]:
    """The most frequent kind first."""
    kind = func.coalesce(jobs.c.failure_kind, "rejected")
    query = (
        select(kind, func.count())
        .where(jobs.c.state.in_([JobState.FAILED, JobState.REJECTED]))
        .group_by(kind)
    )
    with database.read() as connection:
        counts = Counter({row[0]: row[1] for row in connection.execute(query)})
    latest = read_failures(database, limit=_FAILURES)
    return tuple(
        FailureGroup(name, count, _pick_distinct([each for each in latest if each.kind == name]))
        for name, count in counts.most_common()
    )


def _pick_distinct(failures: Sequence[Failure], shown: int = 5) -> tuple[Failure, ...]:
    """Some failures with different reasons, the latest of each."""
    by_reason = {each.reason: each for each in reversed(failures)}
    return tuple(sorted(by_reason.values(), key=lambda each: -each.ordinal)[:shown])


def _list_changed_settings(settings: Settings) -> Mapping[str, str]:
    """Settings that were set, secrets and credentials masked."""
    return {
        name.upper(): _format_setting(name, value)
        for name in type(settings).model_fields
        if (value := getattr(settings, name)) != type(settings).model_fields[name].default
    }


def _format_setting(name: str, value: Any) -> str:
    if isinstance(value, SecretStr):
        # A URL without its credentials may be shown; any other secret may look like one.
        return masked(value.get_secret_value()) if name.endswith("_url") else _MASK
    if isinstance(value, list):
        return masked(", ".join(as_written(value)))
    return masked(str(value))
