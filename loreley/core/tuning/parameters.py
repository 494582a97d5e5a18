"""The numbers of a commit that are tuned: where they stand, and between which values they go."""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp, inf, log, sqrt

from loreley.config.tuning import Bounds, TunedName
from loreley.core.agents.edit_rules import Region
from loreley.core.agents.genetic.source.files import SourceFile
from loreley.core.agents.genetic.source.literals import (
    Number,
    NumberLiteral,
    rewrite,
    round_to_step,
)
from loreley.core.tuning.choices import find_beside, read_choice

_BESIDE = re.compile(r"\btune:?\s+(?P<bounds>[^\s:]+:[^\s:]+(?::log)?)")
_LARGEST_STEP = 0.12  # as a share of the number
_LEAST_STEP = 0.01
_SHARE_OF_DIGIT = 0.4
_LEAST_STEP_OF_INTEGERS = 0.35  # one in six is moved at all
_SIGMAS = 6.0  # that a range is wide
_LARGEST_EXPONENT = 500.0
_SHARE_IN_RANGE = 0.1  # of a step, where a range is given: it gets no smaller from job to job


@dataclass(frozen=True, slots=True)
class Parameter:
    """A number of a file."""

    path: str
    literal: NumberLiteral
    line: int  # from 1
    bounds: Bounds | None = None
    known_step: float | None = None  # where tuning of before has come to
    known_shift: float = 0.0  # how far from the number it was looking then, likewise

    @property
    def name(self) -> str:
        """What people find it by."""
        return f"{self.path}:{self.literal.name or self.line}"

    @property
    def group(self) -> tuple[str, int]:
        """What it has in common with the numbers that it stands together with."""
        return self.path, self.literal.statement

    @property
    def is_integer(self) -> bool:
        """Whether only whole numbers are written there."""
        return isinstance(self.literal.value, int)

    @property
    def step(self) -> float:
        """By how much it is moved at first: between its last digit and a part of its size.

        A number of which its size alone matters is multiplied by ``exp(step)``.
        """
        if self.known_step is not None:
            return self.known_step
        if self.bounds is not None:
            low, high = self.bounds.low, self.bounds.high
            width = (log(high / low) if self.bounds.is_log else high - low) / _SIGMAS
            is_whole = self.is_integer and not self.bounds.is_log
            return max(width, _LEAST_STEP_OF_INTEGERS) if is_whole else width
        size, digit = abs(self.literal.value), self.literal.digit
        if self.is_integer:
            return max(_LEAST_STEP_OF_INTEGERS, _LARGEST_STEP * size)
        by_digits = _SHARE_OF_DIGIT * sqrt(digit * size)
        return (
            min(max(by_digits, _LEAST_STEP * size), _LARGEST_STEP * size) or _SHARE_OF_DIGIT * digit
        )

    def at(self, distance: float) -> Number:
        """The value so many steps from the current one, as it is written."""
        start, step = self.literal.value, distance * self.step
        if not distance:
            return start
        if self._is_log:
            return self.write(start * exp(min(step, _LARGEST_EXPONENT)))
        return self.write(start + step)

    def move(self, distance: float) -> Number:
        """Another value about so many steps away; a whole number moves by one at least."""
        moved, start = self.at(distance), self.literal.value
        return self.write(start + (1 if distance > 0 else -1)) if moved == start else moved

    def distance_of(self, value: Number) -> float:
        """How many steps a value is from the current one."""
        start = self.literal.value
        return (log(value / start) if self._is_log else value - start) / self.step

    @property
    def distances(self) -> tuple[float, float]:
        """Between which distances the values are that may be written."""
        if self.bounds is None:
            return -inf, inf
        return self.distance_of(self.bounds.low), self.distance_of(self.bounds.high)

    @property
    def _is_log(self) -> bool:
        return self.bounds is not None and self.bounds.is_log

    def write(self, value: float) -> Number:
        """The nearest value that may be written there.

        It has no more digits than its steps deserve: by the digits the genetic agent knows how
        far to move a number.
        """
        value = self._bound(value)
        if self.is_integer:
            return round(value)
        size = self.step * abs(value) if self._is_log else self.step
        rounded = round_to_step(value, size if self.bounds is None else size * _SHARE_IN_RANGE)
        return self._bound(rounded) + 0.0

    def _bound(self, value: float) -> float:
        if self.bounds is None:
            return value
        return min(max(value, self.bounds.low), self.bounds.high)


@dataclass(frozen=True, slots=True)
class Parameters:
    """Those of some files, in the order of the files; ``remarks`` say what was left out."""

    files: Mapping[str, SourceFile]
    all: tuple[Parameter, ...]
    remarks: tuple[str, ...] = ()

    @property
    def values(self) -> tuple[Number, ...]:
        """What they are in the files."""
        return tuple(parameter.literal.value for parameter in self.all)

    def write(self, values: Sequence[Number]) -> dict[str, bytes]:
        """The contents of all files that hold parameters, which have these values then."""
        by_file: dict[str, dict[NumberLiteral, Number]] = {path: {} for path in self.files}
        for parameter, value in zip(self.all, values, strict=True):
            if value != parameter.literal.value:
                by_file[parameter.path][parameter.literal] = value
        return {
            path: rewrite(self.files[path].text, changed).encode(self.files[path].encoding)
            for path, changed in by_file.items()
        }


