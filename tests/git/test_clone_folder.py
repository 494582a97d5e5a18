"""The folder of the base clone: as it is set, or one for each remote and state folder."""

from pathlib import Path

import pytest

from loreley.config import Settings
from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.errors import ConfigError
from loreley.git.clone_folder import find_clone_folder
from loreley.host.deadline import Deadline
from tests.core.worker.upstream import Upstream, opened

CACHE = Path("~/.cache/loreley")


def folder_of(remote: str | Path, state: str = ".loreley", worktree: str | None = None) -> Path:
    return find_clone_folder(
        Settings(
            worker_repo_remote_url=str(remote),
            loreley_state_dir=state,
            worker_repo_worktree=worktree,
        )
    )


def test_a_clone_is_named_after_its_remote() -> None:
    folder = folder_of("git@example.org:team/project.git")

    assert folder.parent == CACHE.expanduser()
    assert folder.name.startswith("project-")
    assert folder_of("https://example.org/a%20b/Läufer%20x/").name.startswith("L-ufer-20x-")
    assert folder_of("/srv/code/.git").name.startswith("code-")


def test_two_projects_of_one_user_have_clones_of_their_own() -> None:
    first = folder_of("git@example.org:team/project.git")

    assert folder_of("git@example.org:other/project.git") != first
    assert folder_of("git@example.org:team/project.git", "elsewhere") != first
    assert folder_of("git@example.org:team/project.git") == first


def test_a_clone_stays_where_it_is_when_the_token_is_renewed() -> None:
    first = folder_of("https://ann:old-token@example.org/team/project.git")

    assert folder_of("https://ann:new-token@example.org/team/project") == first
    assert "token" not in str(first)


def test_a_folder_that_is_set_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = folder_of("/srv/a.git", worktree=str(tmp_path / "base"))

    assert folder == tmp_path / "base"


def test_a_clone_in_the_folder_of_all_projects_goes_on_being_used(tmp_path: Path) -> None:
    upstream = Upstream.create(tmp_path / "first", {"a": "1"})
    other = Upstream.create(tmp_path / "second", {"a": "1"})
    shared = (CACHE / "worker-repo").expanduser()
    opened(upstream, shared)

    assert folder_of(upstream.path) == shared
    assert folder_of(f"file://{upstream.path}") == shared
    assert folder_of(other.path) != shared


@pytest.mark.parametrize("config", ["", "[remote", '[remote "origin"]\n\turl = ext::touch x\n'])
def test_whatever_else_stands_in_that_folder_is_left_alone(tmp_path: Path, config: str) -> None:
    git_dir = (CACHE / "worker-repo" / ".git").expanduser()
    git_dir.mkdir(parents=True)
    (git_dir / "config").write_text(config)

    assert folder_of(tmp_path).name != "worker-repo"


def test_two_projects_work_side_by_side_without_settings(tmp_path: Path) -> None:
    for name in ("first", "second"):
        upstream = Upstream.create(tmp_path / name, {"a": name})
        settings = Settings(worker_repo_remote_url=str(upstream.path), loreley_state_dir=name)
        repository = WorkerRepository(RepositoryOptions.from_settings(settings))
        repository.prepare(Deadline.after(60))

        with repository.lease(upstream.head(), "job-1", Deadline.after(60)) as worktree:
            assert (worktree.path / "a").read_text() == name
            assert worktree.path.parent == Path(f"{repository.base}-worktrees")


def test_a_remote_that_git_must_not_try_has_no_clone() -> None:
    with pytest.raises(ConfigError, match="WORKER_REPO_REMOTE_URL"):
        folder_of("ext::touch x")
