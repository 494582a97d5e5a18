import subprocess
import sys

import pytest

from tests.support import PROJECT_ROOT

ADOPT = """
import subprocess
from loreley.orphans import adopt_orphans, reap_orphans
before = subprocess.Popen(["sleep", "60"], start_new_session=True)
adopt_orphans()
after = subprocess.Popen(["sleep", "60"], start_new_session=True)
reap_orphans()
print(before.poll() is None, after.poll() is None)
before.kill()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a process adopt")
def test_a_child_that_was_there_before_the_adoption_is_no_orphan() -> None:
    done = subprocess.run(
        [sys.executable, "-c", ADOPT], cwd=PROJECT_ROOT, capture_output=True, text=True, timeout=30
    )
    assert done.stdout.split() == ["True", "False"], done.stderr
