"""Every page as axe sees it: contrast, names, focus, in light and dark, at three widths."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from loreley.core.evaluation.evaluation import Artifact
from loreley.db.engine import Database, open_database
from tests.evolved import Evolved
from tests.web.browser import visit
from tests.web.support import dashboard

pytestmark = pytest.mark.slow
SERIOUS = ("serious", "critical")
PATCH = b"diff --git a/a.py b/a.py\n@@ -1,2 +1,2 @@\n same\n-old = 1\n+new = 2\n"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'run.db'}")
    yield database
    database.close()


def run_of_every_kind(database: Database) -> tuple[str, ...]:
    """The paths of a run that has jobs in every state."""
    run = Evolved(database)
    run.root(1.0)
    artifacts = [Artifact("patch.diff", "text/x-diff", PATCH)]
    first = run.child(2.0, width=3, subject="widen the loop", artifacts=artifacts)
    run.child(0.5, parent=first, width=6, subject="narrow it again", artifacts=artifacts)
    run.child(3.0, parent=first, width=8, island=1, artifacts=artifacts)
    run.failure("the candidate ended with exit code 1")
    run.waiting()
    run.waiting(running=True)
    return ("/", "/archive", "/lineage", "/jobs", "/jobs?order=fittest", "/logs", "/runs",
            f"/jobs/{run.jobs[1]}", f"/commits/{first}", "/nowhere")  # fmt: skip


def _name_of(path: str) -> str:
    words = path.strip("/").replace("?", "-").split("/")
    return words[0].removesuffix("s") if len(words) > 1 else words[0] or "overview"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 768, 390])
def test_axe_finds_nothing_serious(
    browser: Browser, database: Database, tmp_path: Path, width: int, scheme: str
) -> None:
    paths = run_of_every_kind(database)
    found = []
    with dashboard(database, tmp_path) as shown, visit(browser, width=width, scheme=scheme) as one:
        for path in paths:
            one.page.goto(shown.address + path, wait_until="load")
            if path == "/":
                one.page.wait_for_selector("#chart-best canvas")
            one.screenshot(f"{_name_of(path)}-{width}-{scheme}")
            for violation in Axe().run(one.page).response["violations"]:
                if violation["impact"] in SERIOUS:
                    places = [node["html"][:150] for node in violation["nodes"]]
                    found.append((path, violation["id"], len(places), places[:3]))
    assert found == []
