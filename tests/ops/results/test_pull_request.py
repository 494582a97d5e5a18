"""`invoke export --pull-request`: the real `gh` against a stand-in for GitHub, and refusals."""

import json
import os
import shutil
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from loreley.errors import ConfigError, LoreleyError
from loreley.git.commits import CommitMessage
from loreley.git.remote import Remote
from loreley.ops.results.export import ExportOptions, export
from loreley.ops.results.pull_request import Forge
from loreley.ops.results.selection import Selection
from tests.core.worker.upstream import git
from tests.ops.experiment import SmallRun, usual
from tests.services import missing_service

URL = "https://github.com/acme/pack/pull/7"
REPOSITORY = {
    "id": "R1",
    "name": "pack",
    "owner": {"login": "acme"},
    "hasIssuesEnabled": True,
    "description": "",
    "hasWikiEnabled": False,
    "viewerPermission": "WRITE",
    "defaultBranchRef": {"name": "main"},
    "parent": None,
    "mergeCommitAllowed": True,
    "rebaseMergeAllowed": True,
    "squashMergeAllowed": True,
}


class GitHub(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers what `gh pr create` asks; ``opened`` are the requests, ``open`` those before."""

    daemon_threads = True

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Handler)
        self.opened: list[dict[str, Any]] = []
        self.open: list[dict[str, Any]] = []

    def answer(self, query: str, variables: dict[str, Any]) -> dict[str, Any]:
        if "createPullRequest" in query:
            self.opened.append(variables["input"])
            return {"createPullRequest": {"pullRequest": {"id": "PR1", "url": URL}}}
        if "pullRequests(" in query:
            return {"repository": {**REPOSITORY, "pullRequests": {"nodes": self.open}}}
        return {"repository": REPOSITORY}


class _Handler(BaseHTTPRequestHandler):
    server: GitHub

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        data = self.server.answer(asked["query"], asked.get("variables") or {})
        content = json.dumps({"data": data}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def address_string(self) -> str:
        return "gh"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def github(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[GitHub]:
    """What `gh` takes for GitHub."""
    if shutil.which("gh") is None:
        missing_service("gh")
    config = tmp_path / "gh"
    config.mkdir()
    (config / "config.yml").write_text(f"http_unix_socket: {config / 'socket'}\n")
    monkeypatch.setenv("GH_CONFIG_DIR", str(config))
    monkeypatch.setenv("GH_TOKEN", "a-token")
    with GitHub(config / "socket") as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SmallRun:
    """A run whose remote is at GitHub, as far as its settings tell."""
    found = usual(tmp_path)
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", f"url.{found.upstream.path}.insteadOf")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "https://github.com/acme/pack.git")
    given = {
        **found.settings.model_dump(),
        "worker_repo_remote_url": "https://github.com/acme/pack.git",
    }
    found.settings = type(found.settings).model_validate(given)
    return found


def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, body: str) -> None:
    """The only program of a forge on PATH, beside those of the system's that git needs."""
    folder = tmp_path / "programs"
    folder.mkdir()
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)
    for needed in ("git", "sh"):
        (folder / needed).symlink_to(f"/usr/bin/{needed}")
    monkeypatch.setenv("PATH", str(folder))


