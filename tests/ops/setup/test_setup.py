"""`loreley init`: what is written, and what is said of a repository that cannot be evolved."""

import subprocess
from pathlib import Path

import pytest

from loreley.envfile import read_env_file
from loreley.errors import ConfigError
from loreley.ops.setup.project import set_up
from loreley.ops.setup.wishes import Wishes
from tests.core.worker.upstream import Upstream, git

DOCUMENTED = Path("/there/.env.example")
PRINTS = Wishes("python3 main.py", "score", higher_is_better=True)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository of a user's, who stands in it."""
    Upstream.create(tmp_path, {"main.py": """print('{"score": 3}', 'score = 4.5')\n"""})
    monkeypatch.chdir(tmp_path / "author")
    return tmp_path / "author"


def judged(folder: Path, worktree: Path) -> dict[str, object]:
    """What the written evaluator says of a checkout."""

    class Context:
        timeout_seconds = 60

    Context.worktree = worktree  # type: ignore[attr-defined]
    namespace: dict[str, object] = {}
    exec((folder / "evaluators" / "measure.py").read_text(), namespace)
    (metric,) = namespace["evaluate"](Context)["metrics"]  # type: ignore[operator]
    return dict(metric)


def test_a_number_that_is_printed_is_read_by_the_evaluator(own: Path) -> None:
    (own / ".env").write_text("LOG_LEVEL=DEBUG")
    (own / ".gitignore").write_text("/logs/\n")

    set_up(own, PRINTS, DOCUMENTED)

    assert read_env_file(own / ".env").values() == {
        "LOG_LEVEL": "DEBUG",
        "WORKER_REPO_REMOTE_URL": ".loreley/repository.git",
        "WORKER_EVALUATOR_PLUGIN": "measure:evaluate",
        "WORKER_EVALUATOR_PYTHON_PATHS": "evaluators",
        "MAPELITES_FITNESS_METRIC": "score",
    }
    assert judged(own, own) == {"name": "score", "value": 4.5, "higher_is_better": True}
    assert (own / ".gitignore").read_text() == "/logs/\n/.env\n/.loreley/\n"
    head = git("rev-parse", "HEAD", cwd=own)
    assert git("rev-parse", "main", cwd=own / ".loreley" / "repository.git") == head
    assert git("branch", "--list", cwd=own).split() == ["*", "main"]


def test_a_program_is_timed_and_has_to_print_what_it_did(own: Path) -> None:
    (own / "main.py").write_text("print(sum(range(1000)))\n")
    git("commit", "-qam", "Print a sum", cwd=own)

    set_up(own, Wishes("python3 main.py", test="test -f main.py"), DOCUMENTED)

    metric = judged(own, own)
    assert (metric["name"], metric["higher_is_better"]) == ("seconds", False)
    assert isinstance(metric["value"], float)
    assert 0 < metric["value"] < 10
    (own / "main.py").write_text("print(0)\n")
    with pytest.raises(ValueError, match="prints something else"):
        judged(own, own)
    (own / "main.py").unlink()
    with pytest.raises(ValueError, match=r"`test -f main\.py` ended with exit code 1"):
        judged(own, own)


def test_a_goal_and_another_branch_are_kept_as_they_are(own: Path) -> None:
    git("switch", "-qc", "topic/one", cwd=own)
    goal = 'Don\'t break it; "fast" is $100 better \\ # really'

    set_up(own, Wishes("python3 main.py", "score", goal=goal, editable="src/**"), DOCUMENTED)

    values = read_env_file(own / ".env").values()
    assert values["WORKER_EVOLUTION_GLOBAL_GOAL"] == goal
    assert values["WORKER_REPO_BRANCH"] == "topic/one"
    assert values["WORKER_GATE_EDITABLE_PATHS"] == "src/**"


@pytest.mark.parametrize(
    ("wishes", "what"),
    [
        (Wishes(""), "nothing is known about how to measure"),
        (Wishes("python3 main.py", "a score"), "that is no name of a number"),
        (Wishes("python3 main.py", goal="two\nlines"), "that is no plain line of text"),
        (Wishes("python3 main.py", repository="nowhere"), "git ls-remote failed"),
        (Wishes("exit 3", "score"), "the command cannot be used"),
        (Wishes("echo score: none", "score"), "the command cannot be used"),
        (Wishes("python3 main.py", "score", test="false"), "the command cannot be used"),
        (Wishes("date +%N"), "what the command prints differs from run to run"),
    ],
)
def test_what_cannot_work_is_told_and_nothing_is_written(
    own: Path, wishes: Wishes, what: str
) -> None:
    with pytest.raises(Exception, match=what):
        set_up(own, wishes, DOCUMENTED)

    assert git("status", "--porcelain", cwd=own) == ""
    assert not (own / ".loreley").exists()


def test_what_flags_leave_open_is_asked_on_a_terminal(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter(["", "python3 main.py", "score", "no", "", "Make it small."])
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", lambda _: next(answers))

    set_up(own, Wishes(""), DOCUMENTED)

    assert judged(own, own)["higher_is_better"] is False
    assert "Make it small." in (own / ".env").read_text()


def test_answers_that_end_early_change_nothing(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def ends(_: str) -> str:
        raise EOFError

    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("builtins.input", ends)

    with pytest.raises(ConfigError, match="the answers ended early"):
        set_up(own, Wishes(""), DOCUMENTED)
    assert git("status", "--porcelain", cwd=own) == ""


def test_what_is_set_up_already_stays(own: Path) -> None:
    set_up(own, PRINTS, DOCUMENTED)
    before = (own / ".env").read_text()

    with pytest.raises(ConfigError, match="configured here already"):
        set_up(own, PRINTS, DOCUMENTED)
    assert (own / ".env").read_text() == before

    (own / ".env").unlink()
    with pytest.raises(ConfigError, match="there is an evaluator already"):
        set_up(own, PRINTS, DOCUMENTED)


def test_a_folder_within_the_repository_is_a_project_for_all_of_it(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (own / "tools").mkdir()
    monkeypatch.chdir(own / "tools")

    set_up(own / "tools", PRINTS, DOCUMENTED)

    assert "/.env" in (own / "tools" / ".gitignore").read_text()
    assert git("ls-tree", "--name-only", "main", cwd=own / "tools/.loreley/repository.git")


def test_a_folder_without_a_repository_or_a_commit_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="no git repository to evolve"):
        set_up(tmp_path, PRINTS, DOCUMENTED)

    subprocess.run(["git", "init", "-q", "."], check=True)
    with pytest.raises(ConfigError, match="the repository has no commit"):
        set_up(tmp_path, PRINTS, DOCUMENTED)
