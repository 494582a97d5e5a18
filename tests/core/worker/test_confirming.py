"""A finalist beside the root: a real repository, real evaluators in their sandbox, a database."""

import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Thread

import pytest

from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.evaluator import Evaluator, EvaluatorOptions
from loreley.core.evaluation.paired_test import LOOKS, Verdict
from loreley.core.jobs import JobKind, JobState
from loreley.core.sandbox.sandbox import probe
from loreley.core.worker.briefing import Briefing
from loreley.core.worker.confirming import ConfirmationOptions
from loreley.core.worker.evolution import Evolution
from loreley.core.worker.job_run import JobOptions
from loreley.core.worker.repository import WorkerRepository
from loreley.db.confirmations import Confirmed, read_confirmed
from loreley.db.engine import Database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule, insert_extra
from loreley.errors import JobInterrupted
from loreley.host.deadline import Stop
from tests.core.worker.test_job_run import FailingAgent
from tests.core.worker.upstream import Upstream, leftovers, opened
from tests.db.support import job_row, judged_commit, rows, succeeded
from tests.support import eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]

SCORE = "float((context.worktree / 'number').read_text())"
EXACT = f"return {{'metrics': [{{'name': 'score', 'value': {SCORE}}}]}}"
NOISY = f"""
import random
value = {SCORE} + random.SystemRandom().gauss(0, 0.1)
return {{'metrics': [{{'name': 'score', 'value': value}}]}}
"""


@dataclass
class Setting:
    """A root whose number is 1, a finalist, and what judges them."""

    folder: Path
    upstream: Upstream
    repository: WorkerRepository
    database: Database
    root: str
    time_limit: float = 120.0
    share: float = 0.0
    least_seconds: float = 60.0
    job_id: str = ""

    def confirm(
        self, finalist: float | str, judge: str = EXACT, holdout: str | None = None
    ) -> Confirmed | None:
        """Measure a commit with this number beside the root; what is known of it then."""
        commit = self.create(finalist)
        self.run(judge, holdout)
        with self.database.read() as connection:
            return read_confirmed(connection, commit)

    def create(self, finalist: float | str) -> str:
        """A job that is to confirm a commit with this number."""
        commit = self.upstream.commit({"number": str(finalist)}, branch=f"c{finalist}")
        self.add(commit, self.root)
        with self.database.begin() as connection:
            insert_extra(self.database, connection, JobKind.CONFIRMATION, commit)
        self.job_id = Schedule(self.database).queue_pending()[-1]
        return commit

    def add(self, commit: str, parent: str | None) -> None:
        """Let a commit have been judged before."""
        schedule, number = Schedule(self.database), len(rows(self.database, "commits"))
        kind = JobKind.EVOLUTION if parent else JobKind.BASELINE
        job_id = schedule.create(NewJob(kind, number - 1, 7, parent or commit))
        judged = replace(judged_commit(number + 1), commit=commit, parent=parent)
        succeeded(self.database, job_id, judged)

    def run(self, judge: str = EXACT, holdout: str | None = None, stop: Stop | None = None) -> None:
        """Let a worker do the job."""
        cascade = None if holdout is None else self._judge("holdout", holdout)
        Evolution(
            jobs=Jobs(self.database),
            repository=self.repository,
            agent=FailingAgent(AssertionError()),
            judge=self._judge("judge", judge),
            options=JobOptions(
                *("w", 30.0, self.time_limit, "loreley", 60.0, Briefing("Improve.")),
                confirmation=ConfirmationOptions(self.share, self.least_seconds, cascade),
            ),
        ).run(self.job_id, stop or Stop())

    def _judge(self, name: str, body: str) -> Cascade:
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        code = textwrap.indent(textwrap.dedent(body), "    ")
        (folder / f"{name}.py").write_text(f"def evaluate(context):\n{code}")
        options = EvaluatorOptions(
            plugin=f"{name}:evaluate",
            python_paths=(folder,),
            timeout_seconds=2.0,
        )
        return Cascade(Evaluator(options, probe()))


@pytest.fixture
def setting(tmp_path: Path, database: Database) -> Iterator[Setting]:
    upstream = Upstream.create(tmp_path / "upstream")
    root = upstream.commit({"number": "1"})
    schedule = Schedule(database)
    schedule.begin_experiment(Experiment(root, {"mapelites_fitness_metric": "score"}))
    repository = opened(upstream, tmp_path / "clones" / "base")
    made = Setting(tmp_path, upstream, repository, database, root)
    made.add(root, None)
    yield made
    assert leftovers(repository) == []
    repository.close()


def test_an_exact_gain_is_confirmed_after_three_pairs(setting: Setting) -> None:
    known = setting.confirm(1.5)

    assert known is not None
    assert known.difference is not None
    assert (known.verdict, known.difference.estimate) == (Verdict.CONFIRMED, 0.5)
    assert (known.difference.margin, known.difference.pairs) == (0.0, 3)
    assert job_row(setting.database, setting.job_id)["state"] == JobState.SUCCEEDED


def test_a_gain_far_beyond_the_noise_is_confirmed_at_the_first_look(setting: Setting) -> None:
    known = setting.confirm(2, NOISY)

    assert known is not None
    assert known.difference is not None
    assert (known.verdict, known.difference.pairs) == (Verdict.CONFIRMED, LOOKS[0])
    assert known.difference.estimate == pytest.approx(1.0, abs=0.3)
    assert 0 < known.difference.margin < 0.3


