"""The levels that samples are rounded to."""

LEVELS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def rounded(sample):
    """The nearest level."""
    return min(LEVELS, key=lambda level: abs(level - sample))


def samples():
    """Two hundred of them, more of them small than large."""
    state = 12345
    for _ in range(200):
        state = (1103515245 * state + 12345) % 2147483648
        share = state / 2147483648
        yield (2 * share - 1) ** 3 + 0.15


print([rounded(sample) for sample in samples()])
