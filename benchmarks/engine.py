"""What a job costs beside its agent and its evaluator."""

import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from pydantic import SecretStr
from sqlalchemy import select

from benchmarks.commands import run
from benchmarks.comparison import Comparison, Plan
from benchmarks.repositories import clone, file_name, make_remote
from loreley.config import Settings
from loreley.core.agents.protocol import Brief, CallRecorder, Proposal, Workspace
from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.evaluator import Evaluator, EvaluatorOptions
from loreley.core.jobs import JobKind, JobState
from loreley.core.sandbox.sandbox import probe
from loreley.core.worker.briefing import Briefing
from loreley.core.worker.evolution import Evolution
from loreley.core.worker.job_run import JobOptions
from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.db.engine import Database, open_database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.host.deadline import Deadline, Stop

_FILES = 200
_EVALUATOR = """
def evaluate(context):
    return {"summary": "", "metrics": [{"name": "score", "value": 1.0}]}
"""
# The same work by hand, in a worktree that is reused: base commit, one line, commit, a Python that
# writes an answer, push.
_BY_HAND = """
set -e
cd "$1"
git checkout -q --detach "$2"
git reset -q --hard
git clean -q -x -d -ff
echo "LINE = $3" >> "$4"
git add -A
git commit -q -m "Add a line"
"$5" -c 'import sys; open(sys.argv[1], "w").write("1.0")' "$6"
git push -q origin "HEAD:refs/heads/bench/$3"
"""


class OneLine:
    """The least that an agent can do."""

    name = "one-line"

    def propose(
        self,
        workspace: Workspace,
        brief: Brief,
        deadline: Deadline,
        recorder: CallRecorder,  # noqa: ARG002 - it makes no calls
    ) -> Proposal:
        """Add a line that no other job adds."""
        deadline.check("adding a line")
        with (workspace.path / file_name(0)).open("a") as file:
            file.write(f"LINE = {brief.seed}\n")
        return Proposal("Add a line")


def engine_per_job(plan: Plan) -> Iterator[Comparison]:
    """A job from claim to finish against the same work in a shell script."""
    rounds = plan.rounds(20)
    with tempfile.TemporaryDirectory(prefix="loreley-bench-") as name:
        folder = Path(name).resolve()
        [root] = make_remote(folder / "remote.git", files=_FILES)
        shutil.copytree(folder / "remote.git", folder / "by-hand.git")
        clone(folder / "by-hand.git", folder / "by-hand")
        by_hand = [partial(_by_hand, folder, root, number) for number in range(rounds + 1)]
        with _evolution(folder) as (evolution, database):
            job_ids = _queue_jobs(database, root, rounds + 1)
            ours = [partial(evolution.run, job_id, Stop()) for job_id in job_ids]
            ours[0]()  # makes the worktree that the others reuse
            by_hand[0]()
            seconds = plan.in_turn("engine", ours[1:], by_hand[1:])
            _require_success(database, rounds + 1)
    yield Comparison(
        "engine",
        f"a job, {_FILES} files, sandbox {probe().level}",
        "the same by git and Python commands in `sh`",
        *seconds,
    )


@contextmanager
def _evolution(folder: Path) -> Iterator[tuple[Evolution, Database]]:
    (folder / "evaluator").mkdir()
    (folder / "evaluator" / "trivial.py").write_text(_EVALUATOR)
    settings = Settings(
        _env_file=None,
        loreley_state_dir=folder / "state",
        worker_repo_remote_url=SecretStr(str(folder / "remote.git")),
        worker_repo_worktree=str(folder / "worker-repo"),
        worker_evaluator_plugin="trivial:evaluate",
        worker_evaluator_python_paths=[str(folder / "evaluator")],
    )
    with ExitStack() as stack:
        database = open_database(f"sqlite:///{folder / 'bench.db'}")
        stack.callback(database.close)
        repository = WorkerRepository(RepositoryOptions.from_settings(settings))
        stack.callback(repository.close)
        repository.prepare(Deadline.after(600))
        evolution = Evolution(
            jobs=Jobs(database),
            repository=repository,
            agent=OneLine(),
            judge=Cascade(Evaluator(EvaluatorOptions.from_settings(settings), probe())),
            options=JobOptions(
                worker="bench",
                lease_seconds=settings.tasks_worker_lease_seconds,
                time_limit_seconds=settings.tasks_worker_time_limit_seconds,
                briefing=Briefing(""),
                branch_prefix="bench",
                agent_timeout_seconds=60,
            ),
        )
        yield evolution, database


def _queue_jobs(database: Database, root: str, count: int) -> Sequence[str]:
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(root, {}))
    for ordinal in range(count):
        schedule.create(NewJob(JobKind.EVOLUTION, ordinal, ordinal, root))
    return schedule.queue_pending()


def _by_hand(folder: Path, root: str, number: int) -> None:
    answer = folder / "answer"
    run(
        [
            *("sh", "-c", _BY_HAND, "sh", str(folder / "by-hand"), root, str(number)),
            *(file_name(0), sys.executable, str(answer)),
        ]
    )


def _require_success(database: Database, count: int) -> None:
    with database.read() as connection:
        ended = connection.execute(select(jobs.c.state, jobs.c.failure)).all()
    assert [row.state for row in ended] == [JobState.SUCCEEDED] * count, ended
