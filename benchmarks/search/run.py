"""One experiment from its root to the end of its budget, with one worker in this process."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from types import ModuleType, SimpleNamespace
from typing import Any

from loguru import logger

from benchmarks.search.folders import Commits, Folder, edit_distance, read_folder, tree_of
from examples.evol_circle_packing import EXAMPLE as PACKING
from loreley.config import Settings
from loreley.core.agents.edit_rules import PathRules
from loreley.core.agents.genetic.agent import GeneticAgent
from loreley.core.agents.protocol import Proposal
from loreley.core.evaluation.evaluation import Evaluation, InvalidEvaluation, parse_evaluation
from loreley.core.evaluation.evaluator import Judgement
from loreley.core.jobs import Claim, FailedTry, JobKind, JobRecord, JudgedCommit, Tries
from loreley.core.tuning.number_tuning import NumberTuning, TuneOptions
from loreley.core.worker.briefing import Briefing
from loreley.core.worker.drawing_anew import DrawingAnew
from loreley.db.engine import open_database
from loreley.db.jobs import Jobs
from loreley.db.schedule import Schedule
from loreley.errors import EvaluationFailed, JobFailed
from loreley.host.deadline import Deadline
from loreley.host.health import Health
from loreley.scheduler.assembly import assemble
from loreley.scheduler.experiment import begin_or_resume
from loreley.scheduler.main import Scheduler

EXAMPLE = PACKING.folder
METRIC = "sum_radii"
MEASURES = tuple(PACKING.settings["MAPELITES_MEASURES"].split(","))
_JOB_SECONDS = 120.0
_TUNE_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Subject:
    """What is evolved: a folder with a ``repository`` and an ``evaluator.py``."""

    folder: Path
    metric: str
    measures: tuple[str, ...]
    higher_is_better: bool = True
    figure: str = ""  # what runs are compared by, where it is not the metric


_PACKING = Subject(EXAMPLE, METRIC, MEASURES)
_JUDGE_SECONDS = 5.0  # of which the candidate gets three; a good one takes a twentieth of one


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one evaluation found."""

    score: float
    places: tuple[float, ...]  # by the measures
    moved: bool = True  # whether any metric is another than the base's
    figure: float | None = None  # what runs are compared by; None: the score


@dataclass(frozen=True, slots=True)
class Run:
    """What a way to search has found with one seed; evaluations in their order, the root's first.

    A failed evaluation is None.
    """

    way: str
    seed: int
    jobs: int
    seconds: float
    evaluations: tuple[Evaluated | None, ...]
    failed_tries: int = 0  # of the failed ones, those after which their job went on


@dataclass(slots=True)
class MemoryQueue:
    """The messages, in a list."""

    job_ids: list[str] = field(default_factory=list)

    def send(self, job_id: str, *, first: bool = False) -> None:  # noqa: ARG002
        """Append a message."""
        self.job_ids.append(job_id)

    def waiting(self) -> list[str]:
        """The jobs whose message waits."""
        return self.job_ids


@dataclass(frozen=True, slots=True)
class Habits:
    """What a worker does about changes that come to nothing."""

    drawing_anew: DrawingAnew = field(default_factory=lambda: DrawingAnew(by_time=False))
    learns_places: bool = True
    tries: int = 0  # of a job that tunes
    luck: str = ""  # a metric added by chance, for a search that is led by nothing else


_USUAL = Habits()


@dataclass(frozen=True, slots=True)
class EarlierTrees:
    """What the agent may ask, as the real worker answers it."""

    claim: Claim
    jobs: Jobs
    folder: Folder
    learns_places: bool = True

    def is_known(self) -> bool:
        """Whether the folder's content was judged before."""
        return self.jobs.is_tree_known(self.claim, tree_of(self.folder.content()))

    def tries_at(self, places: Sequence[str]) -> Mapping[str, Tries]:
        """What came of changes at these places."""
        return self.jobs.find_tries(places) if self.learns_places else {}


