"""How candidates are judged. A user's evaluator may import these names from here."""

from loreley.core.evaluation.evaluation import Evaluation as Evaluation
from loreley.core.evaluation.evaluation import EvaluationArtifact as EvaluationArtifact
from loreley.core.evaluation.evaluation import Metric as Metric
