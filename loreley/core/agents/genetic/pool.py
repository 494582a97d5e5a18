"""The sources that a proposal can draw on: the checkout's own and those of inspirations."""

from collections.abc import Iterator
from random import Random

from loreley.core.agents.edit_rules import PathRules, Region
from loreley.core.agents.genetic.operators.material import Mate, Material, Operator
from loreley.core.agents.genetic.source.files import (
    SourceFile,
    decode_like,
    may_change,
    read_source,
)
from loreley.core.agents.protocol import Brief, Workspace


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
        self._ancestors: dict[str, str | None] = {}
        self._region = Region(*brief.region) if brief.region else None
        rules = PathRules(brief.editable, brief.protected)
        self.paths = [
            path for path in workspace.tracked_files() if may_change(path) and rules.allow(path)
        ]

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
        mates = list(self._find_mates(file)) if operator.crosses or operator.grafts else []
        donors = list(self._find_donors(file, mates, random)) if operator.grafts else []
        return Material(file.text, mates, donors, file.language)

    def content(self, file: SourceFile, text: str) -> bytes | None:
        """``text`` as the file's new content, or None where that is not allowed or no source."""
        content = file.encoded(text)
        if content is None or self._region is None:
            return content
        old = file.text.encode(file.encoding)
        return content if self._region.encloses_changes(old, content) else None

    def _find_mates(self, file: SourceFile) -> Iterator[Mate]:
        for commit in self._mates:
            source = self._read_version(commit, file)
            if source is not None and source != file.text:
                yield Mate(source, self._read_ancestor(commit, file))

    def _read_ancestor(self, commit: str, file: SourceFile) -> str | None:
        if commit not in self._ancestors:
            base = self._workspace.base_commit
            self._ancestors[commit] = self._workspace.common_ancestor(base, commit)
        ancestor = self._ancestors[commit]
        return None if ancestor is None else self._read_version(ancestor, file)

    def _read_version(self, commit: str, file: SourceFile) -> str | None:
        content = self._workspace.read(commit, file.path)
        return None if content is None else decode_like(content, file)

    def _find_donors(self, file: SourceFile, mates: list[Mate], random: Random) -> Iterator[str]:
        other = self.source(random.choice(self.paths))
        if other is not None and other.language is file.language:
            yield other.text
        accepts = file.language.accepts
        yield from (mate.source for mate in mates if accepts(mate.source.encode()))
