"""When a loaf is baked how hot."""

START = 200
STEPS = (0, 0, 0, 0, 0, 0, 0, 0)  # degrees up or down, every five minutes
STEAM = 0.5


def schedule():
    """The temperature of each five minutes, and then the steam."""
    heat, planned = START, []
    for step in STEPS:
        heat += step
        planned.append(heat)
    return [*planned, STEAM]


print(schedule())
