"""A job that tunes numbers: a real repository, a real evaluator in its sandbox, a database."""

import csv
import io
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

from loreley.config.tuning import TunedName
from loreley.core.agents.edit_rules import PathRules
from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.evaluator import Evaluator, EvaluatorOptions
from loreley.core.jobs import JobKind, JobState
from loreley.core.sandbox.sandbox import probe
from loreley.core.tuning.number_tuning import TuneOptions
from loreley.core.worker.briefing import Briefing
from loreley.core.worker.evolution import Evolution
from loreley.core.worker.gates import Gates
from loreley.core.worker.job_run import JobOptions
from loreley.core.worker.repository import WorkerRepository
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import JobInterrupted
from loreley.host.deadline import Stop
from tests.core.worker.test_job_run import FailingAgent
from tests.core.worker.upstream import Upstream, leftovers, opened
from tests.db.support import job_row, judged_commit, rows, succeeded

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]

MODEL = "# how it learns\nrate: 0.5 # per step\nwidth: 3\nname: '7'\n"
READ = """
import re
text = (context.worktree / 'model.yaml').read_text()
rate = float(re.search('rate: (\\\\S+)', text)[1])
width = int(re.search('width: (\\\\S+)', text)[1])
value = -(rate - 1.2) ** 2 - 0.01 * (width - 9) ** 2
"""
ANSWER = "return {'metrics': [{'name': 'score', 'value': value}]}"


@dataclass
class Setting:
    """A root with numbers in YAML, a job that tunes them, and what judges them."""

    folder: Path
    upstream: Upstream
    repository: WorkerRepository
    database: Database
    root: str
    options: TuneOptions = field(default_factory=lambda: TuneOptions(60.0, 25))
    gates: Gates = field(default_factory=Gates)
    time_limit: float = 120.0
    job_id: str = ""
    lines: str = READ + ANSWER

    def tune(self, stop: Stop | None = None, base: str | None = None) -> dict[str, Any]:
        """Run the job; its row then."""
        if not self.job_id:
            schedule = Schedule(self.database)
            number = schedule.next_ordinal()
            schedule.create(NewJob(JobKind.TUNE, number, 7, base or self.root))
            self.job_id = schedule.queue_pending()[-1]
        Evolution(
            jobs=Jobs(self.database),
            repository=self.repository,
            agent=FailingAgent(AssertionError()),
            judge=self._assemble_judge(),
            options=JobOptions(
                *("w", 30.0, self.time_limit, "loreley", 60.0),
                Briefing("Improve.", gates=self.gates),
                tuning=self.options,
            ),
        ).run(self.job_id, stop or Stop())
        return job_row(self.database, self.job_id)

    def _assemble_judge(self) -> Cascade:
        folder = self.folder / "judge"
        folder.mkdir(exist_ok=True)
        code = textwrap.indent(textwrap.dedent(self.lines), "    ")
        (folder / "judge.py").write_text(f"def evaluate(context):\n{code}\n")
        options = EvaluatorOptions(
            plugin="judge:evaluate", python_paths=(folder,), timeout_seconds=5.0
        )
        return Cascade(Evaluator(options, probe()))

    def trace(self) -> list[dict[str, str]]:
        """What the job has tried."""
        [content] = [
            row["content"]
            for row in rows(self.database, "artifacts")
            if row["name"] == "tune-trace.csv" and row["job_id"] == self.job_id
        ]
        return list(csv.DictReader(io.StringIO(content.decode())))


@pytest.fixture
def setting(tmp_path: Path, database: Database) -> Iterator[Setting]:
    files = {"model.yaml": MODEL, "run.py": "print('7')\n"}
    upstream = Upstream.create(tmp_path / "upstream", files)
    root = upstream.head()
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(root, {"mapelites_fitness_metric": "score"}))
    repository = opened(upstream, tmp_path / "clones" / "base")
    job_id = schedule.create(NewJob(JobKind.BASELINE, -1, 7, root))
    succeeded(database, job_id, replace(judged_commit(1), commit=root, parent=None))
    yield Setting(tmp_path, upstream, repository, database, root)
    assert leftovers(repository) == []
    repository.close()


def test_the_best_numbers_become_one_pushed_commit(setting: Setting) -> None:
    row = setting.tune()

    assert row["state"] == JobState.SUCCEEDED
    assert row["tries"] == 25
    assert row["tried_seconds"] > 0
    [commit] = [each for each in rows(setting.database, "commits") if each["parent"]]
    text = setting.upstream.show(f"{commit['branch']}:model.yaml")
    assert text.splitlines()[0] == "# how it learns"
    assert text.splitlines()[1].endswith(" # per step")
    assert text.splitlines()[3] == "name: '7'"
    assert commit["subject"] == "tune 2 numbers in model.yaml"
    [metric] = [
        each for each in rows(setting.database, "metrics") if each["commit"] == commit["commit"]
    ]
    trace = setting.trace()
    assert len(trace) == 25
    assert list(trace[0]) == ["try", "fitness", "seconds", "model.yaml:rate", "model.yaml:width"]
    assert metric["value"] == max(float(each["fitness"]) for each in trace) > -0.85


def test_the_same_job_tries_the_same_again(setting: Setting) -> None:
    setting.tune()
    first = [(each["fitness"], each["model.yaml:rate"]) for each in setting.trace()]
    setting.job_id = ""
    setting.tune()
    assert [(each["fitness"], each["model.yaml:rate"]) for each in setting.trace()] == first


