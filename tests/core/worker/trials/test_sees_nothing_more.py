"""An agent with the command sees nothing that one without it does not see, but the command."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from loreley.core.sandbox.sandbox import Level, Sandbox, probe
from tests.core.worker.trials.support import Session

pytestmark = [
    pytest.mark.slow,
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]

# Everything that can be looked at, but what differs between any two runs.
LOOK = """
import stat
def tree(top, depth):
    found = []
    for parent, folders, files in os.walk(top, onerror=lambda error: None):
        if parent.count('/') - top.count('/') >= depth:
            folders.clear()
        for name in folders + files:
            path = os.path.join(parent, name)
            found.append([path, stat.S_IFMT(os.lstat(path).st_mode)])
    return sorted(found)
def read(path):
    try:
        return open(path).read()
    except OSError as error:
        return error.errno
put(5)
{ask}
mine = [int(name) for name in os.listdir('/proc') if name.isdigit()]
seen = {{
    'environment': dict(os.environ),
    'files': [each for top, depth in (('/tmp', 3), ('/etc', 1), ('/dev', 2), ('/', 1), ('/root', 2),
              ('/home', 2), ('/run', 2), ('/var', 2), (os.getcwd(), 3), (os.path.dirname(
              os.path.dirname(os.getcwd())), 2)) for each in tree(top, depth)],
    'mounts': sorted({{line.split()[4] for line in open('/proc/self/mountinfo')}}),
    'processes': sorted(str(read(f'/proc/{{pid}}/comm')).strip() for pid in mine),
    'descriptors': sorted(os.listdir('/proc/self/fd')),
    'interfaces': sorted(line.split(':')[0].strip() for line in open('/proc/net/dev')),
    'unix': sorted(line.split()[7] for line in open('/proc/net/unix')
                   if len(line.split()) > 7 and not line.split()[7].startswith('@')),
}}
print('SEEN', json.dumps(seen))
"""


def look(session: Session, trials: int, ask: str) -> dict[str, Any]:
    session.job_id = ""
    session.run(LOOK.format(ask=ask) + f"put({trials}, 'new.txt')\n", trials=trials, network=False)
    [line] = [line for line in session.kept("agent.log").splitlines() if line.startswith("SEEN ")]
    seen: dict[str, Any] = json.loads(line[5:].replace(session.job_id, "<job>"))
    return seen


@pytest.fixture
def confined(session: Session) -> Session:
    if probe().level is not Level.BUBBLEWRAP:
        pytest.skip("this host has no bubblewrap")
    return session


def test_an_agent_sees_the_command_and_nothing_else_that_is_new(confined: Session) -> None:
    without = look(confined, 0, "")
    with_it = look(confined, 3, "ask()")

    program = with_it["environment"].pop("LORELEY_EVALUATE")
    folder = program.rpartition("/")[0]
    assert with_it["environment"] == without["environment"]
    mounts = [each for each in with_it["mounts"] if each not in without["mounts"]]
    assert mounts == [folder]
    new = [path for path, _ in with_it["files"] if [path, _] not in without["files"]]
    above = {folder[: at.start()] for at in re.finditer("/", folder)} - {""}
    below = {
        folder,
        *(
            f"{folder}/{name}"
            for name in ("client.py", "evaluate", "mcp", "mcp_server.py", "socket")
        ),
    }
    assert set(new) <= above | below
    assert with_it["processes"] == without["processes"]
    assert with_it["descriptors"] == without["descriptors"]
    assert with_it["interfaces"] == without["interfaces"]
    assert with_it["interfaces"][2:] == ["lo"]  # below two lines of headings
    assert with_it["unix"] == without["unix"] == ["Path"]  # a heading


@pytest.mark.parametrize("level", [Level.BUBBLEWRAP, Level.LIMITS])
def test_the_evaluator_sees_nothing_of_the_agent(session: Session, level: Level) -> None:
    sandbox: Sandbox = replace(probe(), level=level)
    if level is Level.BUBBLEWRAP and probe().level is not level:
        pytest.skip("this host has no bubblewrap")
    session.sandbox = sandbox
    session.lines = (
        "import os\nprint('sees', sorted(n for n in os.environ if 'EVALUATE' in n),\n"
        "      sorted(os.listdir(context.worktree)), sorted(os.listdir(context.scratch)))\n"
    ) + "return {'metrics': [{'name': 'score', 'value': 1.0}]}"
    session.run("put(5); put(1, 'y.pyc'); ask()")

    [(_, answer)] = session.asked()
    assert answer["log"] == "sees [] ['.git', '.gitignore', 'x.txt'] ['home', 'tmp']"
