"""The skill for coding assistants: its form, and its commands, run one after the other."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from tests.core.worker.upstream import Upstream, git
from tests.support import PROJECT_ROOT

SKILL = PROJECT_ROOT / ".agents" / "skills" / "loreley" / "SKILL.md"
PROGRAM = """FIRST = 3000
SECOND = 3000
THIRD = 3000
for rounds in (FIRST, SECOND, THIRD):
    for number in range(rounds):
        pass
print(42)
"""
COUNTED = r"""import re

    loops = re.findall(r"= (\\d+)$", (worktree / "main.py").read_text(), re.MULTILINE)
    return sum(map(int, loops)) / 100_000"""
DIGEST = sha256(b"42\n").hexdigest()
_BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_skill_is_in_the_form_that_assistants_read() -> None:
    _, head, body = SKILL.read_text().split("---\n", 2)
    told = yaml.safe_load(head)

    assert told["name"] == SKILL.parent.name
    assert set(told) == {"name", "description"}
    assert len(told["description"]) <= 1024
    assert len(body.splitlines()) < 500
    assert (PROJECT_ROOT / ".claude" / "skills" / "loreley" / "SKILL.md").samefile(SKILL)
    for path in re.findall(r"`((?:docs|\.agents|\.env)[\w./-]*)`", body):
        assert (PROJECT_ROOT / path).is_file(), path


@pytest.fixture
def checkout() -> Iterator[Path]:
    """Loreley as somebody has it, and a program beside it that wastes most of its time."""
    with TemporaryDirectory(prefix="lt-") as name:
        folder = Path(name, "loreley")
        folder.mkdir()
        shutil.copy(PROJECT_ROOT / "tasks.py", folder)
        for part in (".agents", "loreley", "script", "examples", "development"):
            shutil.copytree(PROJECT_ROOT / part, folder / part)
        uv = Path(name, "bin", "uv")  # `uv run` without looking at what is installed
        uv.parent.mkdir()
        uv.write_text(f'#!/bin/sh\nshift\nexec {sys.executable} -m "$@"\n')
        uv.chmod(0o755)
        Upstream.create(Path(name, "upstream"), {"main.py": PROGRAM})
        yield folder


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_its_commands_work_one_after_the_other(checkout: Path) -> None:
    environment = {
        "PATH": f"{checkout.parent / 'bin'}:{os.environ['PATH']}",
        "HOME": str(checkout.parent),
        "WORKER_TUNE_EVALUATIONS": "20",
        "WORKER_TUNE_SECONDS": "20",
        "SCHEDULER_CONFIRMATION_SHARE": "0",  # `invoke confirm` is one of the commands
        "PROJECT": str(checkout.parent / "upstream" / "author"),
    }

    def run(block: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-ec", block],
            cwd=checkout,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    said: list[str] = []
    for block in _BLOCK.findall(SKILL.read_text().replace("--jobs 12", "--jobs 8")):
        done = run(block)
        if "invoke init" in block:
            evaluator = checkout / "evaluators" / "measure.py"
            assert f"EXPECTED = '{DIGEST}'" in evaluator.read_text(), done
            # The loops counted instead of timed: what is found is then no matter of luck.
            told, times = re.subn(r"return after\.ru_utime.*", COUNTED, evaluator.read_text())
            assert times == 1
            evaluator.write_text(told)
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)

    everything = "\n".join(said)
    assert re.search(r"^good +evaluation +the root's fitness is 0\.09", everything, re.M)
    assert re.search(r"^gain +confirmed: -0\.\d+ s, without noise", everything, re.M)
    assert "Keep the output byte for byte." in everything
    assert git("branch", "--list", cwd=Path(environment["PROJECT"])).split() == ["*", "main"]
