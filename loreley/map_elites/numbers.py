"""Numbers within the texts that describe a search; pure."""

from math import isfinite


def finite(number: str, text: str) -> float:
    """``number`` as a float; raises `ValueError`, which quotes ``text``, the whole."""
    try:
        value = float(number)
    except ValueError:
        raise ValueError(f"{text!r}: {number!r} is not a number") from None
    if not isfinite(value):
        raise ValueError(f"{text!r}: {number!r} is not finite")
    return value
