"""Whether a brief shows what a fix has changed: by what matters, and the smallest files first."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.briefs.cases import Case, read_cases
from benchmarks.briefs.packages import PlainFolder, unpacked
from benchmarks.comparison import Plan
from benchmarks.table import markdown
from loreley.core.agents.answers.reader import FORM
from loreley.core.agents.prompts import Prompter
from loreley.core.agents.protocol import Brief, BriefCommit
from loreley.core.agents.relevance.fences import fence_code

_LIMIT_BYTES = 64 * 1024
_CODE_SHARE = 0.55  # of a brief, as it was when the smallest files were shown
_QUICK = 2  # cases

Writer = Callable[[Case, PlainFolder], str]


@dataclass(frozen=True, slots=True)
class Sight:
    """What one brief shows of one fix."""

    case: Case
    way: str
    shows_file: bool  # or parts of it
    shows_lines: bool  # at least one of the places that the fix changed


def compare(plan: Plan) -> list[Sight]:
    """Write a brief for each case in each way, with nothing but the goal to go by."""
    cases = read_cases()[: _QUICK if plan.quick else None]
    return [sight for each in _group(cases) for sight in _look(plan, each)]


def as_table(sights: Sequence[Sight]) -> str:
    """A row for each package and way, and one for all of them."""
    head = ("benchmark", "package", "what is shown first", "fixes", "file shown", "lines shown")
    packages = list(dict.fromkeys(each.case.package for each in sights))
    rows = [
        _row(package, way, [each for each in sights if each.case.package in among])
        for package, among in [*((name, [name]) for name in packages), ("all", packages)]
        for way in _WAYS
    ]
    return markdown([head, *rows])


def _row(package: str, way: str, sights: Sequence[Sight]) -> tuple[str, ...]:
    own = [each for each in sights if each.way == way]
    files, lines = sum(each.shows_file for each in own), sum(each.shows_lines for each in own)
    share = len(own) or 1
    return (
        *("brief", package, way, str(len(own))),
        *(f"{files} ({files / share:.0%})", f"{lines} ({lines / share:.0%})"),
    )


def _group(cases: Sequence[Case]) -> Sequence[Sequence[Case]]:
    versions = list(dict.fromkeys((each.package, each.version) for each in cases))
    return [[each for each in cases if (each.package, each.version) == one] for one in versions]


def _look(plan: Plan, cases: Sequence[Case]) -> Iterator[Sight]:
    plan.report(f"brief: {cases[0].package} {cases[0].version}")
    with unpacked(cases[0].package, cases[0].version) as source:
        folder = PlainFolder(source)
        for case in cases:
            yield from look_at(case, folder)


def look_at(case: Case, folder: PlainFolder) -> Iterator[Sight]:
    """What a brief for the case shows, in each way."""
    for way, write in _WAYS.items():
        runs = list(_find_runs(write(case, folder), case.file, folder.path))
        yield Sight(case, way, bool(runs), any(_meet(case.lines, run) for run in runs))


def _write_brief(case: Case, folder: PlainFolder) -> str:
    brief = Brief(1, case.goal, BriefCommit(folder.base_commit))
    prompter = Prompter.from_file(None, _LIMIT_BYTES)
    return prompter.write(brief, folder, answer=FORM, shows_code=True).text


def _show_smallest(case: Case, folder: PlainFolder) -> str:  # noqa: ARG001 - whatever it is
    """Whole files in the order of their size, as long as there is room."""
    texts: dict[str, str] = {}
    for path in folder.tracked_files():
        content = (folder.path / path).read_bytes()
        if b"\0" not in content:
            texts[path] = content.decode(errors="replace")
    blocks, left = [], int(_LIMIT_BYTES * _CODE_SHARE)
    for path in sorted(texts, key=lambda path: (len(texts[path]), path)):
        block = f"{path}\n{fence_code(texts[path])}"
        left -= len(block.encode())
        if left < 0:
            break
        blocks.append(block)
    return "\n\n".join(blocks)


def _find_runs(text: str, file: str, source: Path) -> Iterator[range]:
    """The lines of the file that a brief shows."""
    name = re.escape(file)
    if re.search(rf"^{name}\n```", text, re.MULTILINE):
        yield range(len((source / file).read_bytes().splitlines()))
    for match in re.finditer(rf"^{name}, lines (\d+) to (\d+) of ", text, re.MULTILINE):
        yield range(int(match[1]) - 1, int(match[2]))


def _meet(lines: Sequence[range], run: range) -> bool:
    return any(each.start < run.stop and run.start < each.stop for each in lines)


_WAYS: Mapping[str, Writer] = {
    "the smallest files": _show_smallest,
    "what matters": _write_brief,
}
