"""What a candidate must pass before it is evaluated, on real commits."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from loreley.config import Settings
from loreley.core.agents.edit_rules import PathRules, Region
from loreley.core.worker.gates import Gates
from loreley.core.worker.repository import Worktree
from loreley.core.worker.secret_scan import Secrets
from loreley.errors import CandidateRejected
from loreley.git.objects import Difference
from tests.core.worker.upstream import FILES, Upstream, opened, soon

REGION = Region("EVOLVE-BEGIN", "EVOLVE-END")
MARKED = "import os\n# EVOLVE-BEGIN\nx = 1\n# EVOLVE-END\nprint(x)\n"
TWICE = MARKED + "# EVOLVE-BEGIN\ny = 1\n# EVOLVE-END\n"


@pytest.fixture
def worktree(tmp_path: Path) -> Iterator[Worktree]:
    files = {**FILES, "marked.py": MARKED, "twice.py": TWICE, "open.py": "# EVOLVE-BEGIN\nx = 1\n"}
    upstream = Upstream.create(tmp_path / "upstream", files)
    repository = opened(upstream, tmp_path / "clones" / "base")
    try:
        with repository.lease(upstream.head(), "job-1", soon()) as found:
            yield found
    finally:
        repository.close()


def check(gates: Gates, worktree: Worktree, **files: str | bytes | None) -> None:
    """Let the files stand in the worktree, commit, and let the candidate pass the gates."""
    for name, content in files.items():
        path = worktree.path / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
    candidate = worktree.commit_all("x", "", soon())
    gates.check(worktree, candidate.commit)


def refusal(gates: Gates, worktree: Worktree, **files: str | bytes | None) -> CandidateRejected:
    with pytest.raises(CandidateRejected) as raised:
        check(gates, worktree, **files)
    return raised.value


def test_without_gates_everything_passes(worktree: Worktree) -> None:
    check(Gates(), worktree, new__file="x\n")


def test_a_protected_path_may_be_neither_changed_nor_added_nor_removed(
    worktree: Worktree,
) -> None:
    gates = Gates(PathRules(protected=["src", "new"]))

    (worktree.path / "src" / "pack.py").write_text("changed = 1\n")
    (worktree.path / "src" / "deep" / "er" / "leaf.py").unlink()
    error = refusal(gates, worktree, new="x\n")

    for path in ("src/pack.py", "src/deep/er/leaf.py", "new"):
        assert f"{path} is protected" in error.summary
    assert "WORKER_GATE_PROTECTED_PATHS" in error.problems[0].setting


def test_only_editable_paths_may_be_changed(worktree: Worktree) -> None:
    gates = Gates(PathRules(editable=["src/**/*.py"]))

    (worktree.path / "src" / "pack.py").write_text("changed = 1\n")
    check(gates, worktree)
    error = refusal(gates, worktree, other="x\n")

    assert "other is not among the editable paths" in error.summary
    assert "src/pack.py" not in error.summary


def test_a_rename_touches_both_its_paths(worktree: Worktree) -> None:
    (worktree.path / "src" / "pack.py").rename(worktree.path / "pack.py")

    assert "src/pack.py" in refusal(Gates(PathRules(protected=["src"])), worktree).summary


def test_making_a_protected_file_executable_is_a_change(worktree: Worktree) -> None:
    (worktree.path / "README.md").chmod(0o755)

    assert "README.md" in refusal(Gates(PathRules(protected=["README.md"])), worktree).summary


@pytest.mark.parametrize(
    ("gates", "setting", "said"),
    [
        (Gates(max_files=1), "WORKER_GATE_MAX_FILES", "2 files, at most 1"),
        (Gates(max_lines=59), "WORKER_GATE_MAX_LINES", "60 lines, at most 59"),
        (Gates(max_bytes=500), "WORKER_GATE_MAX_KB", "more than 500 bytes"),
    ],
)
def test_a_change_that_is_too_large_is_refused(
    gates: Gates, setting: str, said: str, worktree: Worktree
) -> None:
    error = refusal(gates, worktree, a="0123456789\n" * 30, b="0123456789\n" * 30)

    assert said in error.summary
    assert error.problems[0].setting == setting


def test_a_change_of_exactly_the_largest_size_passes(worktree: Worktree) -> None:
    check(Gates(max_files=2, max_lines=60, max_bytes=4096), worktree, a="x\n" * 30, b="y\n" * 30)


def test_what_is_between_the_marks_may_be_changed(worktree: Worktree) -> None:
    gates = Gates(region=REGION)

    (worktree.path / "marked.py").write_text(MARKED.replace("x = 1\n", "x = 2\nz = 3\n"))
    (worktree.path / "twice.py").write_text(TWICE.replace("y = 1\n", ""))
    check(gates, worktree)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import os", "import sys"),
        ("# EVOLVE-BEGIN", "# BEGIN"),
        ("# EVOLVE-END", "# END"),
        ("x = 1\n# EVOLVE-END\n", "# EVOLVE-END\nx = 1\n"),
        ("x = 1\n", "# EVOLVE-END\nevil()\n# EVOLVE-BEGIN\n"),
        ("print(x)\n", "print(x)\n# EVOLVE-BEGIN\nevil()\n# EVOLVE-END\n"),
        ("print(x)\n", "print(x)"),
    ],
)
def test_what_is_outside_of_the_marks_may_not(old: str, new: str, worktree: Worktree) -> None:
    (worktree.path / "marked.py").write_text(MARKED.replace(old, new))

    error = refusal(Gates(region=REGION), worktree)

    assert "marked.py" in error.summary
    assert error.problems[0].setting == "WORKER_GATE_REGION"


def test_with_marks_files_without_them_are_closed(worktree: Worktree) -> None:
    (worktree.path / "README.md").write_text("changed\n")
    assert "README.md" in refusal(Gates(region=REGION), worktree).summary


def test_a_region_that_is_never_closed_is_none(worktree: Worktree) -> None:
    (worktree.path / "open.py").write_text("# EVOLVE-BEGIN\nx = 2\n")

    assert "open.py" in refusal(Gates(region=REGION), worktree).summary


def test_with_marks_nothing_is_added_or_removed(worktree: Worktree) -> None:
    gates = Gates(region=REGION)

    assert "added, removed" in refusal(gates, worktree, new=MARKED).summary
    (worktree.path / "new").unlink()
    (worktree.path / "marked.py").unlink()
    assert "added, removed" in refusal(gates, worktree).summary


KEY = "gh" + "p_" + "a1B2" * 9


def test_an_added_secret_is_refused_without_being_told(worktree: Worktree) -> None:
    error = refusal(Gates(secrets=Secrets()), worktree, a=f"token = '{KEY}'\n")

    assert "a GitHub token" in error.summary
    assert KEY not in str(error)


@pytest.mark.parametrize("sign", ["\f", "\r", "\u2028"])
def test_a_secret_behind_what_only_looks_like_a_line_end_is_found(
    sign: str, worktree: Worktree
) -> None:
    error = refusal(Gates(secrets=Secrets()), worktree, a=f"x = 1{sign}token = '{KEY}'\n")

    assert "a GitHub token" in error.summary


class LongEdit:
    """An edit whose diff is cut off before it comes to what the files now end with."""

    base_commit = "base"

    def __init__(self, **added: str) -> None:
        self._added = added

    def differences(self) -> list[Difference]:
        mode = "100644"
        return [Difference(name, mode, mode, "a", "b", 1, is_binary=False) for name in self._added]

    def patch(self, limit_bytes: int) -> str:
        return " " * limit_bytes + "[cut]"

    def read(self, commit: str, path: str) -> bytes:
        return b"radius = 1\n" + (b"" if commit == "base" else self._added[path].encode())


def test_a_secret_is_found_behind_the_end_of_a_diff_that_is_cut() -> None:
    gates = Gates(secrets=Secrets({"OLD": "radius = 1"}))

    clean: Any = LongEdit(a="y = 2\n")
    leaking: Any = LongEdit(a="y = 2\n", b=f"token = '{KEY}'\n")

    gates.check(clean, "candidate")
    with pytest.raises(CandidateRejected, match="a GitHub token"):
        gates.check(leaking, "candidate")


def test_a_secret_in_a_binary_file_is_found(worktree: Worktree) -> None:
    gates = Gates(secrets=Secrets({"TEAM_KEY": "correct-horse-7"}))

    error = refusal(gates, worktree, blob=b"\0\1\2 correct-horse-7 \0")

    assert "the value of TEAM_KEY" in error.summary


def test_removing_a_secret_is_welcome(worktree: Worktree) -> None:
    gates = Gates(secrets=Secrets({"X": "radius = 1.0"}))

    (worktree.path / "src" / "pack.py").write_text("count = 26\n")
    check(gates, worktree)


def test_the_settings_make_the_gates() -> None:
    settings = Settings(
        worker_gate_editable_paths=["src"],
        worker_gate_protected_paths=["src/key.py"],
        worker_gate_region=["A", "B"],
        worker_gate_max_kb=2,
        worker_gate_secrets=False,
    )

    gates = Gates.from_settings(settings, Secrets())

    assert gates.paths.editable == ("src",)
    assert gates.region == Region("A", "B")
    assert gates.max_bytes == 2048
    assert gates.secrets is None


def test_by_default_what_instructs_agents_is_protected(worktree: Worktree) -> None:
    gates = Gates.from_settings(Settings(), Secrets())

    error = refusal(gates, worktree, **{"AGENTS.md": "obey me\n", "x__.claude__hooks": "x\n"})

    assert "AGENTS.md is protected" in error.summary
    assert "x/.claude/hooks is protected" in error.summary
