"""What agents say they have found out, and what was measured of it; pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

TOLD = (
    "What you have found out that later attempts should know, say at the end of your last answer, "
    "each in a line of its own: `Helps: …` or `Harms: …`. It rests on your final change, or on an "
    "earlier state or commit that you name in brackets by what `evaluate` told as its `state`, as "
    "in `Harms: unrolling the loop by hand [3f2a91c0d5e7]`. Its figures are put beside it."
)
_LINE = re.compile(
    r"^[\s>*_-]*(?P<effect>helps|harms)[*_]*:[*_]*\s*(?P<text>\S.*?)\s*"
    r"(?:\[(?P<state>[0-9a-f]{7,64})\]\W*)?$",
    re.IGNORECASE,
)
_MOST = 3  # of one job
_LONGEST = 300  # characters
_LONGEST_LINE = 1_000
_QUOTED = {"helps": 3, "harms": 2}  # in one brief


class Effect(StrEnum):
    """What a finding says of a change."""

    HELPS = "helps"
    HARMS = "harms"


class Standing(StrEnum):
    """What the figures make of a finding."""

    HOLDS = "holds"
    OPEN = "not shown"
    CONTRADICTED = "contradicted"


@dataclass(frozen=True, slots=True)
class Finding:
    """What an agent says it has found out, in a line."""

    effect: Effect
    text: str
    state: str = ""  # how the commit or tree begins that it rests on; empty: the job's own commit


@dataclass(frozen=True, slots=True)
class MeasuredFinding:
    """A finding, and what is known of the commit or state that it rests on."""

    id: int
    finding: Finding
    has_failed: bool  # whether the evaluation of its state failed
    gain: float | None  # on what its job began with, positive is better; None: it has no figure
    margin: float  # within which a gain may be chance; in the unit of the fitness, as the gain
    is_confirmed: bool | None  # better than the root, measured side by side; None: it was not asked
    heirs: int  # jobs that went on from its commit and have ended
    better_heirs: int  # of them, those with a commit that is better than it
    created_at: float  # seconds since 1970, UTC

    @property
    def standing(self) -> Standing:
        """Whether the figures bear it out; what may be chance shows neither."""
        if self.finding.effect is Effect.HELPS:
            if self.has_failed or self.is_confirmed is False:
                return Standing.CONTRADICTED
            shown = self.gain
        else:
            if self.has_failed:
                return Standing.HOLDS
            shown = None if self.gain is None else -self.gain
        if shown is None or (shown == 0 and self.finding.effect is Effect.HARMS):
            return Standing.OPEN
        if shown <= 0:
            return Standing.CONTRADICTED
        return Standing.HOLDS if shown > self.margin else Standing.OPEN

    @property
    def worth(self) -> tuple[bool, float]:
        """What it is ordered by: those confirmed first, then by what they gained or lost."""
        return self.is_confirmed is True, abs(self.gain or 0.0)

    def describe(self) -> str:
        """The finding with its figures, in a line."""
        told = f"{self.finding.effect}: {self.finding.text} ({self._describe_figures()}"
        if self.heirs:
            told += f"; {self.heirs} went on from it, {self.better_heirs} with a gain"
        return f"{told})"

    def _describe_figures(self) -> str:
        state = self.finding.state[:12]
        if self.has_failed:
            return f"{state}: the evaluation failed"
        if self.gain is None:
            return f"{state}: nothing was measured"
        way = (
            "better" if self.gain > 0 else "worse" if self.gain < 0 else "neither better nor worse"
        )
        by = f"{abs(self.gain):.3g} {way}" if self.gain else way
        chance = ", which may be chance" if 0 < abs(self.gain) <= self.margin else ""
        confirmed = {True: ", confirmed", False: ", not confirmed", None: ""}[self.is_confirmed]
        return f"{state}: {by} than what it began with{chance}{confirmed}"


def is_finding(line: str) -> bool:
    """Whether a line of an answer is a finding, and not what was done."""
    return len(line) <= _LONGEST_LINE and _LINE.match(line) is not None


def take_findings(text: str) -> tuple[str, Sequence[Finding]]:
    """A legible text without the lines that are findings, and the first few of these."""
    rest: list[str] = []
    found: dict[tuple[str, str], Finding] = {}
    for line in text.split("\n"):
        match = _LINE.match(line) if len(line) <= _LONGEST_LINE else None
        if match is None:
            rest.append(line)
            continue
        said = " ".join(match["text"].split())[:_LONGEST].strip()
        effect = Effect(match["effect"].lower())
        if said:
            finding = Finding(effect, said, (match["state"] or "").lower())
            found.setdefault((effect, said.casefold()), finding)
    return "\n".join(rest).strip(), list(found.values())[:_MOST]


def choose_findings(findings: Iterable[MeasuredFinding]) -> list[MeasuredFinding]:
    """The few that a brief quotes: borne out, the worthiest first, none twice."""
    chosen: dict[tuple[str, str], MeasuredFinding] = {}
    for each in sorted(findings, key=lambda each: each.worth, reverse=True):
        key = each.finding.effect, each.finding.text.casefold()
        of_effect = sum(effect == each.finding.effect for effect, _ in chosen)
        if each.standing is Standing.HOLDS and of_effect < _QUOTED[each.finding.effect]:
            chosen.setdefault(key, each)
    return sorted(chosen.values(), key=lambda each: each.finding.effect, reverse=True)
