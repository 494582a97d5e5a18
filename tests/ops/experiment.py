"""A small experiment of three commits: a real remote, a real database, no processes."""

import atexit
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from sqlalchemy import update

from loreley.config import Settings
from loreley.core.evaluation.evaluation import Evaluation, Metric
from loreley.core.jobs import JobKind, JobRecord, JudgedCommit
from loreley.db.archive import Archive, PlacedCommit
from loreley.db.engine import Database, now, open_database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import jobs as job_table
from loreley.db.schedule import NewJob, Schedule
from loreley.db.scores import write_score
from loreley.map_elites.fitness import Estimate
from tests.core.worker.upstream import Upstream, git

LINES = [f"line {number}" for number in range(1, 31)]
Files = Mapping[str, str | bytes | None]


def text(changes: Mapping[int, str] = MappingProxyType({})) -> str:
    """The file of thirty lines with some of them changed."""
    lines = [changes.get(number, line) for number, line in enumerate(LINES, start=1)]
    return "".join(f"{line}\n" for line in lines)


@dataclass(slots=True)
class SmallRun:
    """An experiment whose commits were made by hand."""

    folder: Path
    upstream: Upstream
    settings: Settings
    commits: list[str]

    @classmethod
    def begin(cls, folder: Path, root: Files, **settings: object) -> "SmallRun":
        """A run of ``root`` that has just been judged; its fitness, the score, is 1."""
        upstream = Upstream.create(folder / "upstream", {})
        commit = upstream.commit(root)
        run = cls(folder, upstream, _settings(folder, upstream, settings), [])
        with closing(run.database()) as database:
            search = {
                "mapelites_fitness_metric": "score",
                "mapelites_fitness_higher_is_better": True,
                "mapelites_measures": ["size:0:10:5", "depth:0:10:4"],
                "mapelites_constraints": [],
            }
            Schedule(database).begin_experiment(Experiment(commit, search))
            run._record(database, commit, None, 1.0, "the root commit")
        return run

    def database(self) -> Database:
        """The run's database; the caller closes it."""
        return open_database(self.settings.sqlalchemy_url)

    def step(self, files: Files, score: float, subject: str = "change") -> str:
        """A commit on the last one, judged and kept on a branch of its own; its id."""
        branch = f"evolution/job/{len(self.commits)}"
        commit = self.upstream.commit(files, branch=branch, message=subject)
        with closing(self.database()) as database:
            self._record(database, commit, self.commits[-1], score, subject, branch)
        return commit

    def _record(
        self,
        database: Database,
        commit: str,
        parent: str | None,
        score: float,
        subject: str,
        branch: str | None = None,
    ) -> None:
        number = len(self.commits) - 1
        kind = JobKind.EVOLUTION if parent else JobKind.BASELINE
        job_id = Schedule(database).create(NewJob(kind, number, 7, parent or commit))
        Schedule(database).queue_pending()
        jobs = Jobs(database)
        claim = jobs.claim(job_id, worker="host:1", lease_seconds=30)
        metrics = (Metric("score", score), Metric("time", 10 - score, "s", False))
        tree = git("rev-parse", f"{commit}^{{tree}}", cwd=self.upstream.path)
        evaluation = Evaluation(f"judged as {score:g}", metrics, (), 0.5)
        counted = {"edit_distance": 1, "code_size": 1}
        judged = JudgedCommit(commit, tree, parent, branch, subject, counted, evaluation)
        jobs.succeed(claim, judged, JobRecord(agent="genetic", operator="shift", agent_seconds=0.1))
        with database.begin() as connection:
            write_score(connection, commit, Estimate(score), island=0)
            placed = PlacedCommit(0, number + 1, commit, Estimate(score), (float(number + 1), 1.0))
            Archive(database, connection).add(placed)
            taken_in = update(job_table).where(job_table.c.id == job_id)
            connection.execute(taken_in.values(ingested_at=now(), archive_outcome="new"))
        self.commits.append(commit)


def usual(folder: Path, **settings: object) -> SmallRun:
    """A run of a root and two steps: one text file changed in two places, a binary file added."""
    template = _usual()
    shutil.copytree(template.folder, folder, dirs_exist_ok=True)
    upstream = Upstream(folder / "upstream" / "remote.git", folder / "upstream" / "author")
    return SmallRun(folder, upstream, _settings(folder, upstream, settings), template.commits[:])


@cache
def _usual() -> SmallRun:
    """Made once for each test process."""
    folder = Path(tempfile.mkdtemp(prefix="loreley-tests-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    run = SmallRun.begin(folder, {"plan.txt": text(), "old.bin": b"\0\1"})
    run.step({"plan.txt": text({3: "line three"})}, 2.0, "spell the third")
    both = {3: "line three", 27: "line 27!"}
    run.step({"plan.txt": text(both), "new.bin": b"\0\2\r\n\xff"}, 3.5, "stress 27")
    return run


def _settings(folder: Path, upstream: Upstream, others: Mapping[str, object]) -> Settings:
    return Settings.model_validate(
        {
            "loreley_state_dir": folder / "state",
            "worker_repo_remote_url": str(upstream.path),
            "worker_repo_worktree": str(folder / "base"),
            "mapelites_fitness_metric": "score",
            **others,
        }
    )


def lines_of(output: str, beginning: str) -> Sequence[str]:
    """The lines that begin so."""
    return [line for line in output.splitlines() if line.startswith(beginning)]
