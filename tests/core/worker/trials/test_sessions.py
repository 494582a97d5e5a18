"""A job in which an agent works for long, and measures."""

import json
from dataclasses import replace
from typing import Any

import pytest

from loreley.core.agents.chat.agent import ChatAgent
from loreley.core.agents.presets import presets
from loreley.core.agents.prompts import Prompter
from loreley.core.budget import OpenCall, Tariff, Usage
from loreley.core.endpoints.chat import ChatEndpoint
from loreley.core.jobs import Claim, JobKind, JobState
from loreley.core.worker.briefing import Briefing
from tests.core.agents.chat_server import Response, calls, chat_server, says
from tests.core.worker.trials.support import Session
from tests.db.support import rows

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]

# Knows nothing of the program but what it is told: it takes a step, and another where that helped.
CLIMBS = """
x, step, best = float(open('x.txt').read()), 1, None
while True:
    x += step
    put(x)
    if 'LORELEY_EVALUATE' not in os.environ:
        break
    code, answer = ask()
    if code or answer['fitness'] == 0 or (best is not None and answer['fitness'] <= best):
        break
    best = answer['fitness']
"""


def test_a_session_reaches_at_once_what_takes_one_shot_jobs_six(session: Session) -> None:
    session.begin(JobKind.SESSION)
    session.run(CLIMBS)
    assert float(session.file()) == 7.0
    reached = session.commit()["tree"]

    base, jobs = session.root, 0
    while True:
        session.begin(base=base)
        job = session.run(CLIMBS, trials=0)
        jobs += 1
        if job["state"] == JobState.REJECTED:  # it has come to the tree of the session
            break
        base = job["commit"]
    assert jobs == 6
    assert reached in {row["tree"] for row in rows(session.database, "trials")}


def test_a_chat_model_with_tools_reaches_it_in_one_job_too(session: Session) -> None:
    def climb(request: dict[str, Any]) -> Response:
        told = [each["content"] for each in request["messages"] if each["role"] == "tool"]
        figures = [json.loads(each)["metrics"]["score"] for each in told if each.startswith("{")]
        if figures[-1:] == [0.0] or figures != sorted(figures):
            return says("Climb to the top.")
        put = {"path": "x.txt", "replace": f"{len(figures) + 2}\n"}
        return calls(("edit_file", put), ("evaluate", {}))

    with chat_server() as server:
        server.model = climb
        endpoint = ChatEndpoint("stub", server.url)
        prompter = Prompter.from_file(None, 64 * 1024)
        session.run("", agent=ChatAgent("chat", endpoint, prompter, Tariff(), rounds=20), trials=10)

    assert session.file() == "7"
    assert session.scores() == [-25.0, -16.0, -9.0, -4.0, -1.0, 0.0]
    assert len(server.requests) == 7


def test_a_session_has_more_time_and_more_evaluations_than_other_jobs(session: Session) -> None:
    session.options = {"agent_timeout_seconds": 2.0, "session_seconds": 6.0}
    session.begin(JobKind.SESSION)
    session.run("import time\nput(2); ask(); time.sleep(3); put(3); ask()", trials=5)

    assert [answer["evaluations_left"] for _, answer in session.asked()] == [14, 13]


class Spending:
    """Grants every call and remembers what it has used."""

    def __init__(self) -> None:
        self.usages: list[Usage] = []

    def needs_prices(self) -> bool:
        return False

    def open(self, _claim: Claim, _agent: str) -> OpenCall:
        return OpenCall("x")

    def close(self, _call_id: str, usage: Usage, _seconds: float) -> None:
        self.usages.append(usage)


def test_a_session_that_is_cut_off_leaves_its_best_and_is_billed_from_its_stream(
    session: Session,
) -> None:
    spending = Spending()
    session.briefing = Briefing("Improve.", budget_gate=spending)
    session.options = {"session_seconds": 4.0}
    session.begin(JobKind.SESSION)
    event = {
        "type": "assistant",
        "message": {"id": "m1", "usage": {"input_tokens": 1200, "output_tokens": 34}},
    }
    claude = replace(presets()["claude"], arguments=("{arguments}",), flags=())
    job = session.run(
        f"put(5); ask(); print(json.dumps({event}), flush=True); put(2)\n"
        "import time; time.sleep(600)",
        preset=claude,
    )

    assert (job["state"], session.file()) == (JobState.SUCCEEDED, "5")
    [usage] = spending.usages
    assert (usage.input_tokens, usage.output_tokens) == (1200, 34)
