"""What one child is granted."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Confinement:
    """What one child is granted; paths are absolute and free of symbolic links.

    Beside them it may read the system's programs, its Python and Loreley's package. A path
    inside another one is an exception from it. A limit of 0 is none.
    """

    cwd: Path
    writable: tuple[Path, ...]
    readable: tuple[Path, ...] = ()
    hidden: tuple[Path, ...] = ()
    stand_ins: Mapping[Path, Path] = field(default_factory=dict)  # files seen in place of others
    network: bool = False
    memory_bytes: int = 0  # address space of each process
    file_size_bytes: int = 0
