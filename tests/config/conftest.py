"""Settings set for one test."""

import pytest

from tests.config.support import Environment


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Set names here before reading the settings; forgotten at the test's end."""

    class Mirror(Environment):
        def __setitem__(self, name: str, value: str) -> None:
            monkeypatch.setenv(name, value)

    return Mirror()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment holds none, as in the cases that are tested here."""
    monkeypatch.delenv("WORKER_TUNE_SECONDS")
