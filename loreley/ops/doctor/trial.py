"""Whether evaluator and agents work: tried for real, before a run depends on them."""

import os
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from loreley.config import Role, Settings
from loreley.core.agents.assembly import agent_environment, assemble_agents
from loreley.core.agents.chat.endpoint import try_key
from loreley.core.agents.command import CommandAgent
from loreley.core.agents.probing import probe
from loreley.core.evaluation.assembly import (
    assemble_cascade,
    assemble_holdout,
    describe_exposure,
)
from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.contradictions import find_contradictions
from loreley.core.evaluation.evaluation import Evaluation
from loreley.core.evaluation.evaluator import Judgement
from loreley.core.evaluation.noise import describe_noise
from loreley.core.evaluation.options import EvaluatorOptions
from loreley.core.sandbox.sandbox import require_sandbox
from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.core.worktrees.footprint import BUILT_IN_MEASURES
from loreley.db.engine import open_database, read_revision
from loreley.db.migrations import HEAD
from loreley.db.schedule import Schedule
from loreley.errors import ConfigError, JobFailed, LoreleyError, Problem
from loreley.git.git import Git
from loreley.host.deadline import Deadline
from loreley.host.tempdirs import temporary_folder
from loreley.map_elites.fitness import Infeasible
from loreley.ops.doctor.findings import Check, Finding, Verdict

_CHECKOUT_SECONDS = 1800.0
_QUIETER = (
    "gains that are smaller than the noise are not found: let the evaluator take the least or the "
    "median of several runs, measure more work at once, or count instead of timing"
)


def trial_checks(settings: Settings, *, quick: bool) -> list[Check]:
    """The checks of evaluator and agents; ``quick`` leaves out the evaluation of the root."""
    return [
        Check("evaluator", lambda: _check_evaluator(settings)),
        *(
            [Check("hold-out", partial(_check_holdout, settings))]
            if settings.worker_evaluator_holdout
            else []
        ),
        *([] if quick else [Check("evaluation", lambda: _check_evaluation(settings))]),
        *(
            Check(f"agent {name}", partial(_check_agent, name, settings))
            for name in settings.agent_weights
        ),
    ]


def _check_evaluator(settings: Settings) -> Finding:
    options = EvaluatorOptions.from_settings(settings)
    if not options.name:
        raise ConfigError(
            "nothing judges the candidates",
            setting="WORKER_EVALUATOR_PLUGIN, WORKER_EVALUATOR_COMMAND",
            fix="set one of the two",
        )
    assemble_cascade(settings, require_sandbox(settings)).check()
    return Finding(Verdict.GOOD, f"{options.name} can be started in the sandbox")


def _check_holdout(settings: Settings) -> Finding:
    """Whether it can be started, and is seen by nobody else; it is asked of no commit here."""
    sandbox = require_sandbox(settings)
    holdout = assemble_holdout(settings, sandbox)
    assert holdout is not None  # it is set
    holdout.check()
    if exposure := describe_exposure(settings, sandbox):
        return Finding(Verdict.WARNING, exposure, "install bubblewrap")
    return Finding(Verdict.GOOD, f"{settings.worker_evaluator_holdout} can be started, unseen")


def _check_evaluation(settings: Settings) -> Finding:
    """What the evaluator says of the root commit, and whether the search can use it."""
    if not EvaluatorOptions.from_settings(settings).name:
        return Finding(Verdict.WARNING, "not tried: there is no evaluator", "set one first")
    judge = assemble_cascade(settings, require_sandbox(settings))
    with temporary_folder() as folder:
        try:
            repository = _check_out(settings, folder)
        except LoreleyError as error:
            why = error.problems[0].what
            return Finding(
                Verdict.WARNING, f"not tried: {why}", "mend the repository first, as told above"
            )
        with closing(repository):
            judgement = _judge_root(settings, judge, repository)
    return _check_usable(settings, judgement.evaluation)


def _check_out(settings: Settings, folder: Path) -> WorkerRepository:
    """A repository of the trial's own, ready to lease."""
    options = RepositoryOptions.from_settings(settings)
    repository = WorkerRepository(
        replace(options, base=folder / "base", randomize=False, fetch_depth=1)
    )
    repository.prepare(Deadline.after(_CHECKOUT_SECONDS))
    return repository


