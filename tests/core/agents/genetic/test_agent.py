"""The offline agent on a checkout: what it changes, what it leaves alone, and that it repeats."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loreley.core.agents.genetic.agent import GeneticAgent
from loreley.core.agents.genetic.operators.material import Operator
from loreley.core.agents.genetic.operators.table import OPERATORS
from loreley.core.agents.genetic.source.compiling import compiles
from loreley.core.agents.genetic.source.files import decode_like, read_source
from loreley.core.agents.protocol import Proposal
from loreley.errors import AgentFailed, TimeLimitReached
from loreley.host.deadline import Deadline
from tests.core.agents.genetic import sources
from tests.core.agents.genetic.folder import MATE, OTHER, Folder, brief, folder
from tests.core.worker.upstream import Upstream, git, opened, soon
from tests.support import PROJECT_ROOT

_PROGRAM = "import math\n\nWIDTH = 0.75\nCOUNT = 16\n\nprint(WIDTH * COUNT)\n"


def propose(workspace: Folder, seed: int = 1, **more: Any) -> Proposal:
    return GeneticAgent().propose(workspace, brief(seed, **more), Deadline.after(60))


def changed(workspace: Folder, before: dict[str, bytes]) -> set[str]:
    now = workspace.contents()
    assert set(now) == set(before)
    return {path for path in now if now[path] != before[path]}


def test_one_file_changes_and_compiles_and_the_operator_is_reported(tmp_path: Path) -> None:
    for seed in range(12):
        workspace = folder(tmp_path / str(seed), {"a.py": sources.PYTHON, "b.py": _PROGRAM})
        before = workspace.contents()

        proposal = propose(workspace, seed)

        [path] = changed(workspace, before)
        assert compiles(workspace.contents()[path])
        assert f" in {path}:" in proposal.subject
        assert proposal.operator in {operator.name for operator in OPERATORS}
        assert proposal.summary == f"Operator: {proposal.operator}"


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_the_wanted_operator_is_the_one_that_is_used(operator: Operator, tmp_path: Path) -> None:
    wanted = operator.name
    workspace = folder(tmp_path, {"a.py": sources.PYTHON})
    workspace.commits = {
        MATE: {"a.py": sources.PYTHON_MATE},
        OTHER: {"a.py": sources.PYTHON_OTHER},
        "d" * 40: {"a.py": sources.PYTHON},
    }
    workspace.ancestor = "d" * 40

    proposal = propose(workspace, 3, operator=wanted, inspirations=(MATE, OTHER))

    assert proposal.operator == wanted


@pytest.mark.parametrize("wanted", ["mix-numbers", "swap-statements", "no-such-operator"])
def test_another_operator_steps_in_where_the_wanted_finds_no_hold(
    wanted: str, tmp_path: Path
) -> None:
    workspace = folder(tmp_path, {"a.py": "SIZE = 3.5\n"})
    before = workspace.contents()

    proposal = propose(workspace, operator=wanted)

    assert changed(workspace, before) == {"a.py"}
    assert proposal.operator in {operator.name for operator in OPERATORS} - {wanted}


def test_an_operator_that_finds_no_hold_costs_little(tmp_path: Path) -> None:
    [only] = [operator for operator in OPERATORS if operator.name == "change-boolean"]
    workspace = folder(tmp_path, {f"{name}.py": _PROGRAM * 40 for name in "abcde"})
    started = time.process_time()

    with pytest.raises(AgentFailed, match="no operator"):
        GeneticAgent(operators=[only]).propose(workspace, brief(), Deadline.after(60))

    assert time.process_time() - started < 3  # each file is parsed once, not for every attempt


_ELSEWHERE = """
import sys
from pathlib import Path
from tests.core.agents.genetic.test_agent import propose
from tests.core.agents.genetic.folder import MATE, Folder
from tests.core.agents.genetic import sources

for seed in range(10):
    workspace = Folder(Path(sys.argv[1], str(seed)), {MATE: {"a.py": sources.PYTHON_MATE}})
    print(propose(workspace, seed, inspirations=(MATE,)))
