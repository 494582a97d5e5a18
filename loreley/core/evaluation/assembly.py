"""The evaluation that the settings describe: the evaluator, its stages and its repeats."""

from collections.abc import Callable
from functools import partial
from typing import Any

from loreley.config import Settings
from loreley.core.evaluation.cascade import Cascade, Stage
from loreley.core.evaluation.evaluator import Evaluator
from loreley.core.evaluation.fingerprint import EvaluatorFiles, Fingerprint, take_fingerprint
from loreley.core.evaluation.options import EvaluatorOptions
from loreley.core.sandbox.sandbox import Level, Sandbox
from loreley.map_elites.fitness import Constraint


def assemble_cascade(settings: Settings, sandbox: Sandbox) -> Cascade:
    """The configured evaluation; raises one `ConfigError` with all that cannot work.

    Each of WORKER_EVALUATOR_STAGES is ``evaluator | metric >= number``, and has the limits and
    grants of the full evaluator.
    """
    options = EvaluatorOptions.from_settings(settings)
    stages = [
        Stage(Evaluator(options.judging_with(evaluator), sandbox), Constraint.parse(threshold))
        for evaluator, threshold in _split_stages(settings)
    ]
    return Cascade(Evaluator(options, sandbox), stages, settings.worker_evaluator_repeats)


def assemble_holdout(settings: Settings, sandbox: Sandbox) -> Cascade | None:
    """The hold-out, with the limits of the evaluator; None where there is none."""
    options = _holdout_options(settings, EvaluatorOptions.from_settings(settings))
    return Cascade(Evaluator(options, sandbox)) if options else None


def assemble_fingerprint(settings: Settings) -> Callable[[], Fingerprint]:
    """What takes the fingerprint of the configured evaluation; again costs little."""
    options = EvaluatorOptions.from_settings(settings)
    stages = [options.judging_with(evaluator) for evaluator, _ in _split_stages(settings)]
    whole = [*stages, options]
    files = EvaluatorFiles(whole, _holdout_options(settings, options))
    return partial(take_fingerprint, whole, _collect_settings(settings), files)


def _collect_settings(settings: Settings) -> dict[str, Any]:
    """The settings that decide what an evaluation gives, without where things are on this host."""
    return {
        "stages": [threshold for _, threshold in _split_stages(settings)],
        "hold-out": settings.worker_evaluator_holdout,
        "repeats": settings.worker_evaluator_repeats,
        "timeout seconds": settings.worker_evaluator_timeout_seconds,
        "max metrics": settings.worker_evaluator_max_metrics,
        "memory MB": settings.worker_evaluator_memory_mb,
        "file size MB": settings.worker_evaluator_file_size_mb,
        "network": settings.worker_evaluator_network,
        "environment": sorted(settings.worker_evaluator_environment),
    }


def _split_stages(settings: Settings) -> list[tuple[str, str]]:
    """The evaluator and the threshold of each stage."""
    parts = [text.rpartition("|") for text in settings.worker_evaluator_stages]
    return [(evaluator.strip(), threshold.strip()) for evaluator, _, threshold in parts]


def _holdout_options(settings: Settings, options: EvaluatorOptions) -> EvaluatorOptions | None:
    evaluator = settings.worker_evaluator_holdout
    if evaluator is None:
        return None
    return options.holding_out(evaluator, settings.worker_evaluator_holdout_paths)


def describe_exposure(settings: Settings, sandbox: Sandbox) -> str:
    """Who can see a hold-out though they must not; empty where nobody can, or there is none."""
    if settings.worker_evaluator_holdout is None or sandbox.level is Level.BUBBLEWRAP:
        return ""
    paths = ", ".join(settings.worker_evaluator_holdout_paths)
    return (
        f"agents and candidates can read the hold-out in {paths}: the sandbox {sandbox.level} "
        "hides no files; only bubblewrap does"
    )
