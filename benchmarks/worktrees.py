"""A checkout per job: used again, or made anew."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.commands import run
from benchmarks.comparison import Comparison, Plan
from benchmarks.repositories import clone, make_remote
from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.host.deadline import Deadline

_FILES, _QUICK_FILES = 20_000, 500
_LONGEST_SECONDS = 600.0


def worktree_per_job(plan: Plan) -> Iterator[Comparison]:
    """A lease, from one commit to another, against `git worktree add` and `remove`."""
    files = _QUICK_FILES if plan.quick else _FILES
    rounds = plan.rounds(5)
    with tempfile.TemporaryDirectory(prefix="loreley-bench-") as name:
        folder = Path(name).resolve()
        plan.report(f"worktree: making a repository of {files} files")
        commits = make_remote(folder / "remote.git", files=files, commits=2)
        clone(folder / "remote.git", folder / "by-hand")
        repository = WorkerRepository(
            RepositoryOptions(str(folder / "remote.git"), folder / "worker-repo")
        )
        try:
            repository.prepare(Deadline.after(_LONGEST_SECONDS))
            _lease(repository, commits[0], 0)  # makes the worktree that the others reuse
            order = [commits[number % 2] for number in range(1, rounds + 1)]
            ours, floor = plan.in_turn(
                "worktree",
                [partial(_lease, repository, c, n) for n, c in enumerate(order, start=1)],
                [partial(_add_and_remove, folder, commit) for commit in order],
            )
        finally:
            repository.close()
    yield Comparison(
        "worktree",
        f"a clean checkout, {files:,} files, 5 of them changed",
        "`git worktree add` and `remove`",
        ours,
        floor,
    )


def _lease(repository: WorkerRepository, commit: str, number: int) -> None:
    with repository.lease(commit, f"job-{number}", Deadline.after(_LONGEST_SECONDS)):
        pass


def _add_and_remove(folder: Path, commit: str) -> None:
    clone_folder, worktree = folder / "by-hand", folder / "by-hand-worktree"
    run(["git", "worktree", "add", "-q", "--detach", str(worktree), commit], cwd=clone_folder)
    run(["git", "worktree", "remove", "--force", str(worktree)], cwd=clone_folder)
