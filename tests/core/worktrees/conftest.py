"""A worktree of a small repository."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.core.worker.repository import WorkerRepository, Worktree
from tests.core.worker.upstream import Upstream, leftovers, opened, soon


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream.create(tmp_path / "upstream")


@pytest.fixture
def repository(upstream: Upstream, tmp_path: Path) -> WorkerRepository:
    return opened(upstream, tmp_path / "base")


@pytest.fixture
def worktree(repository: WorkerRepository, upstream: Upstream) -> Iterator[Worktree]:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        yield worktree
    assert leftovers(repository) == []
