"""Where seven atoms are."""

ATOMS = (
    (0.0, 0.0, 0.0),
    (1.2, 0.0, 0.0),
    (0.0, 1.2, 0.0),
    (0.0, 0.0, 1.2),
    (1.2, 1.2, 0.0),
    (1.2, 0.0, 1.2),
    (0.0, 1.2, 1.2),
)

SCALE = 1.0


def positions():
    """The atoms, drawn nearer or further apart."""
    return [[SCALE * x, SCALE * y, SCALE * z] for x, y, z in ATOMS]


print(positions())
