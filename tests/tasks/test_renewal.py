"""What was changed in `.env` while a worker is at work."""

from pathlib import Path

import pytest

from loreley.config import FROM_ENV_FILE, load_renewed_settings, load_settings
from loreley.ops.environment import enter_project

OLD, NEW = "https://u:old@host.invalid/r.git", "https://u:new@host.invalid/r.git"


def test_what_a_task_took_from_the_file_is_renewed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORKER_EVALUATOR_COMMAND", "true")
    for name in (FROM_ENV_FILE, "WORKER_REPO_REMOTE_URL", "MAPELITES_FITNESS_METRIC"):
        monkeypatch.setenv(name, "gone again afterwards")
        monkeypatch.delenv(name)
    file = tmp_path / ".env"
    rest = "MAPELITES_FITNESS_METRIC=score\nWORKER_EVALUATOR_COMMAND=false\n"
    file.write_text(f"WORKER_REPO_REMOTE_URL={OLD}\n{rest}")
    enter_project(tmp_path)

    file.write_text(f"WORKER_REPO_REMOTE_URL={NEW}\n{rest}")

    before, after = load_settings(), load_renewed_settings(None)
    assert before.worker_repo_remote_url is not None
    assert before.worker_repo_remote_url.get_secret_value() == OLD
    assert after.worker_repo_remote_url is not None
    assert after.worker_repo_remote_url.get_secret_value() == NEW
    assert after.worker_evaluator_command == "true"
