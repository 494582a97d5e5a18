import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from development.pins import write_pins
from loreley.errors import CommandFailed
from tests.support import PROJECT_ROOT

PROJECT = """
[project]
name = "x"
requires-python = ">=3.11"
dependencies = ["a>=1"]

[project.optional-dependencies]
more = ["b"]

[dependency-groups]
dev = ["c"]

[tool.uv]
# a comment that stays
default-groups = []

[tool.other]
names = ["a"]
"""
ANSWERS = {
    "dev": "a==1.2 \\\n    --hash=sha256:00 \\\n    --hash=sha256:01\n"
    "b==2 ; sys_platform == 'win32' \\\n    --hash=sha256:02\nc-d==3\n",
    "runtime": "a==1.2 \\\n    --hash=sha256:00\n",
    "fleet": "a==1.2 \\\n    --hash=sha256:00\nb==2 \\\n    --hash=sha256:02\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path


class Resolver:
    """Stands for uv, which would ask the network."""

    def __init__(self) -> None:
        self.wanted: dict[str, list[str]] = {}
        self.commands: list[Sequence[str]] = []

    def __call__(self, command: Sequence[str]) -> bool:
        source = next(Path(word) for word in command if word.endswith(".in"))
        output = Path(command[command.index("--output-file") + 1])
        self.commands.append(command)
        self.wanted[output.stem] = source.read_text().splitlines()
        output.write_text(ANSWERS[output.stem])
        return True


def test_pins_and_hashes_are_written_together(root: Path) -> None:
    resolver = Resolver()

    assert write_pins(root, resolver) == 3

    project = tomllib.loads((root / "pyproject.toml").read_text())
    assert project["tool"]["uv"] == {
        "default-groups": [],
        "constraint-dependencies": ["a==1.2", "b==2 ; sys_platform == 'win32'", "c-d==3"],
    }
    assert "# a comment that stays" in (root / "pyproject.toml").read_text()
    assert (root / "requirements" / "dev.txt").read_text().endswith(ANSWERS["dev"])
    assert (root / "requirements" / "runtime.txt").read_text().startswith("# Written by")
    assert resolver.wanted == {
        "dev": ["a>=1", "b", "c"],
        "runtime": ["a>=1"],
        "fleet": ["a>=1", "b"],
    }
    assert "--constraints" in resolver.commands[1]
    assert not any("--upgrade" in command for command in resolver.commands)


def test_writing_them_again_changes_nothing_else(root: Path) -> None:
    write_pins(root, Resolver())
    once = (root / "pyproject.toml").read_text()
    resolver = Resolver()
    write_pins(root, resolver, upgrade=True)

    assert (root / "pyproject.toml").read_text() == once
    assert all("--upgrade" in command for command in resolver.commands)


def test_a_failed_resolution_leaves_the_project_as_it_was(root: Path) -> None:
    with pytest.raises(CommandFailed, match="cannot be pinned"):
        write_pins(root, lambda command: False)
    assert (root / "pyproject.toml").read_text() == PROJECT


def test_this_projects_pins_agree_and_name_no_registry() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text())
    pinned = set(project["tool"]["uv"]["constraint-dependencies"])
    for name in ("runtime", "fleet", "dev"):
        text = (PROJECT_ROOT / "requirements" / f"{name}.txt").read_text()
        assert "://" not in text
        assert "index" not in text
        rows = [row.removesuffix(" \\") for row in text.splitlines() if row[0] not in " #"]
        assert {row.split("==")[0] for row in rows} <= {pin.split("==")[0] for pin in pinned}
        versions = {row.split(" ")[0] for row in rows}
        assert versions <= {pin.split(" ")[0] for pin in pinned}
