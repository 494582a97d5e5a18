"""What is read in the output of an agent's program."""

import io
import json

import pytest

from loreley.core.agents.presets import presets
from loreley.core.budget import Usage
from tests.core.agents.command_agents import Make, proposed
from tests.core.agents.support import Bench


@pytest.mark.parametrize(
    ("name", "output", "usage"),
    [
        ("aider", "Tokens: . sent, 5 received.", Usage(None, 5)),
        ("aider", "Tokens: 1.2.3k sent, 5 received. Cost: $1.2.3 message", Usage(None, 5)),
        ("aider", f"Tokens: {'9' * 400} sent, 5 received.", Usage(None, 5)),
        (
            "claude",
            '{"type": "result", "total_cost_usd": 1e300, "usage": {"input_tokens": 1e308,'
            ' "cache_read_input_tokens": 1e308, "output_tokens": -1}}',
            Usage(),
        ),
        ("claude", f'{{"type": "result", "total_cost_usd": {"9" * 400}}}', Usage()),
    ],
)
def test_what_can_be_no_usage_is_unknown(name: str, output: str, usage: Usage) -> None:
    answer = presets()[name].answer.read(io.BytesIO(output.encode()))

    assert answer.ended
    assert answer.usage == usage


def test_lines_that_are_no_events_are_passed_over() -> None:
    noise = (
        b'\xff\xfe{"type": 1\n[1]\n{"type":"result","is_error":false,"result":3,"usage":[]}\n{\n'
    )

    answer = presets()["claude"].answer.read(io.BytesIO(noise))

    assert answer.ended
    assert not answer.failed
    assert answer.usage.tokens is None


@pytest.mark.parametrize(
    ("said", "subject", "summary"),
    [
        ("## **Use a heap**\n\nIt is faster.", "Use a heap", "It is faster.\n\nAgent: claude"),
        ("Use a heap", "Use a heap", "Agent: claude"),
        ("x" * 120, "x" * 100, "x" * 120 + "\n\nAgent: claude"),
        ("***", "Change by claude", "***\n\nAgent: claude"),
    ],
)
def test_the_first_line_is_the_subject_and_the_rest_the_body(
    said: str, subject: str, summary: str, agent: Make, bench: Bench
) -> None:
    event = json.dumps({"type": "result", "is_error": False, "result": said})
    proposal = proposed(agent(f"print({event!r})", presets()["claude"]), bench)

    assert (proposal.subject, proposal.summary) == (subject, summary)
