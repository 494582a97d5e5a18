"""Old job branches on a real remote: which go, which stay, and what happens in between."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from loguru import logger
from sqlalchemy import update

from loreley.core.evaluation.confirmation import Confirmation
from loreley.core.evaluation.paired_test import Verdict
from loreley.core.jobs import JobKind
from loreley.db.archive import Archive, PlacedCommit
from loreley.db.confirmations import record_confirmation
from loreley.db.engine import Database, now
from loreley.db.experiment import Experiment
from loreley.db.models import jobs
from loreley.db.retention import forget_branches
from loreley.db.schedule import NewJob, Schedule, mark_ingested
from loreley.db.scores import read_scored_commits, write_score
from loreley.errors import JobFailed
from loreley.git import git as git_module
from loreley.git.git import Git
from loreley.git.remote import Remote
from loreley.map_elites.fitness import Estimate
from loreley.scheduler.assembly import renew_credentials
from loreley.scheduler.pruning import JobBranches, Pruning
from tests.core.worker.upstream import Upstream, opened, soon
from tests.db.support import failed, judged_commit, rows, succeeded
from tests.support import eventually

PREFIX = "evolution/job"
TTL_HOURS = 24.0
ROOT = "a" * 40


@dataclass
class Run:
    """An experiment whose jobs end when a test says so, with branches on a real remote."""

    database: Database
    upstream: Upstream
    seconds: float = 0.0
    failures: int = 0
    made: list[str] = field(default_factory=list)

    def candidate(self, *, parent: str = ROOT, score: float = 0.0, hours_ago: float = 48.0) -> str:
        """A job's judged and archived commit, pushed to its branch."""
        schedule = Schedule(self.database)
        number = len(self.made)
        job_id = schedule.create(NewJob(JobKind.EVOLUTION, number, 0, parent))
        branch = self.push(job_id)
        commit = self.upstream.head()
        judged = replace(judged_commit(number + 1, parent=parent), commit=commit, branch=branch)
        succeeded(self.database, job_id, judged)
        self.made.append(commit)
        self._end(job_id, hours_ago)
        with self.database.begin() as connection:
            write_score(connection, commit, Estimate(score, 0.0), island=0)
        return branch

    def failure(self, *, hours_ago: float) -> str:
        """The branch of a job that came to nothing after it had pushed."""
        schedule = Schedule(self.database)
        job_id = schedule.create(NewJob(JobKind.EVOLUTION, 1000 + self.failures, 0, ROOT))
        self.failures += 1
        branch = self.push(job_id)
        failed(self.database, job_id, JobFailed("no use"))
        self._end(job_id, hours_ago)
        return branch

    def push(self, job_id: str) -> str:
        """Put a new commit on the remote, in the name of a job."""
        branch = f"{PREFIX}/{job_id}-1"
        self.upstream.commit({"file": branch}, branch=branch)
        return branch

    def make_elite(self, commit: str, *, cell: int, score: float) -> None:
        """Give the commit a place in the archive."""
        with self.database.begin() as connection:
            archive = Archive(self.database, connection)
            archive.add(PlacedCommit(0, cell, commit, Estimate(score, 0.0), (0.5,)))

    def pruning(self, upstream: Path | None = None, ttl_hours: float = TTL_HOURS) -> Pruning:
        """What is tested, with this remote."""
        remote = Remote.parse(str(upstream or self.upstream.path))
        branches = JobBranches(Git(), remote, PREFIX)
        return Pruning(self.database, lambda: branches, ttl_hours, clock=lambda: self.seconds)

    def prune(self, **options: Any) -> None:
        """Prune once, to the end."""
        pruning = self.pruning(**options)
        pruning.tick()
        pruning.wait()

    @property
    def present(self) -> set[str]:
        """The branches that the remote holds."""
        return set(Git().list_remote_branches(str(self.upstream.path), PREFIX))

    @property
    def recorded(self) -> set[str]:
        """The branches that the database knows."""
        return {row["branch"] for row in rows(self.database, "commits") if row["branch"]}

    def _end(self, job_id: str, hours_ago: float) -> None:
        [ended] = [job for job in Schedule(self.database).find_ended() if job.job_id == job_id]
        with self.database.begin() as connection:
            mark_ingested(connection, ended)
            connection.execute(
                update(jobs).where(jobs.c.id == job_id).values(finished_at=now() - hours_ago * 3600)
            )