@dataclass(slots=True)
class ParameterSearch:
    """Finds parameters: those that were named, or what has a name, or else every literal."""

    named: Sequence[TunedName] = ()
    region: Region | None = None
    _found: list[tuple[Parameter, TunedName | None]] = field(default_factory=list)
    _remarks: list[str] = field(default_factory=list)

    def search(self, files: Iterable[SourceFile]) -> Parameters:
        """The parameters of these files."""
        by_path = {}
        for file in files:
            by_path[file.path] = file
            self._search_file(file)
        self._report_missing()
        chosen = [parameter for parameter, _ in self._found]
        if not self.named and any(each.literal.named for each in chosen):
            chosen = [each for each in chosen if each.literal.named]
        kept = tuple(each for each in chosen if self._may_start(each))
        used = {each.path for each in kept}
        return Parameters(
            {path: by_path[path] for path in by_path if path in used}, kept, tuple(self._remarks)
        )

    def _search_file(self, file: SourceFile) -> None:
        if file.language.read_data is not None:
            remarks = file.language.read_data(file.text).remarks
            self._remarks += [f"{file.path}: {remark}" for remark in remarks]
        lines = _Lines(file.text, self.region)
        # What is true or false is seldom a matter of degree: it is tuned where it is named only.
        truths = file.language.find_truths(file.text) if self.named else ()
        choices = [*self._find_choices(file, lines)]
        taken = {place for literal in choices for place in range(literal.start, literal.end)}
        literals = (*file.language.find_literals(file.text), *truths)
        others = [literal for literal in literals if literal.start not in taken]
        for literal in sorted([*choices, *others], key=lambda literal: literal.start):
            by = next((each for each in self.named if each.covers(file.path, literal.name)), None)
            number = lines.number_of(literal.start)
            if (self.named and by is None) or not lines.may_change(number):
                continue
            bounds: Bounds | None
            if literal.words:
                bounds = Bounds(0, len(literal.words) - 1)
            elif by and by.choices:
                continue
            elif by and by.bounds:
                bounds = by.bounds
            else:
                bounds = self._find_beside(file.path, lines, number)
            self._found.append((Parameter(file.path, literal, number + 1, bounds), by))

    def _find_choices(self, file: SourceFile, lines: "_Lines") -> Iterator[NumberLiteral]:
        """The words of which people have said which others may stand in their place."""
        for each in self.named:
            if each.choices and each.path == file.path:
                literal = read_choice(file.text, each.choices, each.name)
                if literal is not None:
                    yield replace(literal, statement=-1 - lines.number_of(literal.start))
        for number, text in enumerate(lines.texts):
            if (found := find_beside(text)) is None:
                continue
            literal, start = read_choice(*found), lines.starts[number]
            if literal is None:
                self._remarks.append(
                    f"{file.path}:{number + 1}: none of {', '.join(found[1])} stands there, or two"
                )
                continue
            start, end = start + literal.start, start + literal.end
            yield replace(literal, start=start, end=end, statement=-1 - number)

    def _find_beside(self, path: str, lines: "_Lines", number: int) -> Bounds | None:
        found = _BESIDE.search(lines.texts[number])
        try:
            return Bounds.parse(found["bounds"]) if found else None
        except ValueError as error:
            self._remarks.append(f"{path}:{number + 1}: {error}")
            return None

    def _report_missing(self) -> None:
        seen = {id(by) for _, by in self._found}
        self._remarks += [
            f"{each.text.strip()}: there is no such value, or it may not be changed"
            for each in self.named
            if id(each) not in seen
        ]

    def _may_start(self, parameter: Parameter) -> bool:
        bounds = parameter.bounds
        if bounds is None or bounds.hold(parameter.literal.value):
            return True
        self._remarks.append(
            f"{parameter.name}: {parameter.literal.value:g} is outside of its range {bounds}"
        )
        return False


class _Lines:
    """The lines of a text, and which of them are between the marks of what may be changed."""

    def __init__(self, text: str, region: Region | None) -> None:
        self.texts = re.findall(r"[^\n]*\n|[^\n]+", text)  # no other sign ends a line to git
        self.starts, start = [], 0
        for line in self.texts:
            self.starts.append(start)
            start += len(line)
        self._open = None if region is None else _find_open(self.texts, region)

    def number_of(self, place: int) -> int:
        """The line that a character stands in, from 0."""
        return bisect_right(self.starts, place) - 1

    def may_change(self, number: int) -> bool:
        """Whether a line may be changed."""
        return self._open is None or number in self._open


def _find_open(lines: Sequence[str], region: Region) -> set[int]:
    found: set[int] = set()
    inside: list[int] | None = None
    for number, line in enumerate(lines):
        if inside is None:
            inside = [] if region.begin in line else None
        elif region.end in line:
            found.update(inside)
            inside = None
        else:
            inside.append(number)
    return found
