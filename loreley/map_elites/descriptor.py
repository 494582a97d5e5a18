"""Where code stands in a space of code: hashed tokens or embeddings, summed over files; pure.

The hashing trick of Weinberger et al. 2009 (arXiv:0902.2206): token counts in few dimensions, with
inner products kept in expectation. A commit's vector is the sum of its files' vectors, so that a
child's is its parent's with only the changed files subtracted and added.
"""

import re
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from math import hypot, inf
from typing import TYPE_CHECKING

DIMENSIONS = 64
_TOKEN = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*|[0-9]+(?:\.[0-9]+)?|[^\sA-Za-z0-9_]")
LARGEST_FILE_BYTES = 1024 * 1024
_CACHED_TOKENS, _CACHED_FILES = 65_536, 4_096

if TYPE_CHECKING:
    Vector = array[float]
else:
    Vector = array  # Python 3.11's takes no parameter


def zero() -> Vector:
    """The vector of no files."""
    return array("f", bytes(4 * DIMENSIONS))


def pack(vector: Vector) -> bytes:
    """The vector as little-endian float32, as it is stored."""
    stored = array("f", vector)
    if sys.byteorder == "big":
        stored.byteswap()
    return stored.tobytes()


def unpack(content: bytes) -> Vector | None:
    """The vector of `pack` bytes; None when it was made with other dimensions, or not at all."""
    if len(content) != 4 * DIMENSIONS:
        return None
    vector = array("f", content)
    if sys.byteorder == "big":
        vector.byteswap()
    return vector


def is_binary(content: bytes) -> bool:
    """Whether git would call it binary."""
    return b"\0" in content[:8000]


def file_vector(content: bytes) -> Vector:
    """The vector of one file, of `DIMENSIONS` floats; zero for binary and for huge files.

    Counts enter as their square roots: a token's tenth use says less than its first.
    """
    vector = zero()
    if is_binary(content) or len(content) > LARGEST_FILE_BYTES:
        return vector
    for token, count in Counter(_TOKEN.findall(content)).items():
        place, sign = _place(token)
        vector[place] += sign * count**0.5
    return vector


def fold(embedding: Sequence[float]) -> Vector:
    """An embedding of any length as a vector of `DIMENSIONS` floats and about length one.

    Its numbers are hashed by their position, as tokens are: likeness is kept in expectation.
    Raises `ValueError` for one that has no direction.
    """
    length = hypot(*embedding)
    if not 0 < length < inf:
        raise ValueError(f"an embedding of length {length:g} has no direction")
    vector = zero()
    for position, value in enumerate(embedding):
        place, sign = _place(b"%d" % position)
        vector[place] += sign * value / length
    return vector


class FileVectors:
    """Vectors of files by blob id, so that each content is read once."""

    def __init__(self) -> None:
        self._known: dict[str, Vector] = {}

    def missing(self, blobs: Iterable[str]) -> list[str]:
        """The blobs that have to be `learn`\\ ed before they can be added up."""
        return [blob for blob in dict.fromkeys(blobs) if blob not in self._known]

    def learn(self, blob: str, content: bytes) -> None:
        """Take in a blob's content; of very many, the oldest are forgotten."""
        while len(self._known) >= _CACHED_FILES:
            del self._known[next(iter(self._known))]
        self._known[blob] = file_vector(content)

    def __getitem__(self, blob: str) -> Vector:
        return self._known[blob]


def combine(start: Vector, *, added: Iterable[Vector], removed: Iterable[Vector]) -> Vector:
    """``start`` with some files' vectors added and some removed."""
    total = array("f", start)
    for sign, vectors in ((1.0, added), (-1.0, removed)):
        for vector in vectors:
            for place, value in enumerate(vector):
                total[place] += sign * value
    return total


@lru_cache(maxsize=_CACHED_TOKENS)
def _place(token: bytes) -> tuple[int, float]:
    digest = int.from_bytes(blake2b(token, digest_size=8).digest())
    return digest % DIMENSIONS, 1.0 if digest >> 63 else -1.0
