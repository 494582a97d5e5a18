"""What agents are told: whole briefs compared with the text, and their bounds."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from loreley.core.agents.prompts import Prompter
from loreley.core.agents.protocol import Brief, BriefCommit, PastFailure, SearchContext
from loreley.core.agents.relevance.fences import fence_code
from loreley.core.worker.repository import Worktree
from loreley.errors import ConfigError
from tests.core.worker.upstream import Upstream, opened, soon

BRIEF = """\
You improve a program by changing its source code. An evaluator that you cannot see measures the
result. This is one attempt of many: make one change that you believe in, rather than several.

# Goal

Pack the circles tighter.

What counts is the metric score: more of it is better.

A candidate counts only if:

- seconds <= 5

From the people who run this:

- Look at the cache.
- Leave the parser alone.

# Where you start

The commit you start from measures:

- score: 1.5
- seconds: 0.25

The evaluator says: 26 circles

src/deep/er/leaf.py
```
leaf = True
```

src/pack.py
```
radius = 1.0
count = 26
```

# What others did differently

Commit {inspiration}: score 1.75 (+0.25). Compared with where you start:

```diff
diff --git a/src/pack.py b/src/pack.py
index {before}..{after} 100644
--- a/src/pack.py
+++ b/src/pack.py
@@ -1,2 +1,2 @@
-radius = 1.0
+radius = 1.1
 count = 26
```

# What failed here lately: do not repeat it

- Drop the radius: the evaluation failed

```
Traceback (most recent call last):
NameError: radius
```

- Rewrite everything: the change is too large

# Rules

- Change files in place. Do not commit, do not create branches, do not install packages.
- Files that .gitignore matches are no part of your change: put new code elsewhere.
- Keep the interface that the evaluator uses: what exists now must go on working.
- Only these paths may be changed: src.
- These paths must not be changed: src/key.py.
- Only lines between a line with 'BEGIN' and the next with 'END' may be changed.

Say what you did.
"""

BARE = """\
You improve a program by changing its source code. An evaluator that you cannot see measures the
result. This is one attempt of many: make one change that you believe in, rather than several.

# Goal

Pack the circles tighter.

# Where you start

The commit you start from has not been measured.

The repository is in the current directory. You may change:

.gitignore
README.md
data.bin
src/deep/er/leaf.py
src/pack.py

# Rules

- Change files in place. Do not commit, do not create branches, do not install packages.
- Files that .gitignore matches are no part of your change: put new code elsewhere.
- Keep the interface that the evaluator uses: what exists now must go on working.

