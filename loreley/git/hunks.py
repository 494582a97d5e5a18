"""The difference of two commits in pieces, and the trees that some of the pieces make."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from loreley.git.objects import REGULAR_MODES, ObjectStore
from loreley.host.tempdirs import temporary_folder

_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")
_LARGE_FILE = b"version https://git-lfs.github.com/spec/"  # a pointer means nothing in parts
_BINARY_WITHIN_BYTES = 8000  # where git looks for a NUL
_ABSENT = "000000"


@dataclass(frozen=True, slots=True)
class Place:
    """What stands at a path of a tree; an ``_ABSENT`` mode: nothing."""

    path: bytes
    mode: str
    object_id: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of the difference that can be left out by itself.

    Either lines of a text file that take the place of others, or all that happens to one file,
    or to two by a rename.
    """

    path: bytes
    changed_lines: int
    places: tuple[Place, ...] = ()  # of a whole file
    mode: str = ""  # of a file whose mode alone changes
    start: int = 0  # in the old file, from 0
    old_count: int = 0
    new_lines: tuple[bytes, ...] = ()
    number: int = 0  # in the order of the new file, among lines of one block

    @property
    def is_hunk(self) -> bool:
        """Whether it is lines of a file."""
        return not self.places and not self.mode

    def without_new(self) -> "Piece":
        """The same without what it adds: lines are removed only."""
        return replace(self, changed_lines=self.old_count, new_lines=())

    def __str__(self) -> str:
        """Where it is, for people."""
        path = self.path.decode("utf-8", "replace")
        return f"{path}:{self.start + 1}" if self.is_hunk else path


