"""A file that a task writes for a person: whole or not at all, and never over another unasked."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from loreley.errors import LoreleyError


@contextmanager
def output_file(path: Path, *, force: bool = False) -> Iterator[IO[bytes]]:
    """Something to write to that becomes ``path`` when all went well.

    Raises `LoreleyError` when there is such a file and not ``force``, or the place cannot be
    written to.
    """
    unfinished = path.with_name(f".{path.name[:200]}.{os.getpid()}.unfinished")
    try:
        _require_free(path, force=force)
        try:
            with unfinished.open("xb") as output:
                yield output
            _require_free(path, force=force)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
    except (OSError, ValueError) as error:
        raise LoreleyError(
            "the file cannot be written",
            target=str(path),
            reason=getattr(error, "strerror", None) or str(error),
            fix="name a file in a folder that you may write to",
        ) from error


def _require_free(path: Path, *, force: bool) -> None:
    if path.is_dir():
        raise IsADirectoryError("it is a folder")
    if not force and os.path.lexists(path):
        raise LoreleyError(
            "the file exists", target=str(path), fix="name another, or replace it by --force"
        )
