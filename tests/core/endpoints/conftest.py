from collections.abc import Iterator

import pytest

from tests.core.agents.chat_server import ChatServer, chat_server


@pytest.fixture
def server() -> Iterator[ChatServer]:
    """A stand-in for an OpenAI-compatible endpoint."""
    with chat_server() as found:
        yield found
