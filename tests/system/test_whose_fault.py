"""One scenario for each cause that no candidate has: real processes, no job burnt, no work lost."""

import signal
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from loreley.core.jobs import JobState
from tests.core.agents.chat_server import ChatServer, Response, chat_server, refuses, says
from tests.support import eventually
from tests.system.stack import PATIENCE_SECONDS, Stack, finished, only_sqlite
from tests.system.whole_run import evolve, require_nothing_burnt

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

BREAKS_AFTER_THE_ROOT = """
def evaluate(context):
    text = (context.worktree / "number.py").read_text()
    if text != "NUMBER = 1.0\\n":
        raise ValueError("the reference data are of another shape")
    names = ("score", "number")
    return {"summary": "", "metrics": [{"name": name, "value": 1} for name in names]}
"""


@pytest.fixture(autouse=True)
def _quick(stack: Stack) -> None:
    stack.settings |= {
        "TASKS_WORKER_GRACE_SECONDS": "1",
        "SCHEDULER_PROBE_SECONDS": "0.2",
        "SCHEDULER_CONFIRMATION_SHARE": "0",
    }


@pytest.fixture
def endpoint(stack: Stack) -> Iterator[ChatServer]:
    """A chat endpoint that the stack's agent asks."""
    with chat_server() as server:
        stack.settings |= {
            "WORKER_AGENT": "chat",
            "WORKER_CHAT_URL": server.url,
            "WORKER_CHAT_MODEL": "stub",
            "WORKER_CHAT_API_KEY": "sk-stub",
        }
        yield server


def answers() -> list[Response]:
    """A change of its own for every question."""
    text = "Raise it\n\nnumber.py\n```\nNUMBER = {}.0\n```\n"
    return [says(text.format(number)) for number in range(2, 90)]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "check the URL"),
        (402, "pay into the account"),
    ],
)
@only_sqlite
def test_an_endpoint_that_refuses_everything_costs_no_job(
    status: int, words: str, stack: Stack, endpoint: ChatServer
) -> None:
    endpoint.responses = [refuses(status, "not like this")]
    run = evolve(stack, 4)
    run.wait_for("the run pauses (agent's provider)")
    assert words in run.said

    endpoint.responses = answers()

    finished(run)
    assert "the run goes on" in run.said
    assert "given back: " in run.said
    require_nothing_burnt(stack, 4)


@only_sqlite
def test_a_refused_key_is_told_before_anything_begins(stack: Stack, endpoint: ChatServer) -> None:
    endpoint.models = refuses(401, "Incorrect API key provided: sk-stub")
    run = evolve(stack, 4)

    assert run.popen.wait(timeout=PATIENCE_SECONDS) == 1
    assert "the chat endpoint refuses the key" in run.said
    assert "setting: WORKER_CHAT_API_KEY" in run.said
    assert "sk-stub" not in run.said
    assert not (stack.folder / "logs" / "worker").exists()
    assert endpoint.requests == []


@only_sqlite
def test_a_key_that_is_renewed_in_the_env_file_needs_no_restart(
    stack: Stack, endpoint: ChatServer
) -> None:
    del stack.settings["WORKER_CHAT_API_KEY"]
    env_file = stack.folder / ".env"
    env_file.write_text("WORKER_CHAT_API_KEY=sk-expired\n")
    endpoint.responses = [refuses(401, "the key has expired")]
    worker = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "3")
    scheduler.wait_for("the run pauses (agent's provider)")

    env_file.write_text("WORKER_CHAT_API_KEY=sk-renewed\n")
    eventually(lambda: "Bearer sk-renewed" in endpoint.keys, within=60)
    endpoint.responses = answers()

    finished(scheduler, worker)
    require_nothing_burnt(stack, 3)


@only_sqlite
def test_a_limit_of_an_hour_is_told_and_waited_for(stack: Stack, endpoint: ChatServer) -> None:
    endpoint.responses = [Response({"error": {"message": "enough"}}, 429, {"retry-after": "3600"})]
    run = evolve(stack, 3)
    run.wait_for("rate limited until ")
    asked = len(endpoint.requests)

    assert run.stop(signal.SIGTERM) == 1
    assert asked <= 2  # one for each worker
    assert "paused    the run pauses, rate limited until " in run.said

    endpoint.responses = answers()
    finished(evolve(stack, 3))
    require_nothing_burnt(stack, 3)


def test_a_remote_that_refuses_for_a_while_loses_no_judged_candidate(stack: Stack) -> None:
    hook = stack.remote / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    worker = stack.start_worker()
    worker.wait_for("worker online")
    hook.write_text("#!/bin/sh\necho read-only for maintenance >&2\nexit 1\n")
    hook.chmod(0o755)
    scheduler = stack.start_scheduler("--max-jobs", "3")
    scheduler.wait_for("the run pauses (remote)")

    hook.unlink()

    finished(scheduler, worker)
    assert "read-only for maintenance" in scheduler.said
    assert worker.said.count("genetic proposes") == 3
    require_nothing_burnt(stack, 3)


