"""What only a view of its own can keep from a child."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from loreley.core.sandbox.confinement import Confinement
from loreley.core.sandbox.sandbox import Sandbox
from tests.core.sandbox.support import READ, WRITE, python
from tests.support import PROJECT_ROOT


def test_home_is_not_there(bubblewrap: Sandbox, confinement: Confinement) -> None:
    key = Path.home() / ".ssh" / "id_ed25519"
    key.parent.mkdir()
    key.write_text("secret")

    assert "No such file" in python(bubblewrap, confinement, READ, key)


@pytest.mark.parametrize("path", ["/etc/shadow", "/etc/ssl/private", "/root", "/var", "/run"])
def test_the_system_s_secrets_are_not_there(
    bubblewrap: Sandbox, confinement: Confinement, path: str
) -> None:
    code = "import os, sys; print(os.path.exists(sys.argv[1]) and os.listdir(sys.argv[1]))"

    # Only the folders on the way to the interpreter exist, and hold nothing else.
    assert python(bubblewrap, confinement, code, path) in {"False", "['.pyenv']", "['.local']"}


def test_the_system_cannot_be_changed(bubblewrap: Sandbox, confinement: Confinement) -> None:
    for path in ("/new", "/usr/new", "/etc/new", "/dev/new", f"{sys.prefix}/new"):
        assert "Error" in python(bubblewrap, confinement, WRITE, path)


def test_the_kernel_s_switches_cannot_be_turned(
    bubblewrap: Sandbox, confinement: Confinement
) -> None:
    """As root they could be, without a capability: a core_pattern runs programs."""
    code = "import os; os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY)"

    assert "Error" in python(bubblewrap, confinement, code)


def test_temporary_files_are_private(bubblewrap: Sandbox, confinement: Confinement) -> None:
    code = "import tempfile; print(tempfile.NamedTemporaryFile(delete=False).name)"

    name = python(bubblewrap, confinement, code)

    assert name.startswith("/tmp/")
    assert not Path(name).exists()


def test_a_readable_folder_is_read_only(
    bubblewrap: Sandbox, confinement: Confinement, tmp_path: Path
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "set").write_text("content")
    granted = replace(confinement, readable=(folder,))

    assert "No such file" in python(bubblewrap, confinement, READ, folder / "set")
    assert python(bubblewrap, granted, READ, folder / "set") == "content"
    assert "Read-only" in python(bubblewrap, granted, WRITE, folder / "set")


def test_settings_are_not_readable_with_their_folder(
    bubblewrap: Sandbox, confinement: Confinement, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("TASKS_REDIS_PASSWORD=secret")
    granted = replace(confinement, readable=(tmp_path,))

    assert "Permission" in python(bubblewrap, granted, READ, tmp_path / ".env")


def test_what_is_hidden_stays_hidden_in_a_readable_folder(
    bubblewrap: Sandbox, confinement: Confinement, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "loreley.db").write_text("secret")
    (tmp_path / "other.db").write_text("secret")
    granted = replace(confinement, readable=(tmp_path,), hidden=(state, tmp_path / "other.db"))

    assert "No such file" in python(bubblewrap, granted, READ, state / "loreley.db")
    assert "Permission" in python(bubblewrap, granted, READ, tmp_path / "other.db")


def test_a_worktree_inside_a_hidden_folder_is_usable(
    bubblewrap: Sandbox, confinement: Confinement, tmp_path: Path
) -> None:
    worktree = tmp_path / "worktrees" / "one"
    worktree.mkdir(parents=True)
    (worktree.parent / "two").mkdir()
    granted = replace(
        confinement,
        readable=(tmp_path,),
        hidden=(worktree.parent,),
        writable=(*confinement.writable, worktree),
    )
    code = "import os, sys; print(os.listdir(sys.argv[1]))"

    assert python(bubblewrap, granted, code, worktree.parent) == "['one']"
    assert python(bubblewrap, granted, WRITE, worktree / "new") == ""
    assert (worktree / "new").exists()


def test_a_readable_folder_in_shared_memory_is_read_only(
    bubblewrap: Sandbox, confinement: Confinement
) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        file = Path(folder, "set")
        file.write_text("content")
        granted = replace(confinement, readable=(Path(folder),))

        assert python(bubblewrap, granted, READ, file) == "content"
        assert "Read-only" in python(bubblewrap, granted, WRITE, file)


def test_a_file_of_a_writable_folder_can_be_kept_from_change(
    bubblewrap: Sandbox, confinement: Confinement
) -> None:
    git = confinement.cwd / ".git"
    git.write_text("gitdir: elsewhere")
    granted = replace(confinement, readable=(git,))

    assert "Read-only" in python(bubblewrap, granted, WRITE, git)
    assert "Error" in python(bubblewrap, granted, "import os; os.rename('.git', 'x')")
    assert git.read_text() == "gitdir: elsewhere"


@pytest.mark.parametrize("target", ["secret", "."])
def test_a_link_planted_in_a_writable_folder_shows_nothing(
    bubblewrap: Sandbox, confinement: Confinement, tmp_path: Path, target: str
) -> None:
    (tmp_path / "secret").write_text("secret")
    (confinement.cwd / ".git").symlink_to(tmp_path / target)
    granted = replace(confinement, readable=(confinement.cwd / ".git",))
    code = "import os; print(os.path.islink('.git'), os.path.exists('.git/secret'))"

    assert python(bubblewrap, granted, READ, ".git").startswith(
        ("FileNotFoundError", "IsADirectoryError")
    )
    assert python(bubblewrap, granted, code) == "True False"


def test_a_socket_of_another_folder_cannot_be_reached(
    bubblewrap: Sandbox, confinement: Confinement
) -> None:
    code = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as server:
        server.bind(f"{folder}/r.sock")
        server.listen()

        assert "No such file" in python(bubblewrap, confinement, code, f"{folder}/r.sock")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
def test_an_ordinary_user_is_confined_as_well() -> None:
    """With the system's Python, as this one may live where others cannot look."""
    python3 = shutil.which("python3", path="/usr/bin:/usr/local/bin")
    if python3 is None:
        pytest.skip("no python3 of the system's")
    code = "from loreley.core.sandbox.sandbox import probe; print(probe().describe())"

    done = subprocess.run(
        [
            *("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"),
            *(python3, "-c", code),
        ],
        cwd="/",
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT_ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    if "ModuleNotFoundError" in done.stderr or "SyntaxError" in done.stderr:
        pytest.skip("the system's Python cannot import Loreley")
    assert done.stdout.startswith("sandbox bubblewrap: "), done.stdout + done.stderr