"""


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    told = []
    for copy, hash_seed in (("one", "1"), ("two", "2")):
        for seed in range(10):
            folder(tmp_path / copy / str(seed), {"a.py": sources.PYTHON, "c/k.c": sources.C})
        done = subprocess.run(
            [sys.executable, "-c", _ELSEWHERE, str(tmp_path / copy)],
            cwd=PROJECT_ROOT,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        told.append(done.stdout)

    assert told[0] == told[1]
    one, two = (Folder(tmp_path / copy).contents() for copy in ("one", "two"))
    assert one == two
    assert len({one[path] for path in one if path.endswith("a.py")}) > 3


_NOT_TO_BE_TOUCHED = {
    "tests/test_a.py": _PROGRAM,
    "test_b.py": _PROGRAM,
    "c_test.py": _PROGRAM,
    "conftest.py": _PROGRAM,
    "setup.py": _PROGRAM,
    "docs/conf.py": _PROGRAM,
    "vendor/lib.py": _PROGRAM,
    "third_party/x/sort.c": sources.C,
    "node_modules/left/pad.js": "x = 1;\n",
    ".github/check.py": _PROGRAM,
    "build/out.py": _PROGRAM,
    "api_pb2.py": _PROGRAM,
    "made.py": f"# @generated by a tool\n{_PROGRAM}",
    "table.c": f"/* DO NOT EDIT */\n{sources.C}",
    "app.min.js": "x=1\n",
    "uv.lock": "version = 1\n",
    "package.json": '{"version": 1}\n',
    "README.md": "At most 3.\n",
    "Makefile": "all:\n\tcc -O2\n",
    "data.csv": "1,2\n",
}


def test_only_source_of_the_program_is_touched(tmp_path: Path) -> None:
    for seed in range(25):
        workspace = folder(tmp_path / str(seed), _NOT_TO_BE_TOUCHED | {"src/a.py": _PROGRAM})
        before = workspace.contents()

        propose(workspace, seed)

        assert changed(workspace, before) == {"src/a.py"}


def test_a_repository_without_source_of_its_own_is_refused_with_a_reason(tmp_path: Path) -> None:
    workspace = folder(tmp_path, _NOT_TO_BE_TOUCHED)

    with pytest.raises(AgentFailed, match="no source file") as failure:
        propose(workspace)

    assert "WORKER_GATE_EDITABLE_PATHS" in failure.value.problems[0].fix


def test_the_operators_of_another_language_evolve_it(tmp_path: Path) -> None:
    used = set()
    for seed in range(40):
        workspace = folder(tmp_path / str(seed), {"Makefile": "all:\n", "src/kernel.c": sources.C})
        before = workspace.contents()
        used.add(propose(workspace, seed).operator)
        assert changed(workspace, before) == {"src/kernel.c"}

    assert len(used) > 5


def test_gates_are_kept_in_mind(tmp_path: Path) -> None:
    files = {"a.py": _PROGRAM, "b/c.py": _PROGRAM, "b/d.py": _PROGRAM}
    for seed in range(10):
        workspace = folder(tmp_path / str(seed), files)
        before = workspace.contents()
        propose(workspace, seed, editable=("b/",), protected=("d.py",))
        assert changed(workspace, before) == {"b/c.py"}


def test_only_what_is_between_the_marks_changes(tmp_path: Path) -> None:
    source = "A = 1.5\n# begin\nB = 2.5\n# end\nC = 3.5\n"
    for seed in range(15):
        workspace = folder(tmp_path / str(seed), {"a.py": source})
        propose(workspace, seed, region=("# begin", "# end"))
        content = workspace.contents()["a.py"].decode()
        assert content != source
        assert content.startswith("A = 1.5\n# begin\n")
        assert content.endswith("# end\nC = 3.5\n")


def test_a_merge_is_three_way_where_the_ancestor_is_known(tmp_path: Path) -> None:
    ancestor = "A = 1\nB = 2\nC = 3\nD = 4\n"
    workspace = folder(tmp_path, {"a.py": ancestor.replace("A = 1", "A = 10")})
    workspace.commits = {
        MATE: {"a.py": ancestor.replace("D = 4", "D = 40")},
        "d" * 40: {"a.py": ancestor},
    }
    workspace.ancestor = "d" * 40

    propose(workspace, operator="merge-lines", inspirations=(MATE,))

    assert workspace.contents() == {"a.py": b"A = 10\nB = 2\nC = 3\nD = 40\n"}


def test_commits_of_a_real_repository_are_merged_three_ways(tmp_path: Path) -> None:
    source = "A = 1\nB = 2\nC = 3\nD = 4\n"
    upstream = Upstream.create(tmp_path / "upstream", {"a.py": source})
    root = upstream.head()
    mate = upstream.commit({"a.py": source.replace("D = 4", "D = 40")}, branch="mate")
    git("reset", "-q", "--hard", root, cwd=upstream.author)
    base = upstream.commit({"a.py": source.replace("A = 1", "A = 10")}, branch="base")
    repository = opened(upstream, tmp_path / "clones" / "base")
    wanted = brief(operator="merge-lines", inspirations=(mate,))

    with repository.lease(base, "job-1", soon()) as worktree:
        proposal = GeneticAgent().propose(worktree, wanted, soon())
        merged = (worktree.path / "a.py").read_text()
    repository.close()

    assert merged == "A = 10\nB = 2\nC = 3\nD = 40\n"
    assert proposal.operator == "merge-lines"


@pytest.mark.parametrize(
    "content",
    [
        b"x = " + b"(" * 3000 + b"1" + b")" * 3000 + b"\n",
        b"x = " + b"-" * 5000 + b"1\n",
        b"if 1:\n" + b"".join(b" " * n + b"if 1:\n" for n in range(1, 90)) + b" " * 90 + b"x=1\n",
        b"\xef\xbb\xbfx = 1\n",
        b"# coding: latin-1\nname = '\xe9'\nx = 1.5\n",
        b"# coding: utf-16\nx = 1\n",
        b"# coding: no-such\nx = 1\n",
        b"x = 1\r\ny = 2.5\r\nif x:\r\n    y = 3\r\n",
        b"x = 1\ry = 2\r",
        b"def f(:\n    x = 1\n",
        b"x = 1\0\n",
        b"\xff\xfe\x00",
        b"x = 1" + b"0" * 5000 + b"\n",
        b"x = 1e999\ny = 1e-999\nz = 9" + b"9" * 400 + b"\n",
        b"\x0cx = 1\n\x0b\n",
        b"x = 1",
        b"x = 1\\\n + 2\n",
        b"x = 'a' 'b'\ny = f'{3:>{10}}'\n",
        b"#" * 300_000 + b"\nx = 1\n",
        b"",
    ],
    ids=range(20),
)
@pytest.mark.parametrize("name", ["a.py", "a.c"])
def test_a_hostile_file_is_changed_soundly_or_left_alone(
    name: str, content: bytes, tmp_path: Path
) -> None:
    for seed in range(4):
        workspace = folder(tmp_path / str(seed), {name: content})
        try:
            propose(workspace, seed)
        except AgentFailed:
            assert workspace.contents()[name] == content
            continue
        new = workspace.contents()[name]
        assert new != content
        assert new.count(b"\r") >= content.count(b"\r") - 1
        assert name == "a.c" or compiles(new)
        assert new[:3] == content[:3] or b"\xef\xbb\xbf" not in content


def test_a_hostile_file_does_not_keep_the_others_from_being_changed(tmp_path: Path) -> None:
    workspace = folder(
        tmp_path, {"a.py": b"def f(:\n", "b.py": b"\xff", "c.py": _PROGRAM, "d.py": b"x = 1\0"}
    )
    (tmp_path / "e.py").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "f.py")
    before = workspace.contents()

    for seed in range(5):
        propose(workspace, seed)

    assert changed(workspace, before) == {"c.py"}


def test_a_link_in_place_of_a_file_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.write_text(_PROGRAM)
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "a.py").symlink_to(outside)
    (inside / "b").symlink_to(tmp_path)
    workspace = Folder(inside)
    workspace.tracked_files = lambda: ["a.py", "b/outside.py"]  # type: ignore[method-assign]

    with pytest.raises(AgentFailed):
        propose(workspace)

    assert outside.read_text() == _PROGRAM


def test_the_mode_of_a_file_stays(tmp_path: Path) -> None:
    workspace = folder(tmp_path, {"a.py": _PROGRAM})
    (tmp_path / "a.py").chmod(0o755)

    propose(workspace)

    assert (tmp_path / "a.py").stat().st_mode & 0o777 == 0o755


def test_the_deadline_is_kept(tmp_path: Path) -> None:
    workspace = folder(tmp_path, {"a.py": _PROGRAM})
    before = workspace.contents()

    with pytest.raises(TimeLimitReached):
        GeneticAgent().propose(workspace, brief(), Deadline.after(1e-9))

    assert workspace.contents() == before


def test_an_inspiration_brings_no_other_line_ends(tmp_path: Path) -> None:
    mixed = b"a = 1\r\nb = 2\nc = 3\nd = 4\r\n"
    (tmp_path / "a.py").write_bytes(mixed)
    model = read_source(tmp_path, "a.py")
    assert model is not None

    assert decode_like(mixed.replace(b"3", b"9"), model) == mixed.decode().replace("3", "9")
    assert decode_like(b"a = 1\nb = 9\n", replace(model, text="x\r\ny\r\n")) == (
        "a = 1\r\nb = 9\r\n"
    )
