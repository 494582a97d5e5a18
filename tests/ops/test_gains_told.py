"""Whether the best is better than the root: every place has the same words for it."""

import json
import re
from pathlib import Path

import pytest

from loreley.config import Settings
from loreley.core.evaluation.confirmation import Confirmation
from loreley.core.evaluation.holdout import Holdout, HoldoutResult
from loreley.core.evaluation.paired_test import Verdict
from loreley.core.jobs import JobKind
from loreley.db.engine import open_database
from loreley.db.schedule import insert_extra
from loreley.metrics.run import RunCollector
from loreley.ops.progress import describe, live_line
from loreley.ops.results.best import print_best
from loreley.ops.results.commit_message import write_message
from loreley.ops.results.selection import Selection
from loreley.ops.status import describe_status
from loreley.report.facts import read_run_facts
from loreley.report.page import render_json
from loreley.views.lineage import read_lineage
from loreley.views.overview import read_overview
from tests.evolved import ROOT, Evolved
from tests.ops.test_words import TOLD, Tell
from tests.web.support import dashboard

CLEAR = Confirmation(Verdict.CONFIRMED, (1.0, 1.1, 0.9, 1.0), (2.0, 2.1, 1.9, 2.2))
UNCLEAR = Confirmation(Verdict.NOT_CONFIRMED, (1.0, 1.2, 0.9), (1.1, 1.0, 1.0))
CLEAR_WORDS = "confirmed: +1.0 points ± 0.1 (4 pairs)"
UNCLEAR_WORDS = "not confirmed: differences under 0.15 points are noise here"


