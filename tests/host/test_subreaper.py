import subprocess
import sys

import pytest

from tests.support import PROJECT_ROOT

ADOPT = """
import subprocess
from loreley.host.subreaper import become_subreaper, reap_orphans
def child():
    return subprocess.Popen(["sleep", "60"], start_new_session=True)
before = child()
with become_subreaper() as adopts:
    during = child()
    reap_orphans()
after = child()
reap_orphans()
print(adopts, *(one.poll() is None for one in (before, during, after)))
before.kill()
after.kill()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt")
def test_a_child_from_before_or_after_the_adoption_is_no_orphan() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ADOPT], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.stdout.split() == ["True", "True", "False", "True"], done.stderr
