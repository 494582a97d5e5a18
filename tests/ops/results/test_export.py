"""`invoke export`: what real git makes of the patch and the branch."""

from pathlib import Path

import pytest

from loreley.errors import ConfigError, LoreleyError
from loreley.ops.results.export import ExportOptions, export
from loreley.ops.results.selection import Selection
from tests.core.worker.upstream import git
from tests.ops.experiment import SmallRun, text, usual

BIG_BYTES = 50_000_000


@pytest.fixture
def run(tmp_path: Path) -> SmallRun:
    return usual(tmp_path)


def clone(run: SmallRun) -> Path:
    path = run.folder / "clone"
    git("clone", "-q", str(run.upstream.path), str(path), cwd=run.folder)
    return path


def tree(repository: Path, revision: str = "HEAD") -> str:
    return git("rev-parse", f"{revision}^{{tree}}", cwd=repository)


def patched(run: SmallRun, **options: object) -> Path:
    """A patch of the best commit."""
    path = run.folder / "best.patch"
    export(run.settings, Selection(), ExportOptions(patch=str(path), **options))  # type: ignore[arg-type]
    return path


def test_git_am_makes_the_commit_of_the_patch(run: SmallRun) -> None:
    path, here = patched(run), clone(run)

    git("am", "--keep-cr", str(path), cwd=here)

    assert tree(here) == tree(run.upstream.path, run.commits[2])
    message = git("log", "-1", "--format=%an <%ae>%n%B", cwd=here)
    subject = "Change score from 1 to 3.5, not confirmed"
    assert message.startswith(f"loreley <loreley@localhost>\n{subject}\n")
    assert "- #0 genetic shift: spell the third (+1)" in message
    trailers = git("log", "-1", "--format=%(trailers:only)", cwd=here).splitlines()
    assert trailers == [
        f"Evolved-from: {run.commits[0]}",
        f"Evolved-as: {run.commits[2]}",
        "Fitness: score 1 -> 3.5",
        "Gain: not confirmed yet",
    ]


def test_git_apply_takes_it_as_well(run: SmallRun) -> None:
    path, here = patched(run), clone(run)

    git("apply", "--index", str(path), cwd=here)

    assert git("write-tree", cwd=here) == tree(run.upstream.path, run.commits[2])


def test_a_single_step_keeps_its_own_words(run: SmallRun) -> None:
    path = run.folder / "one.patch"
    export(run.settings, Selection("0"), ExportOptions(patch=str(path)))
    here = clone(run)

    git("am", str(path), cwd=here)

    assert git("log", "-1", "--format=%s", cwd=here) == "spell the third"


