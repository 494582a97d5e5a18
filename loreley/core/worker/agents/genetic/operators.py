"""The table of operators: what may happen to a file, and how often."""

from loreley.core.worker.agents.genetic import (
    blending,
    crossover,
    expressions,
    numbers,
    statements,
)
from loreley.core.worker.agents.genetic.material import Operator

OPERATORS: tuple[Operator, ...] = (
    Operator("scale-number", 4, numbers.scale),
    Operator("shift-number", 8, numbers.shift),
    Operator("step-number", 4, numbers.step),
    Operator("negate-number", 1, numbers.negate),
    Operator("replace-number", 4, numbers.replace),
    Operator("exchange-numbers", 1, numbers.exchange),
    Operator("jitter-numbers", 8, numbers.jitter),
    Operator("mix-numbers", 4, blending.mix, crosses=True),
    Operator("blend-numbers", 2, blending.blend, crosses=True),
    Operator("differ-numbers", 4, blending.differ, crosses=True),
    Operator("merge-lines", 2, crossover.merge, crosses=True),
    Operator("recombine-lines", 4, crossover.recombine, crosses=True),
    Operator("delete-statement", 1, statements.delete),
    Operator("duplicate-statement", 1, statements.duplicate),
    Operator("swap-statements", 1, statements.swap),
    Operator("move-statement", 1, statements.move),
    Operator("graft-statement", 1, statements.graft, grafts=True),
    Operator("change-arithmetic", 1, expressions.arithmetic),
    Operator("change-comparison", 1, expressions.comparison),
    Operator("change-boolean", 0.5, expressions.boolean),
    Operator("change-truth", 0.5, expressions.truth),
    Operator("swap-operands", 1, expressions.operands),
)
