"""Making commits without a checkout, and without changing the repository they build on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import formataddr
from typing import Self

from loreley.git.objects import CommitFacts, ObjectStore
from loreley.host.deadline import Deadline
from loreley.host.tempdirs import temporary_folder

_SUBJECT_LENGTH = 100
_BODY_LENGTH = 20_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a commit is said to be by."""

    name: str
    email: str

    def __str__(self) -> str:
        """As a mail's header names a person."""
        return formataddr((self.name, self.email))


@dataclass(frozen=True, slots=True)
class CommitMessage:
    """What a commit says: one line, and text below it."""

    subject: str
    body: str = ""

    @classmethod
    def printable(cls, subject: str, body: str) -> Self:
        """The message of texts that anybody may have written: of bounded length, printable."""
        line = " ".join(_make_printable(subject).split())[:_SUBJECT_LENGTH] or "Change the code"
        rest = (_make_printable(each).rstrip() for each in body[:_BODY_LENGTH].splitlines())
        return cls(line, "\n".join(rest).strip())

    def __str__(self) -> str:
        """As git keeps it."""
        return f"{self.subject}\n\n{self.body}".strip() + "\n"


@contextmanager
def open_scratch(store: ObjectStore) -> Iterator[ObjectStore]:
    """A repository for a moment that sees all objects of ``store`` and keeps its own to itself."""
    with temporary_folder() as folder:
        scratch = ObjectStore(store.git, folder / "scratch")
        form = store.run("rev-parse", "--show-object-format").decode().strip()
        options = ("--quiet", "--bare", "--template=", f"--object-format={form}")
        store.git.run("init", *options, "--", str(scratch.git_dir))
        alternates = scratch.git_dir / "objects" / "info" / "alternates"
        alternates.write_bytes(bytes(store.git_dir / "objects") + b"\n")
        shallow = store.git_dir / "shallow"
        if shallow.exists():
            (scratch.git_dir / "shallow").write_bytes(shallow.read_bytes())
        yield scratch


def write_commit(
    store: ObjectStore,
    tree: str,
    parent: CommitFacts,
    message: CommitMessage,
    author: Identity,
    deadline: Deadline | None = None,
) -> str:
    """Add a commit to ``store``; its id.

    Its dates are a second after its parent's, so that the same change has the same id always.
    """
    date = f"@{parent.committed_at + 1} +0000"
    identity = {
        f"GIT_{role}_{part}": value
        for role in ("AUTHOR", "COMMITTER")
        for part, value in (("NAME", author.name), ("EMAIL", author.email), ("DATE", date))
    }
    output = store.run(
        *("commit-tree", tree, "-p", parent.commit, "-F", "-"),
        stdin=str(message).encode("utf-8", "replace"),
        environment=identity,
        deadline=deadline or Deadline(),
    )
    return output.decode().strip()


def _make_printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)