def test_what_the_time_does_not_decide_is_not_confirmed(setting: Setting) -> None:
    setting.least_seconds = 1.0
    known = setting.confirm(0.9, NOISY)

    assert known is not None
    assert known.verdict is Verdict.NOT_CONFIRMED
    assert known.reason.endswith("pairs in 1 s did not decide")


@pytest.mark.parametrize(
    ("judge", "who"),
    [
        (f"assert {SCORE} == 1, 'the finalist crashes'\n{EXACT}", "the finalist"),
        (f"assert {SCORE} != 1, 'the root crashes'\n{EXACT}", "the root commit"),
    ],
)
def test_whoever_cannot_be_measured_again_is_named(setting: Setting, judge: str, who: str) -> None:
    known = setting.confirm(3, judge)

    assert known is not None
    assert known.verdict is Verdict.NOT_CONFIRMED
    assert known.reason.startswith(f"{who} could not be measured again: ")
    assert "crashes" in known.reason
    assert job_row(setting.database, setting.job_id)["state"] == JobState.SUCCEEDED


def test_a_finalist_passes_its_hold_out_and_both_figures_are_kept(setting: Setting) -> None:
    half = f"return {{'metrics': [{{'name': 'score', 'value': 10 + {SCORE} / 2}}]}}"
    known = setting.confirm(2, holdout=half)

    assert known is not None
    assert known.holds
    assert known.holdout is not None
    assert (known.holdout.root.score, known.holdout.finalist.score) == (10.5, 11.0)
    assert known.holdout.gain == 0.5


@pytest.mark.parametrize(
    ("holdout", "words"),
    [
        (EXACT.replace(SCORE, f"-{SCORE}"), "it is worse than the root by 1"),
        (f"assert {SCORE} == 1, 'unseen data'\n{EXACT}", "unseen data"),
        (f"import time\ntime.sleep(60 if {SCORE} != 1 else 0)\n{EXACT}", "took too long"),
        (
            f"name = 'score' if {SCORE} == 1 else 'other'\n"
            f"return {{'metrics': [{{'name': name, 'value': 1}}]}}",
            "'score'",
        ),
    ],
    ids=["fails", "raises", "hangs", "reports other metrics"],
)
def test_a_finalist_that_its_hold_out_refuses_does_not_hold(
    setting: Setting, holdout: str, words: str
) -> None:
    known = setting.confirm(2, holdout=holdout)

    assert known is not None
    assert known.verdict is Verdict.CONFIRMED
    assert not known.holds
    assert known.holdout is not None
    assert words in known.holdout.objection


def test_a_hold_out_that_the_root_fails_decides_nothing(setting: Setting) -> None:
    known = setting.confirm(2, holdout="raise RuntimeError('it never works')")

    assert known is not None
    assert known.holds
    assert known.holdout is not None
    assert "it never works" in known.holdout.root.failure


def test_a_hold_out_is_asked_of_a_confirmed_commit_only_and_of_each_once(setting: Setting) -> None:
    setting.confirm(1, holdout=EXACT)
    assert rows(setting.database, "holdouts") == []

    setting.confirm(2, holdout=EXACT)
    first = rows(setting.database, "holdouts")
    setting.confirm(3, holdout=EXACT.replace(SCORE, f"9 + {SCORE}"))

    assert [row["scores"] for row in first] == [[1.0], [2.0]]
    assert [row["scores"] for row in rows(setting.database, "holdouts")] == [[1.0], [2.0], [12.0]]


def test_a_confirmation_that_is_interrupted_is_taken_up_again(setting: Setting) -> None:
    setting.create(2)
    stop = Stop()
    slow = f"import time\ntime.sleep(0.3)\n{NOISY}"
    worker = Thread(target=setting.run, args=(slow, None, stop))
    worker.start()
    eventually(lambda: job_row(setting.database, setting.job_id)["state"] == JobState.RUNNING)
    stop.ask(JobInterrupted("the worker is stopping"))
    worker.join(timeout=30)

    assert job_row(setting.database, setting.job_id)["state"] == JobState.QUEUED
    assert rows(setting.database, "confirmations") == []
    setting.run(NOISY)
    [row] = rows(setting.database, "confirmations")
    assert (row["verdict"], job_row(setting.database, setting.job_id)["attempt"]) == (
        "confirmed",
        2,
    )


def test_a_confirmation_ends_before_the_time_limit_of_its_job(setting: Setting) -> None:
    setting.time_limit = 4.0
    began = time.monotonic()
    known = setting.confirm(0.9, NOISY)

    assert known is not None
    assert known.verdict is Verdict.NOT_CONFIRMED
    assert "did not decide" in known.reason
    assert time.monotonic() - began < 8


def test_a_hold_out_that_the_time_limit_cuts_off_is_no_failure_of_the_finalist(
    setting: Setting,
) -> None:
    setting.time_limit = 4.0
    setting.create(2)
    setting.run(holdout=f"import time\ntime.sleep(1.9)\n{EXACT}")

    row = job_row(setting.database, setting.job_id)
    assert (row["state"], row["failure_kind"]) == (JobState.FAILED, "timeout")
    assert rows(setting.database, "holdouts") == []
