"""The dashboard in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from loreley.core.evaluation.evaluation import Artifact, Metric
from loreley.db.engine import Database, open_database
from tests.evolved import Evolved
from tests.services import redis_server
from tests.support import eventually
from tests.system.stack import create_stack
from tests.web.browser import NARROW, WIDE, visit
from tests.web.support import dashboard

pytestmark = pytest.mark.slow
HOSTILE = (
    "<script>window.caught=1</script><img src=x onerror=window.caught=1>"
    "\"'><svg onload=window.caught=1>{{7*7}}${7*7}</title></textarea>"
    + "W" * 400
    + "\u202e\u0301" * 9
)
PICTURE = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="60">'
    b"<script>top.caught=1</script><image href='http://evil.example/x.png'/>"
    b'<circle cx="30" cy="30" r="29" fill="teal"/></svg>'
)
PATHS = ("/", "/archive", "/lineage", "/jobs", "/logs")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = open_database(f"sqlite:///{tmp_path / 'run.db'}")
    yield database
    database.close()


def name_of(path: str) -> str:
    """What the page at this path shows, as part of a screenshot's name."""
    words = path.strip("/").split("/")
    return words[0].removesuffix("s") if len(words) > 1 else words[0] or "overview"


def hostile_run(database: Database) -> Evolved:
    run = Evolved(database)
    run.root(1.0)
    patch = f"diff --git a/{HOSTILE} b/{HOSTILE}\n@@ -1 +1 @@\n-{HOSTILE}\n+{HOSTILE}\n".encode()
    artifacts = [
        Artifact("patch.diff", "text/x-diff", patch),
        Artifact(HOSTILE[:120], "image/svg+xml", PICTURE),
        Artifact("prompt.md", "text/plain", HOSTILE.encode()),
    ]
    more = [Metric(HOSTILE[:128], 1e299, HOSTILE[:100]), Metric("W" * 128, -1e-300, "W" * 128)]
    first = run.child(2.0, width=3, subject=HOSTILE, artifacts=artifacts, more=more)
    run.child(3.0, parent=first, width=6, height=7, subject=HOSTILE, artifacts=artifacts)
    run.failure(HOSTILE)
    run.waiting(running=True, worker=HOSTILE[:200])
    return run


def test_every_page_follows_a_live_run(browser: Browser, tmp_path: Path) -> None:
    folder = tmp_path / "redis"
    folder.mkdir()
    with redis_server(folder) as redis_url:
        stack = create_stack(tmp_path, redis_url, f"sqlite:///{tmp_path / 'run.db'}")
        try:
            stack.start_scheduler("--max-jobs", "500")
            stack.start_worker()
            with stack.database() as database:
                eventually(
                    lambda: sum(bool(row["ingested_at"]) for row in stack.jobs(database)) > 3,
                    within=60,
                )
                settings = {
                    "tasks_redis_url": redis_url,
                    "worker_repo_remote_url": str(stack.remote),
                    "worker_repo_worktree": str(stack.base_clone),
                }
                with dashboard(database, tmp_path, **settings) as shown:
                    with visit(browser) as looking:
                        page = looking.page
                        page.goto(shown.address)
                        ended = page.locator(".tile", has_text="Jobs ended").locator(".number")
                        before = ended.inner_text()
                        expect(ended).not_to_have_text(before, timeout=20_000)
                        expect(page.locator("#chart-best path.line")).to_be_visible()
                        page.goto(f"{shown.address}/logs")
                        lines = page.locator("#log .event")
                        expect(lines.filter(has_text="succeeded in").first).to_be_visible()
                        count = lines.count()
                        eventually(lambda: lines.count() > count, within=20)
                        looking.require_sound()
                    stack.gate.touch()
                    eventually(
                        lambda: any(row["state"] == "running" for row in stack.jobs(database))
                    )
                    job = next(row for row in stack.jobs(database) if row["commit"])
                    paths = (*PATHS, f"/jobs/{job['id']}", f"/commits/{job['commit']}")
                    views = (
                        (WIDE, "light", paths),
                        (WIDE, "dark", paths[:2]),
                        (NARROW, "light", (*PATHS[:1], *PATHS[3:])),
                    )
                    for width, scheme, wanted in views:
                        with visit(browser, width=width, scheme=scheme) as looking:
                            for path in wanted:
                                looking.page.goto(shown.address + path, wait_until="load")
                                looking.page.wait_for_selector("main")
                                if path == "/":
                                    looking.page.wait_for_selector("#chart-best path.line")
                                    expect(looking.page.locator("body")).to_contain_text("Running")
                                looking.require_sound()
                                looking.screenshot(f"{name_of(path)}-{width}-{scheme}")
        finally:
            stack.close()