@pytest.mark.slow
def test_whatever_a_commit_can_hold_survives(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = SmallRun.begin(
        tmp_path,
        {
            "returns.txt": "one\r\ntwo\r\n",
            "latin.txt": "caf\xe9\n".encode("latin-1"),
            "moved.txt": text(),
            "gone.txt": "gone\n",
            "run.sh": "#!/bin/sh\n",
            "end.txt": "no newline",
            "picture.bin": bytes(range(256)) * 8,
        },
    )
    author = run.upstream.author
    (author / "moved.txt").rename(author / "über alles.txt")
    (author / "link").symlink_to("run.sh")
    (author / "run.sh").chmod(0o755)
    run.step(
        {
            "returns.txt": "one\r\nzwei\r\n",
            "latin.txt": "caf\xe9s\n".encode("latin-1"),
            "gone.txt": None,
            "end.txt": "still none",
            "picture.bin": bytes(reversed(range(256))) * 9,
            "From x": "From x Mon Sep 17 00:00:00 2001\n",
        },
        2.0,
        "ände\x1b[31mrt — alles",
    )
    path, here = run.folder / "best.patch", clone(run)

    export(run.settings, Selection(), ExportOptions(patch=str(path)))

    assert f"git am --keep-cr {path}" in capsys.readouterr().err
    git("am", "--keep-cr", str(path), cwd=here)
    assert tree(here) == tree(run.upstream.path, run.commits[1])
    assert git("log", "-1", "--format=%s", cwd=here) == "ändert — alles"


@pytest.mark.slow
def test_fifty_megabytes_are_written_whole(tmp_path: Path) -> None:
    run = SmallRun.begin(tmp_path, {"a.txt": "a\n"})
    run.step({"a.txt": "some line of text\n" * (BIG_BYTES // 18)}, 2.0)
    path = patched(run)

    assert path.stat().st_size > BIG_BYTES
    counted = git("apply", "--numstat", str(path), cwd=run.folder)
    assert counted == f"{BIG_BYTES // 18}\t1\ta.txt"


def test_a_file_that_exists_is_kept_unless_forced(run: SmallRun) -> None:
    path = run.folder / "best.patch"
    path.write_text("mine")

    with pytest.raises(LoreleyError, match="the file exists"):
        patched(run)
    assert path.read_text() == "mine"

    patched(run, force=True)
    assert path.read_text().startswith("From ")


@pytest.mark.parametrize(
    "place", ["nowhere/best.patch", ".", "file/best.patch", "x" * 300, "/proc/x"]
)
def test_a_place_that_cannot_be_written_is_reported(run: SmallRun, place: str) -> None:
    (run.folder / "file").write_text("")
    before = sorted(run.folder.iterdir())

    with pytest.raises(LoreleyError, match=r"cannot be written|the file exists") as caught:
        export(run.settings, Selection(), ExportOptions(patch=str(run.folder / place)))

    assert ".unfinished" not in str(caught.value)
    assert sorted(run.folder.iterdir()) == before


def test_standard_output_gets_the_patch_alone(
    run: SmallRun, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    export(run.settings, Selection(), ExportOptions(patch="-"))

    written = capfdbinary.readouterr()
    assert written.out.startswith(b"From ")
    assert written.err == b""


def test_a_branch_holds_every_step(run: SmallRun) -> None:
    export(run.settings, Selection(), ExportOptions(branch="evolved"))

    here = clone(run)
    assert git("log", "--format=%H", "origin/evolved", cwd=here).split()[:3] == run.commits[::-1]


def test_a_squashed_branch_is_one_commit_on_the_root(run: SmallRun) -> None:
    export(run.settings, Selection(), ExportOptions(branch="evolved", squash=True))

    here = clone(run)
    assert git("log", "--format=%s", "origin/evolved", cwd=here).splitlines()[:2] == [
        "Change score from 1 to 3.5, not confirmed",
        "change",
    ]
    assert tree(here, "origin/evolved") == tree(here, run.commits[2])
    assert git("rev-parse", "origin/evolved^", cwd=here) == run.commits[0]


def test_again_is_fine_and_another_commit_is_refused_unless_forced(run: SmallRun) -> None:
    export(run.settings, Selection(), ExportOptions(branch="evolved"))
    export(run.settings, Selection(), ExportOptions(branch="evolved"))

    with pytest.raises(LoreleyError, match="holds another commit"):
        export(run.settings, Selection("0"), ExportOptions(branch="evolved"))
    assert git("rev-parse", "evolved", cwd=run.upstream.path) == run.commits[2]

    export(run.settings, Selection("0"), ExportOptions(branch="evolved", force=True))
    assert git("rev-parse", "evolved", cwd=run.upstream.path) == run.commits[1]


def test_a_branch_is_pushed_from_what_had_to_be_fetched(run: SmallRun) -> None:
    far = f"file://{run.upstream.path}"
    away = type(run.settings).model_validate(
        {**run.settings.model_dump(), "worker_repo_remote_url": far}
    )

    export(away, Selection(), ExportOptions(branch="evolved"))
    export(away, Selection(), ExportOptions(branch="squashed", squash=True))

    assert git("rev-parse", "evolved", cwd=run.upstream.path) == run.commits[2]
    assert git("rev-parse", "squashed^", cwd=run.upstream.path) == run.commits[0]


@pytest.mark.parametrize(
    "name", ["main", "evolution/job/x", "evolution/job", "a..b", "", "-x", "a b", "x.lock"]
)
def test_a_branch_that_is_needed_otherwise_is_refused(run: SmallRun, name: str) -> None:
    before = git("for-each-ref", cwd=run.upstream.path)

    with pytest.raises(ConfigError, match="branch cannot be written"):
        export(run.settings, Selection(), ExportOptions(branch=name, force=True))

    assert git("for-each-ref", cwd=run.upstream.path) == before


def test_nothing_to_make_and_nothing_found_are_reported(tmp_path: Path) -> None:
    run = SmallRun.begin(tmp_path, {"plan.txt": text()})

    with pytest.raises(ConfigError, match="nothing is asked for"):
        export(run.settings, Selection(), ExportOptions())
    with pytest.raises(LoreleyError, match="differs from itself by nothing"):
        export(run.settings, Selection(), ExportOptions(patch=str(tmp_path / "x")))
