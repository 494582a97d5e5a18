"""The files that an agent may change, as far as they are text and there is room to look at them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from loreley.core.agents.genetic.source.files import may_change
from loreley.core.agents.genetic.source.languages import language_of
from loreley.core.agents.protocol import AgentWorkspace
from loreley.core.agents.relevance.clues import Clues
from loreley.core.agents.relevance.words import WordCounter
from loreley.core.sandbox.untrusted_files import UnusableFile, read_file

LARGEST_BYTES = 1024 * 1024  # of one file
MOST_BYTES = 24 * 1024 * 1024  # of all that is read for one brief
MOST_FILES = 20_000

_SOURCE, _TEST, _TEXT = 1.0, 0.35, 0.2  # how likely a change is wanted there


@dataclass(frozen=True, slots=True)
class Sources:
    """What was read, and what there was no room for."""

    texts: dict[str, str]
    unread: tuple[str, ...] = ()
    read_bytes: int = 0


def read_sources(
    workspace: AgentWorkspace,
    paths: Sequence[str],
    clues: Clues,
    *,
    most_files: int = MOST_FILES,
    most_bytes: int = MOST_BYTES,
) -> Sources:
    """The text files among ``paths``, those first whose names the clues speak of, then sources.

    No link is followed, and reading ends at the limits, give or take one file.
    """
    counter = WordCounter(clues.words)
    order = sorted(
        paths,
        key=lambda path: (
            path not in clues.files,
            -likelihood(path),
            -len(counter.count(path).words),
            path,
        ),
    )
    texts: dict[str, str] = {}
    read_bytes = 0
    for count, path in enumerate(order):
        if count >= most_files or read_bytes >= most_bytes:
            return Sources(texts, tuple(order[count:]), read_bytes)
        try:
            content = read_file(workspace.path, path, limit_bytes=LARGEST_BYTES)
        except UnusableFile:
            continue
        read_bytes += len(content)
        if b"\0" in content:
            continue
        try:
            texts[path] = content.decode()
        except UnicodeDecodeError:
            continue
    return Sources(texts, (), read_bytes)


@lru_cache(maxsize=100_000)
def likelihood(path: str) -> float:
    """How likely a change of the program is one of this file, by its path alone."""
    if language_of(path) is None:
        return _TEXT
    return _SOURCE if may_change(path) else _TEST