@only_sqlite
@pytest.mark.parametrize(
    "refusal",
    [
        Response({"error": {"message": "enough"}}, 429, {"retry-after": str(3 * 86_400)}),
        Response({"error": {"message": "Weekly limit. Please try again in 3 days."}}, 429),
    ],
    ids=["header", "words"],
)
def test_a_limit_of_three_days_is_told_with_its_date_and_asked_about_once(
    stack: Stack, endpoint: ChatServer, refusal: Response
) -> None:
    over = datetime.now().astimezone() + timedelta(days=3)
    endpoint.responses = [refusal]
    worker = stack.start_worker()
    scheduler = stack.start_scheduler("--max-jobs", "3")
    scheduler.wait_for(f"the run pauses, rate limited until {over:%Y-%m-%d} ")

    assert len(endpoint.requests) == 1
    endpoint.responses = answers()
    assert scheduler.stop() == 0
    assert worker.stop() == 0
    finished(stack.start_scheduler("--max-jobs", "3"), stack.start_worker())  # tries at once
    require_nothing_burnt(stack, 3)


@only_sqlite
@pytest.mark.parametrize(
    "silence",
    [Response("", waits=True), Response("", pieces=[": wait\n\n"], stalls=True)],
    ids=["no header", "one sign of life"],
)
def test_an_endpoint_that_takes_a_question_and_stays_silent_costs_no_job(
    stack: Stack, endpoint: ChatServer, silence: Response
) -> None:
    stack.settings["WORKER_AGENT_IDLE_SECONDS"] = "1"
    endpoint.responses = [silence]
    run = evolve(stack, 3)
    run.wait_for("the run pauses (agent's provider): the chat endpoint fell silent")

    endpoint.responses = answers()

    finished(run)
    require_nothing_burnt(stack, 3)


@only_sqlite
def test_an_agent_that_answers_nonsense_one_time_in_three_meets_no_brake(
    stack: Stack, endpoint: ChatServer
) -> None:
    nonsense = says("I would rather talk about the weather.")
    good = iter(answers())
    rounds = [[next(good), next(good), nonsense, nonsense] for _ in range(20)]
    endpoint.responses = [answer for each in rounds for answer in each]
    worker = stack.start_worker()  # of several each would have answers of the others

    finished(stack.start_scheduler("--max-jobs", "30"), worker)
    with stack.database() as database:
        rows = [row for row in stack.jobs(database) if row["ordinal"] >= 0]
    failed = [row for row in rows if row["state"] == JobState.FAILED]
    assert len(rows) == 30
    assert len(failed) == 10
    assert all("no edits that can be applied" in row["failure"] for row in failed)


@only_sqlite
def test_an_agent_that_cannot_be_started_costs_no_job(stack: Stack) -> None:
    script = stack.folder / "agent.sh"
    script.write_text("#!/bin/sh\necho 'node: not found' >&2\nexit 127\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    stack.settings |= {"WORKER_AGENT": "command", "WORKER_AGENT_COMMAND": str(script)}
    run = evolve(stack, 3)
    run.wait_for("the run pauses (host)")
    assert "cannot be started" in run.said

    script.write_text('#!/bin/sh\necho "NUMBER = $(date +%N | sed s/^0*//).0" > number.py\n')

    finished(run)
    require_nothing_burnt(stack, 3)


@only_sqlite
def test_an_evaluator_that_breaks_after_the_root_ends_the_run(stack: Stack) -> None:
    (stack.folder / "evaluator" / "judge.py").write_text(BREAKS_AFTER_THE_ROOT)
    run = evolve(stack, 60)

    code = run.popen.wait(timeout=PATIENCE_SECONDS)

    assert code == 1, run.said
    assert "jobs failed alike, so the run ends" in run.said
    assert "the reference data are of another shape" in run.said
    with stack.database() as database:
        assert stack.count(database, JobState.FAILED) <= 10


@only_sqlite
def test_an_agent_whose_every_answer_is_refused_ends_the_run(
    stack: Stack, endpoint: ChatServer
) -> None:
    endpoint.responses = [says("I would rather talk about the weather.")]
    run = evolve(stack, 60)

    code = run.popen.wait(timeout=PATIENCE_SECONDS)

    assert code == 1, run.said
    assert "reasons   10 failed: chat gave no edits that can be applied" in run.said
    with stack.database() as database:
        assert stack.count(database, JobState.FAILED) <= 10
