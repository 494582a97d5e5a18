"""The evaluation that the settings describe: the evaluator, its stages and its repeats."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from loreley.config import Settings
from loreley.core.evaluation.cascade import Cascade, Stage
from loreley.core.evaluation.evaluator import Evaluator
from loreley.core.evaluation.fingerprint import EvaluatorFiles, Fingerprint, take_fingerprint
from loreley.core.evaluation.options import EvaluatorOptions
from loreley.core.sandbox.sandbox import Level, Sandbox
from loreley.map_elites.fitness import Constraint

_SCRIPT_BYTES = 256 * 1024


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


def read_evaluator_source(settings: Settings) -> str:
    """What stands in the files that the evaluation begins with; as far as they are short text.

    A hold-out is no part of it, nor what an evaluator imports.
    """
    options = EvaluatorOptions.from_settings(settings)
    stages = [options.judging_with(evaluator) for evaluator, _ in _split_stages(settings)]
    files = dict.fromkeys(path for each in [*stages, options] for path in _find_scripts(each))
    return "\n".join(map(_read_script, files))


def _find_scripts(options: EvaluatorOptions) -> Iterator[Path]:
    if options.plugin:
        module = options.plugin.partition(":")[0].replace(".", "/")
        for folder in options.python_paths:
            yield from (folder / f"{module}.py", folder / module / "__init__.py")
    else:
        yield from (Path(word) for word in options.command if word.startswith("/"))


def _read_script(path: Path) -> str:
    try:
        if not path.is_file() or path.stat().st_size > _SCRIPT_BYTES:
            return ""
        content = path.read_bytes()
    except OSError:
        return ""
    return "" if b"\0" in content else content.decode(errors="replace")


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
