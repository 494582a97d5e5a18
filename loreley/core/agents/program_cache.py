"""What coding agents unpack before they start, kept between the jobs of one worker.

An agent's program fills its cache alone, when the worker asks it for its version: no job has run
by then, and no key is at hand. Jobs read it and cannot change it where the sandbox shows them
only what they are given, so that none of them can leave anything to a later one.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from loguru import logger

from loreley.core.agents.presets import Preset
from loreley.core.agents.probing import Probe, probe
from loreley.core.agents.programs import Program
from loreley.core.worktrees.removal import delete
from loreley.host.tempdirs import temporary_folder

_MOST_BYTES = 2 * 1024**3  # of one program


@dataclass(frozen=True, slots=True)
class ProgramCaches:
    """The caches of one worker: a folder of its own that is gone with it."""

    folder: Path

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """No caches yet; removed with all that is in them, however the process ends."""
        with temporary_folder() as folder:
            yield cls(folder)

    def fill(self, preset: Preset, program: Program, environ: Mapping[str, str]) -> Probe:
        """Ask the program what it is, and keep what it unpacked for that.

        Of its HOME only the folders stay that the preset names.
        """
        home = self.folder / preset.name
        if not preset.cache or home.exists():
            return probe(preset, program, environ)
        home.mkdir()
        answer = probe(preset, program, environ, home)
        _keep_only(home, _find_kept(home, preset))
        size = sum(path.lstat().st_size for path in home.rglob("*"))
        if size > _MOST_BYTES:
            logger.warning("agent {}: {} MB are too many to be kept", preset.name, size // 10**6)
            _keep_only(home, [])
        return answer

    def find(self, preset: Preset) -> Path | None:
        """The cache of a program, a part of a HOME; None where it has none."""
        home = self.folder / preset.name
        return home if home.is_dir() and any(home.iterdir()) else None


def link_into_home(cache: Path, preset: Preset, home: Path) -> None:
    """Show in a new HOME what was kept, at the places where it was."""
    for folder in _find_kept(cache, preset):
        link = home / folder.relative_to(cache)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(folder, target_is_directory=True)


def _find_kept(home: Path, preset: Preset) -> list[Path]:
    found = [path for pattern in preset.cache for path in home.glob(pattern)]
    return [path for path in found if path.is_dir() and not path.is_symlink()]


def _keep_only(folder: Path, kept: list[Path]) -> None:
    for path in list(folder.iterdir()):
        if path in kept and not path.is_symlink():
            continue
        if any(each.is_relative_to(path) for each in kept) and not path.is_symlink():
            _keep_only(path, kept)
        else:
            delete(path)
