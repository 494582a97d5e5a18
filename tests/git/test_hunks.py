"""A difference in pieces, and what some of them make, by real git."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from loreley.git.git import Git
from loreley.git.hunks import Piece, Pieces
from loreley.git.objects import ObjectStore
from tests.core.worker.upstream import Upstream, git

Files = dict[str, str | bytes | None]


Make = Callable[..., tuple[Pieces, str, str, Upstream]]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def made(
        old: Files, new: Files, change: Callable[[Path], None] = lambda _: None
    ) -> tuple[Pieces, str, str, Upstream]:
        upstream = Upstream.create(tmp_path, {})
        before = upstream.commit(old)
        change(upstream.author)
        after = upstream.commit(new)
        store = ObjectStore(Git(), upstream.path)
        return Pieces(store, before, after), before, after, upstream

    return made


def tree(upstream: Upstream, commit: str) -> str:
    return git("rev-parse", f"{commit}^{{tree}}", cwd=upstream.path)


@pytest.mark.slow
def test_all_pieces_make_the_new_tree_and_none_the_old(make: Make) -> None:
    def change(author: Path) -> None:
        (author / "moved.txt").rename(author / "elsewhere.txt")
        (author / "run.sh").chmod(0o755)
        (author / "was-file").unlink()
        (author / "was-file").symlink_to("run.sh")

    lines = "".join(f"{number}\n" for number in range(40))
    pieces, old, new, upstream = make(
        {
            "lines.txt": lines,
            "moved.txt": lines + "moved\n",
            "run.sh": "#!/bin/sh\necho\n",
            "was-file": "a file\n",
            "gone.txt": "gone\n",
            "picture.bin": b"\0\1",
            "large.dat": "version https://git-lfs.github.com/spec/v1\noid a\nsize 1\n",
            "end.txt": "no\nnewline",
            "returns.txt": "a\r\nb\r\n",
            "latin.txt": b"caf\xe9\nb\n",
        },
        {
            "lines.txt": "new first\n" + lines.replace("9\n", "nine\n", 1) + "last\n",
            "run.sh": "#!/bin/sh\necho hello\n",
            "gone.txt": None,
            "picture.bin": b"\0\2",
            "large.dat": "version https://git-lfs.github.com/spec/v1\noid b\nsize 2\n",
            "end.txt": "no\nnewline\nat all",
            "returns.txt": "a\r\nB\r\n",
            "latin.txt": b"caf\xe9s\nb\n",
            "added/new.txt": "new\nfile\n",
        },
        change,
    )

    assert sorted(map(str, pieces.all)) == [
        "added/new.txt", "elsewhere.txt", "end.txt:2", "gone.txt", "large.dat", "latin.txt:1",
        "lines.txt:1", "lines.txt:10", "lines.txt:41", "picture.bin", "returns.txt:2",
        "run.sh", "run.sh:2", "was-file",
    ]  # fmt: skip
    assert pieces.tree(pieces.all) == tree(upstream, new)
    assert pieces.tree([]) == tree(upstream, old)
    for piece in pieces.all:  # each by itself is something else than both
        alone = pieces.tree([piece])
        assert alone not in (tree(upstream, new), tree(upstream, old))


def test_a_renamed_file_is_one_piece(make: Make) -> None:
    content = "".join(f"{number}\n" for number in range(30))
    pieces, *_ = make({"a.txt": content}, {"b.txt": content + "more\n", "a.txt": None})

    assert [str(piece) for piece in pieces.all] == ["b.txt"]


def test_a_mode_is_a_piece_beside_the_lines(make: Make) -> None:
    pieces, _, _, upstream = make(
        {"run.sh": "a\n"}, {"run.sh": "b\n"}, lambda author: (author / "run.sh").chmod(0o755)
    )
    mode, lines = pieces.all

    listed = git("ls-tree", pieces.tree([mode]), cwd=upstream.path)
    assert listed.startswith("100755")
    assert git("cat-file", "-p", listed.split()[2], cwd=upstream.path) == "a"
    listed = git("ls-tree", pieces.tree([lines]), cwd=upstream.path)
    assert listed.startswith("100644")
    assert git("cat-file", "-p", listed.split()[2], cwd=upstream.path) == "b"


@pytest.mark.slow
def test_random_edits_survive_whichever_hunks_are_taken(make: Make) -> None:
    generator = random.Random(7)
    old = [f"line {number}\n" for number in range(60)]
    new: list[str] = []
    for line in old:
        match generator.randrange(6):
            case 0:
                new.append(f"changed {line}")
            case 1:
                new += [line, "added\n"] * generator.randint(1, 2)
            case 2:
                pass
            case _:
                new.append(line)
    pieces, before, after, upstream = make({"f.txt": "".join(old)}, {"f.txt": "".join(new)})
    assert len(pieces.all) > 10
    for _ in range(10):
        kept: list[Piece] = [piece for piece in pieces.all if generator.random() < 0.5]
        rest = [piece for piece in pieces.all if piece not in kept]
        half = git("commit-tree", pieces.tree(kept), "-m", "x", cwd=upstream.path)
        lines = sum(piece.changed_lines for piece in rest)
        counted = git("diff", "--numstat", half, after, cwd=upstream.path).split()
        assert sum(map(int, counted[:2])) <= lines
    assert pieces.tree(pieces.all) == tree(upstream, after)
    assert pieces.tree([]) == tree(upstream, before)


def test_a_file_gives_way_to_a_folder_of_its_name(make: Make) -> None:
    pieces, _, new, upstream = make({"a": "file\n"}, {"a": None, "a/b": "folder\n"})

    [added] = [piece for piece in pieces.all if str(piece) == "a/b"]

    assert pieces.tree([added]) == tree(upstream, new)
