"""Remotes and users' configurations as people have them: shallow, signed, protected."""

import shutil
import subprocess
from pathlib import Path

import pytest

from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.errors import GitError, ServiceUnavailable
from tests.core.worker.upstream import Upstream, git, leftovers, opened, soon

needs_ssh = pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="ssh-keygen is missing")


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream.create(tmp_path / "upstream")


def evolve(repository: WorkerRepository, base: str, name: str = "job-1") -> str:
    """Do what a job does; the commit."""
    with repository.lease(base, name, soon()) as worktree:
        (worktree.path / "src/pack.py").write_text(f"name = {name!r}\n")
        commit = worktree.commit_all("x", "", soon()).commit
        worktree.push(f"evolution/job/{name}", soon())
    return commit


def install_hook(upstream: Upstream, name: str, script: str) -> None:
    hook = upstream.path / "hooks" / name
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)


# Signatures


@pytest.mark.parametrize(
    "settings",
    [
        {"gpg.program": "{program}"},
        {"gpg.format": "ssh", "user.signingKey": "~/.ssh/none", "gpg.ssh.program": "{program}"},
        {"gpg.format": "x509", "gpg.x509.program": "{program}"},
        {"push.gpgSign": "true", "push.recurseSubmodules": "check", "gpg.program": "{program}"},
    ],
    ids=["gpg", "ssh", "x509", "a signed push"],
)
def test_a_user_who_signs_everything_is_no_hindrance(
    settings: dict[str, str], upstream: Upstream, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    program = tmp_path / "sign"
    program.write_text(f"#!/bin/sh\ntouch {ran}\nexit 1\n")
    program.chmod(0o755)
    everything = {"commit.gpgSign": "true", "tag.gpgSign": "true", "log.showSignature": "true"}
    for name, value in (everything | settings).items():
        git("config", "--global", name, value.format(program=program), cwd=tmp_path)
    repository = opened(upstream, tmp_path / "base")

    repository.try_push(soon())
    commit = evolve(repository, git("rev-parse", "main", cwd=upstream.path))

    assert git("rev-parse", "evolution/job/job-1", cwd=upstream.path) == commit
    assert not ran.exists()


@needs_ssh
def test_a_repository_of_signed_commits_is_evolved(upstream: Upstream, tmp_path: Path) -> None:
    key = tmp_path / "key"
    keygen = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key))
    subprocess.run(keygen, check=True)
    settings = ("gpg.format=ssh", f"user.signingKey={key}.pub", "commit.gpgSign=true")
    signing = [word for setting in settings for word in ("-c", setting)]
    (upstream.author / "src/pack.py").write_text("signed = True\n")
    git(*signing, "commit", "-qam", "signed", cwd=upstream.author)
    git("push", "-q", "origin", "HEAD:main", cwd=upstream.author)
    assert "gpgsig" in git("cat-file", "commit", "HEAD", cwd=upstream.author)
    repository = opened(upstream, tmp_path / "base")

    commit = evolve(repository, upstream.head())

    assert git("rev-parse", f"{commit}^", cwd=upstream.path) == upstream.head()
    assert evolve(repository, commit, "job-2")


# Protected branches


def test_a_remote_that_protects_all_but_the_branches_of_jobs_is_enough(
    upstream: Upstream, tmp_path: Path
) -> None:
    install_hook(
        upstream,
        "update",
        'case "$1" in refs/heads/evolution/*) exit 0;; esac; echo "protected branch $1"; exit 1',
    )
    repository = opened(upstream, tmp_path / "base")

    repository.try_push(soon())

    assert evolve(repository, upstream.head())


@pytest.mark.parametrize(
    ("hook", "script"),
    [
        ("update", 'echo "GH006: Protected branch update failed for $1."; exit 1'),
        ("pre-receive", 'echo "commits must be signed"; exit 1'),
        (
            "pre-receive",
            "while read old new ref; do git cat-file commit $new | grep -q ^gpgsig || "
            '{ echo "commits must be signed"; exit 1; }; done',
        ),
    ],
)
def test_a_remote_that_refuses_the_branches_of_jobs_is_known_before_the_first_one(
    hook: str, script: str, upstream: Upstream, tmp_path: Path
) -> None:
    install_hook(upstream, hook, script)
    repository = opened(upstream, tmp_path / "base")

    with pytest.raises(GitError) as raised:
        repository.try_push(soon())

    assert not isinstance(raised.value, ServiceUnavailable)
    assert "rules for branches" in raised.value.problems[0].fix
    assert "rotected branch" in str(raised.value) or "must be signed" in str(raised.value)


def test_a_remote_that_deletes_nothing_and_rewrites_nothing_is_enough(
    upstream: Upstream, tmp_path: Path
) -> None:
    for name in ("receive.denyDeletes", "receive.denyNonFastForwards", "receive.fsckObjects"):
        git("config", name, "true", cwd=upstream.path)
    repository = opened(upstream, tmp_path / "base")

    repository.try_push(soon())
    first = evolve(repository, upstream.head())

    assert evolve(repository, first, "job-2")


def test_a_remote_with_files_checked_out_is_enough(upstream: Upstream, tmp_path: Path) -> None:
    other = Upstream(upstream.author / ".git", upstream.author)
    repository = opened(other, tmp_path / "base")

    assert evolve(repository, upstream.head())


# Shallow and partial remotes


@pytest.fixture
def shallow(upstream: Upstream, tmp_path: Path) -> Upstream:
    """A remote that itself has no more than the last commit."""
    for number in range(3):
        upstream.commit({"src/pack.py": f"radius = {number}\n"})
    path = tmp_path / "shallow.git"
    git("clone", "-q", "--bare", "--depth=1", f"file://{upstream.path}", str(path), cwd=tmp_path)
    assert (path / "shallow").exists()
    return Upstream(path, upstream.author)


@pytest.mark.parametrize("depth", [None, 1, 5])
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_shallow_remote_is_enough(
    depth: int | None, scheme: str, shallow: Upstream, tmp_path: Path
) -> None:
    options = RepositoryOptions(f"{scheme}{shallow.path}", tmp_path / "base", fetch_depth=depth)
    repository = WorkerRepository(options)
    repository.prepare(soon())
    head = git("rev-parse", "main", cwd=shallow.path)

    first = evolve(repository, head)
    second = evolve(repository, first, "job-2")
    other = opened(shallow, tmp_path / "other", fetch_depth=depth)

    assert evolve(other, second, "job-3")
    assert leftovers(repository) == leftovers(other) == []


def test_a_remote_that_becomes_shallow_later_is_enough(
    shallow: Upstream, upstream: Upstream, tmp_path: Path
) -> None:
    repository = opened(shallow, tmp_path / "base")
    upstream.commit({"src/pack.py": "radius = 9\n"})
    git("fetch", "-q", "--depth=1", f"file://{upstream.path}", "+main:main", cwd=shallow.path)
    again = opened(shallow, tmp_path / "base")
    repository.close()

    assert evolve(again, git("rev-parse", "main", cwd=shallow.path))
