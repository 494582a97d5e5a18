"""The overview of a run, as it is fetched."""

import re
from pathlib import Path

import pytest

from loreley.core.evaluation.evaluation import Artifact
from loreley.db.engine import Database
from tests.evolved import Evolved
from tests.web.support import dashboard

PICTURE = Artifact("a picture.svg", "image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>")


def test_an_empty_database_says_how_to_begin(database: Database, tmp_path: Path) -> None:
    with dashboard(database, tmp_path) as shown:
        answer = shown.get("/")
        assert answer.status == 200
        assert "Nothing has begun yet" in answer.text
        assert shown.get("/figures/history").json["moments"] == []


def test_the_figures_of_a_run_are_shown(database: Database, tmp_path: Path) -> None:
    run = Evolved(database)
    run.root(1.0)
    second = Artifact("second.svg", PICTURE.media_type, PICTURE.content)
    best = run.child(3.0, width=3.5, artifacts=[PICTURE, second], subject="make it wider")
    run.child(2.0, width=5.5, height=9)
    run.failure("no <b>luck</b>")
    run.waiting(running=True, worker="build-host:4711")

    with dashboard(database, tmp_path) as shown:
        text = shown.get("/").text
        for path in ("/", f"/commits/{best}", f"/jobs/{run.jobs[1]}"):
            names = re.findall(r"<img[^>]*artifact\?name=([^\"]+)", shown.get(path).text)
            assert names == ["a%20picture.svg", "second.svg"]
        figures = shown.get("/figures/history").json
        picture = shown.get(f"/jobs/{run.jobs[1]}/artifact?name=a%20picture.svg")

    assert "Running" in text
    assert "not confirmed yet" in text
    assert "the root has 1" in text
    assert "6 %" in text
    assert "3 of 50 cells" in text
    assert "make it wider" in text
    assert "build-host:4711" in text
    assert "artifact?name=a%20picture.svg" in text
    assert [[point[1], *point[2:]] for point in figures["moments"]] == [
        [0, 1.0, 0.0, 1],
        [1, 3.0, 2.0, 2],
        [2, 3.0, 3.0, 3],
    ]
    assert figures["pace"][-1] == [3, 1] or figures["pace"][-2] == [3, 1]
    assert picture.body == PICTURE.content
    assert picture.headers["content-type"] == "image/svg+xml"
    assert "sandbox" in picture.headers["content-security-policy"]


def test_a_root_that_is_the_best_was_made_by_nobody(database: Database, tmp_path: Path) -> None:
    Evolved(database).root(1.0)
    with dashboard(database, tmp_path) as shown:
        text = shown.get("/").text

    assert "#-1" not in text
    assert "the root commit itself" in text


def test_one_step_is_not_steps(database: Database, tmp_path: Path) -> None:
    run = Evolved(database)
    run.root(1.0)
    best = run.child(2.0)
    with dashboard(database, tmp_path) as shown:
        for path in ("/", f"/commits/{best}"):
            assert "1 step from the root" in shown.get(path).text


@pytest.mark.slow
def test_what_goes_wrong_is_reported(database: Database, tmp_path: Path) -> None:
    run = Evolved(database)
    for _ in range(20):
        run.failure()

    with dashboard(database, tmp_path, tasks_redis_url="redis://127.0.0.1:1/0") as shown:
        text = shown.get("/").text

    assert "20 of 20 jobs have failed" in text
    assert "Redis does not answer as needed" in text


def test_artifacts_that_are_no_pictures_cannot_act_as_pages(
    database: Database, tmp_path: Path
) -> None:
    page = Artifact("page", "text/html", b"<script>alert(1)</script>")
    other = Artifact('x"\u00e9.bin', "application/x-thing", b"\0")
    run = Evolved(database)
    run.root()
    run.child(1.0, artifacts=[page, other])

    with dashboard(database, tmp_path) as shown:
        first = shown.get(f"/jobs/{run.jobs[1]}/artifact?name=page")
        second = shown.get(f"/jobs/{run.jobs[1]}/artifact?name=x%22%C3%A9.bin")
        missing = shown.get(f"/jobs/{run.jobs[1]}/artifact?name=nothing")

    assert first.headers["content-type"] == "text/plain; charset=utf-8"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert second.headers["content-disposition"] == "attachment; filename*=UTF-8''x%22%C3%A9.bin"
    assert missing.status == 404
