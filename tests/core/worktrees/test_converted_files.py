"""Files that git converts, and whose blobs are not as it would make them: neighbours of row 1."""

import os
from pathlib import Path

import pytest

from loreley.core.worker.repository import WorkerRepository, Worktree
from loreley.errors import CandidateRejected
from tests.core.worker.upstream import Upstream, git, opened, soon

MIXED = b"one\r\ntwo\nthree\r\n"
CASES = {
    "crlf of crlf": ("*.md text eol=crlf\n", "a.md", b"one\r\ntwo\r\n"),
    "crlf of mixed": ("*.md text eol=crlf\n", "a.md", MIXED),
    "crlf by itself": ("*.md eol=crlf\n", "a.md", MIXED),
    "crlf, the old word": ("*.md crlf\n", "a.md", MIXED),
    "lf of mixed": ("*.md text eol=lf\n", "a.md", MIXED),
    "guessed text": ("* text=auto eol=crlf\n", "a.md", MIXED),
    "an expanded id": ("*.md ident\n", "a.md", b"$Id: 1234 of another system $\n"),
    "utf-16": ("*.md text working-tree-encoding=UTF-16LE eol=crlf\n", "a.md", MIXED),
    "an odd name": ("*.md text eol=crlf\n", 'q"\\ ü.md', MIXED),
}


@pytest.fixture(params=list(CASES.values()), ids=list(CASES))
def case(request: pytest.FixtureRequest) -> tuple[str, str, bytes]:
    """Attributes, a file's name, and its blob."""
    found: tuple[str, str, bytes] = request.param
    return found


def open_with(folder: Path, case: tuple[str, str, bytes]) -> tuple[WorkerRepository, str]:
    attributes, name, content = case
    upstream = Upstream.create(folder / "upstream")
    upstream.commit({name: content})
    (upstream.author / ".gitattributes").write_text(attributes)
    git("add", ".gitattributes", cwd=upstream.author)
    git("commit", "-qm", "attributes", cwd=upstream.author)
    git("push", "-q", "origin", "HEAD:main", cwd=upstream.author)
    return opened(upstream, folder / "base"), upstream.head()


def touch(worktree: Worktree, name: str) -> None:
    """As an editor or a build does that looks at everything."""
    content = (worktree.path / name).read_bytes()
    (worktree.path / name).write_bytes(content)
    os.utime(worktree.path / name, (1, 1))


def test_row_1_a_converted_file_that_nobody_changed_is_no_change(
    case: tuple[str, str, bytes], tmp_path: Path
) -> None:
    repository, head = open_with(tmp_path, case)
    with repository.lease(head, "job-1", soon()) as worktree:
        touch(worktree, case[1])
        with pytest.raises(CandidateRejected, match="changed nothing"):
            worktree.commit_all("x", "", soon())

        (worktree.path / "src/pack.py").write_text("radius = 2\n")
        worktree.commit_all("x", "", soon())
        names = git("diff", "--name-only", "HEAD^", "HEAD", cwd=worktree.path).splitlines()

    assert names == ["src/pack.py"]


def test_row_1_a_converted_file_that_was_changed_is_one(
    case: tuple[str, str, bytes], tmp_path: Path
) -> None:
    repository, head = open_with(tmp_path, case)
    with repository.lease(head, "job-1", soon()) as worktree:
        with (worktree.path / case[1]).open("ab") as file:
            file.write("four\r\n".encode("utf-16-le" if "UTF-16" in case[0] else "ascii"))
        commit = worktree.commit_all("x", "", soon()).commit
        store = repository.objects([commit], soon())

        assert b"four" in (store.file(commit, case[1]) or b"")