def _best(settings: Settings, _folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    print_best(settings, Selection())
    return capsys.readouterr().out


def _live(settings: Settings, _folder: Path, _capsys: pytest.CaptureFixture[str]) -> str:
    run = Evolved(open_database(settings.sqlalchemy_url))
    overview = read_overview(run.database)
    run.database.close()
    assert overview
    return describe(overview, None, 10)


def _page_of(address: str) -> Tell:
    def tell(settings: Settings, folder: Path, _capsys: pytest.CaptureFixture[str]) -> str:
        database = open_database(settings.sqlalchemy_url)
        with dashboard(database, folder) as shown:
            text = shown.get(address).text
        database.close()
        return text

    return tell


PLACES: dict[str, Tell] = TOLD | {
    "best": _best,
    "live line": _live,
    "status as JSON": lambda settings, _folder, _capsys: _plain(
        describe_status(settings, as_json=True)
    ),
    "report as JSON": lambda settings, _folder, _capsys: _plain(
        render_json(read_run_facts(settings))
    ),
    "lineage": _page_of("/lineage"),
    "commit": _page_of(f"/commits/{1:040x}"),
}
CLAIMS = re.compile(r"better than the root|better by|improve[ds]? ", re.IGNORECASE)


def _plain(text: str) -> str:
    return json.dumps(json.loads(text), ensure_ascii=False)


def told_at(
    place: str, settings: Settings, folder: Path, capsys: pytest.CaptureFixture[str]
) -> str:
    """What is told there, without markup."""
    said = re.sub(r"<[^>]+>", " ", PLACES[place](settings, folder, capsys))
    return " ".join(said.split())


@pytest.fixture
def settings(state_dir: Path) -> Settings:
    return Settings(
        loreley_state_dir=state_dir,
        worker_repo_remote_url="/nowhere/remote.git",
        worker_evolution_global_goal="Faster.",
    )


@pytest.fixture
def run(settings: Settings) -> Evolved:
    run = Evolved(open_database(settings.sqlalchemy_url))
    run.root(1.0)
    run.child(3.25, width=3)
    return run


BEST = f"{1:040x}"


@pytest.mark.parametrize("place", PLACES)
def test_every_place_says_that_nothing_is_confirmed_yet(
    place: str,
    run: Evolved,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = told_at(place, settings, tmp_path, capsys)

    assert "not confirmed yet" in told
    assert not CLAIMS.search(told)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("confirmation", "words"),
    [(CLEAR, CLEAR_WORDS), (UNCLEAR, UNCLEAR_WORDS)],
    ids=["clear", "unclear"],
)
def test_every_place_has_the_same_words_and_figure(
    confirmation: Confirmation,
    words: str,
    place: str,
    run: Evolved,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run.beside_root(BEST, confirmation)

    told = told_at(place, settings, tmp_path, capsys)

    assert words in told
    assert confirmation is CLEAR or not CLAIMS.search(told)


@pytest.mark.parametrize("place", sorted(set(PLACES) - {"live line", "top", "lineage"}))
def test_a_hold_out_is_told_with_both_figures_and_the_gap(
    place: str,
    run: Evolved,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    held_out = Holdout(HoldoutResult(ROOT, (5.0,)), HoldoutResult(BEST, (5.5,)))
    run.beside_root(BEST, CLEAR, held_out)

    told = told_at(place, settings, tmp_path, capsys)

    assert "5 at the root, 5.5 here: +0.5, against +1 where it was selected (gap 0.5)" in told


def test_programs_read_the_figures_of_a_hold_out_as_numbers(
    run: Evolved, settings: Settings
) -> None:
    held_out = Holdout(HoldoutResult(ROOT, (5.0,)), HoldoutResult(BEST, (5.5,)))
    run.beside_root(BEST, CLEAR, held_out)

    told = json.loads(describe_status(settings, as_json=True))["experiment"]["best_gain"]

    assert (told["status"], told["pairs"]) == ("confirmed", 4)
    assert told["holdout_figures"] == {
        "root": 5.0,
        "commit": 5.5,
        "difference": 0.5,
        "gap": pytest.approx(0.5),
    }


@pytest.mark.parametrize(("confirmation", "is_confirmed"), [(CLEAR, 1.0), (UNCLEAR, 0.0)])
def test_prometheus_gets_the_verdict_and_the_difference(
    confirmation: Confirmation, is_confirmed: float, run: Evolved
) -> None:
    assert run.database is not None
    before = {each.name: each.samples for each in RunCollector(run.database).collect()}
    run.beside_root(BEST, confirmation)
    after = {each.name: each.samples for each in RunCollector(run.database).collect()}

    assert before["loreley_best_confirmed"][0].value == 0.0
    assert "loreley_best_difference" not in before
    assert after["loreley_best_confirmed"][0].value == is_confirmed
    assert confirmation.difference is not None
    assert after["loreley_best_difference"][0].value == confirmation.difference.estimate


@pytest.mark.parametrize("place", ["best", "evolve", "status", "report", "page"])
def test_a_run_that_goes_on_tells_what_is_known_to_be_better(
    place: str,
    run: Evolved,
    settings: Settings,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run.beside_root(BEST, CLEAR)
    fitter = run.child(4.5, width=5)

    told = told_at(place, settings, tmp_path, capsys)

    assert "not confirmed yet" in told
    assert CLEAR_WORDS in told
    assert BEST[:12] in told
    assert fitter[:12] in told


def test_a_run_that_was_stopped_ends_with_its_best_confirmed_commit(
    run: Evolved, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run.beside_root(BEST, CLEAR)
    fitter = run.child(4.5, width=5)

    lines = PLACES["evolve"](settings, tmp_path, capsys).splitlines()

    assert "best      score 3.25, from 1 at the root" in lines
    assert f"gain      {CLEAR_WORDS}" in lines
    assert f"fitter    score 4.5, not confirmed yet: {fitter}" in lines
    assert f"commit    {BEST}" in lines


def test_the_live_line_says_what_is_measured_after_the_last_job(
    run: Evolved, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with live_line(1) as show:
        show(read_overview(run.database))
        with run.database.begin() as connection:
            insert_extra(run.database, connection, JobKind.CONFIRMATION, BEST)
        show(read_overview(run.database))
        show(read_overview(run.database))
        run.beside_root(BEST, CLEAR)
        show(read_overview(run.database))

    lines = capsys.readouterr().err.splitlines()
    assert ["measuring it beside the root" in line for line in lines] == [False, True, True]
    assert f"best 3.25, {CLEAR_WORDS}" in lines[-1]


def test_only_a_confirmed_commit_is_called_an_improvement_in_its_message(run: Evolved) -> None:
    run.child(4.5, parent=BEST, width=5)

    def message() -> tuple[str, str]:
        lineage = read_lineage(run.database, f"{2:040x}")
        assert lineage is not None
        written = write_message(lineage)
        return written.subject, written.body

    subject, body = message()
    assert subject == "Change score from 1 to 4.5, not confirmed"
    assert body.endswith("\nGain: not confirmed yet")
    run.beside_root(f"{2:040x}", CLEAR)
    subject, body = message()
    assert subject == "Improve score from 1 to 4.5"
    assert body.endswith(f"\nGain: {CLEAR_WORDS}")
