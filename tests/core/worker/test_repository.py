import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.config import Settings
from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.core.worktrees.ownership import exclusively
from loreley.errors import (
    ConfigError,
    GitError,
    JobInterrupted,
    LoreleyError,
    ServiceUnavailable,
    TimeLimitReached,
)
from loreley.host.deadline import Deadline, Stop
from tests.core.worker.upstream import Upstream, contents, git, leftovers, opened, soon


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream.create(tmp_path / "upstream")


@pytest.fixture
def repository(upstream: Upstream, tmp_path: Path) -> Iterator[WorkerRepository]:
    repository = opened(upstream, tmp_path / "clones" / "base")
    yield repository
    repository.close()


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def slots_of(repository: WorkerRepository) -> list[str]:
    return sorted(path.stem for path in (repository.worktrees / ".slots").glob("*.owner"))


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


def test_a_lease_is_a_checkout_that_is_gone_afterwards(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        assert worktree.path == repository.worktrees / "job-1"
        assert contents(worktree.path).keys() == contents(upstream.author).keys() - {
            name for name in contents(upstream.author) if name.startswith(".git/")
        }
        assert git("rev-parse", "HEAD", cwd=worktree.path) == upstream.head()
        assert git("status", "--porcelain", cwd=worktree.path) == ""
        assert names_in(worktree.scratch) == []
        (worktree.scratch / "x").write_text("x")

    assert not worktree.path.exists()
    assert not worktree.scratch.exists()
    assert leftovers(repository) == []


def test_a_lease_ends_when_the_job_is_interrupted(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    with (
        pytest.raises(KeyboardInterrupt),
        repository.lease(upstream.head(), "job-1", soon()) as worktree,
    ):
        raise KeyboardInterrupt

    assert not worktree.path.exists()
    assert leftovers(repository) == []


def test_the_next_lease_reuses_the_worktree_of_the_last(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        inode = (worktree.path / "README.md").stat().st_ino
    new = upstream.commit({"src/pack.py": "radius = 2\n"})

    with repository.lease(new, "job-2", soon()) as worktree:
        assert (worktree.path / "README.md").stat().st_ino == inode
        assert (worktree.path / "src/pack.py").read_text() == "radius = 2\n"
        assert git("rev-parse", "HEAD", cwd=worktree.path) == new
        assert str(worktree.path) in git("worktree", "list", cwd=repository.base)
        assert git("status", "--porcelain", cwd=worktree.path) == ""


def test_leases_at_the_same_time_are_apart(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    first = upstream.head()
    second = upstream.commit({"src/pack.py": "radius = 2\n"})
    with (
        repository.lease(first, "job-1", soon()) as one,
        repository.lease(second, "job-2", soon()) as other,
    ):
        assert (one.path / "src/pack.py").read_text() == "radius = 1.0\ncount = 26\n"
        assert (other.path / "src/pack.py").read_text() == "radius = 2\n"
        assert len(slots_of(repository)) == 2

    with repository.lease(first, "job-3", soon()) as again:
        slot = (again.path / ".git").read_text()
    with repository.lease(second, "job-4", soon()) as again:
        assert (again.path / ".git").read_text() != slot, "the slot that held the commit is nearer"
    assert len(slots_of(repository)) == 2
    assert leftovers(repository) == []


def test_a_name_is_leased_once_at_a_time(repository: WorkerRepository, upstream: Upstream) -> None:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        with (
            pytest.raises(LoreleyError, match="another process"),
            repository.lease(upstream.head(), "job-1", soon()),
        ):
            pass
        assert (worktree.path / "README.md").exists()


@pytest.mark.parametrize("name", ["", "../x", "A", ".slots", "-x", "a/b", "a" * 65, "a\n"])
def test_a_name_must_be_a_plain_part_of_a_path(
    repository: WorkerRepository, upstream: Upstream, name: str
) -> None:
    with pytest.raises(ValueError), repository.lease(upstream.head(), name, soon()):
        pass


def test_a_spare_slot_that_nobody_wants_is_deleted(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    with (
        repository.lease(upstream.head(), "job-1", soon()),
        repository.lease(upstream.head(), "job-2", soon()),
    ):
        pass
    idle = slots_of(repository)[0]
    os.utime(repository.worktrees / ".slots" / f"{idle}.owner", (0, 0))

    with repository.lease(upstream.head(), "job-3", soon()):
        assert idle not in slots_of(repository)
    assert leftovers(repository) == []


def test_a_deadline_ends_the_wait_for_others(
    repository: WorkerRepository, upstream: Upstream, tmp_path: Path
) -> None:
    stop = Stop()
    stop.ask(JobInterrupted("stopping"))
    with exclusively(repository.worktrees / ".lock", soon()):
        with (
            pytest.raises(TimeLimitReached),
            repository.lease(upstream.head(), "job-1", Deadline.after(0.2)),
        ):
            pass
        with (
            pytest.raises(JobInterrupted),
            repository.lease(upstream.head(), "job-1", Deadline(stop=stop)),
        ):
            pass
    assert leftovers(repository) == []


def test_submodules_stay_empty_folders(tmp_path: Path) -> None:
    upstream = Upstream.create(tmp_path / "upstream")
    git(
        *("update-index", "--add", "--cacheinfo", f"160000,{upstream.head()},vendor/lib"),
        cwd=upstream.author,
    )
    git("commit", "-q", "-m", "add a submodule", cwd=upstream.author)
    git("push", "-q", "origin", "main", cwd=upstream.author)
    repository = opened(upstream, tmp_path / "base")

    for name in ("job-1", "job-2"):
        with repository.lease(upstream.head(), name, soon()) as worktree:
            assert names_in(worktree.path / "vendor" / "lib") == []
            (worktree.path / "vendor/lib/planted").write_text("x")
            (worktree.path / "src/pack.py").write_text("changed\n")
            with pytest.raises(LoreleyError, match="submodule"):
                worktree.commit_all("x", "", soon())
            (worktree.path / "vendor/lib/planted").unlink()
            candidate = worktree.commit_all("x", "", soon())
            assert "160000" in git("ls-tree", "-r", candidate.commit, cwd=repository.base)
    assert leftovers(repository) == []


@pytest.mark.parametrize("depth", [None, 1])
def test_a_commit_of_another_worker_is_fetched(
    upstream: Upstream, tmp_path: Path, depth: int | None
) -> None:
    repository = opened(upstream, tmp_path / "base", fetch_depth=depth)
    other = upstream.commit({"src/pack.py": "other\n"}, branch="evolution/job/other-1")

    with repository.lease(other, "job-1", soon()) as worktree:
        assert (worktree.path / "src/pack.py").read_text() == "other\n"


@pytest.mark.parametrize("by_id", [True, False])
def test_a_shallow_clone_reaches_back_when_it_must(
    upstream: Upstream, tmp_path: Path, by_id: bool
) -> None:
    first = upstream.head()
    for number in range(5):
        upstream.commit({"src/pack.py": f"{number}\n"})
    # The first protocol refuses ids that are no branch's head.
    inner = "2" if by_id else "0"
    Path(os.environ["HOME"], ".gitconfig").write_text(f"[protocol]\n\tversion = {inner}\n")
    repository = opened(upstream, tmp_path / "base", fetch_depth=1)
    assert git("rev-list", "--count", "HEAD", cwd=repository.base) == "1"

    with repository.lease(first, "job-1", soon()) as worktree:
        assert (worktree.path / "src/pack.py").read_text().startswith("radius")
        (worktree.path / "src/pack.py").write_text("better\n")
        candidate = worktree.commit_all("x", "", soon())
        worktree.push("evolution/job/job-1", soon())

    assert upstream.show(f"{candidate.commit}:src/pack.py") == "better"


def test_a_commit_that_is_nowhere_is_said_to_be(
    repository: WorkerRepository,
) -> None:
    with (
        pytest.raises(GitError, match="neither here nor on the remote"),
        repository.lease("1" * 40, "job-1", soon()),
    ):
        pass
    with (
        pytest.raises(GitError, match="not a full commit id"),
        repository.lease("--help", "job-1", soon()),
    ):
        pass
    assert leftovers(repository) == []


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


def test_the_owner_of_the_lock_files_is_the_user_alone(repository: WorkerRepository) -> None:
    assert stat.S_IMODE((repository.worktrees / ".lock").stat().st_mode) == 0o600


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


def age(folder: Path, days: float) -> None:
    then = time.time() - days * 86_400
    for path in (folder / ".git").rglob("*"):
        if path.is_file():
            os.utime(path, (then, then))


def lost_commit(repository: WorkerRepository, subject: str = "lost") -> str:
    """A commit that nothing refers to, as one of a refused candidate."""
    who = {
        f"GIT_{role}_{part}": "a@b"
        for role in ("AUTHOR", "COMMITTER")
        for part in ("NAME", "EMAIL")
    }
    return git("commit-tree", "HEAD^{tree}", "-m", subject, cwd=repository.base, **who)


def is_here(commit: str, repository: WorkerRepository) -> bool:
    return commit in git("cat-file", "--batch-all-objects", "--batch-check", cwd=repository.base)


@pytest.mark.parametrize("packed", [False, True])
def test_old_objects_that_nothing_refers_to_are_dropped(
    packed: bool, upstream: Upstream, repository: WorkerRepository
) -> None:
    old = lost_commit(repository)
    if packed:
        git("maintenance", "run", "--task=loose-objects", cwd=repository.base)
    age(repository.base, days=15)
    new = upstream.commit({"new": "1"})

    with repository.lease(upstream.head(), "job", soon()):
        assert not is_here(old, repository)
        assert is_here(new, repository)


def test_young_objects_and_those_of_a_running_job_stay(
    upstream: Upstream, repository: WorkerRepository
) -> None:
    with repository.lease(upstream.head(), "job", soon()):
        inspiration = lost_commit(repository)
        age(repository.base, days=15)
        with repository.lease(upstream.head(), "other", soon()):
            assert is_here(inspiration, repository)
    young = lost_commit(repository, "young")

    with repository.lease(upstream.head(), "job", soon()):
        assert not is_here(inspiration, repository)
        assert is_here(young, repository)
    git("fsck", cwd=repository.base)


def test_a_commit_on_which_a_spare_worktree_stands_stays(
    upstream: Upstream, repository: WorkerRepository
) -> None:
    base = lost_commit(repository)
    with repository.lease(base, "job", soon()):
        pass
    age(repository.base, days=15)

    with repository.lease(upstream.head(), "job", soon()):
        assert is_here(base, repository)


def test_a_clone_that_a_person_made_keeps_what_nothing_refers_to(
    upstream: Upstream, tmp_path: Path
) -> None:
    git("clone", "--quiet", str(upstream.path), str(tmp_path / "base"), cwd=tmp_path)
    repository = opened(upstream, tmp_path / "base")
    lost = lost_commit(repository)
    age(repository.base, days=15)

    with repository.lease(upstream.head(), "job", soon()):
        assert is_here(lost, repository)


def test_a_collection_that_fails_costs_no_job_and_is_not_tried_at_once_again(
    upstream: Upstream, repository: WorkerRepository
) -> None:
    lost = lost_commit(repository)
    age(repository.base, days=15)
    broken = repository.base / ".git" / "refs" / "heads" / "broken"
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text(f"{'1' * 40}\n")  # git gc refuses what is corrupt

    for _ in range(2):
        with repository.lease(upstream.head(), "job", soon()):
            assert is_here(lost, repository)
        broken.unlink(missing_ok=True)
