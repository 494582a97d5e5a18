"""Submodules in worktrees, from real remotes."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from loreley.core.worker.repository import WorkerRepository
from loreley.core.worktrees.leftovers import find_leftovers
from loreley.errors import CandidateRejected, CommitGone, ConfigError, LoreleyError
from tests.core.worker.upstream import Upstream, git, leftovers, names_in, opened, soon

pytestmark = pytest.mark.slow  # each makes three remotes

LIBRARY = {"lib.py": "def f(): return 1\n", ".gitignore": "*.tmp\n"}


@dataclass(frozen=True, slots=True)
class Family:
    """A repository, its submodule at ``vendor/lib`` and that one's own at ``inner``."""

    upstream: Upstream
    library: Upstream
    inner: Upstream
    folder: Path

    def open(self, name: str = "base", *urls: str) -> WorkerRepository:
        return opened(self.upstream, self.folder / name, submodule_urls=urls or (str(self.folder),))


def add_submodule(outer: Upstream, path: str, url: str, commit: str) -> str:
    modules = outer.author / ".gitmodules"
    known = modules.read_text() if modules.exists() else ""
    modules.write_text(f'{known}[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n')
    git("add", ".gitmodules", cwd=outer.author)
    git("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}", cwd=outer.author)
    git("commit", "-qm", f"add {path}", cwd=outer.author)
    git("push", "-q", "origin", "HEAD:main", cwd=outer.author)
    return git("rev-parse", "HEAD", cwd=outer.author)


@pytest.fixture
def family(tmp_path: Path) -> Family:
    upstream = Upstream.create(tmp_path / "outer")
    library = Upstream.create(tmp_path / "library", LIBRARY)
    inner = Upstream.create(tmp_path / "inner", {"deep.py": "DEEP = True\n"})
    add_submodule(library, "inner", "../../inner/remote.git", inner.head())
    add_submodule(upstream, "vendor/lib", "../../library/remote.git", library.head())
    return Family(upstream, library, inner, tmp_path)


def test_submodules_and_theirs_are_checked_out_where_they_are_allowed(family: Family) -> None:
    repository = family.open()

    for name in ("job-1", "job-2"):
        with repository.lease(family.upstream.head(), name, soon()) as worktree:
            lib = worktree.path / "vendor/lib"
            assert (lib / "lib.py").read_text() == LIBRARY["lib.py"]
            assert (lib / "inner/deep.py").read_text() == "DEEP = True\n"
            assert not (lib / ".git").exists()
            assert git("status", "--porcelain", cwd=worktree.path) == ""
            (worktree.path / "src/pack.py").write_text(f"changed = {name!r}\n")
            candidate = worktree.commit_all("x", "", soon())
            assert (lib / "lib.py").read_text() == LIBRARY["lib.py"]
            worktree.push(f"evolution/job/{name}", soon())
    tree = git("ls-tree", "-r", candidate.commit, cwd=family.upstream.path)
    assert f"160000 commit {family.library.head()}\tvendor/lib" in tree
    assert leftovers(repository) == []
    assert find_leftovers(repository.base) == []


def test_they_stay_empty_where_nothing_is_allowed(family: Family) -> None:
    repository = opened(family.upstream, family.folder / "base")

    with repository.lease(family.upstream.head(), "job-1", soon()) as worktree:
        assert names_in(worktree.path / "vendor/lib") == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("vendor/lib/lib.py", "vendor/lib/lib.py"),
        ("vendor/lib/new.py", "vendor/lib/new.py"),
        ("vendor/lib/inner/deep.py", "vendor/lib/inner/deep.py"),
    ],
)
def test_a_candidate_that_changes_a_submodule_is_refused(
    path: str, said: str, family: Family
) -> None:
    repository = family.open()

    with repository.lease(family.upstream.head(), "job-1", soon()) as worktree:
        (worktree.path / path).write_text("changed\n")
        (worktree.path / "src/pack.py").write_text("changed\n")
        with pytest.raises(CandidateRejected) as raised:
            worktree.commit_all("x", "", soon())

    assert f"a file of a submodule, which no candidate changes: {said}" in raised.value.summary


