"""Agents and candidates that misuse the command: bounded, told, and the job goes on."""

import tempfile
from dataclasses import replace

import pytest

from loreley.core.jobs import JobState
from loreley.core.sandbox.sandbox import Level, probe
from tests.core.worker.trials.support import SCORE, Session

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]

# A connection to the worker as a program of the agent's own may make it.
CONNECT = """
import socket
def connect():
    os.chdir(os.path.dirname(os.environ['LORELEY_EVALUATE']))
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    connection.connect('socket')
    os.chdir(home)
    return connection
home = os.getcwd()
"""


def test_an_agent_that_asks_in_a_loop_is_stopped(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loreley.core.worker.trials.job_trials._LEAST_ASKS", 15)
    monkeypatch.setattr("loreley.core.worker.trials.job_trials._ASKS_FOR_ONE", 5)
    job = session.run(
        "for x in range(2, 9):\n    put(x); ask()\nlast = 0\n"
        "while last != 3:\n    last, answer = ask()\n"
        "for _ in range(9):\n    ask()",
        trials=3,
    )

    assert session.scores() == [-25.0, -16.0, -9.0, -1.0]  # the last is that of the job itself
    assert session.asked()[-1] == (
        3,
        {"error": "you have asked too often", "evaluations_left": 0},
    )
    assert (job["state"], session.file()) == (JobState.SUCCEEDED, "8")


def test_an_agent_that_asks_in_parallel_is_answered_one_after_the_other(session: Session) -> None:
    session.run(
        "from concurrent.futures import ThreadPoolExecutor\nput(5)\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    print([f.result()[0] for f in [pool.submit(ask) for _ in range(8)]])"
    )

    assert "[0, 0, 0, 0, 0, 0, 0, 0]" in session.kept("agent.log")
    assert session.scores() == [-4.0]


def test_an_agent_asks_from_anywhere_and_by_any_path(session: Session) -> None:
    session.run(
        "os.makedirs('sub/folder'); put(5, 'sub/folder/y.txt'); put(5)\n"
        "ask('sub/folder'); ask('/tmp')\n"
        "os.symlink(os.environ['LORELEY_EVALUATE'], 'sub/link')\n"
        "os.environ['LORELEY_EVALUATE'] = os.path.abspath('sub/link')\n"
        "os.symlink('/etc', 'sub/etc'); ask()\n"
    )

    assert [code for code, _ in session.asked()] == [0, 0, 0]
    assert len(session.trials()) == 2  # with the links, and without
    assert session.upstream.files_of(session.commit()["commit"]) == [
        ".gitignore",
        "sub/folder/y.txt",
        "x.txt",
    ]


def test_an_agent_cannot_change_what_it_asks_through(session: Session) -> None:
    session.run(
        "put(5)\nfolder = os.path.dirname(os.environ['LORELEY_EVALUATE'])\n"
        "for name in ('evaluate', 'mcp', 'client.py', 'mcp_server.py', 'socket', '.'):\n"
        "    path = os.path.join(folder, name)\n"
        "    for harm in (os.unlink, lambda p: os.rename(p, p + '2'), lambda p: open(p, 'a'),\n"
        "                 lambda p: os.chmod(p, 0o777)):\n"
        "        try:\n            harm(path); print('HARMED', path)\n"
        "        except OSError as error:\n            print('kept', error.errno)\n"
        "ask()"
    )

    assert "HARMED" not in session.kept("agent.log")
    assert [code for code, _ in session.asked()] == [0]


def test_an_agent_that_deletes_the_program_where_it_can_goes_on_without(session: Session) -> None:
    session.sandbox = replace(probe(), level=Level.LIMITS)
    job = session.run(
        "import shutil\nput(5)\nask()\nput(6)\n"
        "shutil.rmtree(os.path.dirname(os.environ['LORELEY_EVALUATE']))"
    )

    assert (job["state"], session.file()) == (JobState.SUCCEEDED, "6")
    assert session.scores() == [-4.0, -1.0]


def test_an_agent_may_edit_while_it_is_judged(session: Session) -> None:
    session.lines = "import time; time.sleep(1)\n" + SCORE
    session.run(
        "import threading\nput(5)\nasking = threading.Thread(target=ask)\nasking.start()\n"
        "import time; time.sleep(0.5)\nput(6); put(1, 'other.txt')\nasking.join(); ask()"
    )

    assert session.scores() == [-4.0, -1.0]
    assert session.file("other.txt") == "1"


def test_an_agent_that_never_stops_editing_is_told_figures_or_a_reason(session: Session) -> None:
    session.run(
        "import threading\nis_over = threading.Event()\n"
        "def edit():\n    n = 0\n    while not is_over.is_set():\n        n += 1\n"
        "        os.makedirs(f'd{n % 7}', exist_ok=True)\n"
        "        put(n, f'd{n % 7}/{n % 50}.txt')\n"
        "        try:\n            os.unlink(f'd{n % 7}/{(n + 3) % 50}.txt')\n"
        "        except OSError:\n            pass\n"
        "editing = threading.Thread(target=edit)\nediting.start()\n"
        "for _ in range(4):\n    ask()\nis_over.set()\nediting.join()\nput(5)"
    )

    assert {code for code, _ in session.asked()} <= {0, 1}
    for code, answer in session.asked():
        assert answer["metrics"] == {"score": -36.0} if code == 0 else answer["error"]
    assert session.file() == "5"


def test_a_worktree_of_ten_gigabytes_is_refused(session: Session) -> None:
    session.run(
        "put(5)\nnames = [f'big{n}' for n in range(80)]\n"
        "for name in names:\n    put('', name); os.truncate(name, 2**27)\n"
        "ask()\nfor name in names:\n    os.unlink(name)\nask()"
    )

    (code, answer), (second, _) = session.asked()
    assert (code, second) == (1, 0)
    assert "bytes in changed files, at most" in answer["error"]


def test_files_under_the_names_of_the_evaluator_change_nothing(session: Session) -> None:
    session.run(
        "put(5)\n"
        "for name in ('result.json', 'judge.py', 'run-1/result.json', 'client.py', 'evaluate',\n"
        "             'sitecustomize.py', 'json.py', 'socket.py', 'marshal.py'):\n"
        "    os.makedirs(os.path.dirname(name) or '.', exist_ok=True)\n"
        "    put('raise SystemExit(9)', name)\n"
        "ask()"
    )

    [(code, answer)] = session.asked()
    assert (code, answer["metrics"]) == (0, {"score": -4.0})


def test_connections_that_are_held_open_are_closed(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loreley.core.agents.measuring.server._QUESTION_SECONDS", 1.0)
    job = session.run(CONNECT + "put(5)\nheld = connect()\nask()")

    assert [code for code, _ in session.asked()] == [0]
    assert job["state"] == JobState.SUCCEEDED


@pytest.mark.parametrize(
    "question",
    ["b'nonsense\\n'", "b'{}\\n'", "b'[1]\\n'", "b'{\"ask\": \"notes of others\"}\\n'",
     "b'[' * 60000 + b'\\n'", "b'x' * 200000", "bytes(range(256)) + b'\\n'"],
)  # fmt: skip
def test_nonsense_on_the_socket_is_answered_with_what_may_be_asked(
    session: Session, question: str
) -> None:
    session.run(
        CONNECT + f"put(5)\nc = connect()\ntry:\n    c.sendall({question})\n"
        "    c.shutdown(socket.SHUT_WR); print('TOLD', c.makefile().read().replace('\\n', ' '))\n"
        "except OSError as error:\n    print('TOLD ask one of', error)\nask()"
    )

    assert "ask one of" in session.kept("agent.log").partition("TOLD")[2]
    assert [code for code, _ in session.asked()] == [0]


ASKS = """
import glob, os, socket
found = glob.glob('<temporary>/loreley-temporary-*/socket')
print('sees', len(found), os.environ.get('LORELEY_EVALUATE'))
for path in found:
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
        connection.sendall(b'{"ask": "evaluate"}\\n')
    except OSError:  # that of another test, which has closed it meanwhile
        pass
"""


@pytest.mark.parametrize("level", [Level.BUBBLEWRAP, Level.LIMITS])
def test_a_candidate_that_asks_is_not_answered(session: Session, level: Level) -> None:
    if level is Level.BUBBLEWRAP and probe().level is not level:
        pytest.skip("this host has no bubblewrap")
    session.sandbox = replace(probe(), level=level)
    session.lines = ASKS.replace("<temporary>", tempfile.gettempdir()) + SCORE
    session.run("put(5); ask(); put(6); ask()")

    for _, answer in session.asked():
        sees, number, variable = answer["log"].splitlines()[0].split()
        assert (sees, variable) == ("sees", "None")
        assert (number == "0") is (level is Level.BUBBLEWRAP)
    assert session.scores() == [-4.0, -1.0]
