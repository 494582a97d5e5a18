from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.agents.support import Bench
from tests.core.agents.support import bench as leased_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A leased worktree, with a recorder that grants every call."""
    with leased_bench(tmp_path) as found:
        yield found