LEAVES = """
import os
seen = sorted(str(path.relative_to(context.worktree)) for path in context.worktree.rglob('*')
              if '.git' not in path.parts)
assert seen == ['model.yaml', 'run.py'], seen
assert (context.worktree / 'run.py').read_text() == "print('7')\\n"
assert os.listdir(context.scratch.parent) == [context.scratch.name]
(context.worktree / 'cache').mkdir()
(context.worktree / 'cache' / 'known').write_text('1')
(context.worktree / 'link').symlink_to('/')
{more}
"""


@pytest.mark.parametrize(
    "more",
    [
        "",
        "(context.worktree / 'run.py').write_text('print(8)\\n')",
        "(context.worktree / 'run.py').unlink()",
        "(context.worktree / 'run.py').rename(context.worktree / 'model.yaml')",
        "(context.worktree / 'cache').chmod(0o000)",
        "(context.worktree / 'run.py').unlink(); (context.worktree / 'run.py').symlink_to('/etc')",
    ],
)
def test_what_a_try_leaves_is_not_seen_by_the_next(more: str, setting: Setting) -> None:
    setting.lines = READ + LEAVES.format(more=more) + ANSWER
    setting.options = TuneOptions(60.0, 6)
    setting.tune()
    assert {bool(each["fitness"]) for each in setting.trace()} == {True}
    for commit in rows(setting.database, "commits"):
        if commit["parent"]:
            assert setting.upstream.files_of(commit["commit"]) == ["model.yaml", "run.py"]


CACHES = """
import importlib.util, sys, pathlib
cache = context.worktree / 'kept'
cache.mkdir(exist_ok=True)
status = (context.worktree / 'model.yaml').stat()
key = cache / f"{int(status.st_mtime)}-{status.st_size}"
if key.exists():
    value = float(key.read_text())
key.write_text(repr(value))
"""


def test_a_cache_that_goes_by_file_times_is_not_fooled(setting: Setting) -> None:
    setting.options = TuneOptions(60.0, 12, excludes=("kept",))
    setting.lines = READ + CACHES + ANSWER
    setting.tune()
    for each in setting.trace():
        rate, width = float(each["model.yaml:rate"]), int(each["model.yaml:width"])
        assert float(each["fitness"]) == -((rate - 1.2) ** 2) - 0.01 * (width - 9) ** 2


def test_no_better_numbers_are_a_rejection(setting: Setting) -> None:
    setting.lines = READ + "value = 1.0\n" + ANSWER
    row = setting.tune()
    assert (row["state"], row["commit"]) == (JobState.REJECTED, None)
    assert row["failure"].startswith("no other numbers were better")
    assert row["tries"] == len(setting.trace()) == 3


def test_a_commit_that_cannot_be_judged_fails_with_its_reason(setting: Setting) -> None:
    setting.lines = "raise ValueError('no data')"
    row = setting.tune()
    assert (row["state"], row["tries"]) == (JobState.FAILED, 1)
    assert "no data" in row["failure"]


def test_the_failures_of_tries_are_no_failure(setting: Setting) -> None:
    setting.lines = READ + "assert width == 3 and rate < 1.0\n" + ANSWER
    row = setting.tune()
    assert row["state"] == JobState.SUCCEEDED
    assert {bool(each["fitness"]) for each in setting.trace()} == {True, False}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"gates": Gates(paths=PathRules(protected=["*.yaml"]))}, "there is no number to tune"),
        ({"options": TuneOptions(named=(TunedName.parse("model.yaml:depth"),))}, "depth: there"),
        ({"options": TuneOptions(named=(TunedName.parse("model.yaml:rate:2:3"),))}, "outside"),
    ],
)  # fmt: skip
def test_no_number_to_tune_is_told(change: dict[str, Any], words: str, setting: Setting) -> None:
    for name, value in change.items():
        setattr(setting, name, value)
    row = setting.tune()
    assert (row["state"], row["tries"]) == (JobState.FAILED, 0)
    assert words in row["failure"]


def test_an_interrupted_job_goes_on_from_its_best(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loreley.core.tuning.number_tuning._KEPT_SECONDS", 0.0)
    setting.options = TuneOptions(60.0, 40)
    stop = Stop()
    setting.lines = READ + "import time; time.sleep(0.05)\n" + ANSWER
    timer = Timer(3.0, stop.ask, [JobInterrupted("the worker is stopping")])
    timer.start()
    row = setting.tune(stop)
    timer.cancel()
    assert row["state"] == JobState.QUEUED
    known = row["progress"]
    assert 1 < known["tries"] < 40
    assert row["tries"] == known["tries"]

    row = setting.tune()
    assert row["state"] == JobState.SUCCEEDED
    assert row["tries"] >= 40
    trace = setting.trace()
    assert len(trace) == 40 - known["tries"]
    assert [float(trace[1]["model.yaml:rate"]), int(trace[1]["model.yaml:width"])] == known[
        "values"
    ]


def test_a_time_limit_ends_it_with_the_best_so_far(setting: Setting) -> None:
    setting.time_limit = 8.0
    setting.options = TuneOptions(600.0)
    row = setting.tune()
    assert row["state"] == JobState.SUCCEEDED
    assert row["tries"] > 3
