"""Benches at the levels of isolation that this host offers."""

from pathlib import Path

import pytest

from loreley.core.sandbox.sandbox import Level, probe
from tests.core.evaluation.bench import Bench, sandbox_at


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path.resolve(), probe())


@pytest.fixture(params=list(Level))
def any_bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return Bench(tmp_path.resolve(), sandbox_at(request.param))


@pytest.fixture
def walled(tmp_path: Path) -> Bench:
    return Bench(tmp_path.resolve(), sandbox_at(Level.BUBBLEWRAP))