@dataclass(slots=True)
class Worker:
    """Does jobs as the real one does: the same agent and judge, in plain folders."""

    jobs: Jobs
    commits: Commits
    root: str
    subject: Subject = _PACKING
    evaluations: list[Evaluated | None] = field(default_factory=list)
    failed_tries: int = 0
    habits: Habits = _USUAL
    _judge: ModuleType = field(init=False)
    _agent: GeneticAgent = field(default_factory=GeneticAgent)
    _luck: Random = field(init=False)

    def __post_init__(self) -> None:
        self._judge = load_evaluator(self.subject.folder)
        self._luck = Random(self.root)

    def do(self, job_id: str) -> None:
        """Claim a job, do it, write down how it ended."""
        claim = self.jobs.claim(job_id, worker="bench", lease_seconds=600)
        record = JobRecord(agent=self._agent.name)
        try:
            self.jobs.succeed(claim, self._drawn(claim, record), record)
        except JobFailed as failure:
            self.jobs.fail(claim, failure, record)

    def _drawn(self, claim: Claim, record: JobRecord) -> JudgedCommit:
        """The first candidate that does not fail, of as many as a job may draw."""
        number = 1
        while True:
            try:
                return self._judged(claim, record)
            except EvaluationFailed as failure:
                may_go_on = self.habits.drawing_anew.allows(number, 0, 0)
                if claim.kind is JobKind.BASELINE or not may_go_on:
                    raise
                failed = FailedTry(number, record.operator, None, failure.summary, 0.0)
                self.jobs.add_failed_try(claim, failed, record)
                self.failed_tries += 1
                number += 1

    def _judged(self, claim: Claim, record: JobRecord) -> JudgedCommit:
        is_root = claim.kind is JobKind.BASELINE
        with self.commits.checked_out(claim.base_commit) as folder:
            proposal = Proposal("") if is_root else self._proposed(claim, folder, record)
            files = folder.content()
            tree = tree_of(files)
            if not is_root:
                self.jobs.announce(claim, tree)
            parent = None if is_root else claim.base_commit
            commit = claim.base_commit if is_root else self.commits.add(files, parent)
            distance = edit_distance(self.commits.files(self.root), files)
            return JudgedCommit(
                commit=commit,
                tree=tree,
                parent=parent,
                branch=None if is_root else f"evolution/job/{claim.name}",
                subject=proposal.subject,
                footprint={"edit_distance": distance, "code_size": sum(map(len, files.values()))},
                evaluation=self.evaluate(folder, commit, distance, parent),
            )

    def _tuned(self, claim: Claim, folder: Folder, record: JobRecord) -> Proposal:
        tuning = NumberTuning(
            claim,
            self.jobs,
            lambda _, commit, __: Judgement(self.evaluate(folder, commit, 0, None), "", ()),
            TuneOptions(tries=self.habits.tries, is_timed=False),
            PathRules(),
            None,
            Deadline.after(_TUNE_SECONDS),
            record,
        )
        return tuning.propose(folder)

    def _proposed(self, claim: Claim, folder: Folder, record: JobRecord) -> Proposal:
        if claim.kind is JobKind.TUNE:
            return self._tuned(claim, folder, record)
        known = self.jobs.find_judged([claim.base_commit, *claim.inspirations])
        briefing = Briefing("")
        proposal = self._agent.propose(
            folder,
            briefing.brief(claim, known, self._earlier(claim, folder)),
            Deadline.after(_JOB_SECONDS),
            briefing.recorder(claim, self._agent.name, record),
        )
        record.operator = proposal.operator
        record.places, record.shared_places = proposal.places, proposal.shared_places
        return proposal

    def _earlier(self, claim: Claim, folder: Folder) -> EarlierTrees:
        return EarlierTrees(claim, self.jobs, folder, self.habits.learns_places)

    def evaluate(
        self, folder: Folder, commit: str, distance: int, parent: str | None
    ) -> Evaluation:
        """What the problem's evaluator says; raises `EvaluationFailed`."""
        context = SimpleNamespace(
            worktree=folder.path,
            scratch=folder.scratch,
            commit=commit,
            timeout_seconds=_JUDGE_SECONDS,
        )
        self.evaluations.append(None)
        try:
            answer = self._judge.evaluate(context)
            if self.habits.luck:
                luck = {"name": self.habits.luck, "value": self._luck.random()}
                answer["metrics"].append(luck)
            evaluation = parse_evaluation(answer, max_metrics=64)
        except (ValueError, ArithmeticError, InvalidEvaluation) as error:
            raise EvaluationFailed("the evaluation failed", reason=str(error)) from error
        figures = {metric.name: metric.value for metric in evaluation.metrics}
        known = self.jobs.find_judged([parent] if parent else [])
        moved = [{each.name: each.value for each in base.evaluation.metrics} for base in known]
        subject, all_figures = self.subject, figures | {"edit_distance": float(distance)}
        places = tuple(all_figures[measure.partition(":")[0]] for measure in subject.measures)
        self.evaluations[-1] = Evaluated(
            figures[subject.metric],
            places,
            moved != [figures],
            figures[subject.figure] if subject.figure else None,
        )
        return evaluation


