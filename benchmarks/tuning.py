"""What a try of tuning costs beside its evaluator."""

import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.comparison import Comparison, Plan
from benchmarks.repositories import make_remote
from loreley.core.agents.genetic.source.files import read_source
from loreley.core.evaluation.cascade import Cascade
from loreley.core.evaluation.evaluator import Evaluator, EvaluatorOptions
from loreley.core.sandbox.sandbox import probe
from loreley.core.tuning.optimiser import Cma
from loreley.core.tuning.parameters import ParameterSearch
from loreley.core.tuning.trial_checkout import TrialCheckout
from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.host.deadline import Deadline

_FILES = 200
_NUMBERS = 100
_EVALUATOR = """
import pathlib

def evaluate(context):
    text = (context.worktree / "model.yaml").read_text()
    return {"metrics": [{"name": "score", "value": float(text.split()[1])}]}
"""


def tuning_per_try(plan: Plan) -> Iterator[Comparison]:
    """A try, from the optimiser's question to its answer, against the evaluator alone."""
    rounds = plan.rounds(40)
    with tempfile.TemporaryDirectory(prefix="loreley-bench-") as name:
        folder = Path(name).resolve()
        (folder / "judge.py").write_text(_EVALUATOR)
        [head] = make_remote(folder / "remote.git", files=_FILES)
        repository = WorkerRepository(
            RepositoryOptions(str(folder / "remote.git"), folder / "clone")
        )
        repository.prepare(Deadline.after(600))
        options = EvaluatorOptions(plugin="judge:evaluate", python_paths=(folder,))
        evaluator = Evaluator(options, probe())
        deadline = Deadline()
        with repository.lease(head, "bench", deadline) as worktree:
            numbers = "".join(f"n{number}: 0.5\n" for number in range(_NUMBERS))
            (worktree.path / "model.yaml").write_text(numbers)
            checkout = TrialCheckout(worktree)
            source = read_source(worktree.path, "model.yaml")
            assert source is not None
            parameters = ParameterSearch().search([source])
            strategy = Cma(parameters.all, parameters.values, 0.5, 1)
            judge = Cascade(evaluator)

            def try_values() -> None:
                values = strategy.ask()
                checkout.write(parameters.write(values))
                judgement = judge.judge(checkout, head, deadline, repeats=1)
                checkout.clean(deadline)
                strategy.tell(values, judgement.evaluation.metrics[0].value)

            def evaluate(number: int) -> None:
                scratch = folder / f"scratch-{number}"
                scratch.mkdir()
                evaluator.evaluate(worktree.path, head, scratch, deadline)
                shutil.rmtree(scratch)

            try_values()
            seconds = plan.in_turn(
                "tuning", [try_values] * rounds, [partial(evaluate, each) for each in range(rounds)]
            )
        repository.close()
    yield Comparison(
        "tuning",
        f"a try of {_NUMBERS} numbers, {_FILES} files, sandbox {probe().level}",
        "the same evaluation of a checkout",
        *seconds,
        target=1.15,
    )
