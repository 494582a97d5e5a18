"""What a start of the scheduler does not wait for."""

import subprocess
import sys


def test_the_scheduler_starts_without_the_parser_of_the_genetic_agent() -> None:
    code = "import sys, loreley.scheduler.main; sys.exit('libcst' in sys.modules)"

    subprocess.run([sys.executable, "-c", code], check=True)