@pytest.fixture
def run(database: Database, tmp_path: Path) -> Run:
    upstream = Upstream.create(tmp_path / "upstream")
    Schedule(database).begin_experiment(Experiment(ROOT, {}))
    return Run(database, upstream)


def test_what_nothing_needs_goes_when_it_is_old(run: Run) -> None:
    old, young = run.candidate(), run.candidate(score=-1, hours_ago=1)
    best = run.candidate(score=5)

    run.prune()

    assert run.present == run.recorded == {young, best}
    assert old not in run.present


def test_an_elite_stays_however_old(run: Run) -> None:
    run.candidate(score=9, hours_ago=1)
    elite = run.candidate(hours_ago=9999)
    run.make_elite(run.made[1], cell=3, score=0)

    run.prune()

    assert elite in run.present & run.recorded


def test_every_step_to_the_best_stays(run: Run) -> None:
    first = run.candidate()
    second = run.candidate(parent=run.made[0])
    side = run.candidate(parent=run.made[0])
    best = run.candidate(parent=run.made[1], score=2)

    run.prune()

    assert run.present == {first, second, best}
    assert side not in run.recorded


def test_what_a_job_under_way_begins_with_stays(run: Run) -> None:
    base, inspiration, other = run.candidate(), run.candidate(), run.candidate()
    best = run.candidate(score=1)
    job = NewJob(JobKind.EVOLUTION, 99, 0, run.made[0], (run.made[1],))
    Schedule(run.database).create(job)

    run.prune()

    assert run.present == {base, inspiration, best}
    assert other not in run.recorded


def test_branches_of_attempts_that_came_to_nothing_go_too(run: Run) -> None:
    run.failure(hours_ago=48)
    young = run.failure(hours_ago=1)

    run.prune()

    assert run.present == {young}


def test_branches_of_others_are_left_alone(run: Run) -> None:
    run.failure(hours_ago=48)
    stranger = run.push("11111111-2222-3333-4444-555555555555")
    run.upstream.commit({"file": "mine"}, branch=f"{PREFIX}/by-hand")
    waiting = Schedule(run.database).create(NewJob(JobKind.EVOLUTION, 99, 0, ROOT))
    begun = run.push(waiting)

    run.prune()

    assert run.present == {stranger, begun, f"{PREFIX}/by-hand"}


def test_a_time_of_0_keeps_everything(run: Run) -> None:
    kept = {run.candidate(), run.failure(hours_ago=9999)}

    run.prune(ttl_hours=0)

    assert run.present == kept


def test_a_remote_that_is_away_costs_nothing_but_time(run: Run, tmp_path: Path) -> None:
    old = run.candidate()
    best = run.candidate(score=5)
    said: list[str] = []
    sink = logger.add(said.append, format="{message}")
    pruning = run.pruning()
    hidden = run.upstream.path.rename(tmp_path / "hidden")

    pruning.tick()
    pruning.wait()
    hidden.rename(run.upstream.path)
    pruning.tick()
    pruning.wait()
    before_the_hour_is_over = run.present
    run.seconds = 3600
    pruning.tick()
    pruning.wait()
    logger.remove(sink)

    assert "old job branches stay" in "".join(said)
    assert before_the_hour_is_over == {old, best}
    assert run.present == run.recorded == {best}


def test_a_crash_in_between_leaves_no_recorded_branch_without_a_real_one(run: Run) -> None:
    old, best = run.candidate(), run.candidate(score=5)

    forget_branches(run.database, older_than_hours=TTL_HOURS)

    assert (run.recorded, run.present) == ({best}, {old, best})
    run.prune()
    assert run.present == {best}


