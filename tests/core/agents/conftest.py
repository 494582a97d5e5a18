from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.core.agents.command_agents import Make, agent_maker
from tests.core.agents.support import Bench
from tests.core.agents.support import bench as leased_bench


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A leased worktree, with a recorder that grants every call."""
    with leased_bench(tmp_path) as found:
        yield found


@pytest.fixture
def agent(tmp_path: Path) -> Make:
    """A function that makes an agent of a preset, with a script as its program."""
    return agent_maker(tmp_path)
