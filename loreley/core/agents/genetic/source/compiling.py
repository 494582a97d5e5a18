"""Whether Python takes a text for a program."""

import warnings


def compiles(content: bytes) -> bool:
    """Whether Python takes ``content`` for a module."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(content, "<candidate>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, OverflowError, RecursionError, MemoryError):
        return False
    return True
