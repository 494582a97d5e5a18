"""The system on every combination of services that matters."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.stack import Stack, create_stack


@pytest.fixture
def stack(tmp_path: Path, redis_url: str, database_url: str) -> Iterator[Stack]:
    """An experiment on Debian's Redis, once on SQLite and once on PostgreSQL."""
    folder = tmp_path / "stack"
    folder.mkdir()
    stack = create_stack(folder, redis_url, database_url)
    yield stack
    stack.close()
