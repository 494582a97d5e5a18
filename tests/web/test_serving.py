"""The server as an operator starts and ends it."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pytest
from sqlalchemy import text

from loreley.db.engine import open_database
from tests.support import PROJECT_ROOT, killed_at_last

pytestmark = pytest.mark.slow


@contextmanager
def started(
    folder: Path, *arguments: str, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """`invoke ui` as a process, with its state in ``folder``."""
    process = subprocess.Popen(
        [sys.executable, "-m", "invoke", "ui", *arguments],
        cwd=PROJECT_ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "LORELEY_STATE_DIR": str(folder / "state"),
            "LOGS_BASE_DIR": str(folder),
        }
        | (environment or {}),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with killed_at_last(process):
        yield process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_dashboard_serves_until_its_end_is_asked_for_though_a_page_listens(
    tmp_path: Path, number: signal.Signals
) -> None:
    token = "not to be seen anywhere"
    given = {"LORELEY_UI_TOKEN": token}
    with started(tmp_path, "--port", "0", environment=given) as process:
        assert process.stderr is not None
        match = re.search(r"http://127\.0\.0\.1:\d+", process.stderr.readline())
        assert match is not None
        with urlopen(f"{match[0]}/", timeout=20) as answer:
            assert b"Nothing has begun yet" in answer.read()
        with urlopen(f"{match[0]}/events", timeout=20) as stream:
            assert stream.readline() == b"retry: 2000\n"
            process.send_signal(number)
            assert process.wait(15) == (0 if number is signal.SIGINT else -signal.SIGTERM)
        stdout, stderr = process.communicate()
    assert token not in stdout + stderr
    assert "Traceback" not in stderr


def ended(folder: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    with started(folder, *arguments, environment=environment) as process:
        _, stderr = process.communicate(timeout=60)
        return process.returncode, stderr


def test_a_port_that_is_taken_and_a_short_token_are_reported(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, said = ended(tmp_path, "--port", str(taken.getsockname()[1]))
    assert (code, "Traceback" in said) == (1, False)
    assert "another --port" in said
    code, said = ended(tmp_path, LORELEY_UI_TOKEN="guess")
    assert (code, "guess" in said.replace("guessed", "")) == (1, False)
    assert "LORELEY_UI_TOKEN" in said


def test_a_database_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'state' / 'loreley.db'}")
    with database.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    database.close()

    code, said = ended(tmp_path, "--port", "0")

    assert (code, "Traceback" in said) == (1, False)
    assert "written by another version of Loreley" in said
