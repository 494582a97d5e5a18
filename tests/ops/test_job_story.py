"""`invoke job` on a real database."""

from pathlib import Path

import pytest
from sqlalchemy import update

from loreley.config import Settings
from loreley.core.evaluation.evaluation import Artifact, Evaluation, Metric
from loreley.core.jobs import FailedTry, JobKind, JobRecord, JudgedCommit, Trial
from loreley.db.engine import open_database
from loreley.db.experiment import Experiment
from loreley.db.jobs import Jobs
from loreley.db.models import artifacts, commits, jobs, metrics
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import AgentFailed, LoreleyError
from loreley.ops.job_story import print_job
from loreley.views.job_story import find_jobs

ROOT = "a" * 40


@pytest.fixture
def settings(state_dir: Path) -> Settings:
    settings = Settings(loreley_state_dir=state_dir)
    database = open_database(settings.sqlalchemy_url)
    schedule, store = Schedule(database), Jobs(database)
    schedule.begin_experiment(Experiment(ROOT, {}))
    for ordinal in range(3):
        schedule.create(NewJob(JobKind.EVOLUTION, ordinal, 1, ROOT))
    first, second, _ = schedule.queue_pending()
    record = JobRecord([Artifact("patch.diff", "text/x-diff", b"+\x1b[31mone\n"), BINARY])
    judged = JudgedCommit(
        "b" * 40, "c" * 40, ROOT, "evolution/job/x", "Use one",
        {"edit_distance": 1, "code_size": 1},
        Evaluation("", (Metric("score", 1.5, "m", samples=(1.0, 2.0)),)),
    )  # fmt: skip
    store.succeed(store.claim(first, worker="host:1", lease_seconds=60), judged, record)
    claim = store.claim(second, worker="host:1", lease_seconds=60)
    store.announce(claim, "e" * 40)
    tried = FailedTry(1, "flip-bit", "flip a bit of 2", "a test\nfails", 2.5)
    store.add_failed_try(claim, tried, JobRecord())
    judged_once = Evaluation("", (Metric("score", 2.5, "m"),))
    for number, evaluation in enumerate((judged_once, None), start=1):
        store.announce(claim, str(number) * 40)
        trial = Trial(number, str(number) * 40, evaluation, "it\nbroke", seconds=1.5)
        store.add_trial(claim, trial, JobRecord())
    store.fail(claim, AgentFailed("no\nidea"), JobRecord())
    database.close()
    return settings


BINARY = Artifact("picture.png", "image/png", b"\x89PNG\0")


def test_a_job_is_reported_with_its_commit_figures_and_text(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    print_job(settings, "0", artifact=None)

    told = capsys.readouterr().out
    assert "job          #0 " in told
    assert f"commit       {'b' * 40} Use one" in told
    assert "metric       score = 1.5 ± 0.627 m" in told
    assert "+[31mone" in told  # without the terminal's escape
    assert "--- picture.png (image/png, 5 bytes)" in told


def test_a_failure_is_reported_in_one_line(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    print_job(settings, "#1", artifact=None)

    told = capsys.readouterr().out
    assert "failure      agent: no idea" in told
    assert "trial 1      111111111111 score = 2.5 m (1.5 s)\n" in told
    assert "trial 2      222222222222 failed: it broke (1.5 s)\n" in told
    assert "try 1        flip a bit of 2: a test fails" in told


def test_a_cancelled_job_was_not_rejected(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    database = open_database(settings.sqlalchemy_url)
    [job_id] = find_jobs(database, "2")
    assert Schedule(database).cancel(job_id, "for want of money")
    database.close()

    print_job(settings, "2", artifact=None)

    told = capsys.readouterr().out
    assert "why          for want of money" in told
    assert "rejected" not in told


def test_what_steers_a_terminal_is_not_printed(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = "\x1b[2Jred\x1b]0;title\x07 \x9b5m"
    database = open_database(settings.sqlalchemy_url)
    with database.begin() as connection:
        connection.execute(update(jobs).values(failure=hostile, agent=hostile, worker=hostile))
        connection.execute(update(commits).values(subject=hostile, branch=hostile))
        connection.execute(update(metrics).values(name=hostile, unit=hostile))
        pictures = update(artifacts).where(artifacts.c.name == BINARY.name)
        connection.execute(pictures.values(name=hostile, media_type=hostile))
    database.close()

    for number in ("0", "1"):
        print_job(settings, number, artifact=None)

    assert not {"\x1b", "\x07", "\x9b"} & set(capsys.readouterr().out)


def test_an_artifact_is_printed_as_it_is(
    settings: Settings, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    print_job(settings, "0", artifact="picture.png")

    assert capfdbinary.readouterr().out == BINARY.content


@pytest.mark.parametrize("beginning", ["7", "zz", "%", "", "-9"])
def test_what_means_no_job_is_reported(settings: Settings, beginning: str) -> None:
    with pytest.raises(LoreleyError, match=r"no such job|several jobs"):
        print_job(settings, beginning, artifact=None)


def test_an_artifact_that_is_not_there_is_reported_with_those_that_are(settings: Settings) -> None:
    with pytest.raises(LoreleyError, match=r"patch\.diff, picture\.png"):
        print_job(settings, "0", artifact="nothing")
