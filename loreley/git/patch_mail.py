"""A patch as a mail that both `git am` and `git apply` take."""

from datetime import UTC, datetime
from email.header import Header
from email.utils import format_datetime
from pathlib import Path
from typing import IO

from loreley.git.commits import CommitMessage, Identity
from loreley.git.objects import ObjectStore
from loreley.git.patches import diffstat, patch_file

_COPIED_BYTES = 1 << 20
_HEADER_LENGTH = 998  # of a line, by RFC 5322; git reads longer ones, other programs fold them


def write_mail(
    store: ObjectStore,
    old: str,
    new: str,
    *,
    message: CommitMessage,
    author: Identity,
    output: IO[bytes],
) -> bool:
    """Write what makes ``new`` of ``old`` as one patch; whether a line of it ends in ``\\r\\n``.

    Such a patch keeps its line ends only with `git am --keep-cr`.
    """
    made_at = datetime.fromtimestamp(store.facts(new).committed_at, UTC)
    head = [
        f"From {new} Mon Sep 17 00:00:00 2001",
        f"From: {author}",
        f"Date: {format_datetime(made_at)}",
        f"Subject: [PATCH] {_encode(message.subject)}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=UTF-8",
        "Content-Transfer-Encoding: 8bit",
        "",
        *([message.body, ""] if message.body else []),
        "---",
        diffstat(store, old, new),
        "",
        "",
    ]
    output.write("\n".join(head).encode("utf-8", "replace"))
    with patch_file(store, old, new) as patch:
        return _copy(patch, output)


def _encode(subject: str) -> str:
    """The subject as a header may hold it."""
    return subject if subject.isascii() else Header(subject, "utf-8", _HEADER_LENGTH).encode()


def _copy(patch: Path, output: IO[bytes]) -> bool:
    """Copy the file; whether it holds a line that ends in ``\\r\\n``."""
    found, last = False, b""
    with patch.open("rb") as source:
        while part := source.read(_COPIED_BYTES):
            found = found or b"\r\n" in last + part
            last = part[-1:]
            output.write(part)
    return found
