"""The difference of two commits in a form that git can apply: whole, binary files included."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loreley.git.objects import ObjectStore
from loreley.host.tempdirs import temporary_folder

_PLAIN = ("--no-ext-diff", "--no-textconv", "--no-color", "--no-renames")


@contextmanager
def patch_file(store: ObjectStore, old: str, new: str, *, binary: bool = True) -> Iterator[Path]:
    """A file with the patch that makes ``new`` of ``old``; gone afterwards.

    Without ``binary``, binary files are only named.
    """
    with temporary_folder() as folder:
        path = folder / "patch"
        whole = ("--binary", "--full-index") if binary else ()
        store.run("diff-tree", "-r", *_PLAIN, "--patch", *whole, f"--output={path}", old, new)
        yield path


def diffstat(store: ObjectStore, old: str, new: str) -> str:
    """What the patch changes, as git counts it: a line for each file, and one for all."""
    output = store.run("diff-tree", "-r", *_PLAIN, "--stat=72", "--summary", old, new)
    return output.decode("utf-8", "replace").rstrip("\n")
