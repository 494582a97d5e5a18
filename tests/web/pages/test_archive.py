"""Archive, commits and lineage, as they are fetched."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.core.evaluation.evaluation import Artifact
from loreley.db.engine import Database
from tests.evolved import Evolved
from tests.web.support import Dashboard, dashboard


def git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *arguments], check=True, capture_output=True)
    return done.stdout.decode().strip()


@pytest.fixture
def run(database: Database) -> Evolved:
    run = Evolved(database)
    run.root(1.0)
    first = run.child(2.0, width=3.5, height=3)
    second = run.child(4.0, parent=first, width=9.5, height=9)
    run.child(3.0, parent=second, width=9.6, height=8.5, island=0)
    run.child(1.5, width=5, island=1)
    return run


@pytest.fixture
def shown(run: Evolved, tmp_path: Path) -> Iterator[Dashboard]:
    with dashboard(run.database, tmp_path) as running:
        yield running


def test_every_filled_cell_is_on_the_map_of_its_island(shown: Dashboard) -> None:
    text = shown.get("/archive").text
    assert "3 of 50 cells" in text
    tiles = re.findall(r"tile-rect heat-(\d)[^>]* x=\"(\d+)\" y=\"(\d+)\"", text)
    assert [heat for heat, _, _ in tiles] == ["9", "4", "0"]
    assert len({(x, y) for _, x, y in tiles}) == 3
    assert "2 of 50 cells" in shown.get("/archive?island=1").text
    assert "0 of 50 cells" in shown.get("/archive?island=7").text
    assert shown.get("/archive?island=x&x=99&y=-1").status == 200


def test_a_commit_is_compared_with_any_other(database: Database, tmp_path: Path) -> None:
    run = Evolved(database)
    run.root(1.0)
    first = run.child(2.5, width=3, subject="the first way")
    second = run.child(3.5, width=5)
    with dashboard(database, tmp_path) as shown:
        text = shown.get(f"/commits/{second}?against={first}").text
        by_number = shown.get(f"/commits/{second}?against=%230").text
        unknown = shown.get(f"/commits/{second}?against=%3Cb%3E").text

    assert "Compared with" in text
    assert "fitness 2.5: the first way" in text
    assert re.search(r'<td class="n">2\.5</td>', text)
    assert "fitness 2.5: the first way" in by_number
    assert "No judged commit, or more than one, is called &lt;b&gt;" in unknown


def test_a_commit_tells_its_figures_gain_and_children(shown: Dashboard) -> None:
    text = shown.get(f"/commits/{1:040x}").text
    assert "+1</b> on its parent" in text
    assert f'href="/commits/{2:040x}"' in text
    assert "3.5" in text
    assert shown.get(f"/commits/{'b' * 40}").status == 404
    assert shown.get("/commits/--output=x").status == 404


def test_without_a_repository_the_kept_patch_is_shown(database: Database, tmp_path: Path) -> None:
    patch = b"diff --git a/x b/x\n@@ -1 +1 @@\n-one\n+two\n"
    run = Evolved(database)
    run.root()
    commit = run.child(2.0, artifacts=[Artifact("patch.diff", "text/x-diff", patch)])

    with dashboard(database, tmp_path) as shown:
        kept = shown.get(f"/commits/{commit}").text
        none = shown.get(f"/commits/{commit}?against=root").text

    assert "<td>two</td>" in kept
    assert "kept with the job" in kept
    assert "<td>two</td>" in none  # the root is its parent


def test_what_a_deleted_branch_changed_is_said_to_be_gone(
    database: Database, tmp_path: Path
) -> None:
    remote = tmp_path / "remote.git"
    subprocess.run(["git", "init", "-q", "--bare", str(remote)], check=True)
    run = Evolved(database)
    run.root()
    first = run.child(2.0)
    second = run.child(3.0, parent=first)

    with dashboard(
        database,
        tmp_path,
        worker_repo_remote_url=str(remote),
        worker_repo_worktree=str(tmp_path / "clone"),
    ) as shown:
        answer = shown.get(f"/commits/{second}?against=root")

    assert answer.status == 200
    assert "no repository on this host holds both commits" in answer.text


@pytest.mark.slow
def test_binary_files_and_a_diff_of_fifty_megabytes_are_bounded(
    database: Database, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    subprocess.run(["git", "init", "-q", str(source)], check=True)
    (source / "small.txt").write_text("one\n")
    git(source, "add", ".")
    git(source, "commit", "-q", "-m", "root")
    root = git(source, "rev-parse", "HEAD")
    (source / "a.bin").write_bytes(bytes(range(256)) * 64)
    (source / "b.txt").write_text("some line of text to fill it\n" * 1_800_000)
    git(source, "add", ".")
    git(source, "commit", "-q", "-m", "large")
    large = git(source, "rev-parse", "HEAD")
    run = Evolved(database, root_commit=root)
    run.root()
    run.child(2.0, parent=root, commit=large)

    with dashboard(
        database,
        tmp_path,
        worker_repo_remote_url=str(source),
        worker_repo_worktree=str(tmp_path / "clone"),
    ) as shown:
        answer = shown.get(f"/commits/{large}")

    assert answer.status == 200
    assert "a.bin" in answer.text
    assert "binary" in answer.text
    assert "the rest is left out" in answer.text
    assert len(answer.body) < 2_000_000


def test_the_tree_leads_to_any_commit_and_tells_each_gain(shown: Dashboard) -> None:
    best = shown.get("/lineage").text
    assert "of the best" in best
    assert re.findall(r'class="up">(.[\d.]+)<', best) == ["+1", "+2"]
    assert len(re.findall(r"<circle", best)) == 4
    other = shown.get(f"/lineage?commit={3:040x}").text
    assert re.findall(r'class="down">(.[\d.]+)<', other) == ["-1"]
    assert len(re.findall(r"on-path", other)) >= 4
    for wanted in ("b" * 40, "zzz", "%", "0" * 10):
        assert shown.get(f"/lineage?commit={wanted}").status == 404


@pytest.mark.parametrize("bins", [1, 2, 10])
def test_names_and_numbers_beside_a_small_map_have_room(
    database: Database, tmp_path: Path, bins: int
) -> None:
    run = Evolved(database, measures=(f"width:0:12345.678:{bins}",))
    run.root(1.0)
    with dashboard(database, tmp_path) as shown:
        text = shown.get("/archive").text

    [whole] = re.findall(r'<svg width="(\d+)"', text)
    [left] = re.findall(r'<g transform="translate\((\d+),6\)"', text)
    ends = [
        float(left) + float(x) + len(label) * 3.5
        for x, label in re.findall(r'class="tick" x="([\d.]+)"[^>]*>([^<]+)<', text)
    ]
    assert ends
    assert max(ends) <= int(whole)
    assert ">12345.7<" in text
    assert "<span>all 1</span>" in text


def test_pages_without_a_commit_say_why_there_is_none(database: Database, tmp_path: Path) -> None:
    with dashboard(database, tmp_path) as shown:
        for path in ("/", "/archive", "/lineage"):
            assert "Nothing has begun yet" in shown.get(path).text
        assert "There is no job yet" in shown.get("/jobs").text
        run = Evolved(database, constraints=("score >= 2",))
        for path in ("/", "/archive", "/lineage"):
            assert "othing has been judged yet" in shown.get(path).text
        run.root(1.0)
        for path in ("/", "/archive", "/lineage"):
            assert "one of 1 judged commits has a fitness" in shown.get(path).text
