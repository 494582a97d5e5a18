"""The table of operators: what may happen to a file, and how often."""

from loreley.core.agents.genetic.operators import (
    expression_mutation,
    line_crossover,
    line_mutation,
    number_crossover,
    number_mutation,
    statement_mutation,
    token_mutation,
)
from loreley.core.agents.genetic.operators.material import Apply, Operator
from loreley.core.agents.genetic.operators.weights import WEIGHTS


def _operator(
    name: str,
    apply: Apply,
    apply_to_text: Apply | None = None,
    *,
    crosses: bool = False,
    grafts: bool = False,
) -> Operator:
    suits_data = apply_to_text is None or name == "change-truth"
    return Operator(
        *(name, WEIGHTS[name], apply, apply_to_text),
        crosses=crosses,
        grafts=grafts,
        suits_data=suits_data,
    )


OPERATORS: tuple[Operator, ...] = (
    _operator("scale-number", number_mutation.scale),
    _operator("shift-number", number_mutation.shift),
    _operator("step-number", number_mutation.step),
    _operator("negate-number", number_mutation.negate),
    _operator("replace-number", number_mutation.replace),
    _operator("flip-bit", number_mutation.flip),
    _operator("exchange-numbers", number_mutation.exchange),
    _operator("shake-numbers", number_mutation.shake),
    _operator("jitter-numbers", number_mutation.jitter),
    _operator("mix-numbers", number_crossover.mix, crosses=True),
    _operator("blend-numbers", number_crossover.blend, crosses=True),
    _operator("differ-numbers", number_crossover.differ, crosses=True),
    _operator("merge-lines", line_crossover.merge, crosses=True),
    _operator("recombine-lines", line_crossover.recombine, crosses=True),
    _operator("delete-statement", statement_mutation.delete, line_mutation.delete),
    _operator("duplicate-statement", statement_mutation.duplicate, line_mutation.duplicate),
    _operator("swap-statements", statement_mutation.swap, line_mutation.swap),
    _operator("move-statement", statement_mutation.move, line_mutation.move),
    _operator("graft-statement", statement_mutation.graft, line_mutation.graft, grafts=True),
    _operator("change-arithmetic", expression_mutation.arithmetic, token_mutation.arithmetic),
    _operator("change-comparison", expression_mutation.comparison, token_mutation.comparison),
    _operator("change-boolean", expression_mutation.boolean, token_mutation.boolean),
    _operator("change-truth", expression_mutation.truth, token_mutation.truth),
    _operator("swap-operands", expression_mutation.operands, token_mutation.operands),
)
