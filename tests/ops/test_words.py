"""What people are told of a run, in the states it may be in."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from loreley.config import Settings
from loreley.db.engine import open_database
from loreley.ops.progress import describe
from loreley.ops.status import describe_status
from loreley.ops.summary import summarise
from loreley.ops.top.run_view import print_snapshot, take_snapshot
from loreley.report.facts import read_run_facts
from loreley.report.page import render_html
from loreley.views.overview import Overview, read_overview
from tests.evolved import Evolved
from tests.web.support import dashboard

Tell = Callable[[Settings, Path, pytest.CaptureFixture[str]], str]


def _overview(settings: Settings) -> Overview:
    database = open_database(settings.sqlalchemy_url)
    found = read_overview(database)
    database.close()
    assert found
    return found


def _top(settings: Settings, _folder: Path, capsys: pytest.CaptureFixture[str]) -> str:
    database = open_database(settings.sqlalchemy_url)
    print_snapshot(take_snapshot(settings, database))
    database.close()
    return capsys.readouterr().out


def _page(settings: Settings, folder: Path, _capsys: pytest.CaptureFixture[str]) -> str:
    database = open_database(settings.sqlalchemy_url)
    with dashboard(database, folder) as shown:
        text = shown.get("/overview/live").text
    database.close()
    return text


TOLD: dict[str, Tell] = {
    "status": lambda settings, _folder, _capsys: describe_status(settings, as_json=False),
    "top": _top,
    "evolve": lambda settings, folder, _capsys: summarise(_overview(settings), settings, folder),
    "report": lambda settings, _folder, _capsys: render_html(read_run_facts(settings)),
    "page": _page,
}


@pytest.fixture
def settings(state_dir: Path) -> Settings:
    return Settings(loreley_state_dir=state_dir, worker_repo_remote_url="/nowhere/remote.git")


def evolved(settings: Settings, **options: object) -> Evolved:
    return Evolved(open_database(settings.sqlalchemy_url), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("place", TOLD)
def test_the_best_is_reported_though_the_root_has_no_fitness(
    place: str, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = evolved(settings, constraints=("score >= 2",))
    run.root(1.0)
    run.child(3.25, width=3)

    told = TOLD[place](settings, tmp_path, capsys)

    assert "3.25" in told
    assert "has no fitness" in told
    assert "othing has been judged" not in told
    assert "above the root" not in told


@pytest.mark.parametrize("place", TOLD)
def test_what_was_judged_and_has_no_fitness_is_not_said_to_be_unjudged(
    place: str, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = evolved(settings, constraints=("score >= 2",))
    run.root(1.0)
    run.child(1.5)

    told = TOLD[place](settings, tmp_path, capsys)

    assert "of 2 judged commits has a fitness" in told
    assert "othing has been judged" not in told


def test_status_prints_nothing_that_steers_a_terminal(settings: Settings) -> None:
    hostile = "\x1b[2Jred\x1b]0;title\x07 \x9b5m"
    run = evolved(settings)
    run.root(1.0)
    run.child(3.25, width=3, subject=hostile)
    run.failure(hostile)
    run.waiting(running=True, worker=hostile)

    assert not {"\x1b", "\x07", "\x9b"} & set(describe_status(settings, as_json=False))


@pytest.mark.parametrize("place", TOLD)
def test_before_the_first_evaluation_nothing_has_been_judged(
    place: str, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evolved(settings).waiting()

    assert "othing has been judged yet" in TOLD[place](settings, tmp_path, capsys)


@pytest.mark.parametrize("place", TOLD)
def test_a_cell_that_two_islands_fill_counts_once(
    place: str, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = evolved(settings)
    run.root(1.0)  # which both islands have
    run.child(2.0, width=3)

    told = re.sub(r"<[^>]+>", " ", TOLD[place](settings, tmp_path, capsys))

    assert "2 of 50 cells filled" in " ".join(told.split())
    assert "2 cells filled" in describe(_overview(settings), None, 10)


@pytest.mark.parametrize("place", ["status", "report", "page"])
def test_only_a_candidate_that_beats_its_base_is_called_fitter(
    place: str, settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = evolved(settings)
    run.root(2.0)
    run.child(1.0, width=3)  # enters the archive

    told = " ".join(re.sub(r"<[^>]+>", " ", TOLD[place](settings, tmp_path, capsys)).split())

    assert "tried fitter" in told
    assert "entered" not in told
    assert re.search(r"agent genetic 1(\.0)? 0(\.0)? ?%", told)