Say what you did.
"""


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream.create(tmp_path / "upstream")


@pytest.fixture
def base(upstream: Upstream) -> str:
    """The commit that is changed."""
    return upstream.head()


@pytest.fixture
def other(upstream: Upstream, base: str) -> str:
    """A commit that an inspiration is."""
    return upstream.commit({"src/pack.py": "radius = 1.1\ncount = 26\n"}, branch="other")


@pytest.fixture
def worktree(upstream: Upstream, base: str, other: str, tmp_path: Path) -> Iterator[Worktree]:
    repository = opened(upstream, tmp_path / "clones" / "base")
    try:
        with repository.lease(base, "job-1", soon()) as found:
            yield found
    finally:
        repository.close()


@pytest.fixture
def brief(worktree: Worktree, other: str) -> Brief:
    return Brief(
        7,
        "Pack the circles tighter.",
        BriefCommit(worktree.base_commit, {"score": 1.5, "seconds": 0.25}, "26 circles"),
        [BriefCommit(other, {"score": 1.75})],
        editable=["src"],
        protected=["src/key.py"],
        region=("BEGIN", "END"),
        context=SearchContext(
            aim="What counts is the metric score: more of it is better.",
            constraints=("seconds <= 5",),
            notes=("Look at the cache.", "Leave the parser alone."),
            failures=(
                PastFailure(
                    "Drop the radius",
                    "the evaluation failed",
                    "Traceback (most recent call last):\n\x1b[31mNameError: radius\x1b[0m\n",
                ),
                PastFailure("Rewrite everything", "the change is too large"),
            ),
        ),
    )


def written(brief: Brief, worktree: Worktree, kib: int = 64, *, shows_code: bool = True) -> str:
    prompter = Prompter.from_file(None, kib * 1024)
    return prompter.write(brief, worktree, answer="Say what you did.", shows_code=shows_code).text


def test_a_brief_holds_every_section_in_its_order(
    brief: Brief, worktree: Worktree, other: str
) -> None:
    shown = written(brief, worktree)

    objects = [line for line in shown.splitlines() if line.startswith("index ")]
    before, after = objects[0].split()[1].split("..")
    assert shown == BRIEF.format(inspiration=other[:12], before=before, after=after)


def test_a_brief_where_nothing_is_known(worktree: Worktree) -> None:
    brief = Brief(7, "Pack the circles tighter.", BriefCommit(worktree.base_commit))

    assert written(brief, worktree, shows_code=False) == BARE


@pytest.mark.parametrize("kib", [4, 8, 16])
def test_a_brief_is_no_longer_than_allowed(kib: int, brief: Brief, worktree: Worktree) -> None:
    for number in range(20):
        (worktree.path / "src" / f"m{number}.py").write_text("x = 1\n" * 500)
    worktree.commit_all("x", "", soon())
    failures = tuple(PastFailure("s" * 300, "r" * 2000, "t" * 5000) for _ in range(5))
    long = replace(
        brief,
        inspirations=[*brief.inspirations] * 4,
        context=replace(brief.context, failures=failures),
    )

    assert len(written(long, worktree, kib).encode()) <= kib * 1024


def test_what_people_wrote_is_never_shortened(brief: Brief, worktree: Worktree) -> None:
    goal = "Faster! " * 1000

    assert goal.strip() in written(replace(brief, goal=goal), worktree, 4)


def test_a_file_that_has_no_room_is_shown_in_parts(tmp_path: Path, upstream: Upstream) -> None:
    upstream.commit({"src/long.py": "x = 1\n" * 4000})
    repository = opened(upstream, tmp_path / "clones" / "base")
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        brief = Brief(7, "Faster.", BriefCommit(worktree.base_commit), editable=["src"])
        prompt = Prompter.from_file(None, 8192).write(brief, worktree, answer="", shows_code=True)
    repository.close()

    assert "src/long.py, lines 1 to " in prompt.text
    assert prompt.partial == {"src/long.py"}
    assert "radius = 1.0" in prompt.text


def test_dollars_and_braces_in_the_parts_of_a_brief_are_left_alone(
    brief: Brief, worktree: Worktree
) -> None:
    goal = "Spend less than $5 on ${cloud} and {braces}."

    assert goal in written(replace(brief, goal=goal), worktree)


def test_a_template_of_ones_own_takes_the_place(
    brief: Brief, worktree: Worktree, tmp_path: Path
) -> None:
    template = tmp_path / "mine.md"
    template.write_text("For $$5: ${goal}\n\n\n\n$notes\n$failures_x".replace("$failures_x", ""))

    shown = (
        Prompter.from_file(template, 65536).write(brief, worktree, answer="", shows_code=True).text
    )

    assert shown == (
        "For $5: Pack the circles tighter.\n\nFrom the people who run this:\n\n"
        "- Look at the cache.\n- Leave the parser alone.\n"
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"$goal costs $5", "'$' is neither"),
        (b"$gaol", "$gaol is not known"),
        (b"\xff\xfe", "can't decode"),
        (None, "No such file"),
    ],
)
def test_a_template_that_cannot_be_used_is_reported_with_the_reason(
    content: bytes | None, reason: str, tmp_path: Path
) -> None:
    template = tmp_path / "mine.md"
    if content is not None:
        template.write_bytes(content)

    with pytest.raises(ConfigError) as raised:
        Prompter.from_file(template, 65536)

    [problem] = raised.value.problems
    assert problem.setting == "WORKER_BRIEF_TEMPLATE"
    assert reason in problem.reason
    assert "$goal" in problem.fix


def test_a_fence_is_longer_than_those_inside() -> None:
    assert fence_code("a\n```\nb") == "````\na\n```\nb\n````"
