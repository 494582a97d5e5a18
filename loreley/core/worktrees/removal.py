"""Deleting folders that anything may have been done to."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from secrets import token_hex

from loreley.errors import LoreleyError
from loreley.host.children import capture
from loreley.host.deadline import Deadline

_DELETING_SECONDS = 600.0  # for what is nested too deeply for Python


def move_to_trash(path: Path, trash: Path) -> None:
    """Take ``path`` out of the way at once, to be deleted by `empty_trash`.

    A symbolic link is moved, never followed; a missing path is fine.
    """
    try:
        trash.mkdir(parents=True, exist_ok=True)
        path.rename(trash / f"{path.name.lstrip('.')}-{token_hex(4)}")
    except FileNotFoundError:
        return
    except OSError:  # another file system, a mount point, a full disk: then where it stands
        delete(path)


def empty_trash(trash: Path) -> None:
    """Delete what is in the trash; what cannot be deleted stays for the next time."""
    with suppress(FileNotFoundError):
        for path in list(trash.iterdir()):
            delete(path)


def delete(path: Path) -> None:
    """Delete a file, a link or a folder where it stands, as far as that can be done."""
    if path.is_symlink() or not path.is_dir():
        with suppress(OSError):
            path.unlink()
        return
    with suppress(RecursionError):  # folders can be nested deeper than Python goes
        shutil.rmtree(path, ignore_errors=True)
        if path.exists():
            open_folders(path)
            shutil.rmtree(path, ignore_errors=True)
    if path.exists():
        with suppress(LoreleyError):
            capture(
                ["rm", "-rf", "--", str(path)],
                env=dict(os.environ),
                deadline=Deadline.after(_DELETING_SECONDS),
            )


def open_folders(path: Path) -> None:
    """Give the folder and all below it a mode with which their owner can change them."""
    with suppress(OSError):
        path.chmod(0o700)
    with suppress(RecursionError):
        _open_below(path)


def _open_below(path: Path) -> None:
    for parent, folders, _ in os.walk(path):
        for name in folders:
            folder = Path(parent, name)
            with suppress(OSError):
                if not folder.is_symlink():
                    folder.chmod(0o700)
