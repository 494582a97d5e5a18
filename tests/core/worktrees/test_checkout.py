"""The safe reset: whatever was done to a worktree, the next lease is a clean checkout."""

import os
import random
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from loreley.core.worker.repository import WorkerRepository
from loreley.core.worktrees.slots import Slots
from loreley.errors import CandidateRejected
from loreley.git.git import Git
from loreley.git.objects import ObjectStore
from tests.core.worker.upstream import Upstream, contents, git, leftovers, opened, soon
from tests.support import PROJECT_ROOT

FILES: dict[str, str | bytes] = {
    **{f"src/part{number}/file{number}.py": f"x = {number}\n" for number in range(6)},
    **{f"docs/page{number}.md": f"# {number}\n" for number in range(3)},
    "run.sh": "#!/bin/sh\n",
    ".gitignore": "build/\n*.o\n",
}


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    upstream = Upstream.create(tmp_path / "upstream", FILES)
    (upstream.author / "run.sh").chmod(0o755)
    (upstream.author / "link").symlink_to("docs/page0.md")
    (upstream.author / "folder-link").symlink_to("docs")
    upstream.commit({"src/part0/file0.py": "x = 10\n", "docs/page2.md": None, "late/er": "1"})
    return upstream


@pytest.fixture
def repository(upstream: Upstream, tmp_path: Path) -> WorkerRepository:
    return opened(upstream, tmp_path / "base")


def entries(top: Path) -> list[Path]:
    found = [
        Path(parent, name) for parent, folders, files in os.walk(top) for name in folders + files
    ]
    return sorted(path for path in found if ".git" not in path.relative_to(top).parts)


def edit(path: Path) -> None:
    before = path.lstat()
    if path.is_file() and not path.is_symlink():
        path.write_bytes(bytes(reversed(path.read_bytes())))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def to_link(path: Path) -> None:
    remove(path)
    path.symlink_to("/etc")


def to_moved_link(path: Path) -> None:
    target = path.with_name(f"{path.name}-moved")
    if not os.path.lexists(target):
        path.rename(target)
        path.symlink_to(target.name)


def to_pipe(path: Path) -> None:
    remove(path)
    os.mkfifo(path)


def to_folder(path: Path) -> None:
    remove(path)
    (path / "deep").mkdir(parents=True)
    (path / "deep/file").write_text("x")


def add_beside(path: Path) -> None:
    (path.parent / "added.o").write_text("x")
    if not os.path.lexists(path.parent / "empty"):
        (path.parent / "empty").mkdir()


def add_pipe_beside(path: Path) -> None:
    if not os.path.lexists(path.parent / "pipe"):
        os.mkfifo(path.parent / "pipe")


def add_repository_beside(path: Path) -> None:
    git("init", "-q", ".", cwd=path.parent) if path.parent.name != "job-1" else None


def add_nested_repository(path: Path) -> None:
    git("init", "-q", "nested", cwd=path.parent)


def change_mode(path: Path) -> None:
    if not path.is_symlink():
        path.chmod(0o700 if path.is_dir() else 0o600)


def make_read_only(path: Path) -> None:
    path.parent.chmod(0o555)


ACTIONS: list[Callable[[Path], None]] = [
    edit,
    remove,
    to_link,
    to_moved_link,
    to_pipe,
    to_folder,
    add_beside,
    add_pipe_beside,
    add_repository_beside,
    add_nested_repository,
    change_mode,
    make_read_only,
]