@pytest.mark.parametrize("width", [WIDE, NARROW])
def test_nothing_that_others_wrote_acts_or_breaks_the_layout(
    browser: Browser, database: Database, tmp_path: Path, width: int
) -> None:
    run = hostile_run(database)
    folder = tmp_path / "logs" / "worker"
    folder.mkdir(parents=True)
    head = "2026-11-23 12:00:00.000 | INFO     | 1/MainThread job=- | m:f:1 - "
    (folder / "worker-20261123-120000.log").write_text(
        f"{head}{HOSTILE}\n{head}{'x' * 10_000_000}\n{head}the end\n"
    )
    with dashboard(database, tmp_path) as shown, visit(browser, width=width) as looking:
        page = looking.page
        commit = f"{1:040x}"
        for path in (*PATHS, *(f"/jobs/{job}" for job in run.jobs), f"/commits/{commit}"):
            page.goto(shown.address + path)
            page.wait_for_load_state("load")
            if path == "/logs":
                expect(page.locator("#log .event").filter(has_text="the end")).to_be_visible()
            if path == "/":
                page.wait_for_selector("#chart-best path.line")
            if path == "/archive":
                page.locator("a[data-cell]").first.click()
                expect(page.locator("#below #changes")).to_be_visible()
            assert page.evaluate("window.caught") is None, path
            looking.require_sound()
            looking.screenshot(f"hostile-{name_of(path)}-{width}")
        page.goto(f"{shown.address}/jobs/{run.jobs[1]}/artifact?name={HOSTILE[:120]!s}")
        assert page.evaluate("window.caught") is None


def test_an_empty_database_is_shown_on_every_page(
    browser: Browser, database: Database, tmp_path: Path
) -> None:
    with dashboard(database, tmp_path) as shown, visit(browser) as looking:
        for path in PATHS:
            looking.page.goto(shown.address + path)
            looking.require_sound()
            looking.screenshot(f"empty-{name_of(path)}")
        looking.page.goto(shown.address)
        run = Evolved(database)
        run.root(1.0)
        run.child(2.0)
        expect(looking.page.locator("#chart-best path.line")).to_be_visible(timeout=10_000)


def test_hidden_tabs_take_no_connection_and_go_on_where_they_were(
    browser: Browser, database: Database, tmp_path: Path
) -> None:
    hide = (
        "(state) => { Object.defineProperty(document, 'visibilityState', "
        "{ value: state, configurable: true }); "
        "document.dispatchEvent(new Event('visibilitychange')); }"
    )
    folder = tmp_path / "logs" / "worker"
    folder.mkdir(parents=True)
    log = folder / "worker-20261123-120000.log"
    head = "2026-11-23 12:00:00.000 | INFO     | 1/MainThread job=- | m:f:1 - "
    log.write_text("".join(f"{head}line {number}\n" for number in range(300)))
    with dashboard(database, tmp_path) as shown, visit(browser) as looking:
        first = looking.page
        for number in range(7):
            page = looking.page.context.new_page() if number else first
            page.goto(shown.address + ("/logs" if number % 2 else "/"), timeout=5_000)
            if number % 2:
                expect(page.locator("#status")).to_have_text("live")
            page.evaluate(hide, "hidden")
        with log.open("a") as file:
            file.write("".join(f"{head}line {number}\n" for number in range(300, 400)))
        logs = looking.page.context.pages[1]
        logs.evaluate(hide, "visible")
        expect(logs.locator("#log .event")).to_have_count(400)
        expect(logs.locator("#log .event").first).to_contain_text("line 0")
        expect(logs.locator("#log .event").last).to_contain_text("line 399")
        logs.evaluate(hide, "hidden")
        first.evaluate(hide, "visible")
        Evolved(database).root(1.0)
        expect(first.locator(".tile").first).to_contain_text("Best", timeout=10_000)


def test_an_open_page_goes_on_with_the_time_though_nothing_changes(
    browser: Browser, database: Database, tmp_path: Path
) -> None:
    Evolved(database).root(1.0)
    with dashboard(database, tmp_path) as shown, visit(browser) as looking:
        page = looking.page
        page.clock.install()
        page.goto(shown.address)
        page.clock.run_for(3_000)
        with page.expect_request("**/overview/live", timeout=5_000):
            page.clock.run_for(30_000)


