"""The table of operators: what may happen to a file, and how often."""

from loreley.core.agents.genetic.operators import (
    blending,
    crossover,
    expressions,
    lines,
    numbers,
    signs,
    statements,
)
from loreley.core.agents.genetic.operators.material import Operator

OPERATORS: tuple[Operator, ...] = (
    Operator("scale-number", 8, numbers.scale),
    Operator("shift-number", 16, numbers.shift),
    Operator("step-number", 8, numbers.step),
    Operator("negate-number", 1, numbers.negate),
    Operator("replace-number", 8, numbers.replace),
    Operator("flip-bit", 1, numbers.flip),
    Operator("exchange-numbers", 1, numbers.exchange),
    Operator("shake-numbers", 24, numbers.shake),
    Operator("jitter-numbers", 8, numbers.jitter),
    Operator("mix-numbers", 8, blending.mix, crosses=True),
    Operator("blend-numbers", 4, blending.blend, crosses=True),
    Operator("differ-numbers", 8, blending.differ, crosses=True),
    Operator("merge-lines", 4, crossover.merge, crosses=True),
    Operator("recombine-lines", 8, crossover.recombine, crosses=True),
    Operator("delete-statement", 0.8, statements.delete, lines.delete),
    Operator("duplicate-statement", 0.8, statements.duplicate, lines.duplicate),
    Operator("swap-statements", 0.8, statements.swap, lines.swap),
    Operator("move-statement", 0.8, statements.move, lines.move),
    Operator("graft-statement", 0.8, statements.graft, lines.graft, grafts=True),
    Operator("change-arithmetic", 0.8, expressions.arithmetic, signs.arithmetic),
    Operator("change-comparison", 0.8, expressions.comparison, signs.comparison),
    Operator("change-boolean", 0.4, expressions.boolean, signs.boolean),
    Operator("change-truth", 0.4, expressions.truth, signs.truth),
    Operator("swap-operands", 0.8, expressions.operands, signs.operands),
)
