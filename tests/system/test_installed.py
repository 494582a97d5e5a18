"""Loreley as a wheel in an environment of its own, and the command `loreley` in any folder."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from loreley.ops.embedded.start import stop_server
from loreley.ops.extras import uv
from tests.core.worker.upstream import Upstream, git
from tests.support import PROJECT_ROOT, eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("installed"),
]

_MOST_MEGABYTES = 150


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("installed")
    subprocess.run([*uv(), "build", "-q", "--wheel", "-o", folder, PROJECT_ROOT], check=True)
    subprocess.run([*uv(), "venv", "-q", folder / "venv"], check=True)
    (wheel,) = folder.glob("*.whl")
    subprocess.run([*uv(), "pip", "install", "-q", "--python", folder / "venv", wheel], check=True)
    return folder / "venv"


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder."""
    with TemporaryDirectory(prefix="lt-") as name:
        yield Path(name)
        eventually(lambda: stop_server(Path(name, ".loreley")))


def surroundings(environment: Path, folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{environment / 'bin'}:{os.environ['PATH']}",
        "HOME": str(folder),
        "WORKER_TUNE_EVALUATIONS": "20",
        "WORKER_TUNE_SECONDS": "20",
    }


def loreley(environment: Path, folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [environment / "bin" / "loreley", *arguments],
        cwd=folder,
        env=surroundings(environment, folder),
        capture_output=True,
        text=True,
        check=False,
    )


def test_in_an_empty_folder_it_evolves_the_example(environment: Path, folder: Path) -> None:
    done = loreley(environment, folder, "evolve", "--jobs", "4", "--workers", "2")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "jobs      4 ended" in done.stdout
    assert "(loreley logs)" in done.stdout
    assert f"repository {folder}/.loreley/circle-packing.git" in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == [".loreley", "logs"]

    best = loreley(environment, folder, "best")
    assert best.returncode == 0, best.stderr
    assert "loreley export --patch FILE" in best.stdout


PROGRAM = """FIRST = 800
SECOND = 800
for rounds in (FIRST, SECOND):
    for number in range(rounds * 1000):
        pass
print(42)
"""
_COMMANDS = re.compile(r"From nothing.*?^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_five_commands_of_the_readme_improve_a_program_of_ones_own(
    environment: Path, folder: Path
) -> None:
    found = _COMMANDS.search((PROJECT_ROOT / "README.md").read_text())
    assert found is not None
    install, *commands = found[1].replace("--jobs 60", "--jobs 6").splitlines()
    assert install.startswith("pip install")
    assert len(commands) == 4
    Upstream.create(folder, {"main.py": PROGRAM})
    (folder / "author").rename(folder / "my-project")
    try:
        done = subprocess.run(
            ["bash", "-ec", "\n".join(commands)],
            cwd=folder,
            env=surroundings(environment, folder),
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        eventually(lambda: stop_server(folder / "my-project" / ".loreley"))

    assert done.returncode == 0, done.stdout + done.stderr
    assert "\ngain      confirmed: -" in done.stdout
    improved = (folder / "my-project" / "main.py").read_text()
    assert improved != PROGRAM
    ran = subprocess.run([sys.executable, "-c", improved], capture_output=True, text=True)
    assert ran.stdout == "42\n"
    assert git("branch", "--list", cwd=folder / "my-project").split() == ["*", "main"]


def test_what_only_an_extra_has_is_told_with_what_brings_it(
    environment: Path, folder: Path
) -> None:
    done = loreley(environment, folder, "ui")

    assert done.returncode == 1
    assert "pip install 'loreley[ui]'" in done.stderr
    assert "uv sync" not in done.stderr


def test_the_environment_stays_small(environment: Path) -> None:
    used = sum(path.lstat().st_size for path in environment.rglob("*") if path.is_file())

    assert used / 2**20 < _MOST_MEGABYTES
