import base64
import http.server
import os
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from loreley.errors import ConfigError, GitError, ServiceUnavailable, TimeLimitReached
from loreley.git.failures import GitCommandFailed, RemoteUnavailable
from loreley.git.git import Git
from loreley.git.remote import Remote
from loreley.host.deadline import Deadline
from tests.core.worker.upstream import Upstream, git


@pytest.fixture
def upstream(tmp_path: Path) -> Upstream:
    return Upstream.create(tmp_path / "upstream")


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_remote_head_is_the_branch_s_commit(upstream: Upstream) -> None:
    assert Git().remote_head(str(upstream.path), "main") == upstream.head()


def test_a_missing_branch_is_reported_with_those_there_are(upstream: Upstream) -> None:
    upstream.commit({"a": "1"}, branch="topic/main")

    with pytest.raises(ConfigError) as error:
        Git().remote_head(str(upstream.path), "trunk")

    problem = error.value.problems[0]
    assert problem.setting == "WORKER_REPO_BRANCH=trunk"
    assert problem.reason == "its branches are main, topic/main"


def test_an_empty_remote_is_told_from_a_missing_one(tmp_path: Path) -> None:
    git("init", "-q", "--bare", str(tmp_path / "empty.git"), cwd=tmp_path)

    with pytest.raises(ConfigError, match="empty repository"):
        Git().remote_head(str(tmp_path / "empty.git"), "main")
    with pytest.raises(GitError) as error:
        Git().remote_head(str(tmp_path / "missing.git"), "main")
    assert "WORKER_REPO_REMOTE_URL" in error.value.problems[0].fix
    assert not isinstance(error.value, ServiceUnavailable)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a.git", "ssh://localhost.invalid/a.git"])
def test_a_remote_that_does_not_answer_is_worth_another_try(url: str) -> None:
    with pytest.raises(RemoteUnavailable) as error:
        Git().remote_head(url, "main")

    assert isinstance(error.value, GitError)
    assert isinstance(error.value, ServiceUnavailable)


def test_branches_are_listed_by_folder_and_deleted_by_name(upstream: Upstream) -> None:
    one = upstream.commit({"a": "1"}, branch="evolution/job/one")
    two = upstream.commit({"a": "2"}, branch="evolution/job/two")
    upstream.commit({"a": "3"}, branch="evolution/jobless")
    url = str(upstream.path)

    assert Git().list_remote_branches(url, "evolution/job") == {
        "evolution/job/one": one,
        "evolution/job/two": two,
    }
    Git().delete_remote_branches(url, ["evolution/job/one", "evolution/job/none"])
    assert set(Git().list_remote_branches(url)) == {
        "main",
        "evolution/job/two",
        "evolution/jobless",
    }


def test_branches_of_a_repository_with_long_ids_are_deleted(tmp_path: Path) -> None:
    upstream = Upstream.create(tmp_path / "upstream", {"a": "1"}, "--object-format=sha256")
    upstream.commit({"a": "2"}, branch="evolution/job/one")

    Git().delete_remote_branches(str(upstream.path), ["evolution/job/one"])

    assert set(Git().list_remote_branches(str(upstream.path))) == {"main"}


@pytest.mark.slow
def test_many_branches_are_deleted(upstream: Upstream) -> None:
    names = [f"evolution/job/{number:032d}" for number in range(210)]
    lines = "".join(f"create refs/heads/{name} {upstream.head()}\n" for name in names)
    subprocess.run(
        ["git", "update-ref", "--stdin"], cwd=upstream.path, input=lines.encode(), check=True
    )

    Git().delete_remote_branches(str(upstream.path), names)

    assert set(Git().list_remote_branches(str(upstream.path))) == {"main"}


def test_an_error_tells_what_was_run_and_said(tmp_path: Path) -> None:
    with pytest.raises(GitCommandFailed) as error:
        Git().run("rev-parse", "--git-dir", cwd=tmp_path)

    assert error.value.argv == ("git", "rev-parse", "--git-dir")
    assert error.value.cwd == tmp_path
    assert error.value.exit_code == 128
    assert error.value.stderr.startswith("fatal: not a git repository")
    assert "git rev-parse failed" in str(error.value)


def test_credentials_in_what_git_prints_are_masked(tmp_path: Path) -> None:
    fake = executable(tmp_path / "git", "#!/bin/sh\necho https://u:hunter2@h/r >&2\nexit 3\n")

    with pytest.raises(GitCommandFailed) as error:
        Git(str(fake)).run("fetch", "https://u:hunter2@h/r")

    assert "hunter2" not in str(error.value)
    assert error.value.exit_code == 3


def test_only_a_recent_git_is_accepted(tmp_path: Path) -> None:
    assert Git().require_version() >= (2, 32)
    old = executable(tmp_path / "old", "#!/bin/sh\necho git version 2.20.1\n")
    other = executable(tmp_path / "other", "#!/bin/sh\necho hello\n")
    for binary in (str(old), str(other), str(tmp_path / "none"), "no-such-git"):
        with pytest.raises(ConfigError, match="WORKER_REPO_GIT_BIN"):
            Git(binary).require_version()


