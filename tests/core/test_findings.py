"""What agents say they have found out: how it is read, borne out and chosen."""

from dataclasses import replace

import pytest

from loreley.core.agents.subjects import split_subject
from loreley.core.findings import (
    Effect,
    Finding,
    MeasuredFinding,
    Standing,
    choose_findings,
    take_findings,
)

HELPS = Finding(Effect.HELPS, "Caching squares", "1f" * 20)
HARMS = Finding(Effect.HARMS, "Unrolling by hand", "2e" * 20)
BETTER = MeasuredFinding(7, HELPS, False, 0.5, 0.1, None, 0, 0, 0.0)
WORSE = replace(BETTER, finding=HARMS, gain=-0.5)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("Helps: caching squares", Finding(Effect.HELPS, "caching squares")),
        (
            "- **Harms:** unrolling [3f2a91c0d5e7].",
            Finding(Effect.HARMS, "unrolling", "3f2a91c0d5e7"),
        ),
        ("> HARMS: unrolling [3F2A91C0]", Finding(Effect.HARMS, "unrolling", "3f2a91c0")),
        ("helps: a list [1, 2]", Finding(Effect.HELPS, "a list [1, 2]")),
    ],
)
def test_a_line_is_a_finding_with_what_it_rests_on(line: str, found: Finding) -> None:
    text, findings = take_findings(f"Why.\n{line}\nAgent: stub")

    assert findings == [found]
    assert text == "Why.\nAgent: stub"


@pytest.mark.parametrize(
    "line",
    ["This helps: much", "Helps:", "Harms:   ", "Helps the cache", f"Helps: {'x' * 2_000_000}"],
)
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert take_findings(line) == (line.strip(), [])


def test_a_job_leaves_a_few_findings_and_none_twice() -> None:
    lines = ["Helps: a", "Helps: A", "Harms: a", "Helps: b", "Helps: c"]

    _, findings = take_findings("\n".join(lines))

    assert [(each.effect, each.text) for each in findings] == [
        ("helps", "a"),
        ("harms", "a"),
        ("helps", "b"),
    ]


def test_a_long_finding_is_cut() -> None:
    _, [finding] = take_findings(f"Helps: {'x' * 900}")
    assert len(finding.text) == 300


def test_a_finding_is_no_subject() -> None:
    assert split_subject("Helps: caching\nCache squares.\n") == ("Cache squares.", "Helps: caching")


@pytest.mark.parametrize(
    ("finding", "standing"),
    [
        (BETTER, Standing.HOLDS),
        (replace(BETTER, gain=0.05), Standing.OPEN),
        (replace(BETTER, gain=0.0), Standing.CONTRADICTED),
        (replace(BETTER, gain=-0.01), Standing.CONTRADICTED),
        (replace(BETTER, gain=None), Standing.OPEN),
        (replace(BETTER, gain=None, has_failed=True), Standing.CONTRADICTED),
        (replace(BETTER, is_confirmed=True), Standing.HOLDS),
        (replace(BETTER, is_confirmed=False), Standing.CONTRADICTED),
        (WORSE, Standing.HOLDS),
        (replace(WORSE, gain=-0.05), Standing.OPEN),
        (replace(WORSE, gain=0.0), Standing.OPEN),
        (replace(WORSE, gain=0.01), Standing.CONTRADICTED),
        (replace(WORSE, gain=None, has_failed=True), Standing.HOLDS),
    ],
)
def test_figures_bear_a_finding_out_or_contradict_it(
    finding: MeasuredFinding, standing: Standing
) -> None:
    assert finding.standing is standing


def test_a_finding_is_told_with_its_figures() -> None:
    told = replace(BETTER, is_confirmed=True, heirs=5, better_heirs=2).describe()

    assert told == (
        "helps: Caching squares (1f1f1f1f1f1f: 0.5 better than what it began with, confirmed; "
        "5 went on from it, 2 with a gain)"
    )
    failed = replace(WORSE, gain=None, has_failed=True).describe()
    assert failed == "harms: Unrolling by hand (2e2e2e2e2e2e: the evaluation failed)"
    assert "0.05 worse than what it began with, which may be chance" in (
        replace(WORSE, gain=-0.05).describe()
    )


def test_the_worthiest_are_chosen_and_none_twice() -> None:
    def named(name: str, gain: float, **more: object) -> MeasuredFinding:
        finding = Finding(Effect.HELPS if gain > 0 else Effect.HARMS, name)
        return MeasuredFinding(1, finding, False, gain, 0.1, None, 0, 0, 0.0, **more)

    found = [
        *(named(f"gain {gain}", gain) for gain in (1, 2, 3, 4)),
        named("GAIN 4", 4),
        replace(named("confirmed", 0.5), is_confirmed=True),
        replace(named("refuted", 9), is_confirmed=False),
        *(named(f"loss {loss}", -loss) for loss in (1, 2, 3)),
        named("chance", -0.01),
    ]

    chosen = [each.finding.text for each in choose_findings(found)]

    assert chosen == ["confirmed", "gain 4", "gain 3", "loss 3", "loss 2"]
