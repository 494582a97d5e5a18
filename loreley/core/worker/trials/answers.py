"""What an agent is told of a trial, as JSON has it; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from loreley.core.evaluation.evaluation import Evaluation, Metric
from loreley.core.evaluation.noise import describe_noise
from loreley.map_elites.fitness import Estimate, Infeasible
from loreley.map_elites.objective import Objective

_LOG_BYTES = 4_000  # of what the evaluator has printed, its end


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the figures of a trial are compared with."""

    objective: Objective = field(default_factory=Objective)
    root: Sequence[Metric] = ()
    base: Sequence[Metric] = ()
    best: Sequence[Metric] = ()  # of the fittest commit of the experiment

    def score(self, metrics: Sequence[Metric]) -> float | None:
        """The score of these metrics, higher is better; None where they have none."""
        estimate = self._judge(metrics)
        return estimate.score if isinstance(estimate, Estimate) else None

    def describe(self, evaluation: Evaluation, log: str) -> Mapping[str, Any]:
        """What is told of a judged state of the worktree."""
        estimate = self._judge(evaluation.metrics)
        content: dict[str, Any] = {
            "metrics": {each.name: each.value for each in evaluation.metrics},
            "units": {each.name: each.unit for each in evaluation.metrics if each.unit},
        }
        if isinstance(estimate, Infeasible):
            content["does_not_count"] = estimate.reason
        else:
            content["fitness"] = self.objective.fitness(estimate.score)
            content["gain_on_base"] = self._gain(estimate.score, self.base)
            content["gain_on_best"] = self._gain(estimate.score, self.best)
        content["noise"] = describe_noise(self.objective, self.root).text
        content["summary"] = evaluation.summary
        content["seconds"] = round(evaluation.seconds, 3)
        return content | describe_log(log)

    def _gain(self, score: float, metrics: Sequence[Metric]) -> float | None:
        """How much better a score is, positive is better; None where there is none beside it."""
        other = self.score(metrics)
        return None if other is None else score - other

    def _judge(self, metrics: Sequence[Metric]) -> Estimate | Infeasible:
        return self.objective.judge({each.name: each.value for each in metrics}, {})


def describe_log(log: str) -> dict[str, Any]:
    """The end of what the evaluator has printed."""
    tail = log.encode(errors="replace")[-_LOG_BYTES:].decode(errors="ignore").strip()
    return {"log": tail} if tail else {}