@pytest.mark.parametrize("how", ["removed", "linked", "a repository"])
def test_a_submodule_whose_folder_was_replaced_is_refused_and_is_there_again(
    how: str, family: Family
) -> None:
    repository = family.open()
    outside = family.folder / "outside"
    outside.mkdir()
    (outside / "kept").write_text("kept")
    with repository.lease(family.upstream.head(), "job-1", soon()) as worktree:
        lib = worktree.path / "vendor/lib"
        if how == "a repository":
            git("init", "-q", str(lib), cwd=family.folder)
            (lib / "lib.py").write_text("changed\n")
        else:
            git("rm", "-rfq", "--cached", "vendor/lib", cwd=worktree.path)
            lib.rename(family.folder / "away")
        if how == "linked":
            lib.symlink_to(outside)
        (worktree.path / "src/pack.py").write_text("changed\n")
        with pytest.raises(LoreleyError, match="submodule"):
            worktree.commit_all("x", "", soon())

    with repository.lease(family.upstream.head(), "job-2", soon()) as worktree:
        assert sorted(names_in(worktree.path / "vendor/lib")) == [
            *(".gitignore", ".gitmodules", "inner", "lib.py"),
        ]
    assert (outside / "kept").read_text() == "kept"


def test_what_programs_leave_in_a_submodule_is_no_change_and_does_not_stay(
    family: Family,
) -> None:
    repository = family.open()
    with repository.lease(family.upstream.head(), "job-1", soon()) as worktree:
        lib = worktree.path / "vendor/lib"
        (lib / "__pycache__").mkdir()
        (lib / "__pycache__/lib.pyc").write_text("x")
        (lib / "a.tmp").write_text("x")
        (worktree.path / "src/pack.py").write_text("changed\n")
        worktree.commit_all("x", "", soon())

        assert sorted(names_in(lib)) == [".gitignore", ".gitmodules", "inner", "lib.py"]


def test_a_remote_that_is_not_allowed_keeps_the_worker_offline(family: Family) -> None:
    with pytest.raises(ConfigError) as raised:
        family.open("base", str(family.folder / "library"))

    [problem] = raised.value.problems
    assert problem.setting == "WORKER_REPO_SUBMODULE_URLS"
    assert problem.target.endswith("inner/remote.git")


def test_a_commit_that_a_submodule_s_remote_does_not_have_is_named(family: Family) -> None:
    add_submodule(family.upstream, "other", "../../inner/remote.git", "1" * 40)

    with pytest.raises(CommitGone, match="submodule"):
        family.open()


@pytest.mark.parametrize(
    "url", ["https://evil.example/lib", "ext::sh -c 'touch {}/planted'", "../../nowhere"]
)
def test_a_candidate_that_leads_submodules_elsewhere_is_refused(url: str, family: Family) -> None:
    repository = family.open()
    with repository.lease(family.upstream.head(), "job-1", soon()) as worktree:
        (worktree.path / ".gitmodules").write_text(
            f'[submodule "x"]\n\tpath = vendor/lib\n\turl = "{url.format(family.folder)}"\n'
        )
        with pytest.raises(CandidateRejected, match="where submodules are from"):
            worktree.commit_all("x", "", soon())

    assert not (family.folder / "planted").exists()


def test_programs_planted_in_a_submodule_or_its_repository_do_not_run(family: Family) -> None:
    planted = family.folder / "ran"
    script = family.folder / "plant.sh"
    script.write_text(f"#!/bin/sh\ntouch {planted}\ncat\n")
    script.chmod(0o755)
    family.library.commit({".gitattributes": "*.py filter=evil diff=evil\n"})
    add_submodule(family.upstream, "more", "../../library/remote.git", family.library.head())
    repository = family.open()
    for store in (repository.worktrees / ".submodules").glob("*.git"):
        with (store / "config").open("a") as config:
            config.write(f'[filter "evil"]\n\tsmudge = {script}\n\tclean = {script}\n')
            config.write(f"[core]\n\tfsmonitor = {script}\n")
        (store / "hooks").mkdir(exist_ok=True)
        (store / "hooks/post-checkout").symlink_to(script)

    with repository.lease(family.upstream.head(), "job-1", soon()) as worktree:
        (worktree.path / "src/pack.py").write_text("changed\n")
        worktree.commit_all("x", "", soon())

    assert not planted.exists()


def test_a_job_that_begins_where_a_submodule_moved_on_gets_the_other_version(
    family: Family,
) -> None:
    repository, before = family.open(), family.upstream.head()
    family.library.commit({"lib.py": "def f(): return 2\n"})
    git(
        *("update-index", "--cacheinfo", f"160000,{family.library.head()},vendor/lib"),
        cwd=family.upstream.author,
    )
    git("commit", "-qm", "move on", cwd=family.upstream.author)
    git("push", "-q", "origin", "HEAD:main", cwd=family.upstream.author)

    texts = []
    for commit in (family.upstream.head(), before):
        with repository.lease(commit, "job-1", soon()) as worktree:
            texts.append((worktree.path / "vendor/lib/lib.py").read_text())

    assert texts == ["def f(): return 2\n", "def f(): return 1\n"]