def run(
    way: str,
    seed: int,
    jobs: int,
    settings: Mapping[str, Any],
    subject: Subject = _PACKING,
    evaluations: int = sys.maxsize,
    habits: Habits = _USUAL,
) -> Run:
    """Search with these settings until the budget of ``jobs`` or of ``evaluations`` is spent.

    The root's evaluation is not counted.
    """
    began = perf_counter()
    logger.remove()
    with TemporaryDirectory(prefix="loreley-bench-") as name:
        database = open_database(f"sqlite:///{Path(name).resolve() / 'search.db'}")
        try:
            commits = Commits()
            root = commits.add(read_folder(subject.folder / "repository"), None)
            worker = Worker(Jobs(database), commits, root, subject, habits=habits)
            queue = MemoryQueue()
            basic = _settings(subject, seed, jobs)
            basic["mapelites_experiment_root_commit"] = root
            configured = Settings(_env_file=None, **basic | dict(settings))
            experiment = begin_or_resume(Schedule(database), configured)
            scheduler = Scheduler(assemble(database, experiment, configured, queue), Health())
            while len(worker.evaluations) <= evaluations and (scheduler.tick() or queue.job_ids):
                while queue.job_ids:
                    worker.do(queue.job_ids.pop(0))
        finally:
            database.close()
    counted = worker.evaluations[: evaluations + 1]  # the last job may have taken a few more
    seconds = perf_counter() - began
    return Run(way, seed, jobs, seconds, tuple(counted), worker.failed_tries)


def _settings(subject: Subject, seed: int, jobs: int) -> dict[str, Any]:
    return {
        "worker_tune_seconds": 0,  # what is compared are edits, job by job
        "mapelites_fitness_metric": subject.metric,
        "mapelites_fitness_higher_is_better": subject.higher_is_better,
        "mapelites_measures": list(subject.measures),
        "mapelites_random_seed": seed,
        "mapelites_reproducible": True,
        "scheduler_max_total_jobs": jobs,
        "scheduler_max_unfinished_jobs": 1,
        "scheduler_confirmation_share": 0.0,  # equal evaluations for every way
    }


def example_evaluator() -> ModuleType:
    """The example's own evaluator, which judges without any tolerance."""
    return load_evaluator(EXAMPLE)


def load_evaluator(folder: Path) -> ModuleType:
    """The module ``evaluator.py`` of a folder."""
    spec = spec_from_file_location(f"evaluator_of_{folder.name}", folder / "evaluator.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # its dataclasses look for it there
    spec.loader.exec_module(module)
    return module