def _judge_root(settings: Settings, judge: Cascade, repository: WorkerRepository) -> Judgement:
    deadline = Deadline.after(settings.tasks_worker_time_limit_seconds)
    root = _find_root(settings)
    with repository.lease(root, "doctor", deadline) as worktree:
        try:
            return judge.judge(worktree, root, deadline, is_root=True)
        except JobFailed as failure:
            problem = failure.problems[0]
            raise LoreleyError(
                "the root commit gets no evaluation, so no run could begin",
                reason=failure.summary,
                fix=problem.fix or "mend the evaluator, or the root commit",
            ) from failure


def _find_root(settings: Settings) -> str:
    """The experiment's root, or what a first start would take for it."""
    if read_revision(settings.sqlalchemy_url) == HEAD:
        with closing(open_database(settings.sqlalchemy_url)) as database:
            if known := Schedule(database).experiment():
                return known.root_commit
    url = settings.worker_repo_remote_url
    assert url is not None  # it was cloned
    return settings.mapelites_experiment_root_commit or Git(
        settings.worker_repo_git_bin
    ).remote_head(url.get_secret_value(), settings.worker_repo_branch)


def _check_usable(settings: Settings, evaluation: Evaluation) -> Finding:
    values = {metric.name: metric.value for metric in evaluation.metrics}
    errors = {metric.name: metric.error for metric in evaluation.metrics}
    named = [measure.name for measure in settings.mapelites_measures]
    absent = [name for name in named if name not in {*values, *BUILT_IN_MEASURES}]
    known = ", ".join(map(repr, values))
    if absent:
        return Finding(
            Verdict.BAD,
            f"the evaluation of the root lacks {', '.join(map(repr, absent))}; it has {known}",
            "name metrics of the evaluator in MAPELITES_MEASURES",
        )
    said = evaluation.directions
    objective = settings.objective.directed(said)
    if problems := find_contradictions(objective, said):
        raise ConfigError.of(problems)
    judged = objective.judge(values, errors)
    if isinstance(judged, Infeasible):
        return Finding(
            Verdict.BAD,
            f"the root has no fitness: {judged.reason}; it has {known}",
            "correct MAPELITES_FITNESS_METRIC, its weights or MAPELITES_CONSTRAINTS",
        )
    noise = describe_noise(objective, evaluation.metrics)
    times = f"{noise.measurements} times " if noise.measurements > 1 else ""
    fitness = f"the root's fitness is {objective.fitness(judged.score):.6g}"
    seen = [f"{fitness}, measured {times}in {evaluation.seconds:.1f} s", f"noise: {noise.text}"]
    metric = objective.metric
    if metric and metric not in said and settings.mapelites_fitness_higher_is_better is None:
        seen.append(
            f"the evaluator does not say higher_is_better of {metric!r}, taken as higher is better"
        )
    if noise.is_large:
        return Finding(Verdict.WARNING, "; ".join(seen), _QUIETER)
    return Finding(Verdict.GOOD, "; ".join(seen))


def _check_agent(name: str, settings: Settings) -> Finding:
    kind = settings.agent_kinds[name]
    alone = settings.model_copy(update={"worker_agent": [f"{name}={kind}"]})
    unset = [each for each in alone.problems(Role.WORKER) if _is_about_agents(each)]
    if unset:
        raise ConfigError.of(unset)
    environ = agent_environment(os.environ)
    agent = assemble_agents(alone, require_sandbox(settings), environ)
    if kind == "chat" and (warning := try_key(alone)):
        return Finding(Verdict.WARNING, warning, "look at WORKER_CHAT_MODEL")
    if kind == "command" or not isinstance(agent, CommandAgent):
        return Finding(Verdict.GOOD, "ready")
    preset = agent.process.preset
    program = agent.process.program
    answer = probe(preset, program, environ)
    seen = f"{program.path}, version {answer.version or 'not told'}"
    if answer.is_as_expected:
        return Finding(Verdict.GOOD, seen)
    lacking = ", ".join(answer.missing_flags)
    return Finding(
        Verdict.WARNING,
        f"{seen}{f'; its help does not show {lacking}' if lacking else ''}",
        f"if its jobs fail, install the version that was tried: {preset.seen or 'a newer one'}",
    )


def _is_about_agents(problem: Problem) -> bool:
    return problem.setting.startswith(("WORKER_AGENT", "WORKER_CHAT"))
