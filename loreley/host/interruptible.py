"""Work of a library that cannot be interrupted, waited for in a way that can."""

import threading
from collections.abc import Callable
from typing import TypeVar

from loreley.host.deadline import Deadline

_LOOK_EVERY_SECONDS = 0.05  # how long a request to stop may go unnoticed

Result = TypeVar("Result")


def run_interruptibly(
    work: Callable[[], Result],
    deadline: Deadline,
    doing: str,
    check: Callable[[], None] = lambda: None,
) -> Result:
    """What ``work`` returns or raises, given up when the deadline passes or a stop is asked for.

    It goes on in a thread of its own then, until its connection is closed. ``doing`` is what the
    deadline says was cut off. ``check`` is called meanwhile, and may give it up by raising.
    """
    results: list[Result] = []
    errors: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
            errors.append(error)
        finally:
            done.set()

    threading.Thread(target=run, name=doing, daemon=True).start()
    while not done.wait(_LOOK_EVERY_SECONDS):
        deadline.check(doing)
        check()
    if errors:
        raise errors[0]
    return results[0]