def test_an_open_page_says_that_what_it_shows_is_old(
    browser: Browser, database: Database, tmp_path: Path
) -> None:
    run = Evolved(database)
    run.root(1.0)
    with dashboard(database, tmp_path) as shown, visit(browser) as looking:
        page = looking.page
        page.goto(shown.address)
        page.wait_for_selector("#chart-best svg")
        expect(page.locator("#away")).to_be_hidden()
        page.route("**/overview/live", lambda route: route.fulfill(status=503, body="away"))
        run.child(2.0)
        expect(page.locator("#away")).to_contain_text("The database does not answer")
        page.unroute("**/overview/live")
        page.route("**/overview/live", lambda route: route.abort())
        run.child(3.0)
        expect(page.locator("#away")).to_contain_text("The dashboard does not answer")
        page.unroute("**/overview/live")
        run.child(4.0)
        expect(page.locator("#away")).to_be_hidden()


@pytest.mark.parametrize("scores", [(12345.671, 12345.674), (0.3, 0.1 + 0.2), (5.0, 4.0)])
def test_the_axes_of_charts_tell_their_numbers_apart(
    browser: Browser, database: Database, tmp_path: Path, scores: tuple[float, float]
) -> None:
    run = Evolved(database)
    run.root(scores[0])
    run.child(scores[1], width=1)
    with dashboard(database, tmp_path) as shown, visit(browser, width=NARROW) as looking:
        page = looking.page
        page.goto(shown.address)
        for name in ("best", "qd", "cells"):
            expect(page.locator(f"#chart-{name} .grid text").first).to_be_visible()
            # In one go, as a chart that is drawn again has new elements.
            labels, first, edge = page.evaluate(
                """name => {
                  const place = document.getElementById(`chart-${name}`);
                  const ticks = [...place.querySelectorAll(".grid text")];
                  const left = (element) => element.getBoundingClientRect().left;
                  return [
                    ticks.map((tick) => tick.textContent),
                    Math.min(...ticks.map(left)),
                    left(place),
                  ];
                }""",
                name,
            )
            assert len(set(labels)) == len(labels) > 1
            assert first >= edge
        bottom = page.locator("#chart-cells .grid text").first.text_content()
        assert bottom == "0"
        looking.require_sound()


def test_the_keyboard_is_enough(browser: Browser, database: Database, tmp_path: Path) -> None:
    hostile_run(database)
    with dashboard(database, tmp_path) as shown, visit(browser) as looking:
        page = looking.page
        page.goto(f"{shown.address}/archive")
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        for _ in range(8):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.dataset.cell"):
                break
        chosen = page.evaluate("document.activeElement.dataset.cell")
        page.keyboard.press("Enter")
        expect(page.locator("#panel")).to_contain_text(chosen[:12])
        expect(page.locator("#panel a").first).to_have_attribute("href", f"/commits/{chosen}")
        expect(page.locator("#below #changes")).to_contain_text("What it changes")
        page.locator("#below nav").get_by_text("The root").click()
        against = page.locator("#below nav [aria-current]")
        expect(against).to_have_text("The root")
        expect(against).to_have_attribute("href", f"/commits/{chosen}?against=root")

        page.goto(f"{shown.address}/jobs")
        page.keyboard.press("/")
        page.keyboard.type("0")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"/jobs/[0-9a-f-]{36}$"))
        looking.require_sound()


def test_light_and_dark_follow_the_system_and_the_button(
    browser: Browser, database: Database, tmp_path: Path
) -> None:
    colour = "getComputedStyle(document.documentElement).backgroundColor"
    with dashboard(database, tmp_path) as shown:
        with visit(browser, scheme="dark") as looking:
            looking.page.goto(shown.address)
            dark = looking.page.evaluate(colour)
        with visit(browser) as looking:
            page = looking.page
            page.goto(shown.address)
            light = page.evaluate(colour)
            page.get_by_role("button", name="Change between light and dark").click()
            assert page.evaluate(colour) == dark
            page.goto(f"{shown.address}/jobs")
            assert page.evaluate(colour) == dark
            looking.require_sound()
    assert light != dark


def test_a_browser_that_shows_the_token_steers(
    browser: Browser, database: Database, tmp_path: Path
) -> None:
    token = "a token that nobody guesses"
    waits = Evolved(database).waiting()
    with dashboard(database, tmp_path, token=token) as shown, visit(browser) as looking:
        page = looking.page
        page.goto(f"{shown.address}/steering")
        page.get_by_label("The token").fill(token)
        page.get_by_role("button", name="Enter").click()
        page.get_by_label("A new note").fill(HOSTILE)
        page.get_by_role("button", name="Tell the agents").click()
        expect(page.locator(".note")).to_contain_text("<script>window.caught=1</script>")
        looking.screenshot("steering")
        page.goto(f"{shown.address}/jobs/{waits}")
        page.get_by_role("button", name="Cancel this job").click()
        expect(page.locator("h1")).to_contain_text("cancelled")
        assert page.evaluate("window.caught") is None
        looking.require_sound()
