"""The report of a real run: whole, alone, and safe whatever the run holds."""

import json
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from loreley.config import Settings
from loreley.core.jobs import JobKind, JobRecord
from loreley.db.jobs import Jobs
from loreley.db.models import metrics
from loreley.db.schedule import NewJob, Schedule
from loreley.db.scores import write_score
from loreley.errors import AgentFailed, EvaluationFailed, LoreleyError
from loreley.map_elites.fitness import Estimate
from loreley.report.facts import read_run_facts
from loreley.report.page import render_html, render_json
from loreley.report.writing import print_report, write_report
from tests.core.worker.upstream import git
from tests.db.support import claimed, failed, judged_commit
from tests.ops.experiment import SmallRun, text, usual

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m&'\"</pre>"
_BIG_LINES = 800_000
_VOID = {"meta", "img", "br", "hr", "link", "input"}


class Page(HTMLParser):
    """What a page holds, and whether every element that was opened is closed."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(content)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data

    @property
    def loads(self) -> list[str]:
        """What a browser would fetch or run."""
        names = {"src", "href", "srcset", "action", "data"}
        return [f"{name}={value}" for name, value in self.attributes if name in names] + [
            name for name, _ in self.attributes if name.startswith("on")
        ]


def page(run: SmallRun) -> Page:
    return Page(render_html(read_run_facts(run.settings)))


def fail(run: SmallRun, ordinal: int, failure: AgentFailed | EvaluationFailed) -> None:
    with closing(run.database()) as database:
        new = NewJob(JobKind.EVOLUTION, ordinal, 7, run.commits[0])
        failed(database, Schedule(database).create(new), failure)


@pytest.mark.slow
def test_a_report_tells_all_of_a_run_and_loads_nothing(tmp_path: Path) -> None:
    run = usual(tmp_path)
    fail(run, 5, AgentFailed("no idea"))
    fail(run, 6, EvaluationFailed("it broke", reason="three circles overlap"))

    seen = page(run)

    for words in (
        "score 1 → 3.5", "not confirmed yet, in 2 steps from the root", run.commits[2],
        "spell the third",
        "stress 27", "fittest, by score as measured", "QD score", "island 0: 3 of 20 cells filled",
        "+line 27!", "no idea", "three circles overlap", "MAPELITES_FITNESS_METRIC",
    ):  # fmt: skip
        assert words in " ".join(seen.words.split()), words
    assert seen.tags.count("path") == 4  # three lines, and the points of the evaluations
    assert seen.loads == []
    assert "script" not in seen.tags


@pytest.mark.slow
def test_a_report_tells_how_far_numbers_alone_lead(tmp_path: Path) -> None:
    run = usual(tmp_path)
    with closing(run.database()) as database:
        job_id = Schedule(database).create(NewJob(JobKind.TUNE, -7, 7, run.commits[0]))
        tuned = replace(judged_commit(77), parent=run.commits[0])
        Jobs(database).succeed(claimed(database, job_id), tuned, JobRecord(tries=41))
        with database.begin() as connection:
            write_score(connection, tuned.commit, Estimate(2.25))

    words = " ".join(page(run).words.split())

    assert "2.25by the root's numbers alone, the tuning ceiling; 41 tries in all" in words


@pytest.mark.slow
def test_a_metric_whose_direction_nobody_has_said_is_no_gain_and_no_loss(tmp_path: Path) -> None:
    run = usual(tmp_path)
    with closing(run.database()) as database, database.begin() as connection:
        for commit, value in ((run.commits[0], 3.0), (run.commits[-1], 1.0)):
            for position, name in enumerate(("spread", "stated"), start=2):
                row = {"commit": commit, "name": name, "position": position, "value": value}
                row |= {"samples": [value], "higher_is_better": True}
                row |= {"says_direction": name == "stated"}
                connection.execute(metrics.insert().values(row))

    lines = render_html(read_run_facts(run.settings)).splitlines()

    cells = {name: next(line for line in lines if f"<td>{name}</td>" in line) for name in
             ("spread", "stated", "time")}  # fmt: skip
    assert '<td class="n bad">-2</td>' in cells["stated"]
    assert '<td class="n good">+2.5</td>' in cells["time"]  # seconds, that have become fewer
    assert "bad" not in cells["spread"]
    assert "-2" not in cells["spread"]


def test_hostile_text_is_text(tmp_path: Path) -> None:
    run = SmallRun.begin(tmp_path, {"plan.txt": text()}, worker_evolution_global_goal=HOSTILE)
    run.step({"plan.txt": text({3: HOSTILE}), "<b>.txt": "x"}, 2.0, HOSTILE)
    fail(run, 5, AgentFailed(HOSTILE))

    seen = page(run)

    assert seen.loads == []
    assert {"script", "img", "b>"} & set(seen.tags) == set()
    assert seen.words.count("<script>alert(1)</script>") >= 4
    assert "\x1b" not in seen.words


def test_secrets_are_masked(tmp_path: Path) -> None:
    run = usual(
        tmp_path,
        worker_chat_api_key="sk-hunter2",
        tasks_redis_password="hunter2",
        tasks_redis_url="redis://:hunter2@localhost/0",
        worker_chat_url="http://localhost:1/?api_key=hunter2",
    )

    facts = read_run_facts(run.settings)

    assert "hunter2" not in render_html(facts)
    assert "hunter2" not in render_json(facts)
    assert facts.settings["WORKER_CHAT_API_KEY"] == "***"


@pytest.mark.parametrize("secret", ["/hunter2/hunter2/hunter2", "hunter2://hunter2hunter2"])
def test_secrets_that_look_like_paths_or_addresses_are_masked(tmp_path: Path, secret: str) -> None:
    run = usual(
        tmp_path,
        loreley_ui_token=secret,
        worker_chat_api_key=secret,
        tasks_redis_password=secret,
        mapelites_embedding_api_key=secret,
    )

    facts = read_run_facts(run.settings)

    assert "hunter2" not in render_html(facts)
    assert "hunter2" not in render_json(facts)
    assert str(run.upstream.path) == facts.settings["WORKER_REPO_REMOTE_URL"]


def test_programs_get_the_same_facts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = usual(tmp_path)

    print_report(run.settings)

    told = json.loads(capsys.readouterr().out)
    assert told["overview"]["gain"] == 2.5
    assert [step["commit"] for step in told["lineage"]["steps"]] == run.commits
    assert [measure["name"] for measure in told["islands"][0]["measures"]] == ["size", "depth"]
    assert [moment["best"] for moment in told["moments"]][-1] == 3.5
    assert "+line 27!" in told["diff"]["text"]


def test_a_run_that_has_only_its_root_and_none_at_all(tmp_path: Path) -> None:
    run = SmallRun.begin(tmp_path / "run", {"plan.txt": text()})
    assert "Nothing fitter than the root" in page(run).words

    with pytest.raises(LoreleyError, match="no experiment yet"):
        read_run_facts(Settings(loreley_state_dir=tmp_path / "none"))


def test_a_deleted_branch_takes_the_diff_and_nothing_else(tmp_path: Path) -> None:
    run = usual(tmp_path)
    git("update-ref", "-d", "refs/heads/evolution/job/2", cwd=run.upstream.path)
    git("gc", "-q", "--prune=now", cwd=run.upstream.path)

    seen = page(run)

    assert "not on the remote any more" in seen.words
    assert "stress 27" in seen.words


@pytest.mark.slow
def test_fifty_megabytes_of_difference_make_a_page_that_opens(tmp_path: Path) -> None:
    run = SmallRun.begin(tmp_path, {"plan.txt": text()})
    run.step({"big.txt": "a line of sixty characters or so, to be many of them ......\n"
              * _BIG_LINES}, 2.0)  # fmt: skip

    content = render_html(read_run_facts(run.settings))

    assert len(content) < 2_000_000
    assert "Only its beginning is shown" in content


def test_an_earlier_report_is_replaced_and_nothing_else(tmp_path: Path) -> None:
    run = usual(tmp_path)
    path = tmp_path / "report.html"
    write_report(run.settings, path)
    first = path.read_bytes()
    run.step({"plan.txt": text({1: "better"})}, 7.0)

    write_report(run.settings, path)
    assert path.read_bytes() != first

    path.write_text("mine")
    with pytest.raises(LoreleyError, match="the file exists"):
        write_report(run.settings, path)
    assert path.read_text() == "mine"
    write_report(run.settings, path, force=True)
    assert path.read_bytes().startswith(b"<!DOCTYPE html>")


def test_a_place_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    run = usual(tmp_path)
    for path in (tmp_path, tmp_path / "nowhere" / "x.html", Path("/proc/x.html")):
        with pytest.raises(LoreleyError, match="cannot be written"):
            write_report(run.settings, path)
