"""The plan: every number of the packing that is a matter of choice."""

MARGIN = 0.01  # centres of rings that leave the square are clipped this far from its border

GREED = 0.0  # what part of the room that others leave a circle takes when it is its turn

RINGS = (
    # circles, distance from the middle, turn in full circles; the last takes what is left
    (1, 0.0, 0.0),
    (8, 0.3, 0.0),
    (16, 0.7, 0.0),
    (1, 0.0484, 0.0),
)

TOUCHES = (
    # circle by circle: shift to the right, shift upwards, share of its room asked for at first
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
    (0.0, 0.0, 1.0),
)
