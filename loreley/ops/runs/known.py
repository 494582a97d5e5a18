"""The runs that a state folder or a database holds, beside each other."""

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.engine import make_url

from loreley.config import Settings
from loreley.config.process import RUNS, SCHEMA_OF_RUN
from loreley.db.engine import connected, open_database, read_revision
from loreley.db.migrations import HEAD
from loreley.db.workers import count_online
from loreley.invocation import typed
from loreley.views.costs import read_expenses
from loreley.views.overview import Overview, read_overview
from loreley.views.wording import dollars, figure, shorten, tabulate

UNNAMED = "(unnamed)"
_NAME_LENGTH = 60


@dataclass(frozen=True, slots=True)
class KnownRun:
    """A run and how it stands; without a database of this version only its name is known."""

    name: str | None  # None: the one without a name
    is_readable: bool
    workers: int = 0  # online
    jobs: int = 0  # that have ended
    metric: str = ""
    root: float | None = None
    best: float | None = None
    gain: str = ""  # in words, as confirmed or not
    cells: int = 0
    dollars: float = 0.0


def of_run(settings: Settings, name: str | None) -> Settings:
    """The settings with another run's database and folder; nothing else of it is changed."""
    return settings.model_copy(update={"loreley_run": name})


def find_runs(settings: Settings) -> list[str | None]:
    """The names of all runs, that without a name first, where there is one."""
    unnamed = of_run(settings, None)
    names = sorted(_find_names(unnamed))
    has_unnamed = read_revision(unnamed.sqlalchemy_url) is not None
    return [*([None] if has_unnamed else []), *names]


def _find_names(unnamed: Settings) -> Iterator[str]:
    url = make_url(unnamed.sqlalchemy_url)
    if url.get_backend_name() == "postgresql":
        query = text("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, :begin)")
        with connected(unnamed.sqlalchemy_url) as connection:
            schemas = connection.execute(query, {"begin": SCHEMA_OF_RUN}).scalars().all()
        yield from (schema.removeprefix(SCHEMA_OF_RUN) for schema in schemas)
    elif unnamed.database_url is None:
        for path in (unnamed.run_folder / RUNS).glob("*/loreley.db"):
            yield path.parent.name
    else:
        own = Path(url.database or "")
        for path in own.parent.glob(f"{own.stem}.*{own.suffix}"):
            yield path.name.removeprefix(f"{own.stem}.").removesuffix(own.suffix)


def read_runs(settings: Settings) -> list[KnownRun]:
    """How each run stands; none is changed, and none brought up to date."""
    return [_read_run(of_run(settings, name)) for name in find_runs(settings)]


def _read_run(settings: Settings) -> KnownRun:
    name = settings.loreley_run
    if read_revision(settings.sqlalchemy_url) != HEAD:
        return KnownRun(name, is_readable=False)
    with closing(open_database(settings.sqlalchemy_url)) as database:
        overview = read_overview(database)
        spent = sum(each.dollars for each in read_expenses(database))
        with database.read() as connection:
            online = count_online(connection)
    known = KnownRun(name, is_readable=True, workers=online, dollars=spent)
    return known if overview is None else _describe(known, overview)


def _describe(known: KnownRun, overview: Overview) -> KnownRun:
    gain = overview.best_gain
    return KnownRun(
        known.name,
        is_readable=True,
        workers=known.workers,
        jobs=overview.ended,
        metric=overview.objective.name,
        root=overview.root.fitness if overview.root else None,
        best=overview.best.fitness if overview.best else None,
        gain=gain.text if gain else "",
        cells=overview.cells_filled,
        dollars=known.dollars,
    )


def list_runs(settings: Settings, *, as_json: bool) -> str:
    """Every run in a line, or as JSON."""
    known = read_runs(settings)
    if as_json:
        return json.dumps([asdict(run) for run in known], indent=2)
    if not known:
        return f"no run yet; `{typed('evolve')}` begins one"
    head = ("run", "jobs", "root", "best", "gain", "cells", "spent", "workers")
    return "\n".join(tabulate([head, *map(_to_row, known)]))


def _to_row(run: KnownRun) -> tuple[str, ...]:
    name = run.name or UNNAMED
    if not run.is_readable:
        return (name, "of another version: any task brings it up to date", *[""] * 6)
    return (
        name,
        f"{run.jobs:,}",
        figure(run.root),
        f"{figure(run.best)} {shorten(run.metric, _NAME_LENGTH)}".rstrip(),
        run.gain or "—",
        str(run.cells),
        dollars(run.dollars),
        str(run.workers),
    )
