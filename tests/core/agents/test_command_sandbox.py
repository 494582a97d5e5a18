"""What an agent's program can see, reach and leave behind."""

from pathlib import Path

import pytest

from loreley.core.agents.presets import presets
from loreley.core.sandbox.sandbox import Level, probe
from loreley.core.worker.secret_scan import Secrets
from loreley.errors import (
    CandidateRejected,
)
from tests.core.agents.command_agents import CHANGE, Make, proposed, replay
from tests.core.agents.support import Bench
from tests.core.agents.transcripts import SUCCESS
from tests.core.worker.upstream import soon


def test_commits_of_the_agent_are_folded_into_the_candidate(agent: Make, bench: Bench) -> None:
    body = (
        CHANGE + "subprocess.run(['git', 'commit', '-qam', 'mine'], check=True)\n"
        "open('src/pack.py', 'a').write('more = True\\n')\n"
        "subprocess.run(['git', 'checkout', '-qb', 'side'], check=True)\n"
    )

    proposal = proposed(agent(body), bench)
    candidate = bench.worktree.commit_all(proposal.subject, "", soon())

    content = bench.worktree.read(candidate.commit, "src/pack.py") or b""
    assert b"better = True\nmore = True" in content


@pytest.mark.skipif(probe().level is not Level.BUBBLEWRAP, reason="needs bubblewrap")
def test_the_agents_git_sees_the_history_and_cannot_change_the_workers(
    agent: Make, bench: Bench
) -> None:
    body = (
        "def git(*a): return subprocess.run(['git', *a], capture_output=True, text=True).stdout\n"
        "found = [git('status', '--porcelain'), git('log', '--format=%s'), git('remote', '-v')]\n"
        "git('config', 'core.fsmonitor', 'touch /tmp/owned')\n"
        "open('seen.txt', 'w').write(json.dumps(found))\n"
    )
    admin = (bench.worktree.path / ".git").read_text()

    proposed(agent(body), bench)

    assert bench.read("seen.txt") == '["", "change\\n", ""]'
    assert (bench.worktree.path / ".git").read_text() == admin
    bench.worktree.commit_all("x", "", soon())  # refuses where the configuration was changed


@pytest.mark.skipif(probe().level is not Level.BUBBLEWRAP, reason="needs bubblewrap")
def test_an_agent_in_the_wrong_folder_changes_nothing(
    agent: Make, bench: Bench, tmp_path: Path
) -> None:
    outside = tmp_path / "other"
    outside.mkdir()
    body = (
        f"for path in ({str(outside / 'x')!r}, os.path.expanduser('~/x'), '/tmp/x', '/etc/x'):\n"
        "    try: open(path, 'w').write('x')\n"
        "    except OSError: pass\n"
    )

    proposed(agent(body), bench)

    assert list(outside.iterdir()) == []
    with pytest.raises(CandidateRejected, match="changed nothing"):
        bench.worktree.commit_all("x", "", soon())


def test_the_agent_gets_its_own_keys_and_no_other_variables(agent: Make, bench: Bench) -> None:
    environ = {
        "ANTHROPIC_API_KEY": "key-of-claude",
        "OPENAI_API_KEY": "key-of-codex",
        "DATABASE_URL": "postgresql://secret",
        "TEAM_TOKEN": "granted-by-name",
        "LANG": "C.UTF-8",
    }
    body = "open('seen.txt', 'w').write(json.dumps(dict(os.environ)))\n" + replay(SUCCESS["claude"])

    found = agent(body, presets()["claude"], environ=environ, environment=("TEAM_TOKEN",))
    proposed(found, bench)

    seen = bench.read("seen.txt")
    assert "key-of-claude" in seen
    assert "granted-by-name" in seen
    assert "key-of-codex" not in seen
    assert "postgresql://secret" not in seen


def test_the_home_folder_is_empty_unless_one_is_granted(
    agent: Make, bench: Bench, tmp_path: Path
) -> None:
    body = "open('seen.txt', 'w').write(str(os.listdir(os.path.expanduser('~'))))"
    granted = tmp_path / "agent-home"
    granted.mkdir()
    (granted / "login.json").touch()

    proposed(agent(body), bench)
    empty = bench.read("seen.txt")
    proposed(agent(body, home=granted), bench)

    assert empty == "[]"
    assert bench.read("seen.txt") == "['login.json']"


def test_what_the_agent_keeps_for_itself_is_no_part_of_the_candidate(
    agent: Make, bench: Bench
) -> None:
    body = (
        "os.makedirs('.aider.tags'); open('.aider.tags/x', 'w'); open('.aider.history', 'w')\n"
        + CHANGE
        + replay(SUCCESS["aider"])
    )

    proposed(agent(body, presets()["aider"]), bench)

    names = {path.name for path in bench.worktree.path.iterdir()}
    assert not {name for name in names if name.startswith(".aider")}


def test_secrets_are_hidden_in_what_is_kept(agent: Make, bench: Bench) -> None:
    bench.secrets = Secrets({"KEY": "hunter2-hunter2"})

    proposed(agent("print('my key is hunter2-hunter2')"), bench)

    assert "my key is ***" in bench.kept("agent.log")
