"""The evaluation that the settings describe: the evaluator, its stages and its repeats."""

from loreley.config import Settings
from loreley.core.evaluation.cascade import Cascade, Stage
from loreley.core.evaluation.evaluator import Evaluator
from loreley.core.evaluation.options import EvaluatorOptions
from loreley.core.sandbox.sandbox import Level, Sandbox
from loreley.map_elites.fitness import Constraint


def assemble_cascade(settings: Settings, sandbox: Sandbox) -> Cascade:
    """The configured evaluation; raises one `ConfigError` with all that cannot work.

    Each of WORKER_EVALUATOR_STAGES is ``evaluator | metric >= number``, and has the limits and
    grants of the full evaluator.
    """
    options = EvaluatorOptions.from_settings(settings)
    stages = []
    for text in settings.worker_evaluator_stages:
        evaluator, _, threshold = text.rpartition("|")
        stage_options = options.judging_with(evaluator.strip())
        stages.append(Stage(Evaluator(stage_options, sandbox), Constraint.parse(threshold)))
    return Cascade(Evaluator(options, sandbox), stages, settings.worker_evaluator_repeats)


def assemble_holdout(settings: Settings, sandbox: Sandbox) -> Cascade | None:
    """The hold-out, with the limits of the evaluator; None where there is none."""
    evaluator = settings.worker_evaluator_holdout
    if evaluator is None:
        return None
    options = EvaluatorOptions.from_settings(settings)
    paths = settings.worker_evaluator_holdout_paths
    return Cascade(Evaluator(options.holding_out(evaluator, paths), sandbox))


def describe_exposure(settings: Settings, sandbox: Sandbox) -> str:
    """Who can see a hold-out though they must not; empty where nobody can, or there is none."""
    if settings.worker_evaluator_holdout is None or sandbox.level is Level.BUBBLEWRAP:
        return ""
    paths = ", ".join(settings.worker_evaluator_holdout_paths)
    return (
        f"agents and candidates can read the hold-out in {paths}: the sandbox {sandbox.level} "
        "hides no files; only bubblewrap does"
    )