def test_a_commit_without_its_branch_comes_back_into_no_archive(run: Run) -> None:
    run.candidate()
    best = run.candidate(score=5)
    run.prune()

    with run.database.read() as connection:
        names = [each.commit for each in read_scored_commits(connection)]

    assert run.present == {best}
    assert names == [run.made[1]]


@pytest.mark.slow
def test_a_worker_goes_on_when_branches_it_knew_are_gone(run: Run, tmp_path: Path) -> None:
    run.candidate()
    gone = run.made[0]
    worker = opened(run.upstream, tmp_path / "clone")
    with worker.lease(gone, "one", soon()):
        pass
    run.candidate(score=5)

    run.prune()

    for commit in (gone, run.made[1]):
        with worker.lease(commit, "two", soon()) as worktree:
            assert worktree.base_commit == commit
    worker.close()
    fresh = opened(run.upstream, tmp_path / "another")
    with fresh.lease(run.made[1], "three", soon()) as worktree:
        assert worktree.base_commit == run.made[1]
    fresh.close()


def test_many_are_deleted_by_few_pushes_that_rewrite_the_packed_refs_once(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = run.failure(hours_ago=48)
    job_id = name.removeprefix(f"{PREFIX}/").removesuffix("-1")
    refs = "".join(
        f"create refs/heads/{PREFIX}/{job_id}-{number} {run.upstream.head()}\n"
        for number in range(2, 14)
    )
    git = f"--git-dir={run.upstream.path}"
    Git().run(git, "update-ref", "--stdin", stdin=refs.encode())
    Git().run(git, "pack-refs", "--all")
    packed = run.upstream.path / "packed-refs"
    before = packed.stat().st_ino
    pushes: list[tuple[str, ...]] = []
    plain = Git.run

    def watched(git: Git, *words: str, **more: Any) -> bytes:
        if "push" in words:
            pushes.append(words[words.index("--") :])
        return plain(git, *words, **more)

    monkeypatch.setattr(Git, "run", watched)
    monkeypatch.setattr(git_module, "_DELETED_AT_ONCE", 5)

    run.prune()

    assert run.present == set()
    assert packed.stat().st_ino != before
    assert [len(words) - 2 for words in pushes] == [5, 5, 3]


def test_a_remote_without_atomic_pushes_is_pruned_too(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.failure(hours_ago=48)
    Git().run(f"--git-dir={run.upstream.path}", "config", "receive.advertiseAtomic", "false")

    run.prune()

    assert run.present == set()


def test_the_tick_does_not_wait_for_the_remote(run: Run, tmp_path: Path) -> None:
    old = run.failure(hours_ago=48)
    hook = run.upstream.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nsleep 60\n")
    hook.chmod(0o755)
    pruning = run.pruning()

    pruning.tick()
    eventually((tmp_path / "asked").exists)
    run.seconds = 60
    pruning.tick()
    pruning.close()

    assert run.present == {old}


def test_what_is_confirmed_stays(run: Run) -> None:
    run.candidate(score=5)
    branch = run.candidate()
    shown = Confirmation(Verdict.CONFIRMED, (1.0,), (2.0,))
    by = rows(run.database, "commits")[0]["job_id"]
    with run.database.begin() as connection:
        record_confirmation(run.database, connection, run.made[1], by, shown, None)

    run.prune()

    assert branch in run.present


def test_a_candidate_that_is_measured_again_stays(run: Run) -> None:
    run.candidate(score=5, hours_ago=1)
    branch = run.candidate()
    Schedule(run.database).create_extra(JobKind.MEASUREMENT, run.made[1])

    run.prune()

    assert branch in run.present


def test_old_branches_are_deleted_with_the_token_that_the_env_file_has_by_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("WORKER_EVALUATOR_COMMAND", "MAPELITES_FITNESS_METRIC"):
        monkeypatch.setenv(name, "score")
    began = Remote.parse("https://worker:before@forge.example/it.git")

    for url, password in (
        ("https://worker:now@forge.example/it", "now"),
        ("https://worker:now@forge.example/another", "before"),
        ("ext::sh", "before"),
    ):
        Path(".env").write_text(f"WORKER_REPO_REMOTE_URL={url}\n")
        assert renew_credentials(began).password == password
