"""A job whose agent may measure."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.db.engine import Database
from tests.core.worker.trials.support import Session, open_session


@pytest.fixture
def session(tmp_path: Path, database: Database) -> Iterator[Session]:
    with open_session(tmp_path, database) as session:
        yield session