class Pieces:
    """The pieces between ``old`` and ``new``, in the order of paths and lines."""

    def __init__(self, store: ObjectStore, old: str, new: str) -> None:
        self._store = store
        self._old = old
        self._new = new
        self._sources: dict[bytes, Place] = {}

    @cached_property
    def all(self) -> tuple[Piece, ...]:
        """Every piece; all of them together make ``new`` of ``old``."""
        return tuple(self._found())

    def split(self, piece: Piece) -> list[Piece]:
        """The piece line by line, as far as it has lines; any of them can be left out.

        A line takes the place of the line that it stands against, as far as the block has both.
        """
        if piece.places:
            lines = self._read_added(piece)
            if not lines:
                return [piece]
            self._sources[piece.path] = replace(piece.places[0], object_id="")
            piece = Piece(piece.path, len(lines), new_lines=lines)
        if not piece.is_hunk:
            return [piece]
        added = piece.new_lines
        return [
            Piece(
                piece.path,
                (number < piece.old_count) + (number < len(added)),
                start=piece.start + min(number, piece.old_count),
                old_count=int(number < piece.old_count),
                new_lines=added[number : number + 1],
                number=number,
            )
            for number in range(max(piece.old_count, len(added)))
        ]

    def tree(self, kept: Iterable[Piece]) -> str:
        """The tree of ``old`` with these pieces; a file gives way to a folder of its name."""
        chosen: dict[bytes, list[Piece]] = {}
        for piece in kept:
            chosen.setdefault(piece.path, []).append(piece)
        places = [place for pieces in chosen.values() for place in self._places(pieces)]
        with temporary_folder() as folder:
            environment = {"GIT_INDEX_FILE": str(folder / "index")}
            self._store.run("read-tree", self._old, environment=environment)
            self._store.run(
                *("update-index", "-z", "--index-info"),
                stdin=b"".join(map(_index_line, places)),
                environment=environment,
            )
            return self._store.run("write-tree", environment=environment).decode().strip()

    def _places(self, pieces: Sequence[Piece]) -> Iterator[Place]:
        """What the chosen pieces of one path put where."""
        for piece in pieces:
            yield from sorted(piece.places, key=lambda place: place.mode != _ABSENT)
        parts = [piece for piece in pieces if not piece.places]
        if parts:
            source = self._sources[parts[0].path]
            mode = next((piece.mode for piece in parts if piece.mode), source.mode)
            hunks = [piece for piece in parts if piece.is_hunk]
            content = self._read(source) if source.object_id else b""
            object_id = source.object_id
            if hunks:
                written = self._store.run(
                    *("hash-object", "-w", "--stdin", "--no-filters"),
                    stdin=_apply(content, hunks),
                )
                object_id = written.decode().strip()
            yield Place(source.path, mode, object_id)

    def _found(self) -> Iterator[Piece]:
        output = self._store.run(
            *("diff-tree", "-r", "-z", "--raw", "--find-renames", "--no-ext-diff"),
            *(self._old, self._new),
        )
        tokens = iter(output.split(b"\0")[:-1])
        for token in tokens:
            old_mode, new_mode, old_id, new_id, kind = token[1:].decode().split()
            path = next(tokens)
            if kind.startswith("R"):
                target = next(tokens)
                gone = Place(path, _ABSENT, old_id)
                yield Piece(target, 1, (gone, Place(target, new_mode, new_id)))
                continue
            old, new = Place(path, old_mode, old_id), Place(path, new_mode, new_id)
            yield from self._of_file(old, new)

    def _of_file(self, old: Place, new: Place) -> Iterator[Piece]:
        both_regular = {old.mode, new.mode} <= REGULAR_MODES
        if not both_regular or not (self._is_text(old) and self._is_text(new)):
            whole = Piece(old.path, 1, (new,))
            is_added = old.mode == _ABSENT
            yield (
                replace(whole, changed_lines=len(self._read_added(whole)) or 1)
                if is_added
                else whole
            )
            return
        self._sources[old.path] = old
        if old.mode != new.mode:
            yield Piece(old.path, 1, mode=new.mode)
        if old.object_id != new.object_id:
            yield from self._hunks(old, new)

    def _read_added(self, piece: Piece) -> tuple[bytes, ...]:
        """The lines of a text file that is added as a whole; none of anything else."""
        place = piece.places[-1]
        if len(piece.places) > 1 or place.mode not in REGULAR_MODES or not self._is_text(place):
            return ()
        return tuple(_LINE.findall(self._read(place)))

    def _read(self, place: Place) -> bytes:
        return self._store.run("cat-file", "blob", place.object_id)

    def _is_text(self, place: Place) -> bool:
        content = self._read(place)
        return b"\0" not in content[:_BINARY_WITHIN_BYTES] and not content.startswith(_LARGE_FILE)

    def _hunks(self, old: Place, new: Place) -> Iterator[Piece]:
        lines = _LINE.findall(self._read(new))
        with temporary_folder() as folder:
            diff = folder / "diff"
            self._store.run(
                *("diff", "--unified=0", "--text", "--no-ext-diff", "--no-textconv", "--no-color"),
                *(f"--output={diff}", old.object_id, new.object_id),
            )
            numbers = list(_hunk_numbers(diff))
        for old_at, old_count, new_at, new_count in numbers:
            # Where nothing is removed or added, git names the line before.
            yield Piece(
                old.path,
                old_count + new_count,
                start=old_at - 1 if old_count else old_at,
                old_count=old_count,
                new_lines=tuple(lines[new_at - 1 : new_at - 1 + new_count]) if new_count else (),
            )


def _hunk_numbers(diff: Path) -> Iterator[tuple[int, int, int, int]]:
    """Old line, how many, new line, how many, of each hunk."""
    with diff.open("rb") as file:
        for line in file:
            if match := _HUNK.match(line):
                old_at, old_count, new_at, new_count = match.groups()
                yield (
                    int(old_at),
                    1 if old_count is None else int(old_count),
                    int(new_at),
                    1 if new_count is None else int(new_count),
                )


def _apply(content: bytes, hunks: Sequence[Piece]) -> bytes:
    """The file with these hunks; from the end, so that earlier lines keep their numbers."""
    lines = _LINE.findall(content)
    for hunk in sorted(hunks, key=lambda each: (each.start, each.number), reverse=True):
        lines[hunk.start : hunk.start + hunk.old_count] = hunk.new_lines
    # A line that was the last one, and had no newline, may stand before others now.
    return b"".join(
        line if line.endswith(b"\n") or place == len(lines) - 1 else line + b"\n"
        for place, line in enumerate(lines)
    )


def _index_line(place: Place) -> bytes:
    if place.mode == _ABSENT:
        return f"0 {'0' * len(place.object_id)}\t".encode() + place.path + b"\0"
    return f"{place.mode} {place.object_id}\t".encode() + place.path + b"\0"
