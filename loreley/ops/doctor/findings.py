"""`invoke doctor`: questions to this installation, each with a verdict and what to change."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from loreley.errors import LoreleyError

_LOOK_AGAIN_SECONDS = 0.5
_SHOWN = 5
_LOOK = "look at what this names"


class Verdict(StrEnum):
    """How bad it is."""

    GOOD = "good"
    WARNING = "warning"  # works, and would be better otherwise
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check has found: the verdict, what was seen, and what to change unless it is good."""

    verdict: Verdict
    seen: str = ""
    fix: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One question, by the name under which its answer is shown."""

    name: str
    examine: Callable[[], Finding]


def report_error(error: LoreleyError) -> Finding:
    """What an error says, as a finding."""
    fixes = [problem.fix for problem in error.problems if problem.fix]
    return Finding(Verdict.BAD, " ".join(error.summary.split()), fixes[0] if fixes else _LOOK)


def all_hold(
    flaws: Sequence[object], *, good: str, fix: str, otherwise: Verdict = Verdict.BAD
) -> Finding:
    """Good without flaws; else the verdict with the first of them."""
    if not flaws:
        return Finding(Verdict.GOOD, good)
    more = f"; and {len(flaws) - _SHOWN} more" if len(flaws) > _SHOWN else ""
    return Finding(otherwise, "; ".join(map(str, flaws[:_SHOWN])) + more, fix)


def examine(checks: Sequence[Check], *, settle_seconds: float = 0.0) -> list[Finding]:
    """The findings in the order of the checks.

    What is not good is looked at again for ``settle_seconds``: an installation at work passes
    through states that would be wrong if they lasted.
    """
    give_up_at = time.monotonic() + settle_seconds
    findings = [_examine_one(check) for check in checks]
    while time.monotonic() < give_up_at and any(_is_open(finding) for finding in findings):
        time.sleep(_LOOK_AGAIN_SECONDS)
        findings = [
            _examine_one(check) if _is_open(finding) else finding
            for check, finding in zip(checks, findings, strict=True)
        ]
    return findings


def _is_open(finding: Finding) -> bool:
    return finding.verdict is not Verdict.GOOD


def _examine_one(check: Check) -> Finding:
    try:
        found = check.examine()
    except LoreleyError as error:
        found = report_error(error)
    except OSError as error:
        found = Finding(Verdict.BAD, str(error), _LOOK)
    return replace(found, name=check.name)


def exit_code(findings: Sequence[Finding]) -> int:
    """1 when something is bad."""
    return int(any(finding.verdict is Verdict.BAD for finding in findings))


def as_text(findings: Sequence[Finding]) -> str:
    """The findings for a terminal."""
    lines = []
    for finding in findings:
        lines.append(f"{finding.verdict:<8} {finding.name:<24} {finding.seen}".rstrip())
        if finding.fix:
            lines.append(f"{'':<8} {'':<24} fix: {finding.fix}")
    return "\n".join(lines)


def as_json(findings: Sequence[Finding]) -> str:
    """The findings for a program."""
    return json.dumps([asdict(finding) for finding in findings], indent=2)
