"""The root's figure on each host: a real repository, a real evaluator, both databases."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.evaluation import Evaluation, Metric
from loreley.core.evaluation.evaluator import Evaluator, EvaluatorOptions
from loreley.core.evaluation.noise import describe_hosts
from loreley.core.jobs import Claim, JobKind
from loreley.core.sandbox.sandbox import probe
from loreley.core.worker.host_speed import HostSpeed
from loreley.core.worker.repository import WorkerRepository
from loreley.db.engine import Database
from loreley.db.experiment import Experiment, read_experiment, read_hosts
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule
from loreley.host.deadline import Deadline
from loreley.views.overview import read_overview
from tests.core.worker.upstream import Upstream, leftovers, opened
from tests.db.support import judged_commit, succeeded

NOISY, EXACT = (0.31, 0.30, 0.32), (0.3, 0.3, 0.3)
CODE = """
import random

def evaluate(context):
    value = {middle} + random.SystemRandom().gauss(0, 0.00001)
    return {{"metrics": [{{"name": "seconds", "value": value, "unit": "s",
                           "higher_is_better": False}}]}}
"""


@dataclass
class Setting:
    """A root commit that was judged, and what measures it on another host."""

    folder: Path
    repository: WorkerRepository
    database: Database
    root: str

    def judge_root(self, samples: Sequence[float]) -> None:
        """Let the run begin with these measurements of the root."""
        metric = Metric("seconds", samples[0], "s", False, tuple(samples), True)
        judged = replace(judged_commit(1), commit=self.root, parent=None)
        job_id = Schedule(self.database).create(NewJob(JobKind.BASELINE, -1, 7, self.root))
        evaluation = Evaluation("", (metric,))
        succeeded(self.database, job_id, replace(judged, evaluation=evaluation))

    def measure(self, speed: HostSpeed, middle: float) -> None:
        """Let a worker begin its first job on a host that takes so many seconds for the root."""
        (self.folder / "judge.py").write_text(CODE.format(middle=middle))
        options = EvaluatorOptions(plugin="judge:evaluate", python_paths=(self.folder,))
        with self.database.read() as connection:
            known = read_experiment(connection)
        assert known is not None
        claim = Claim(
            *("0" * 36, JobKind.EVOLUTION, 1, "token", 0, 0, 7, self.root, self.root, ()),
            objective=known.objective,
        )
        judge = Cascade(Evaluator(options, probe()), (), None)
        jobs = Jobs(self.database)
        speed.measure(claim, jobs, judge, self.repository, Deadline.after(60))

    @property
    def hosts(self) -> dict[str, list[float]]:
        """What is known of the hosts."""
        with self.database.read() as connection:
            return read_hosts(connection)


@pytest.fixture
def setting(tmp_path: Path, database: Database) -> Iterator[Setting]:
    upstream = Upstream.create(tmp_path / "upstream")
    root = upstream.commit({"number": "1"})
    search = {"mapelites_fitness_metric": "seconds", "mapelites_fitness_higher_is_better": None}
    Schedule(database).begin_experiment(Experiment(root, search))
    repository = opened(upstream, tmp_path / "clones" / "base")
    (tmp_path / "judges").mkdir()
    yield Setting(tmp_path / "judges", repository, database, root)
    assert leftovers(repository) == []
    repository.close()


@pytest.mark.slow
def test_each_host_measures_a_noisy_root_once_and_the_difference_is_reported(
    setting: Setting,
) -> None:
    setting.judge_root(NOISY)
    for name, middle in (("slow", 0.62), ("fast", 0.31)):
        speed = HostSpeed(name, "a machine")
        setting.measure(speed, middle)
        setting.measure(speed, 9.0)  # its next job
        setting.measure(HostSpeed(name, "a machine"), 9.0)  # another worker of that host

    assert {name: round(figures[0], 1) for name, figures in setting.hosts.items()} == {
        "slow": 0.6,
        "fast": 0.3,
    }
    overview = read_overview(setting.database)
    assert overview is not None
    assert overview.hosts is not None
    assert overview.hosts.startswith("slow measures the root at 0.62")
    assert "not comparable between hosts" in overview.hosts


@pytest.mark.slow
def test_an_exact_root_is_measured_on_no_further_host(setting: Setting) -> None:
    setting.judge_root(EXACT)

    setting.measure(HostSpeed("other", "a machine"), 0.62)

    assert setting.hosts == {}


@pytest.mark.slow
def test_a_host_that_cannot_judge_the_root_goes_on_without_a_figure(setting: Setting) -> None:
    setting.judge_root(NOISY)
    speed = HostSpeed("broken", "a machine")

    setting.measure(speed, middle=float("nan"))

    assert (setting.hosts, speed.is_known) == ({}, True)


@pytest.mark.parametrize(
    ("measured", "differ"),
    [
        ({}, False),
        ({"a": [0.3, 0.31]}, False),
        ({"a": [0.3, 0.31, 0.32], "b": [0.31, 0.30, 0.33]}, False),
        ({"a": [0.3, 0.31, 0.32], "b": [0.6, 0.61, 0.62]}, True),
        ({"a": [0.3], "b": [0.6]}, False),  # one measurement says nothing of noise
    ],
)
def test_hosts_differ_where_noise_does_not_explain_it(
    measured: dict[str, list[float]], differ: bool
) -> None:
    assert (describe_hosts(measured, "s") is not None) is differ
