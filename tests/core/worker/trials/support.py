"""A job whose agent may measure: real git, a real evaluator in its sandbox, a real database."""

import json
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sqlalchemy import update

from loreley.core.agents.presets import Preset
from loreley.core.agents.protocol import Agent
from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.evaluator import Evaluator, EvaluatorOptions
from loreley.core.jobs import JobKind
from loreley.core.sandbox.sandbox import Sandbox, probe
from loreley.core.worker.briefing import Briefing
from loreley.core.worker.evolution import Evolution
from loreley.core.worker.job_run import JobOptions
from loreley.core.worker.repository import WorkerRepository
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import commits
from loreley.db.schedule import NewJob, Schedule
from loreley.host.deadline import Stop
from tests.core.agents.command_agents import OWN, agent_maker
from tests.core.worker.upstream import Upstream, leftovers, opened
from tests.db.support import job_row, judged_commit, rows, succeeded

FILES = {"x.txt": "1\n", ".gitignore": "*.pyc\n"}
SCORE = """
text = (context.worktree / 'x.txt').read_text()
print('read', text.strip())
x = float(text)
return {'summary': f'x is {x}', 'metrics': [{'name': 'score', 'value': -(x - 7) ** 2}]}
"""
# What a script of an agent can use.
PRELUDE = """
import json, os, subprocess
sys.stdin.read()
def ask(cwd=None):
    done = subprocess.run([os.environ['LORELEY_EVALUATE']], capture_output=True, text=True, cwd=cwd)
    answer = json.loads(done.stdout) if done.stdout else {'stderr': done.stderr}
    print('ASKED', json.dumps([done.returncode, answer]), flush=True)
    return done.returncode, answer
def put(x, path='x.txt'):
    with open(path, 'w') as file:
        file.write(f'{x}\\n')
"""


@dataclass
class Session:
    """An experiment whose root is judged, with a job that waits."""

    folder: Path
    upstream: Upstream
    repository: WorkerRepository
    database: Database
    root: str
    lines: str = SCORE
    sandbox: Sandbox = field(default_factory=probe)
    options: dict[str, Any] = field(default_factory=dict)
    briefing: Briefing = field(default_factory=lambda: Briefing("Improve."))
    job_id: str = ""

    def run(
        self,
        body: str,
        *,
        trials: int = 5,
        preset: Preset = OWN,
        agent: Agent | None = None,
        stop: Stop | None = None,
        **agent_options: Any,
    ) -> dict[str, Any]:
        """Let an agent with this script do a job; the job's row then."""
        if not self.job_id:
            self.begin()
        if agent is None:
            make = agent_maker(self.folder)
            agent = make(PRELUDE + body, preset, sandbox=self.sandbox, **agent_options)
        Evolution(
            jobs=Jobs(self.database),
            repository=self.repository,
            agent=agent,
            judge=self.assemble_judge(),
            options=replace(
                JobOptions("w", 30.0, 120.0, "loreley", 60.0, self.briefing, trials=trials),
                **self.options,
            ),
        ).run(self.job_id, stop or Stop())
        return job_row(self.database, self.job_id)

    def begin(self, kind: JobKind = JobKind.EVOLUTION, base: str | None = None) -> None:
        """Create the next job."""
        schedule = Schedule(self.database)
        schedule.create(NewJob(kind, schedule.next_ordinal(), 7, base or self.root))
        self.job_id = schedule.queue_pending()[-1]

    def assemble_judge(self) -> Cascade:
        folder = self.folder / "judge"
        folder.mkdir(exist_ok=True)
        code = textwrap.indent(textwrap.dedent(self.lines), "    ")
        (folder / "judge.py").write_text(f"def evaluate(context):\n{code}\n")
        options = EvaluatorOptions(
            plugin="judge:evaluate", python_paths=(folder,), timeout_seconds=20.0
        )
        return Cascade(Evaluator(options, self.sandbox))

    def trials(self) -> list[dict[str, Any]]:
        """The trials as they are recorded."""
        return rows(self.database, "trials")

    def kept(self, name: str) -> str:
        """A text that is kept with the job."""
        [content] = [
            row["content"]
            for row in rows(self.database, "artifacts")
            if row["name"] == name and row["job_id"] == self.job_id
        ]
        return str(content.decode())

    def asked(self) -> list[tuple[int, dict[str, Any]]]:
        """What the agent was answered: exit code and JSON."""
        lines = self.kept("agent.log").splitlines()
        return [tuple(json.loads(line[6:])) for line in lines if line.startswith("ASKED ")]

    def commit(self) -> dict[str, Any]:
        """The row of the job's commit."""
        [found] = [each for each in rows(self.database, "commits") if each["parent"]]
        return found

    def file(self, path: str = "x.txt") -> str:
        """What a file of the job's commit holds on the remote."""
        return self.upstream.show(f"{self.commit()['branch']}:{path}").strip()

    def scores(self) -> Sequence[float | None]:
        """What each trial has measured."""
        found = [each["evaluation"] for each in self.trials()]
        return [each["metrics"][0]["value"] if each else None for each in found]


@contextmanager
def open_session(folder: Path, database: Database) -> Iterator[Session]:
    """A root that scores -36, where 7 in x.txt would score 0."""
    upstream = Upstream.create(folder / "upstream", FILES)
    root = upstream.head()
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(root, {"mapelites_fitness_metric": "score"}))
    repository = opened(upstream, folder / "clones" / "base")
    job_id = schedule.create(NewJob(JobKind.BASELINE, -1, 7, root))
    of_root = judged_commit(1, {"score": -36.0})
    succeeded(database, job_id, replace(of_root, commit=root, parent=None))
    with database.begin() as connection:
        connection.execute(update(commits).values(score=-36.0))
    yield Session(folder, upstream, repository, database, root)
    assert leftovers(repository) == []
    repository.close()
