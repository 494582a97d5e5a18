"""The numbers of a data file under the names that lead to them, gathered as a reader meets them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from loreley.core.agents.genetic.source.literals import (
    NumberLiteral,
    find_words,
    last_digit,
    parse_number,
)

Step = str | int
Path = tuple[Step, ...]

# Nothing that formats read differently: no leading zeros, no underscores, no hours and minutes.
NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_DECIMAL_COMMA = re.compile(r"[-+]?[0-9]+,[0-9]+")


@dataclass(frozen=True, slots=True)
class DataFile:
    """What a reader made of a file; an unsound one is no such file, and has no numbers."""

    literals: tuple[NumberLiteral, ...] = ()
    truths: tuple[NumberLiteral, ...] = ()  # what is true or false, as 1 or 0
    remarks: tuple[str, ...] = ()  # what was left alone, and why
    is_sound: bool = True


UNSOUND = DataFile(is_sound=False)


@dataclass(slots=True)
class Entries:
    """Numbers by path; ``needs_point`` where an exponent alone makes no number of a text."""

    source: str
    needs_point: bool = False
    document: int = 0  # of several in one file, whose paths are the same
    _found: dict[Path, NumberLiteral] = field(default_factory=dict)
    _truths: dict[Path, NumberLiteral] = field(default_factory=dict)
    _repeated: set[Path] = field(default_factory=set)
    _groups: dict[Path, int] = field(default_factory=dict)
    _remarks: list[str] = field(default_factory=list)

    def add(self, path: Path, start: int, end: int) -> None:
        """Take ``source[start:end]`` for the value at ``path``; what is no number is left out."""
        text = self.source[start:end]
        if _DECIMAL_COMMA.fullmatch(text):
            self._remarks.append(f"{write_path(path)}: {text} has a decimal comma")
        if words := find_words(text):
            group, name, value = self._count_group(path), write_path(path), words.index(text)
            self._truths[self._in_document(path)] = NumberLiteral(
                start, end, value, 1.0, group, named=True, name=name, words=words
            )
        if not NUMBER.fullmatch(text):
            return
        unsigned = text.lstrip("+-")
        number = parse_number(unsigned)
        if number is None:
            return
        self._found[self._in_document(path)] = NumberLiteral(
            start=start,
            end=end,
            value=-number if text.startswith("-") else number,
            digit=last_digit(unsigned),
            statement=self._count_group(path),
            named=True,
            name=write_path(path),
            needs_point=self.needs_point,
        )

    def repeat(self, path: Path) -> None:
        """Say that ``path`` is there twice: which one counts is for the program to know."""
        if self._in_document(path) not in self._repeated:
            self._repeated.add(self._in_document(path))
            self._remarks.append(f"{write_path(path)} is there twice")

    def finish(self) -> DataFile:
        """All of them, in the order of the file."""
        numbers, truths = map(self._list_certain, (self._found, self._truths))
        return DataFile(numbers, truths, tuple(self._remarks))

    def _list_certain(self, found: dict[Path, NumberLiteral]) -> tuple[NumberLiteral, ...]:
        kept = [each for path, each in found.items() if not self._is_repeated(path)]
        return tuple(sorted(kept, key=lambda literal: literal.start))

    def _in_document(self, path: Path) -> Path:
        return (self.document, *path)

    def _is_repeated(self, path: Path) -> bool:
        if not self._repeated:
            return False
        return any(path[:length] in self._repeated for length in range(2, len(path) + 1))

    def _count_group(self, path: Path) -> int:
        """The numbers of one list belong together."""
        length = len(path)
        while length and isinstance(path[length - 1], int):
            length -= 1
        return self._groups.setdefault(self._in_document(path[:length]), len(self._groups))


@dataclass(slots=True)
class _Frame:
    """A list or mapping that is open."""

    path: Path
    is_mapping: bool
    is_key_next: bool
    count: int = 0
    key: str = ""
    keys: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Nesting:
    """Where a reader stands in lists and mappings, in which keys and values take turns."""

    entries: Entries
    base: Path = ()  # of the outermost
    _open: list[_Frame] = field(default_factory=list)

    @property
    def is_closed(self) -> bool:
        """Whether nothing is open."""
        return not self._open

    @property
    def is_at_key(self) -> bool:
        """Whether a key is next."""
        return bool(self._open) and self._open[-1].is_key_next

    def open(self, *, is_mapping: bool) -> None:
        """Go into a list or mapping."""
        path = self._path()
        self._open.append(_Frame(path, is_mapping, is_key_next=is_mapping))

    def close(self) -> None:
        """Go out of the innermost one."""
        if self._open:
            self._open.pop()
        self._go_on()

    def take(self, text: str, start: int, end: int, *, is_plain: bool) -> None:
        """Take a scalar: a key, or a value that is a number only where it is plain."""
        if self.is_at_key:
            self._take_key(text)
            return
        if is_plain:
            self.entries.add(self._path(), start, end)
        self._go_on()

    def _take_key(self, text: str) -> None:
        frame = self._open[-1]
        frame.key, frame.is_key_next = text, False
        if text in frame.keys:
            self.entries.repeat(self._path())
        frame.keys.add(text)

    def _path(self) -> Path:
        if not self._open:
            return self.base
        frame = self._open[-1]
        return (*frame.path, frame.key if frame.is_mapping else frame.count)

    def _go_on(self) -> None:
        if self._open:
            frame = self._open[-1]
            frame.count += 1
            frame.is_key_next = frame.is_mapping


def write_path(path: Path) -> str:
    """``optimizer.layers.0.size``."""
    return ".".join(map(str, path))


def list_numbers(value: object) -> Iterator[int | float]:
    """The numbers in what a parser made of a file."""
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            pending += each.values()
        elif isinstance(each, list):
            pending += each
        elif isinstance(each, int | float) and not isinstance(each, bool):
            yield each
