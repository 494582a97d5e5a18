"""Sources in which every operator finds something to do, and mates to cross them with."""

PYTHON = '''"""A program."""

import math

WIDTH = 0.75  # of the window
COUNT = 16
MASK = 0xFF
TABLE = (
    (1.0, 2.5, -3.0),
    (4.0, 5.5, 6.0),
)


def area(first: float, second: float, *, scaled: bool = True) -> float:
    """What both sides span."""
    total = first * second + WIDTH
    total += math.hypot(first, second)
    total -= COUNT
    if total > 10 and not scaled:
        return max(total, 1e3)
    while total < -1:
        total = total + 2
    return total if scaled else MASK & int(total)
'''
PYTHON_MATE = PYTHON.replace("0.75", "0.6").replace("5.5", "7.5").replace("-= COUNT", "+= COUNT")
PYTHON_OTHER = (
    PYTHON.replace("0.75", "0.9").replace("2.5", "2.25").replace("COUNT = 16", "COUNT = 3")
)

C = """/* A kernel; 1 and 2 stay. */
#include <stdint.h>
#define CUTOFF 16
static const int gaps[] = {701, 301, 132};
static const double share = 0.25;

uint32_t hash(const unsigned char *bytes, int count) {
    uint32_t state = 0x811c9dc5u;
    int quick = true;
    for (int i = 0; i < count; i++) {
        state ^= bytes[i];
        state *= 16777619u;
        state = state + (state << 5);
    }
    state ^= state >> 13;
    if (count > CUTOFF && state != 'a') {
        state += gaps[0] * share;
    }
    return state;
}
"""
C_MATE = C.replace("16777619u", "31u").replace("0.25", "0.5").replace(">> 13", ">> 15")
C_OTHER = C.replace("16777619u", "65599u").replace("0.25", "0.75").replace("701", "57")
