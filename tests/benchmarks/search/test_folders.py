from pathlib import Path

from benchmarks.search.folders import Commits, edit_distance, read_folder, tree_of

FILES = {"a.py": b"one\ntwo\n", "deep/b.py": b"three\n"}


def test_a_commit_is_laid_out_and_read_back() -> None:
    commits = Commits()
    root = commits.add(FILES, None)

    with commits.checked_out(root) as folder:
        (folder.path / "a.py").write_bytes(b"one\n")
        changed = folder.content()

    assert changed == {"a.py": b"one\n", "deep/b.py": b"three\n"}
    assert not folder.path.exists()
    assert folder.read(root, "a.py") == b"one\ntwo\n"
    assert folder.read(root, "c.py") is None


def test_trees_are_told_apart_by_their_content_alone() -> None:
    commits = Commits()
    root = commits.add(FILES, None)

    assert commits.add(FILES, root) != root
    assert tree_of(commits.files(commits.add(FILES, root))) == tree_of(FILES)
    assert tree_of({"a.py": b"one\ntwo", "deep/b.py": b"\nthree\n"}) != tree_of(FILES)


def test_the_latest_common_ancestor_is_found() -> None:
    commits = Commits()
    root = commits.add(FILES, None)
    parent = commits.add({"a.py": b"1"}, root)
    first, second = (commits.add({"a.py": text}, parent) for text in (b"2", b"3"))

    assert commits.common_ancestor(first, second) == parent
    assert commits.common_ancestor(first, root) == root


def test_the_edit_distance_counts_lines_added_and_removed() -> None:
    changed = {"a.py": b"one\n2\ntwo\n", "c.py": b"new\n"}

    assert edit_distance(FILES, changed) == 3
    assert edit_distance(FILES, FILES) == 0


def test_byte_code_is_no_part_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "a.pyc").write_bytes(b"\0")
    (tmp_path / "a.py").write_bytes(b"one\n")

    assert read_folder(tmp_path) == {"a.py": b"one\n"}
