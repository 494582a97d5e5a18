"""A unified diff as lines that can be shown."""

from pathlib import Path

from loreley.web.diffs import DiffLine, DiffLineKind, parse_diff
from tests.core.worker.upstream import git

TEXT = """diff --git a/a.py b/a.py
index 1..2 100644
--- a/a.py
+++ b/a.py
@@ -3,3 +3,4 @@ def f():
 same
-old
+new
+--- more
 end
diff --git a/picture.png b/picture.png
new file mode 100644
index 0..3
Binary files /dev/null and b/picture.png differ
"""


def test_lines_have_their_numbers_and_kinds() -> None:
    first, second = parse_diff(TEXT, most_lines=100).files

    assert (first.path, first.added, first.removed) == ("a.py", 2, 1)
    assert first.lines[1:] == [
        DiffLine(DiffLineKind.SAME, "same", 3, 3),
        DiffLine(DiffLineKind.REMOVED, "old", 4, None),
        DiffLine(DiffLineKind.ADDED, "new", None, 4),
        DiffLine(DiffLineKind.ADDED, "--- more", None, 5),
        DiffLine(DiffLineKind.SAME, "end", 5, 6),
    ]
    assert (second.path, second.note, second.lines) == (
        "picture.png",
        "new file mode 100644, binary",
        [],
    )


def test_what_is_too_long_is_cut_and_said_to_be() -> None:
    long = parse_diff(TEXT.replace("+new", f"+{'x' * 10_000_000}"), most_lines=100)
    assert len(long.files[0].lines[3].text) < 3_000
    assert parse_diff(TEXT, most_lines=5).is_cut
    assert not parse_diff(TEXT, most_lines=100).is_cut
    assert parse_diff(TEXT + "[cut: the first 9 of 10 bytes]\n", most_lines=100).is_cut


def test_rubbish_gives_no_files() -> None:
    for text in ("", "\0\ufffd", "@@ -1 +1 @@\n+x", "+\n" * 10):
        assert parse_diff(text, most_lines=100).files == ()


def test_paths_that_git_quotes_are_shown_as_they_are(tmp_path: Path) -> None:
    names = ["ä/ö.txt", 'say "so" \\ b.txt', "tab\there", "a plain b/name.txt"]
    git("init", "-q", cwd=tmp_path)
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x\n")
    git("add", ".", cwd=tmp_path)

    diff = parse_diff(git("diff", "--cached", cwd=tmp_path), most_lines=100)

    assert {file.path for file in diff.files} == set(names)
