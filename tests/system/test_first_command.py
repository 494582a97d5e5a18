"""README's first command in a bare Debian and Ubuntu: by root and by a user, in a root of its own.

It takes minutes and the network, so that nothing installs debootstrap for it: where that is there
and root asks, it runs.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import PROJECT_ROOT

PACKAGES = "git,python3-venv,ca-certificates"  # what README says, and the certificates of any image
USER = "1000"
FOLDER = "/srv/loreley"
_BLOCK = re.compile(r"^```bash\n(.*?)\n```$", re.MULTILINE | re.DOTALL)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a root folder"),
    pytest.mark.skipif(shutil.which("debootstrap") is None, reason="debootstrap is not installed"),
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bwrap is not on PATH"),
]


# What debootstrap is told of a system, and the variable that may name a root that is there.
_UBUNTU = "/usr/share/keyrings/ubuntu-archive-keyring.gpg"  # of the package ubuntu-keyring
SYSTEMS = {
    "Debian 12": ("BARE_DEBIAN", ["bookworm"], []),
    "Ubuntu 24.04": (
        "BARE_UBUNTU",
        # Debian's debootstrap may be older than the release, whose script is that of all Ubuntus.
        ["noble", "http://archive.ubuntu.com/ubuntu", "/usr/share/debootstrap/scripts/gutsy"],
        [f"--keyring={_UBUNTU}", "--components=main,universe"],
    ),
}


@pytest.fixture(scope="module", params=list(SYSTEMS))
def bare_root(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Path]:
    """A system with no more than README asks for."""
    variable, (release, *source), options = SYSTEMS[request.param]
    if there := os.environ.get(variable):
        yield Path(there)
        return
    if f"--keyring={_UBUNTU}" in options and not Path(_UBUNTU).exists():
        pytest.skip("ubuntu-keyring is not installed")
    root = tmp_path_factory.mktemp("bare") / "root"
    first = ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", *options]
    command = [*first, release, str(root), *source]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode != 0:
        pytest.skip(f"debootstrap: {made.stdout[-300:]}")
    yield root
    shutil.rmtree(root)


def first_command() -> str:
    """What README shows first, with fewer jobs."""
    found = _BLOCK.search((PROJECT_ROOT / "README.md").read_text())
    assert found is not None
    return f"{found[1]} --jobs 3 --workers 1"


def run_in(root: Path, user: str, script: str) -> "subprocess.CompletedProcess[str]":
    """A shell in the bare root, with this machine's network and its way to the registry."""
    shared = [
        argument
        for path in ("/etc/resolv.conf", "/etc/ssl/certs", "/etc/xdg/pip", "/opt")
        if Path(path).exists()
        for argument in ("--ro-bind", str(Path(path).resolve()), path)
    ]
    return subprocess.run(
        [
            *("bwrap", "--bind", str(root), "/", "--dev", "/dev"),
            *("--dev-bind", "/proc", "/proc"),  # the whole of it: bubblewrap inside mounts its own
            *("--tmpfs", "/tmp", *shared, "--cap-add", "ALL", "--clearenv"),
            *("--setenv", "PATH", "/usr/bin:/bin", "--setenv", "HOME", f"/home/{user}"),
            *("--setenv", "SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt"),
            *("--chdir", FOLDER, "--", "setpriv", "--reuid", user, "--regid", user),
            *("--clear-groups", "--", "sh", "-c", script),
        ],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(params=["0", USER])
def checkout(request: pytest.FixtureRequest, bare_root: Path) -> Iterator[str]:
    """Whose checkout of this repository stands in the bare root."""
    user: str = request.param
    folder, home = bare_root / FOLDER[1:], bare_root / "home" / user
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True)
    subprocess.run(["git", "clone", "-q", str(PROJECT_ROOT), str(folder)], check=True)
    subprocess.run(["chown", "-R", f"{user}:{user}", str(folder), str(home)], check=True)
    yield user
    shutil.rmtree(folder)


def test_the_first_command_of_the_readme_works_on_a_bare_system(
    checkout: str, bare_root: Path
) -> None:
    done = run_in(bare_root, checkout, first_command())

    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    assert "jobs      3 ended" in done.stdout
    assert "warning: sandbox" not in done.stderr  # bubblewrap came along

    # As its document says, in a terminal in which only the environment is entered.
    script = ". .venv/bin/activate && uv run python script/run_worker.py --help"
    helped = run_in(bare_root, checkout, script)
    assert helped.returncode == 0, helped.stderr
    assert "--log-level" in helped.stdout
