"""Sources of packages as pip brings them, unpacked for as long as they are needed."""

import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory


@contextmanager
def unpacked(package: str, version: str) -> Iterator[Path]:
    """A folder with the source distribution of this version."""
    with TemporaryDirectory(prefix="loreley-bench-") as folder:
        given = Path(folder, "archive")
        done = subprocess.run(
            [
                *(*_find_pip(), "download", "--quiet", "--no-deps", "--no-binary", ":all:"),
                *("--dest", str(given), f"{package}=={version}"),
            ],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{package} {version} was not to be had: {done.stdout[-2000:]}")
        [archive] = given.iterdir()
        with tarfile.open(archive) as packed:
            packed.extractall(Path(folder, "source"), filter="data")
        [source] = Path(folder, "source").iterdir()
        yield source


def _find_pip() -> Sequence[str]:
    """A pip that can be called: environments that uv has made hold none."""
    if find_spec("pip"):
        return (sys.executable, "-m", "pip")
    return ("pip",) if which("pip") else ("uv", "tool", "run", "pip")


@dataclass(frozen=True, slots=True)
class PlainFolder:
    """A folder as an agent's workspace, without a repository and without a past."""

    path: Path
    base_commit: str = "0" * 40

    @property
    def scratch(self) -> Path:
        """Nothing is written."""
        raise NotImplementedError

    def tracked_files(self) -> list[str]:
        """All regular files."""
        files = (path for path in self.path.rglob("*") if path.is_file() and not path.is_symlink())
        return sorted(path.relative_to(self.path).as_posix() for path in files)

    def read(self, commit: str, path: str) -> bytes | None:  # noqa: ARG002
        """There are no commits."""
        return None

    def common_ancestor(self, first: str, second: str) -> str | None:  # noqa: ARG002
        """There are no commits."""
        return None

    def lend_git(self, folder: Path) -> Path:
        """There is no git."""
        raise NotImplementedError

    def patch(self, limit_bytes: int) -> str:  # noqa: ARG002
        """Nothing was changed."""
        return ""

    def difference(self, commit: str, limit_bytes: int) -> str:  # noqa: ARG002
        """There are no commits."""
        return ""
