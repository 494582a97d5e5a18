"""What the doctor says, and when it is content."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from loreley.config import Settings, load_settings
from loreley.core.jobs import JobKind
from loreley.db.engine import Database, open_database
from loreley.db.experiment import Experiment
from loreley.db.schedule import NewJob, Schedule
from loreley.errors import ServiceUnavailable
from loreley.ops.doctor.diagnosis import diagnose
from loreley.ops.doctor.findings import (
    Check,
    Finding,
    Verdict,
    all_hold,
    as_json,
    as_text,
    examine,
    exit_code,
)
from loreley.ops.doctor.invariants import run_checks
from tests.core.worker.upstream import Upstream
from tests.db.support import claimed, judged_commit, succeeded
from tests.services import free_port

GOOD = Finding(Verdict.GOOD, "fine")


def check(name: str, *findings: Finding) -> Check:
    answers = list(findings)
    return Check(name, lambda: answers.pop(0) if len(answers) > 1 else answers[0])


def test_findings_are_named_and_in_order() -> None:
    findings = examine([check("a", GOOD), check("b", Finding(Verdict.BAD, "broken", "mend it"))])

    assert as_text(findings).splitlines() == [
        "good     a                        fine",
        "bad      b                        broken",
        "                                  fix: mend it",
    ]
    assert [one["name"] for one in json.loads(as_json(findings))] == ["a", "b"]


@pytest.mark.parametrize(
    ("verdict", "code"), [(Verdict.GOOD, 0), (Verdict.WARNING, 0), (Verdict.BAD, 1)]
)
def test_only_what_is_bad_fails(verdict: Verdict, code: int) -> None:
    assert exit_code([GOOD, Finding(verdict)]) == code


@pytest.mark.slow
def test_what_passes_by_itself_is_no_finding() -> None:
    moving = check("moving", Finding(Verdict.BAD), Finding(Verdict.BAD), GOOD)

    assert examine([moving], settle_seconds=10)[0].verdict is Verdict.GOOD


@pytest.mark.slow
def test_what_stays_is_reported_after_a_bounded_time() -> None:
    began = time.monotonic()

    [finding] = examine([check("stuck", Finding(Verdict.BAD))], settle_seconds=0.7)

    assert finding.verdict is Verdict.BAD
    assert time.monotonic() - began < 3


def test_a_service_that_is_away_is_a_finding() -> None:
    def ask() -> Finding:
        raise ServiceUnavailable("Redis does not answer", reason="refused", fix="start it")

    [finding] = examine([Check("queue", ask)])

    assert (finding.verdict, finding.fix) == (Verdict.BAD, "start it")
    assert "refused" in finding.seen


def test_many_flaws_are_not_all_told() -> None:
    finding = all_hold(list(range(100)), good="", fix="mend")

    assert finding.seen == "0; 1; 2; 3; 4; and 95 more"


@pytest.fixture
def settings(
    tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Settings]:
    upstream = Upstream.create(tmp_path / "upstream")

    def load(**changes: str) -> Settings:
        for name, value in {
            "TASKS_REDIS_URL": redis_url,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'run.db'}",
            "WORKER_REPO_REMOTE_URL": str(upstream.path),
            "WORKER_REPO_WORKTREE": str(tmp_path / "base"),
            **changes,
        }.items():
            monkeypatch.setenv(name, value)
        return load_settings()

    return load


@pytest.fixture
def run(settings: Callable[..., Settings]) -> Iterator[Database]:
    database = open_database(settings().sqlalchemy_url)
    Schedule(database).begin_experiment(Experiment("a" * 40, {}))
    yield database
    database.close()


def verdicts(settings: Settings, database: Database) -> dict[str, Verdict]:
    return {one.name: one.verdict for one in examine(run_checks(settings, database))}


def test_a_run_that_has_not_begun_is_whole(
    settings: Callable[..., Settings], run: Database
) -> None:
    assert set(verdicts(settings(), run).values()) == {Verdict.GOOD}


@pytest.mark.slow
def test_a_branch_the_remote_lacks_is_bad(settings: Callable[..., Settings], run: Database) -> None:
    job_id = Schedule(run).create(NewJob(JobKind.EVOLUTION, 0, 7, "a" * 40))
    succeeded(run, job_id, judged_commit())

    assert verdicts(settings(), run)["branches"] is Verdict.BAD


def test_a_job_without_a_message_is_a_warning(
    settings: Callable[..., Settings], run: Database, redis_url: str
) -> None:
    job_id = Schedule(run).create(NewJob(JobKind.EVOLUTION, 0, 7, "a" * 40))
    assert verdicts(settings(), run)["queue"] is Verdict.WARNING
    Schedule(run).queue_pending()
    assert verdicts(settings(), run)["queue"] is Verdict.WARNING

    message = json.dumps({"args": [job_id]})
    Redis.from_url(redis_url).hset("loreley:loreley.evolution.msgs", "1", message)

    assert verdicts(settings(), run)["queue"] is Verdict.GOOD


def test_a_lease_that_nobody_ends_is_bad(settings: Callable[..., Settings], run: Database) -> None:
    job_id = Schedule(run).create(NewJob(JobKind.EVOLUTION, 0, 7, "a" * 40))
    claimed(run, job_id, lease_seconds=-60)

    assert verdicts(settings(), run)["leases"] is Verdict.BAD


@pytest.mark.slow
def test_services_that_are_away_are_bad(settings: Callable[..., Settings]) -> None:
    nobody = settings(
        TASKS_REDIS_URL=f"redis://127.0.0.1:{free_port()}/0", WORKER_REPO_REMOTE_URL="/nowhere"
    )

    found = {one.name: one for one in diagnose(nobody, with_run=True)}

    assert {name for name, one in found.items() if one.verdict is Verdict.BAD} == {
        *("settings", "queue server", "repository", "evaluator", "queue", "branches"),
    }
    assert all(one.fix for one in found.values() if one.verdict is Verdict.BAD)
