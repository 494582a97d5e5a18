"""A run for notebooks and scripts: `from loreley import Run`.

    run = Run.open("my-project")
    run.evolve(jobs=100)
    print(run.overview.best, run.best.confirmation)
    run.frame(run.jobs()).plot(x="ordinal", y="fitness", style=".")

It reads the run's database as the tasks do, and decides nothing.
"""

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, is_dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from loreley.config.process import StateSettings
from loreley.core.jobs import JobState
from loreley.db.engine import Database, open_database
from loreley.envfile import read_env_file
from loreley.errors import ConfigError, LoreleyError
from loreley.views.archive_map import MapElite, read_island
from loreley.views.charts.cloud import Point, read_cloud
from loreley.views.charts.history import History, Moment
from loreley.views.job_list import JobFilter
from loreley.views.job_rows import read_rows
from loreley.views.lineage import Lineage, read_lineage
from loreley.views.overview import Overview, read_overview

_MOST_MOMENTS = 10_000
_MOST_POINTS = 100_000
_SHOWN_CHARACTERS = 2_000


class Run:
    """The run of a project's folder; usable in a ``with``, which closes its database."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self._database = database

    @classmethod
    def open(cls, folder: str | os.PathLike[str] = ".") -> Self:
        """The run whose `.env` and state are in this folder.

        The environment comes before `.env`, as for the tasks. Raises `LoreleyError` where the
        database cannot be opened.
        """
        path = Path(folder).absolute()
        if not path.is_dir():
            raise ConfigError("there is no such folder", target=str(path), fix="name the project's")
        in_file = read_env_file(path / ".env").values()
        known = {
            name.lower(): value
            for name in ("DATABASE_URL", "LORELEY_STATE_DIR")
            if (value := os.environ.get(name) or in_file.get(name))
        }
        try:
            settings = StateSettings.model_validate(known)
        except ValueError as error:
            raise ConfigError("the settings cannot be used", reason=str(error)) from None
        if not settings.loreley_state_dir.is_absolute():
            settings.loreley_state_dir = path / settings.loreley_state_dir
        return cls(path, open_database(settings.sqlalchemy_url))

    @property
    def overview(self) -> Overview:
        """How it stands; raises `LoreleyError` before it has begun."""
        overview = read_overview(self._database)
        if overview is None:
            raise LoreleyError(
                "there is no experiment yet", target=str(self.folder), fix="begin it: run.evolve()"
            )
        return overview

    @property
    def best(self) -> Lineage | None:
        """The fittest commit: its figures, its way from the root, whether it is confirmed."""
        best = self.overview.best
        return read_lineage(self._database, best.commit) if best else None

    def lineage(self, commit: str) -> Lineage | None:
        """A judged commit, by its whole id, with its way from the root; None: it is not known."""
        return read_lineage(self._database, commit)

    def jobs(self, state: str | None = None) -> Iterator[dict[str, Any]]:
        """Every job, the newest first, with its metrics; of one state, such as succeeded."""
        return read_rows(self._database, JobFilter(state=JobState(state) if state else None))

    def elites(self, island: int = 0) -> tuple[MapElite, ...]:
        """What an island's archive holds, by cell."""
        found = read_island(self._database, island)
        return found.elites if found else ()

    def evaluations(self) -> tuple[Point, ...]:
        """Every judged commit that has a fitness, in the order in which they were judged."""
        return read_cloud(self._database, at_most=_MOST_POINTS).points

    def history(self) -> list[Moment]:
        """Best fitness, QD score and filled cells after each evaluation."""
        return History(self._database).read(at_most=_MOST_MOMENTS)

    def evolve(self, jobs: int, workers: int = 0) -> Overview:
        """Evolve until there have been so many jobs, as the task does, and wait for it.

        Raises `LoreleyError` with the last words of the task where it fails.
        """
        self.start(jobs, workers).wait()
        return self.overview

    def start(self, jobs: int, workers: int = 0) -> "Started":
        """The same without waiting."""
        code = "from loreley.commands.program import main; main()"
        flags = ["--jobs", str(jobs), "--workers", str(workers)]
        return Started(
            subprocess.Popen(
                [sys.executable, "-c", code, "evolve", *flags],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )

    @staticmethod
    def frame(rows: Iterable[Any]) -> Any:
        """Rows or objects of a run as a `pandas.DataFrame`; metrics become columns of their own.

        Raises `ConfigError` where pandas is not installed.
        """
        try:
            import pandas  # type: ignore[import-untyped,unused-ignore]
        except ModuleNotFoundError as error:
            raise ConfigError(
                "pandas is not installed", reason=str(error), fix="pip install pandas"
            ) from None
        return pandas.DataFrame([_flatten(row) for row in rows])

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Started:
    """A run that was started, and goes on by itself."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def wait(self) -> str:
        """Wait for its end; what it printed. Raises `LoreleyError` where it failed."""
        printed, _ = self._process.communicate()
        if self._process.returncode:
            raise LoreleyError(
                f"evolve ended with exit code {self._process.returncode}",
                reason=printed.strip()[-_SHOWN_CHARACTERS:],
            )
        return printed

    def stop(self) -> str:
        """Stop it in good order, which keeps everything; what it printed."""
        self._process.terminate()
        printed, _ = self._process.communicate()
        return printed


def _flatten(row: Any) -> Mapping[str, Any]:
    values = asdict(row) if is_dataclass(row) and not isinstance(row, type) else dict(row)
    figures = values.pop("metrics", {})
    return values | {name: value for name, value in figures.items() if name not in values}
