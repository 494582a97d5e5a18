"""The tools that a coding agent may use in place of the command, as it starts them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from loreley.core.agents.measuring.mcp_server import answer
from loreley.core.agents.presets import Mcp
from loreley.core.agents.protocol import SearchContext
from loreley.core.worker.briefing import Briefing
from tests.core.agents.command_agents import OWN
from tests.core.worker.trials.support import Session

# A coding agent that is told where the server is by a file of settings, and starts it.
SETTINGS = '{"command": "{program}"}'
USES = """
server = subprocess.Popen([json.load(open(os.environ['MCP_SETTINGS']))['command']],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
def call(method, **params):
    message = {'jsonrpc': '2.0', 'id': 7, 'method': method, 'params': params}
    server.stdin.write(json.dumps(message) + '\\n'); server.stdin.flush()
    said = json.loads(server.stdout.readline())
    print('SAID', json.dumps(said), flush=True)
    return said
call('initialize', protocolVersion='2025-06-18', capabilities={}, clientInfo={'name': 'x'})
"""
PRESET = replace(OWN, mcp=Mcp(environment={"MCP_SETTINGS": "{settings}"}, settings=SETTINGS))


def said(session: Session) -> list[Any]:
    """What the server has answered, the handshake left out."""
    lines = session.kept("agent.log").splitlines()
    return [json.loads(line[5:]) for line in lines if line.startswith("SAID ")][1:]


def content(answer: Any) -> Any:
    [found] = answer["result"]["content"]
    return json.loads(found["text"])


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_an_agent_measures_and_looks_around_by_tools(session: Session) -> None:
    session.briefing = Briefing(
        "Improve.", read_context=lambda _claim: SearchContext(notes=("Seven is lucky.",))
    )
    session.run(
        USES + "put(5); call('tools/list')\n"
        "for name in ('evaluate', 'best', 'lineage', 'inspirations', 'notes'):\n"
        "    call('tools/call', name=name, arguments={})\n"
        "put('x'); call('tools/call', name='evaluate')",
        preset=PRESET,
    )

    listed, evaluated, best, lineage, inspirations, notes, failing = said(session)
    assert {tool["name"] for tool in listed["result"]["tools"]} == {
        "evaluate", "best", "lineage", "inspirations", "notes",
    }  # fmt: skip
    assert content(evaluated)["metrics"] == content(best)["metrics"] == {"score": -4.0}
    [root] = content(lineage)["commits"]
    assert (root["commit"], root["metrics"]) == (session.root, {"score": -36.0})
    assert content(inspirations) == {"inspirations": []}
    assert content(notes) == {"notes": ["Seven is lucky."], "findings": []}
    assert failing["result"]["isError"] is True
    assert "could not convert" in content(failing)["error"]
    assert len(session.trials()) == 2
    assert "the tool `evaluate`" in session.kept("prompt.md")


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b"nonsense", -32700),
        (b"[" * 100_000, -32700),
        (b"[1, 2]", -32600),
        (b"\xff\xfe\x00", -32700),
        (b'{"id": 1}', -32601),
        (b'{"id": 1, "method": "resources/list"}', -32601),
        (b'{"id": 1, "method": "tools/call", "params": {"name": "rm"}}', -32602),
        (b'{"id": 1, "method": "tools/call", "params": [1]}', -32602),
        (b'{"id": 1, "method": "tools/call", "params": {"name": {"a": 1}}}', -32602),
        (b'{"id": 1, "method": "' + b"x" * 2_000_000 + b'"}', -32600),
    ],
)
def test_nonsense_is_answered_with_an_error(line: bytes, code: int) -> None:
    found = answer(line)
    assert found is not None
    assert found["error"]["code"] == code
    assert len(found["error"]["message"]) < 300


def test_a_notification_is_not_answered() -> None:
    assert answer(b'{"method": "notifications/initialized"}') is None


def test_a_tool_without_a_worker_is_an_error_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # and back: whoever asks goes to where the socket is
    found = answer(b'{"id": 1, "method": "tools/call", "params": {"name": "evaluate"}}')
    assert found is not None
    assert found["result"]["isError"] is True
    assert "the worker does not answer" in found["result"]["content"][0]["text"]


@pytest.mark.parametrize(
    ("wanted", "given"),
    [("2024-11-05", "2024-11-05"), ("2031-01-01", "2025-06-18"), (7, "2025-06-18")],
)
def test_the_version_is_the_clients_where_it_is_known(wanted: object, given: str) -> None:
    request = {"id": 1, "method": "initialize", "params": {"protocolVersion": wanted}}
    found = answer(json.dumps(request).encode())
    assert found is not None
    assert found["result"]["protocolVersion"] == given
