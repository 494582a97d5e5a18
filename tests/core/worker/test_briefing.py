"""What a job's brief is made from."""

from loreley.core.agents.protocol import SearchContext
from loreley.core.worker.briefing import Briefing
from tests.core.agents.support import ROOT, claim


def test_a_brief_tells_what_the_choice_of_code_needs() -> None:
    briefing = Briefing(
        "Faster.",
        read_context=lambda _claim: SearchContext(base_log="slow: pack.py:12"),
        judge="import pack\n",
    )

    brief = briefing.brief(claim(), [])

    assert brief.root_commit == ROOT
    assert brief.judge == "import pack\n"
    assert brief.context.base_log == "slow: pack.py:12"
