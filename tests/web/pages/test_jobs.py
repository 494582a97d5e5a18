"""The list of jobs and the story of one, as they are fetched."""

import json
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.core.evaluation.evaluation import Artifact, Evaluation, Metric
from loreley.core.jobs import JobKind, JobRecord, Trial
from loreley.db.engine import Database
from loreley.db.jobs import Jobs
from loreley.db.schedule import NewJob, Schedule
from tests.db.bulk import seed_jobs
from tests.db.support import claimed
from tests.evolved import ROOT, Evolved
from tests.web.support import Dashboard, dashboard

PATCH = b"diff --git a/x.py b/x.py\n--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-old <b>\n+new\n"


def numbers(text: str) -> list[str]:
    return re.findall(r'href="/jobs/[0-9a-f-]{36}">([^<]+)<', text)


@pytest.fixture
def run(database: Database) -> Evolved:
    run = Evolved(database)
    run.root(1.0)
    run.child(
        2.0,
        subject="widen <script>",
        artifacts=[
            Artifact("patch.diff", "text/x-diff", PATCH),
            Artifact("prompt.md", "text/plain", b"be <i>good</i>"),
            Artifact("picture.svg", "image/svg+xml", b"<svg/>"),
            Artifact("data.bin", "application/octet-stream", b"\0\1"),
        ],
    )
    run.failure("it broke badly")
    run.waiting()
    return run


@pytest.fixture
def shown(run: Evolved, tmp_path: Path) -> Iterator[Dashboard]:
    with dashboard(run.database, tmp_path) as running:
        yield running


def test_jobs_are_listed_the_newest_first_and_filtered(shown: Dashboard) -> None:
    assert numbers(shown.get("/jobs").text) == ["#2", "#1", "#0", "root"]
    assert numbers(shown.get("/jobs?state=failed").text) == ["#1"]
    assert numbers(shown.get("/jobs?kind=baseline").text) == ["root"]
    assert numbers(shown.get("/jobs?outcome=new").text) == ["root"]
    assert numbers(shown.get("/jobs?outcome=improved").text) == ["#0"]
    assert numbers(shown.get("/jobs?agent=nobody").text) == []
    assert "show all" in shown.get("/jobs?agent=nobody").text


@pytest.mark.slow
@pytest.mark.parametrize(
    "query", ["state=%00", "state=x", "below=1e9", "above=--1", "below=99999999999", "find=%25"]
)
def test_a_query_that_means_nothing_is_no_failure(shown: Dashboard, query: str) -> None:
    assert shown.get(f"/jobs?{query}").status == 200


def test_a_job_is_found_by_number_id_and_commit(shown: Dashboard, run: Evolved) -> None:
    job_id = run.jobs[1]
    for wanted in ("0", "%230", job_id[:8], job_id.upper(), f"{1:040x}"):
        answer = shown.get(f"/jobs?find={wanted}")
        assert (answer.status, answer.headers.get("location")) == (303, f"/jobs/{job_id}"), wanted
    assert "is called zzz" in shown.get("/jobs?find=zzz").text


def test_the_story_of_a_job_is_reported(shown: Dashboard, run: Evolved) -> None:
    text = shown.get(f"/jobs/{run.jobs[1]}").text

    assert "widen &lt;script&gt;" in text
    assert "old &lt;b&gt;" in text
    assert "be &lt;i&gt;good&lt;/i&gt;" in text
    assert "artifact?name=picture.svg" in text
    assert "data.bin" in text
    assert "it broke badly" in shown.get(f"/jobs/{run.jobs[2]}").text
    assert shown.get("/jobs/nothing").status == 404


def test_what_an_agent_has_measured_is_told_with_its_job(
    shown: Dashboard, database: Database, run: Evolved
) -> None:
    store, schedule = Jobs(database), Schedule(database)
    job_id = schedule.create(NewJob(JobKind.EVOLUTION, schedule.next_ordinal(), 7, ROOT))
    claim = claimed(database, job_id)
    store.announce(claim, "ab" * 20)
    evaluation = Evaluation("", (Metric("score", 2.5, "m"),))
    store.add_trial(claim, Trial(1, "ab" * 20, evaluation), JobRecord())
    store.announce(claim, "cd" * 20)
    store.add_trial(claim, Trial(2, "cd" * 20, None, "it <b>broke</b>"), JobRecord())

    text = shown.get(f"/jobs/{job_id}").text

    assert "What its agent measured" in text
    assert "score 2.5 m" in text
    assert "it &lt;b&gt;broke&lt;/b&gt;" in text
    assert "What its agent measured" not in shown.get(f"/jobs/{run.jobs[1]}").text


