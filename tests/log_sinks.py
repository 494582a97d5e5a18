"""The log of a test, and what it leaves as it was."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from loguru import logger

from loreley.logs import configure_logging

SECRET = "hunter2"


@pytest.fixture(autouse=True)
def own_sinks() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logger.remove()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    for name in ("dramatiq", "sqlalchemy", "alembic", "redis"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def start(folder: Path, level: str = "INFO") -> Path:
    return configure_logging("worker", level=level, base_dir=str(folder))
