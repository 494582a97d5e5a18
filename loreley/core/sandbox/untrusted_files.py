"""Reading what a candidate or an evaluator left on the disk."""

import os
import stat
from pathlib import Path, PurePosixPath

_NO_TRICKS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class UnusableFile(ValueError):
    """The file is missing, is not what it should be, or is too large; the message says which."""


def read_file(folder: Path, path: str, *, limit_bytes: int) -> bytes:
    """Content of the regular file ``path`` below ``folder``.

    No symbolic link is followed below ``folder``, nothing is waited for, and no more than
    ``limit_bytes`` are read; otherwise `UnusableFile`.
    """
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise UnusableFile(f"{path!r} is not a path inside the folder")
    descriptor = -1
    try:
        descriptor = _open_below(folder, parts)
        return _read(descriptor, path, limit_bytes)
    except OSError as error:
        raise UnusableFile(f"{path!r} cannot be read: {error.strerror}") from error
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _open_below(folder: Path, parts: tuple[str, ...]) -> int:
    above = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for name in parts[:-1]:
            below = os.open(name, _NO_TRICKS | os.O_DIRECTORY, dir_fd=above)
            os.close(above)
            above = below
        return os.open(parts[-1], _NO_TRICKS, dir_fd=above)
    finally:
        os.close(above)


def _read(descriptor: int, path: str, limit_bytes: int) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise UnusableFile(f"{path!r} is not a regular file")
    if status.st_size > limit_bytes:
        raise UnusableFile(f"{path!r} has {status.st_size} bytes, at most {limit_bytes} allowed")
    content = bytearray()
    while len(content) <= limit_bytes and (piece := os.read(descriptor, 1 << 16)):
        content += piece
    return bytes(content[:limit_bytes])