def tamper(top: Path, chance: random.Random, steps: int) -> list[str]:
    done = []
    for _ in range(steps):
        present = entries(top)
        if not present:
            break
        path, action = chance.choice(present), chance.choice(ACTIONS)
        done.append(f"{action.__name__} {path.relative_to(top)}")
        action(path)
    return done


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
def test_nothing_of_a_lease_is_left_in_the_next(
    repository: WorkerRepository, upstream: Upstream, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    commits = git("rev-list", "main", cwd=upstream.path).split()
    pristine = {}
    for commit in commits:
        with opened(upstream, tmp_path / "other").lease(commit, "job-1", soon()) as worktree:
            pristine[commit] = contents(worktree.path)

    done: list[str] = []  # shown when the check fails
    for _ in range(4):
        commit = chance.choice(commits)
        with repository.lease(commit, "job-1", soon()) as worktree:
            assert contents(worktree.path) == pristine[commit], done
            git("update-index", "--assume-unchanged", "docs/page0.md", cwd=worktree.path)
            done = tamper(worktree.path, chance, steps=8)
    assert leftovers(repository) == []


def test_the_slot_itself_survives_hostile_edits(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        inode = worktree.path.stat().st_ino
        tamper(worktree.path, random.Random(1), steps=20)

    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        assert worktree.path.stat().st_ino == inode


def deny_new_files(folder: Path) -> None:
    """Give the folder a default access list under which new files have no permissions at all."""
    nobody = 0xFFFFFFFF
    entries = [struct.pack("<HHI", tag, 0, nobody) for tag in (0x01, 0x04, 0x20)]
    try:
        os.setxattr(folder, "system.posix_acl_default", struct.pack("<I", 2) + b"".join(entries))
    except OSError as error:
        pytest.skip(f"the file system has no access lists: {error}")


@pytest.mark.skipif(sys.platform != "linux", reason="the attributes are Linux' own")
def test_attributes_of_folders_do_not_outlive_the_lease(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        folders = [worktree.path, worktree.path / "docs"]
        for folder in folders:
            deny_new_files(folder)
            os.setxattr(folder, "user.note", b"to whom it may concern")
        (worktree.path / "docs/page0.md").unlink()

    with repository.lease(upstream.head(), "job-2", soon()) as worktree:
        folders = [worktree.path, worktree.path / "docs"]

        assert [os.listxattr(folder) for folder in folders] == [[], []]
        assert (worktree.path / "docs/page0.md").stat().st_mode & 0o400


def test_kept_files_are_those_the_excludes_name(upstream: Upstream, tmp_path: Path) -> None:
    repository = opened(upstream, tmp_path / "base", clean_excludes=("build/", "*.cache"))
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        for name in ("build/kept", "src/kept.cache", "gone.o", "src/gone"):
            (worktree.path / name).parent.mkdir(exist_ok=True)
            (worktree.path / name).write_text("x")
        changed = worktree.commit_all("x", "", soon())
        assert (worktree.path / "build/kept").exists()
    assert git(
        "diff", "--name-only", changed.commit, f"{changed.commit}^", cwd=repository.base
    ) == ("src/gone")

    with repository.lease(upstream.head(), "job-2", soon()) as worktree:
        assert (worktree.path / "build/kept").exists()
        assert (worktree.path / "src/kept.cache").exists()
        assert not (worktree.path / "gone.o").exists()
        assert not (worktree.path / "src/gone").exists()
        assert worktree.patch(1000) == ""


def test_a_worktree_whose_git_file_was_replaced_is_thrown_away(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        slot = (worktree.path / ".git").read_text()
        (worktree.path / ".git").write_text("gitdir: /elsewhere\n")
    assert list((repository.worktrees / ".slots").iterdir()) == []

    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        assert git("status", "--porcelain", cwd=worktree.path) == ""
        assert (worktree.path / ".git").read_text() != slot
    assert leftovers(repository) == []


@pytest.mark.slow
def test_folders_deeper_than_any_path_are_removed(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    here = Path.cwd()
    with repository.lease(upstream.head(), "job-1", soon()) as worktree:
        os.chdir(worktree.path / "src")
        for _ in range(1500):
            Path("deep").mkdir()
            os.chdir("deep")
        os.chdir(here)
        with pytest.raises(CandidateRejected, match="cannot be read"):
            worktree.commit_all("x", "", soon())

    with repository.lease(upstream.head(), "job-2", soon()) as worktree:
        assert not (worktree.path / "src/deep").exists()
    assert leftovers(repository) == []


ORDINARY = """
import os, sys
from pathlib import Path
from loreley.core.worker.repository import RepositoryOptions, WorkerRepository
from loreley.host.deadline import Deadline
from loreley.errors import CandidateRejected

remote, base, commit = sys.argv[1:]
deadline = Deadline.after(60)
repository = WorkerRepository(RepositoryOptions(remote, Path(base)))
repository.prepare(deadline)

def closed(name, mode):
    with repository.lease(commit, "job-1", deadline) as worktree:
        path = worktree.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        (worktree.path / "run.sh").write_text("changed")
        (path if mode == "file" else path.parent).chmod(0 if mode != "read-only" else 0o555)
        try:
            worktree.commit_all("x", "", deadline)
        except CandidateRejected as error:
            return error.summary
        return "committed"

print(closed("src/part0/new.py", "file"))
print(closed("hidden/new.py", "folder"))
print(closed("src/part0/new.py", "folder"))
print(closed("build/cache/object", "read-only"))
with repository.lease(commit, "job-2", deadline) as worktree:
    print(sorted(path.name for path in worktree.path.iterdir()))
    (worktree.path / "src/part0/writable").write_text("x")
    (worktree.path / "build/sealed").mkdir(parents=True)
    (worktree.path / "build/sealed/x").write_text("x")
    (worktree.path / "build/sealed").chmod(0)
    (worktree.path / ".git").unlink()
print(os.listdir(repository.worktrees / ".trash"), os.listdir(repository.worktrees / ".slots"))
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not installed")
def test_what_an_ordinary_user_cannot_read_is_refused_and_removed(
    upstream: Upstream, tmp_path: Path
) -> None:
    # Root without its privileges over files is as bound by their modes as anybody.
    without = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    output = subprocess.run(
        [
            *(without if os.getuid() == 0 else ()),
            *(sys.executable, "-c", ORDINARY, str(upstream.path), str(tmp_path / "base")),
            upstream.head(),
        ],
        cwd=PROJECT_ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()

    assert "a file that cannot be read: src/part0/new.py" in output[0]
    assert "a folder that cannot be read" in output[1]
    assert "cannot be read" in output[2]
    assert output[3] == "committed"
    assert "build" not in output[4]
    assert "hidden" not in output[4]
    assert output[5] == "[] []"


def test_a_spare_slot_that_was_damaged_is_replaced(
    repository: WorkerRepository, upstream: Upstream
) -> None:
    with repository.lease(upstream.head(), "job-1", soon()):
        pass
    (slot,) = (repository.worktrees / ".slots").glob("*.index")
    slot.write_bytes(b"DIRC garbage")

    with repository.lease(upstream.head(), "job-2", soon()) as worktree:
        assert git("status", "--porcelain", cwd=worktree.path) == ""
    (slot,) = (path for path in (repository.worktrees / ".slots").iterdir() if path.is_dir())
    shutil.rmtree(slot)
    with repository.lease(upstream.head(), "job-3", soon()) as worktree:
        assert git("status", "--porcelain", cwd=worktree.path) == ""
    assert leftovers(repository) == []


@pytest.mark.slow
def test_a_spare_slot_that_takes_too_long_to_clean_is_replaced(
    repository: WorkerRepository, upstream: Upstream, tmp_path: Path
) -> None:
    """Git needs minutes for folders that are nested deeply; it is the next job's time."""
    commit = upstream.head()
    slow = tmp_path / "git"
    slow.write_text('#!/bin/sh\ncase " $* " in *" clean "*) sleep 60;; esac\nexec git "$@"\n')
    slow.chmod(0o755)
    store = ObjectStore(Git(str(slow)), repository.base / ".git")
    slots = Slots(store, repository.worktrees, (), cleaning_seconds=0.2)
    first = slots.take("job-1", commit, (), soon())
    (first.checkout.path / "left").write_text("x")
    slots.give_back(first)

    second = slots.take("job-2", commit, (), soon(30))
    try:
        assert second.id != first.id
        assert not (second.checkout.path / "left").exists()
    finally:
        slots.give_back(second)
    assert leftovers(repository) == []
