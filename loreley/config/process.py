"""Where a process reports, and where it keeps what it must remember."""

import re
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, Field, SecretStr, field_validator

from loreley.config.values import PathText, RunName, expanded, split_url
from loreley.errors import Problem

RUNS = "runs"
"""The folder of runs with a name, in the state folder."""
SCHEMA_OF_RUN = "loreley_run_"
"""What PostgreSQL's schemas of runs with a name begin with."""

LogLevel = Literal["TRACE", "DEBUG", "INFO", "SUCCESS", "WARNING", "ERROR", "CRITICAL"]


LOG_LEVELS: tuple[str, ...] = get_args(LogLevel)


def level_problem(level: str) -> Problem | None:
    """What is wrong with a level that a command line gave; None where it is known."""
    if level.strip().upper() in LOG_LEVELS:
        return None
    return Problem(
        "the log level is not known",
        setting="--log-level, LOG_LEVEL",
        target=repr(level),
        fix=f"use one of {', '.join(LOG_LEVELS)}",
    )


class LoggingSettings(BaseModel):
    """Where a process reports, and how much."""

    log_level: LogLevel = Field(
        "INFO", description="Threshold of the log on stderr and in the file."
    )
    logs_base_dir: PathText | None = Field(
        None,
        description="Folder in which `logs/<role>/` is made; `~` and `$NAME` are expanded. "
        "Unset: the current directory.",
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_case(cls, value: object) -> object:
        upper = value.strip().upper() if isinstance(value, str) else value
        return upper if upper in LOG_LEVELS else value


class StateSettings(BaseModel):
    """What is remembered between starts."""

    loreley_state_dir: Path = Field(
        Path(".loreley"),
        description="Folder of what is embedded: the SQLite database, the queue server's files "
        "and the example's repository. Relative to the current directory.",
    )
    database_url: SecretStr | None = Field(
        None,
        description="SQLAlchemy URL, `sqlite:///…` or `postgresql://…`. "
        "Unset: SQLite in the state folder.",
    )

    loreley_run: RunName | None = Field(
        None,
        description="Name of the run: several in one state folder or database have archive, queue, "
        "branches and logs of their own. Lower-case letters, digits and '_'.",
    )

    @field_validator("loreley_state_dir")
    @classmethod
    def _expanded(cls, value: Path) -> Path:
        return expanded(str(value))

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            url = value.get_secret_value()
            scheme = url.partition(":")[0]
            if scheme in {"sqlite", "sqlite+pysqlite"}:
                _require_sqlite_file(url)
            elif scheme not in {"postgresql", "postgresql+psycopg", "postgres"}:
                raise ValueError("expected a sqlite:/// or postgresql:// URL")
            elif split_url(url).netloc.count("@") > 1:
                raise ValueError("write %40 for '@' in the user or password")
        return value

    @property
    def run_folder(self) -> Path:
        """Where the run's own files are: in the state folder, or below it for one with a name."""
        state = self.loreley_state_dir.absolute()
        return state / RUNS / self.loreley_run if self.loreley_run else state

    @property
    def sqlalchemy_url(self) -> str:
        """The URL of the run's database, with a driver that Loreley installs."""
        if self.database_url is None:
            return f"sqlite:///{self.run_folder / 'loreley.db'}"
        url = self.database_url.get_secret_value()
        url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", url)
        return database_of_run(url, self.loreley_run) if self.loreley_run else url


def database_of_run(url: str, run: str) -> str:
    """The URL of a run with a name: a file beside that of SQLite, a schema of PostgreSQL."""
    head, _, query = url.partition("?")
    if head.startswith("sqlite"):
        path = Path(head.partition(":///")[2])
        return url.replace(str(path), str(path.with_name(f"{path.stem}.{run}{path.suffix}")), 1)
    options = f"options=-csearch_path%3D{SCHEMA_OF_RUN}{run}"
    return f"{head}?{'&'.join(filter(None, (query, options)))}"


def _require_sqlite_file(url: str) -> None:
    path = url.partition(":///")[2].partition("?")[0]
    if not path or path.startswith((":memory:", "file:")):
        raise ValueError("give a file, as in sqlite:///folder/loreley.db: processes share it")
    if path.startswith(("~", "/~")):
        raise ValueError("'~' is not expanded in a URL; write sqlite:////home/…")
    if re.search(r"\$\w|\${", path):
        raise ValueError(
            "'$NAME' is not expanded in a URL; write the folder, as in sqlite:////home/…, "
            "or ${NAME} in .env"
        )