def test_a_cancelled_job_is_not_said_to_be_rejected(
    shown: Dashboard, database: Database, run: Evolved
) -> None:
    job_id = run.jobs[-1]
    assert Schedule(database).cancel(job_id, "for want of money")

    text = shown.get(f"/jobs/{job_id}").text

    assert "for want of money" in text
    assert "ejected" not in text
    assert ", after" not in text
    assert len(re.findall(r'class="badge[^"]*">cancelled<', text)) == 1


def test_a_page_names_what_became_of_a_commit_as_the_list_does(
    shown: Dashboard, run: Evolved
) -> None:
    run.failure("out of bounds", rejected=True)
    run.child(1.5)

    assert numbers(shown.get("/jobs?outcome=rejected").text) == ["#4"]
    listed, own = shown.get("/jobs").text, shown.get(f"/jobs/{run.jobs[-1]}").text

    assert "not better" in listed
    assert "not better" in own
    assert '<option value="rejected">not better</option>' in listed


def test_the_log_lines_of_a_job_are_found(shown: Dashboard, run: Evolved) -> None:
    job_id, folder = run.jobs[1], shown.site.logs_base / "logs" / "worker"
    folder.mkdir(parents=True)
    now = time.strftime("%Y-%m-%d %H:%M:%S.000")
    (folder / "worker-20261123-120000.log").write_text(
        f"{now} | INFO     | 1/MainThread job={job_id[:8]} | m:f:1 - mine <b>\n    and more\n"
        f"{now} | INFO     | 1/MainThread job=00000000 | m:f:1 - another's\n"
    )

    text = shown.get(f"/jobs/{job_id}/log").text

    assert "mine &lt;b&gt;\n    and more" in text
    assert "another" not in text
    assert "nothing about it" in shown.get(f"/jobs/{run.jobs[2]}/log").text


@pytest.mark.slow
def test_pages_of_a_hundred_thousand_jobs_are_quick(database: Database, tmp_path: Path) -> None:
    Evolved(database)
    seed_jobs(database, 100_000)

    with dashboard(database, tmp_path) as shown:
        seen: list[str] = []
        for path in (
            "/jobs",
            "/jobs?below=50000",
            "/jobs?above=50000",
            "/jobs?state=failed&below=60000",
            "/jobs?state=cancelled",
            "/jobs?find=99999",
            "/",
        ):
            shown.get(path)
            started = time.perf_counter()
            assert shown.get(path).status in (200, 303)
            seconds = time.perf_counter() - started
            seen.append(f"{path} {seconds * 1000:.0f} ms")
            assert seconds < 3.0, seen
        sys.stdout.write(f"{'; '.join(seen)}\n")

        assert numbers(shown.get("/jobs?below=50000").text)[:2] == ["#49999", "#49998"]
        newer = shown.get("/jobs?above=50000").text
        assert (numbers(newer)[0], numbers(newer)[-1]) == ("#50050", "#50001")


def test_the_list_is_had_as_a_file_through_the_same_filter(shown: Dashboard) -> None:
    page = shown.get("/jobs?state=failed").text
    assert 'href="/jobs.csv?state=failed"' in page

    answer = shown.get("/jobs.csv?state=failed")
    assert answer.headers["content-type"].startswith("text/csv")
    head, *lines = answer.text.splitlines()
    assert head.startswith("job_id,ordinal,kind,state")
    assert lines
    assert all(",failed," in line for line in lines if re.match("[0-9a-f-]{36},", line))
    objects = [json.loads(line) for line in shown.get("/jobs.jsonl").text.splitlines()]
    assert {"fitness", "metrics", "state"} <= set(objects[0])
