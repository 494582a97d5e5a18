"""What an agent plants for git to run, does not."""

import os
from pathlib import Path

from loreley.core.worker.repository import WorkerRepository
from tests.core.worker.upstream import Upstream, git, soon

HOOKS = ("pre-commit", "post-checkout", "post-index-change", "reference-transaction", "pre-push")


def plant_hooks(folder: Path, ran: Path) -> None:
    folder.mkdir(exist_ok=True)
    for hook in HOOKS:
        (folder / hook).write_text(f"#!/bin/sh\ntouch {ran}\n")
        (folder / hook).chmod(0o755)


def test_hooks_planted_in_the_base_clone_neither_run_nor_stay(
    repository: WorkerRepository, upstream: Upstream, tmp_path: Path
) -> None:
    hooks = repository.base / ".git" / "hooks"
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        (worktree.path / "README.md").write_text("changed\n")
        plant_hooks(hooks, tmp_path / "ran")
        candidate = worktree.commit_all("x", "", soon())
        worktree.push("evolution/job/job-1", soon())
    with repository.lease(candidate.commit, "job-2", soon()) as worktree:
        assert not hooks.exists()
        assert (worktree.path / "README.md").read_text() == "changed\n"

    assert not (tmp_path / "ran").exists()


def test_programs_the_agent_planted_do_not_run(
    repository: WorkerRepository, upstream: Upstream, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    evil = f"touch {ran}; cat"
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        admin = Path(git("rev-parse", "--git-dir", cwd=worktree.path))
        plant_hooks(admin / "hooks", ran)
        (worktree.path / ".gitattributes").write_text("* filter=evil diff=evil\n")
        (worktree.path / "README.md").write_text("changed\n")
        evil_config = (
            f"[core]\n\tfsmonitor = {evil}\n\thooksPath = hooks\n\tsshCommand = {evil}\n"
            f'[filter "evil"]\n\tclean = {evil}\n\tsmudge = {evil}\n\trequired = true\n'
            f'[diff "evil"]\n\tcommand = {evil}\n\ttextconv = {evil}\n'
            f"[gpg]\n\tprogram = {evil}\n[commit]\n\tgpgSign = true\n"
        )
        (admin / "config.worktree").write_text(evil_config)
        (admin / "config").write_text(evil_config)
        (admin / "commondir").write_text(str(tmp_path / "evil.git"))
        git("init", "-q", "--bare", str(tmp_path / "evil.git"), cwd=tmp_path)
        (tmp_path / "evil.git/config").write_text(evil_config)
        Path(os.environ["HOME"], ".gitconfig").write_text(evil_config)
        candidate = worktree.commit_all("x", "", soon())
        worktree.patch(1000)
        worktree.measure(worktree.base_commit)
    with repository.lease(candidate.commit, "job-2", soon()) as worktree:
        assert (worktree.path / "README.md").read_text() == "changed\n"
        Path(os.environ["HOME"], ".gitconfig").unlink()
        assert git("status", "--porcelain", cwd=worktree.path) == ""

    assert not ran.exists()


def test_a_replaced_object_does_not_change_what_is_judged(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    other = upstream.commit({"README.md": "other\n"}, branch="other")
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        git("replace", f"{other}^", other, cwd=worktree.path)
        base = git("rev-parse", f"{other}^", cwd=worktree.path)
        assert worktree.read(base, "README.md") == b"Circles\n"
