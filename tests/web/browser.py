"""A real browser that looks at a dashboard, and notes whatever should not happen."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser, Page, sync_playwright

from tests.services import missing_service
from tests.support import PROJECT_ROOT

SCREENSHOTS = PROJECT_ROOT / "build" / "screenshots"
WIDE, NARROW = 1280, 360
_ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
_LOOPBACK = re.compile(r"(http://127\.0\.0\.1:\d+/|data:|about:)")


@dataclass
class Visit:
    """A page with all that went wrong on it."""

    page: Page
    troubles: list[str] = field(default_factory=list)

    def screenshot(self, name: str) -> None:
        """Keep how it looks for people."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)

    def require_sound(self) -> None:
        """Fail for errors, requests that leave the machine, and content beyond the window."""
        width = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert width <= 0, f"{self.page.url} is {width} pixels too wide"
        assert self.troubles == []


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    program = shutil.which("chromium")
    if program is None:
        missing_service("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def visit(browser: Browser, *, width: int = WIDE, scheme: str = "light") -> Iterator[Visit]:
    """A fresh window of this width, for somebody who likes light or dark pages."""
    context = browser.new_context(
        viewport={"width": width, "height": 800},
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = context.new_page()
    found = Visit(page)
    page.on("pageerror", lambda error: found.troubles.append(f"error: {error}"))
    page.on("dialog", lambda dialog: found.troubles.append(f"dialog: {dialog.message}"))
    page.on(
        "console",
        lambda said: found.troubles.append(said.text) if said.type == "error" else None,
    )
    page.on(
        "request",
        lambda asked: (
            None if _LOOPBACK.match(asked.url) else found.troubles.append(f"asks {asked.url}")
        ),
    )
    try:
        yield found
    finally:
        context.close()
