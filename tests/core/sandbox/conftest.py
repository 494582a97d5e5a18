"""Sandboxes at every level that this host offers."""

from pathlib import Path

import pytest

from loreley.core.sandbox.confinement import Confinement
from loreley.core.sandbox.sandbox import Level, Sandbox
from tests.core.sandbox.support import at


@pytest.fixture(params=list(Level))
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    return at(request.param)


@pytest.fixture(params=[Level.BUBBLEWRAP, Level.NAMESPACES])
def isolated(request: pytest.FixtureRequest) -> Sandbox:
    return at(request.param)


@pytest.fixture
def bubblewrap() -> Sandbox:
    return at(Level.BUBBLEWRAP)


@pytest.fixture
def confinement(tmp_path: Path) -> Confinement:
    scratch = tmp_path.resolve() / "scratch"
    scratch.mkdir()
    return Confinement(cwd=scratch, writable=(scratch,))
