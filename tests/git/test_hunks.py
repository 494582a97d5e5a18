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


def apart(pieces: Pieces) -> list[Piece]:
    """Every piece in single lines."""
    return [line for piece in pieces.all for line in pieces.split(piece)]


def content(upstream: Upstream, tree_id: str, path: str) -> str:
    return git("cat-file", "-p", f"{tree_id}:{path}", cwd=upstream.path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        ("a\nz\n", "a\n1\n2\n3\n4\nz\n", 4),  # added
        ("a\n1\n2\n3\nz\n", "a\nz\n", 3),  # removed
        ("a\n1\n2\n3\nz\n", "a\nI\nII\nIII\nz\n", 3),  # one for one
        ("a\n1\nz\n", "a\nI\nII\nIII\nz\n", 3),  # more for fewer
        ("a\n1\n2\n3\nz\n", "a\nI\nz\n", 3),  # fewer for more
        ("a\nz", "a\n1\n2\nz", 2),  # no newline at the end
        ("a\nz\n", "a\nz\n1\n2", 2),
        ("1\n2\n", "I\nII", 2),
    ],
)
def test_a_changed_block_becomes_lines_of_which_any_may_be_left_out(
    old: str, new: str, count: int, make: Make
) -> None:
    pieces, before, after, upstream = make({"f": old}, {"f": new})
    [block] = pieces.all

    lines = pieces.split(block)

    assert len(lines) == count
    assert sum(line.changed_lines for line in lines) == block.changed_lines
    assert pieces.tree(lines) == tree(upstream, after)
    assert pieces.tree([]) == tree(upstream, before)
    known = set(old.splitlines()) | set(new.splitlines())
    for chosen in range(2 ** len(lines)):
        kept = [line for place, line in enumerate(lines) if chosen >> place & 1]
        made = content(upstream, pieces.tree(kept), "f").splitlines()
        assert set(made) <= known  # no line runs into another
        assert [line for line in new.splitlines() if line in made] == [
            line for line in made if line in new.splitlines()
        ]  # in their order


def test_an_added_text_file_becomes_lines_and_is_absent_without_any(make: Make) -> None:
    pieces, before, after, upstream = make({"a": "a\n"}, {"b.sh": "1\n2\n3\n"})
    [added] = pieces.all

    lines = pieces.split(added)

    assert len(lines) == added.changed_lines == 3
    assert pieces.tree(lines) == tree(upstream, after)
    assert content(upstream, pieces.tree([lines[0], lines[2]]), "b.sh") == "1\n3"
    assert pieces.tree([]) == tree(upstream, before)


def test_what_has_no_lines_stays_in_one_piece(make: Make) -> None:
    pieces, *_ = make({"gone": "1\n2\n"}, {"gone": None, "new.bin": b"\0\n\1\n"})

    assert apart(pieces) == list(pieces.all)


def test_a_removed_line_may_go_without_the_line_that_took_its_place(make: Make) -> None:
    pieces, _, _, upstream = make({"f": "a\n1\nz\n"}, {"f": "a\nI\nz\n"})
    [line] = apart(pieces)

    assert content(upstream, pieces.tree([line.without_new()]), "f") == "a\nz"
    assert line.without_new().changed_lines == 1


@pytest.mark.slow
def test_random_edits_survive_whichever_lines_are_taken(make: Make) -> None:
    generator = random.Random(3)
    old = [f"line {number}\n" for number in range(60)]
    new = [
        made
        for line in old
        for made in generator.choice(
            [[line], [line], [f"changed {line}"], [line, "x\n", "y\n"], [], ["p\n", "q\n", "r\n"]]
        )
    ]
    pieces, before, after, upstream = make({"f.txt": "".join(old)}, {"f.txt": "".join(new)})
    lines = apart(pieces)
    assert len(lines) > len(pieces.all) + 10
    assert pieces.tree(lines) == tree(upstream, after)
    for _ in range(10):
        kept = [line for line in lines if generator.random() < 0.5]
        half = git("commit-tree", pieces.tree(kept), "-m", "x", cwd=upstream.path)
        counted = git("diff", "--numstat", half, before, cwd=upstream.path).split()
        assert sum(map(int, counted[:2])) <= sum(line.changed_lines for line in kept)