@pytest.mark.slow
def test_a_git_that_hangs_is_stopped(tmp_path: Path) -> None:
    slow = str(executable(tmp_path / "git", "#!/bin/sh\nexec sleep 60\n"))

    with pytest.raises(GitError, match="took too long"):
        Git(slow).run("status", timeout_seconds=0.2)
    with pytest.raises(ServiceUnavailable, match="took too long"):
        Git(slow).run("fetch", timeout_seconds=0.2, remote=Remote("/srv/a.git"))
    with pytest.raises(TimeLimitReached):
        Git(slow).run("status", deadline=Deadline.after(0.2))


def test_the_user_s_configuration_counts_for_the_remote_only(
    upstream: Upstream, tmp_path: Path
) -> None:
    config = Path(os.environ["HOME"], ".gitconfig")
    config.write_text(f'[url "{upstream.path}"]\n\tinsteadOf = short:\n[alias]\n\tx = version\n')

    assert Git().remote_head("short:", "main") == upstream.head()
    assert Git().ask("x").exit_code != 0


def test_a_remote_helper_is_refused_even_when_the_user_s_rewrites_lead_to_it(
    tmp_path: Path,
) -> None:
    config = Path(os.environ["HOME"], ".gitconfig")
    config.write_text(
        f'[url "ext::touch {tmp_path}/ran "]\n\tinsteadOf = short:\n'
        '[protocol "ext"]\n\tallow = always\n'
    )

    with pytest.raises(GitError, match="not allowed"):
        Git().remote_head("short:x", "main")
    assert not (tmp_path / "ran").exists()


def test_a_child_of_git_does_not_see_the_settings_of_loreley(tmp_path: Path) -> None:
    fake = executable(tmp_path / "git", "#!/bin/sh\nenv\n")
    inherited = {
        "PATH": os.environ["PATH"],
        "DATABASE_URL": "postgresql://u:hunter2@h/d",
        "OTHER": "yes",
        "GIT_DIR": "/elsewhere",
        "GIT_SSH_COMMAND": "ssh -i key",
    }

    closed = Git(str(fake), inherited=inherited).run("x").decode()
    opened = Git(str(fake), inherited=inherited).run("x", remote=Remote("/srv/a")).decode()

    assert "hunter2" not in closed + opened
    assert "GIT_DIR=" not in closed + opened
    assert "OTHER=yes" in opened
    assert "GIT_SSH_COMMAND=ssh -i key" in opened
    assert "OTHER" not in closed
    assert "GIT_SSH_COMMAND" not in closed


@pytest.mark.parametrize(
    ("inherited", "configured", "expected"),
    [
        ({}, "", "ssh -o ConnectTimeout=15 "),
        ({"GIT_SSH_COMMAND": "/usr/bin/ssh -i key"}, "", "/usr/bin/ssh -i key -o ConnectTimeout="),
        ({}, "ssh -F mine", "ssh -F mine -o ConnectTimeout="),
        ({"GIT_SSH_COMMAND": "tunnel ssh"}, "", "tunnel ssh\n"),
        ({"GIT_SSH": "/bin/plink"}, "", None),
    ],
)
def test_ssh_gives_up_a_host_that_does_not_answer(
    tmp_path: Path, inherited: dict[str, str], configured: str, expected: str | None
) -> None:
    fake = executable(
        tmp_path / "git",
        f'#!/bin/sh\nif [ "$1" = config ]; then echo "{configured}"; else env; fi\n',
    )
    git = Git(str(fake), inherited={"PATH": os.environ["PATH"], **inherited})

    opened = git.run("x", remote=Remote("ssh://git@example.org/a.git")).decode()

    found = [line for line in opened.splitlines(keepends=True) if "GIT_SSH_COMMAND=" in line]
    assert (expected is None) == (not found)
    assert expected is None or found[0].startswith(f"GIT_SSH_COMMAND={expected}")
    assert found == [] or "tunnel" in found[0] or "ServerAliveInterval=5" in found[0]


@pytest.fixture
def guarded_server(upstream: Upstream) -> Iterator[str]:
    """An HTTP server that gives the remote to ann, whose password is ``s@crt``."""
    git("update-server-info", cwd=upstream.path)
    expected = "Basic " + base64.b64encode(b"ann:s@crt").decode()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(upstream.path.parent))  # type: ignore[arg-type]

        def do_GET(self) -> None:
            if self.headers.get("Authorization") == expected:
                super().do_GET()
                return
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}/remote.git"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_password_in_the_url_opens_the_remote(guarded_server: str, upstream: Upstream) -> None:
    url = f"http://ann:s%40crt@{guarded_server}"

    assert Git().remote_head(url, "main") == upstream.head()


def test_a_wrong_password_is_reported_without_being_shown(guarded_server: str) -> None:
    with pytest.raises(GitCommandFailed) as error:
        Git().remote_head(f"http://ann:hunter2@{guarded_server}", "main")

    assert "hunter2" not in str(error.value)
    assert "without a prompt" in error.value.problems[0].fix
    assert not isinstance(error.value, ServiceUnavailable)


def test_a_credential_helper_of_the_user_is_asked(guarded_server: str, upstream: Upstream) -> None:
    config = Path(os.environ["HOME"], ".gitconfig")
    config.write_text(
        '[credential]\n\thelper = "!f() { echo username=ann; echo password=s@crt; }; f"\n'
    )

    assert Git().remote_head(f"http://{guarded_server}", "main") == upstream.head()