def test_gh_opens_a_request_for_the_branch_that_was_pushed(
    run: SmallRun, github: GitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    export(run.settings, Selection(), ExportOptions(branch="evolved", pull_request=True))

    [opened] = github.opened
    assert (opened["headRefName"], opened["baseRefName"]) == ("evolved", "main")
    assert opened["title"] == "Change score from 1 to 3.5, not confirmed"
    assert f"Evolved-as: {run.commits[2]}" in opened["body"]
    assert git("rev-parse", "evolved", cwd=run.upstream.path) == run.commits[2]
    assert f"request   {URL}" in capsys.readouterr().err


def test_without_a_name_the_branch_is_called_after_the_commit(
    run: SmallRun, github: GitHub
) -> None:
    export(run.settings, Selection(), ExportOptions(pull_request=True, squash=True))

    name = f"evolved-{run.commits[2][:12]}"
    assert [each["headRefName"] for each in github.opened] == [name]
    assert git("rev-parse", f"{name}^", cwd=run.upstream.path) == run.commits[0]


def test_a_request_that_is_open_already_stays(
    run: SmallRun, github: GitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    github.open = [
        {"url": URL, "id": "PR1", "number": 7, "state": "OPEN", "headRefName": "evolved"}
        | {
            "baseRefName": "main",
            "isCrossRepository": False,
            "headRepositoryOwner": {"login": "acme"},
        }
    ]

    export(run.settings, Selection(), ExportOptions(branch="evolved", pull_request=True))

    assert github.opened == []
    assert URL in capsys.readouterr().err


def test_glab_opens_a_merge_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = tmp_path / "given"
    program(tmp_path, monkeypatch, "glab", f'printf "%s\\n" "$@" > {given}; echo; echo https://x/1')
    forge = Forge.of(Remote.parse("git@gitlab.acme.example:team/tools/pack.git"))

    said = forge.open_request("evolved", "main", CommitMessage("Improve it", "By much."))

    assert said == "https://x/1"
    assert given.read_text().split("\n") == [
        *("mr", "create", "--repo", "https://gitlab.acme.example/team/tools/pack"),
        *("--source-branch", "evolved", "--target-branch", "main", "--title", "Improve it"),
        *("--yes", "--description", "By much.", ""),
    ]


@pytest.mark.parametrize(
    "url", ["https://git.example/acme/pack", "ssh://git@git.example:2222/acme/pack.git"]
)
def test_of_an_unknown_host_the_program_that_is_there_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    program(tmp_path, monkeypatch, "glab", "exit 0")

    assert Forge.of(Remote.parse(url)) == Forge("glab", "git.example", "acme/pack")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://github.com/acme/pack", "there is no gh on PATH"),
        ("https://gitlab.com/acme/pack", "there is no glab on PATH"),
        ("https://git.example/acme/pack", "there is no gh or glab on PATH"),
        ("https://github.com/acme", "no project of a forge"),
        ("/srv/pack.git", "no project of a forge"),
        ("file:///srv/pack.git", "no project of a forge"),
    ],
)
def test_where_no_request_can_be_opened_nothing_is_pushed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, reason: str
) -> None:
    program(tmp_path, monkeypatch, "other", "exit 0")
    run = usual(tmp_path)
    before = git("for-each-ref", cwd=run.upstream.path)
    given = {**run.settings.model_dump(), "worker_repo_remote_url": url}
    settings = type(run.settings).model_validate(given)

    with pytest.raises(ConfigError, match="no request can be opened") as raised:
        export(settings, Selection(), ExportOptions(branch="evolved", pull_request=True))

    assert reason in raised.value.problems[0].reason
    assert git("for-each-ref", cwd=run.upstream.path) == before


def test_a_program_that_fails_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, monkeypatch, "gh", "echo please log in >&2; exit 4")
    forge = Forge.of(Remote.parse("https://github.com/acme/pack.git"))

    with pytest.raises(LoreleyError, match="no request was opened") as raised:
        forge.open_request("evolved", "main", CommitMessage("Improve it"))

    [problem] = raised.value.problems
    assert problem.reason == "gh, exit code 4: please log in"
    assert "gh auth login" in problem.fix
    assert "gh pr create --repo github.com/acme/pack --head evolved" in problem.fix


def test_settings_of_loreley_are_kept_from_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKER_CHAT_API_KEY", "secret-key")
    program(tmp_path, monkeypatch, "gh", 'echo "key: $WORKER_CHAT_API_KEY"')
    forge = Forge.of(Remote.parse("https://github.com/acme/pack.git"))

    assert forge.open_request("evolved", "main", CommitMessage("Improve it")) == "key:"
    assert os.environ["WORKER_CHAT_API_KEY"] == "secret-key"
