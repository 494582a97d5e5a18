"""The sources that a proposal can draw on: the checkout's own and those of inspirations."""

from collections.abc import Iterator
from random import Random
from typing import Protocol, runtime_checkable

from loreley.core.worker.agents.genetic.files import (
    SourceFile,
    compiles,
    decoded_like,
    may_change,
    read_source,
)
from loreley.core.worker.agents.genetic.material import Mate, Material, Operator
from loreley.core.worker.agents.protocol import Brief, Workspace


@runtime_checkable
class KnowsAncestors(Protocol):
    """A workspace that can also tell where two commits parted; it makes merges three-way."""

    def common_ancestor(self, first: str, second: str) -> str | None:
        """The latest commit that both descend from, or None where none is known."""
        ...


class Pool:
    """Reads each file once, and only when it is wanted."""

    def __init__(self, workspace: Workspace, brief: Brief) -> None:
        self._workspace = workspace
        self._mates = [
            inspiration.commit
            for inspiration in brief.inspirations
            if inspiration.commit != workspace.base_commit
        ]
        self._read: dict[str, SourceFile | None] = {}
        self.paths = [path for path in workspace.tracked_files() if may_change(path)]

    @property
    def has_mates(self) -> bool:
        """Whether there is an inspiration to cross with."""
        return bool(self._mates)

    def source(self, path: str) -> SourceFile | None:
        """The file as it is checked out, or None where it is not one to work on."""
        if path not in self._read:
            self._read[path] = read_source(self._workspace.path, path)
        return self._read[path]

    def material(self, file: SourceFile, operator: Operator, random: Random) -> Material:
        """``file`` with as much around it as ``operator`` makes use of."""
        mates = list(self._mates_of(file)) if operator.crosses or operator.grafts else []
        donors = list(self._donors(mates, random)) if operator.grafts else []
        return Material(file.text, mates, donors)

    def _mates_of(self, file: SourceFile) -> Iterator[Mate]:
        for commit in self._mates:
            source = self._text(commit, file)
            if source is not None and source != file.text:
                yield Mate(source, self._ancestor(commit, file))

    def _ancestor(self, commit: str, file: SourceFile) -> str | None:
        if not isinstance(self._workspace, KnowsAncestors):
            return None
        ancestor = self._workspace.common_ancestor(self._workspace.base_commit, commit)
        return None if ancestor is None else self._text(ancestor, file)

    def _text(self, commit: str, file: SourceFile) -> str | None:
        content = self._workspace.read(commit, file.path)
        return None if content is None else decoded_like(content, file.text)

    def _donors(self, mates: list[Mate], random: Random) -> Iterator[str]:
        other = self.source(random.choice(self.paths))
        if other is not None:
            yield other.text
        yield from (mate.source for mate in mates if compiles(mate.source.encode()))
