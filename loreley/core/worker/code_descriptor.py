"""How a worker comes by the code descriptor of a candidate: from tokens, or from embeddings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Protocol

from loreley.core.agents.protocol import CallRecorder
from loreley.core.endpoints.embeddings import Embedded, EmbeddingEndpoint
from loreley.core.worktrees.worktree import Worktree
from loreley.host.backoff import retry_outages
from loreley.host.deadline import Deadline
from loreley.map_elites.descriptor import LARGEST_FILE_BYTES, Vector, combine, fold, is_binary, zero

EMBEDDING = "embedding"  # under which name its calls are paid for
_PIECE_CHARACTERS = 2_000  # about the least that an embedding model reads at once
_PIECES_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class DescribeRequest:
    """Which commit is to be described, and what that may take."""

    worktree: Worktree
    root_commit: str
    base_vector: Vector | None  # of the worktree's base commit; None where there is none
    recorder: CallRecorder
    deadline: Deadline


class Describer(Protocol):
    """Gives commits their place in a space of code."""

    def describe(self, request: DescribeRequest) -> Vector:
        """The vector of the candidate, or of the base commit while there is none."""
        ...


class TokenDescriber:
    """Counts tokens; needs nothing but the repository."""

    def describe(self, request: DescribeRequest) -> Vector:
        """The sum of the vectors of all files."""
        return request.worktree.describe(request.base_vector)


class EmbeddingStore(Protocol):
    """Vectors of contents that were embedded before, by any worker."""

    def known(self, blobs: Sequence[str]) -> Mapping[str, Vector]:
        """The vectors of those blobs that there are vectors of."""
        ...

    def keep(self, vectors: Mapping[str, Vector], length: int) -> None:
        """Keep vectors made of embeddings of ``length`` numbers.

        Raises `ConfigError` when earlier ones were of another length.
        """
        ...

    def require_length(self, length: int) -> None:
        """Raise `ConfigError` when embeddings that are kept are of another length."""
        ...


class EmbeddingDescriber:
    """Asks an endpoint for the embedding of each content once, whoever meets it first.

    A commit's vector is the sum over the files in which it differs from the root commit: what no
    candidate changes would shift all of them alike, and is never asked for.
    """

    def __init__(
        self,
        endpoint: EmbeddingEndpoint,
        store: EmbeddingStore,
        dollars_per_million: float | None = None,
    ) -> None:
        self._endpoint = endpoint
        self._store = store
        self._dollars_per_million = dollars_per_million

    def check(self, deadline: Deadline) -> None:
        """Ask for one word, so that what is wrong shows before there is work.

        Raises `ConfigError`, and `ServiceUnavailable` while the endpoint does not answer.
        """
        self._endpoint.check()
        answer = self._endpoint.embed(["loreley"], deadline)
        self._store.require_length(answer.length)

    def describe(self, request: DescribeRequest) -> Vector:
        """The base commit's vector with what changed; from the root on where it has none."""
        known = request.base_vector
        since = request.root_commit if known is None else request.worktree.base_commit
        changes = request.worktree.blobs_since(since)
        vectors = self._vectors(list(dict.fromkeys([*changes.added, *changes.removed])), request)
        return combine(
            zero() if known is None else known,
            added=[vectors[blob] for blob in changes.added],
            removed=[vectors[blob] for blob in changes.removed],
        )

    def _vectors(self, blobs: Sequence[str], request: DescribeRequest) -> Mapping[str, Vector]:
        vectors = dict(retry_outages(lambda: self._store.known(blobs), request.deadline))
        missing = [blob for blob in blobs if blob not in vectors]
        for blob, content in zip(missing, request.worktree.contents(missing), strict=True):
            vectors[blob] = self._embed_content(blob, content, request)
        return vectors

    def _embed_content(self, blob: str, content: bytes, request: DescribeRequest) -> Vector:
        """The sum of the embeddings of a content's pieces, kept for everyone."""
        vector, length = zero(), 0
        waiting = iter(split_content(content))
        while some := list(islice(waiting, _PIECES_AT_ONCE)):
            answer = retry_outages(partial(self._embed_texts, some, request), request.deadline)
            length = answer.length
            vector = combine(vector, added=map(fold, answer.vectors), removed=())
        if length:
            made = {blob: vector}
            retry_outages(partial(self._store.keep, made, length), request.deadline)
        return vector

    def _embed_texts(self, texts: Sequence[str], request: DescribeRequest) -> Embedded:
        price = self._dollars_per_million
        with request.recorder.paid_call(request.deadline, priced=price is not None) as call:
            answer = self._endpoint.embed(texts, request.deadline, call)
            call.usage = answer.priced(price)
            return answer


def split_content(content: bytes) -> Iterator[str]:
    """A text file cut at the ends of lines into pieces that a model can read; none of others."""
    if is_binary(content) or len(content) > LARGEST_FILE_BYTES:
        return
    piece = ""
    for line in content.decode(errors="replace").splitlines(keepends=True):
        if piece.strip() and len(piece) + len(line) > _PIECE_CHARACTERS:
            yield piece
            piece = ""
        piece += line
        while len(piece) > _PIECE_CHARACTERS:
            if piece[:_PIECE_CHARACTERS].strip():
                yield piece[:_PIECE_CHARACTERS]
            piece = piece[_PIECE_CHARACTERS:]
    if piece.strip():
        yield piece
