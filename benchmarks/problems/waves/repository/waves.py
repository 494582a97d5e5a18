"""A signal as a sum of waves."""

import math

WAVES = (
    # height, frequency, phase
    (0.5, 1.0, 0.0),
    (0.5, 2.0, 0.0),
    (0.5, 3.0, 0.0),
)


def signal(time):
    """The sum of the waves at a time."""
    return sum(height * math.sin(pace * time + phase) for height, pace, phase in WAVES)


print([signal(step / 10) for step in range(100)])
