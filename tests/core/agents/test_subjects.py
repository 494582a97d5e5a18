"""Subjects of commits, from what agents say and from what they change (row 29)."""

import pytest

from loreley.core.agents.subjects import describe_patch, split_subject

PATCH = """diff --git a/src/pack.py b/src/pack.py
index 1234567..89abcde 100644
--- a/src/pack.py
+++ b/src/pack.py
@@ -1 +1 @@
-x = 1
+x = 2
"""
ADDED = "diff --git a/new file.py b/new file.py\nnew file mode 100644\n--- /dev/null\n"


@pytest.mark.parametrize(
    "said",
    [
        *("", "***", "---", "<think>", "<think>\nRaise the limit", "Sure!", "Done.", "OK"),
        *("Applied edit to src/pack.py", "/tmp/run/trajectory.json", "src/pack.py", "`a.py`:"),
        *("Sure, here are the edits:", "Here is the change:", "Saved trajectory to /tmp/x.json"),
        *("Tokens: 12 sent", "Cost: $0.01", "Commit 1a2b3c4d loreley", "12"),
        *("✅ Done", "All done! ✅", "\x1b[32mDone\x1b[0m", "Finished in 3.2s", "Perfect!", "None"),
        *("Applied 3 edits", "Changes applied successfully.", "I've completed the task."),
        *("## Summary of changes", "Changes made:", "I made the following changes:", "```diff"),
        *("Session ID: abc123", "Model: gpt-5", "[2026-01-01 12:00:00] INFO start"),
        *('{"type": "result"}', "https://example.com/x", "Let me look at the code.", "EOF"),
        *("I'll start by reading the file.", "The task is complete.", '<tool_call>{"name": 1}'),
    ],
)
def test_row_29_what_tells_nothing_of_the_change_is_no_subject(said: str) -> None:
    assert split_subject(said)[0] == ""


@pytest.mark.parametrize(
    ("said", "subject", "rest"),
    [
        ("Raise the limit", "Raise the limit", ""),
        ("## **Raise** the limit\n\nIt was low.", "Raise the limit", "It was low."),
        ("<think>\nHm.\n</think>\nRaise the limit", "Raise the limit", ""),
        ("<answer>Raise the limit</answer>", "Raise the limit</answer>", ""),
        ("Applied edit to a.py\nRaise the limit", "Raise the limit", "Applied edit to a.py"),
        ("1. Raise the limit", "Raise the limit", ""),
        ("Done: raise the limit", "Done: raise the limit", ""),
        ("Здесь быстрее", "Здесь быстрее", ""),
        ("x" * 120, "x" * 100, "x" * 120),
        ("Finish the loop early", "Finish the loop early", ""),
        ("Cost: compare by rows first", "Cost: compare by rows first", ""),
        ("Complete the cache of rows", "Complete the cache of rows", ""),
        ("Model the cost by rows", "Model the cost by rows", ""),
        ("Apply changes to rows in batches", "Apply changes to rows in batches", ""),
        ("Results are cached by row", "Results are cached by row", ""),
        ("[cache] Keep rows", "[cache] Keep rows", ""),
        ("🚀 Keep the rows sorted", "🚀 Keep the rows sorted", ""),
        ("\x1b[1mKeep rows\x1b[0m", "Keep rows", ""),
    ],
)
def test_row_29_the_first_line_that_tells_something_is_the_subject(
    said: str, subject: str, rest: str
) -> None:
    assert split_subject(said) == (subject, rest)


@pytest.mark.parametrize(
    ("patch", "subject"),
    [
        (PATCH, "Change src/pack.py"),
        (ADDED, "Add new file.py"),
        (PATCH + ADDED, "Change src/pack.py and 1 more file"),
        (ADDED + PATCH + PATCH, "Add new file.py and 2 more files"),
        (PATCH.replace("index", "deleted file mode 100644\nindex"), "Remove src/pack.py"),
        ("", ""),
    ],
)
def test_row_29_a_patch_is_described_by_its_files(patch: str, subject: str) -> None:
    assert describe_patch(patch) == subject
