"""The repository that evolves, and a worker's copies of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.core.worker.repository import WorkerRepository
from tests.core.worker.upstream import Upstream, opened


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream.create(tmp_path / "upstream")


@pytest.fixture
def repository(upstream: Upstream, tmp_path: Path) -> Iterator[WorkerRepository]:
    repository = opened(upstream, tmp_path / "clones" / "base")
    yield repository
    repository.close()
