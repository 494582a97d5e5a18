"""The base clone before the first lease: made, found again, or refused."""

import os
from pathlib import Path

import pytest

from loreley.config import Settings
from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.errors import (
    ConfigError,
    GitError,
    LoreleyError,
    ServiceUnavailable,
)
from tests.core.worker.upstream import (
    Upstream,
    git,
    names_in,
    opened,
    soon,
)


def test_a_clone_holds_no_files_and_no_password(upstream: Upstream, tmp_path: Path) -> None:
    repository = opened(upstream, tmp_path / "base")

    assert names_in(tmp_path / "base") == [".git"]
    assert repository.worktrees == tmp_path / "base-worktrees"
    assert git("rev-parse", "HEAD", cwd=tmp_path / "base") == upstream.head()


def test_preparing_again_brings_what_is_new(upstream: Upstream, tmp_path: Path) -> None:
    opened(upstream, tmp_path / "base")
    new = upstream.commit({"new": "1"})

    repository = opened(upstream, tmp_path / "base")

    assert git("cat-file", "-t", new, cwd=repository.base) == "commit"


def test_an_empty_folder_may_become_the_clone(upstream: Upstream, tmp_path: Path) -> None:
    (tmp_path / "base").mkdir()

    opened(upstream, tmp_path / "base")


def test_a_folder_with_something_else_is_left_alone(upstream: Upstream, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    (base / "thesis.tex").write_text("years of work")

    with pytest.raises(ConfigError, match="WORKER_REPO_WORKTREE"):
        opened(upstream, base)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="WORKER_REPO_WORKTREE"):
        opened(upstream, tmp_path / "file")

    assert names_in(base) == ["thesis.tex"]


def test_a_clone_of_another_remote_is_left_alone(upstream: Upstream, tmp_path: Path) -> None:
    other = Upstream.create(tmp_path / "other", {"a": "1"})
    opened(other, tmp_path / "base")

    with pytest.raises(ConfigError) as error:
        opened(upstream, tmp_path / "base")

    assert str(other.path) in error.value.problems[0].reason
    assert git("rev-parse", "HEAD", cwd=tmp_path / "base") == other.head()


def test_a_clone_made_by_hand_is_used_and_keeps_its_branch(
    upstream: Upstream, tmp_path: Path
) -> None:
    git("clone", "-q", str(upstream.path), str(tmp_path / "base"), cwd=tmp_path)
    git("config", "user.name", "Ann", cwd=tmp_path / "base")
    new = upstream.commit({"new": "1"})

    with opened(upstream, tmp_path / "base").lease(new, "job-1", soon()) as worktree:
        assert (worktree.path / "new").exists()

    assert git("config", "user.name", cwd=tmp_path / "base") == "Ann"
    assert git("symbolic-ref", "HEAD", cwd=tmp_path / "base") == "refs/heads/main"
    assert git("status", "--porcelain", cwd=tmp_path / "base") == ""


def test_a_repository_with_long_ids_is_cloned(tmp_path: Path) -> None:
    upstream = Upstream.create(tmp_path / "upstream", {"a": "1"}, "--object-format=sha256")
    repository = opened(upstream, tmp_path / "base")

    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        (worktree.path / "a").unlink()
        (worktree.path / "b").write_text("2")
        candidate = worktree.commit_all("x", "", soon())
        worktree.push("evolution/job/job-1", soon())

    assert len(candidate.commit) == 64
    assert upstream.files_of(candidate.commit) == ["b"]


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("/nowhere/at/all.git", GitError),
        ("http://127.0.0.1:1/a.git", ServiceUnavailable),
        ("ext::touch x", ConfigError),
    ],
)
def test_a_remote_of_no_use_leaves_nothing(
    tmp_path: Path, url: str, error: type[LoreleyError]
) -> None:
    with pytest.raises(error):
        WorkerRepository(RepositoryOptions(url, tmp_path / "base")).prepare(soon())

    assert not (tmp_path / "base").exists()


def test_a_folder_that_cannot_be_made_is_a_setting_to_change(
    upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(ConfigError, match="WORKER_REPO_WORKTREE"):
        opened(upstream, tmp_path / "file" / "base")


def test_the_settings_become_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLONES", str(tmp_path))
    settings = Settings(
        worker_repo_remote_url="git@example.org:a.git",
        worker_repo_worktree="$CLONES/base",
        worker_repo_fetch_depth=3,
        worker_repo_clean_excludes="a, b",
        worker_evolution_commit_author="Ann",
    )

    options = RepositoryOptions.from_settings(settings)

    assert options.base == tmp_path / "base"
    assert (options.fetch_depth, options.clean_excludes, options.author.name) == (
        3,
        ("a", "b"),
        "Ann",
    )
    home = RepositoryOptions.from_settings(
        settings.model_copy(update={"worker_repo_worktree": "~/base"})
    )
    assert home.base == Path(os.environ["HOME"], "base")


def test_a_randomised_clone_is_removed_at_a_clean_stop(upstream: Upstream, tmp_path: Path) -> None:
    repository = opened(upstream, tmp_path / "c" / "base", randomize=True, random_suffix_length=5)
    assert repository.base.name.startswith("base-")
    assert len(repository.base.name) == len("base-") + 5
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        assert worktree.path.parent == Path(f"{repository.base}-worktrees")

    repository.close()

    assert [path.name for path in (tmp_path / "c").iterdir()] == [".base.lock"]


def test_randomised_clones_are_apart_even_when_few_names_are_left(
    upstream: Upstream, tmp_path: Path
) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    for digit in "0123456789abcd":
        (folder / f"base-{digit}").mkdir()
    options = {"randomize": True, "random_suffix_length": 1}

    two = [opened(upstream, folder / "base", **options) for _ in range(2)]
    assert {repository.base.name for repository in two} == {"base-e", "base-f"}
    with pytest.raises(ConfigError, match="RANDOM_SUFFIX_LEN"):
        opened(upstream, folder / "base", **options)
    for repository in two:
        repository.close()

    assert len(list(folder.glob("base-*"))) == 14, "what we did not make is left alone"


def test_workers_may_spell_the_remote_differently(upstream: Upstream, tmp_path: Path) -> None:
    first = opened(upstream, tmp_path / "base")
    options = RepositoryOptions(f"file://{upstream.path}", tmp_path / "base")
    second = WorkerRepository(options)
    second.prepare(soon())

    for repository in (first, second):
        with repository.lease(upstream.head(), "job-1", soon()) as worktree:
            (worktree.path / "README.md").write_text("better\n")
            worktree.commit_all("x", "", soon())


def test_what_was_planted_before_a_start_is_removed(upstream: Upstream, tmp_path: Path) -> None:
    common = opened(upstream, tmp_path / "base").base / ".git"
    (common / "info").mkdir(exist_ok=True)
    (common / "info/attributes").write_text("* filter=evil\n")
    git("config", "filter.evil.smudge", f"touch {tmp_path}/ran; cat", cwd=common.parent)

    with opened(upstream, tmp_path / "base").lease(upstream.head(), "job-1", soon()):
        pass

    assert not (tmp_path / "ran").exists()
    assert not (common / "info/attributes").exists()
    assert "evil" not in (common / "config").read_text()


def test_a_file_of_a_clone_of_ours_can_be_quoted(tmp_path: Path) -> None:
    upstream = Upstream.create(tmp_path / 'a "quoted" \\ name #1', {"a": "1"})

    opened(upstream, tmp_path / "base")
    opened(upstream, tmp_path / "base")
