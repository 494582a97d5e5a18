"""What the tests of the dashboard share."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.web.browser import chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, for all tests of a module."""
    with chromium() as running:
        yield running
