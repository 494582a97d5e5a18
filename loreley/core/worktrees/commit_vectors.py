"""The code descriptor of commits: a child's from its parent's, by the files that changed."""

from collections.abc import Iterator, Sequence
from itertools import islice

from loreley.git.objects import REGULAR_MODES, ObjectStore
from loreley.map_elites.descriptor import FileVectors, Vector, combine, zero

_READ_AT_ONCE = 200  # blobs, so that a large repository is never in memory as a whole


class CommitVectors:
    """Vectors of the commits of one repository; each file's content is read once."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._files = FileVectors()

    def whole(self, commit: str) -> Vector:
        """The vector of a commit, from all of its files."""
        blobs = [e.object_id for e in self._store.files(commit) if e.mode in REGULAR_MODES]
        return combine(zero(), added=self._vectors(blobs), removed=())

    def derived(self, base_commit: str, base_vector: Vector, commit: str) -> Vector:
        """The vector of a commit, from its base's and the files that differ."""
        differences = self._store.differences(base_commit, commit)
        new = [each.new_object_id for each in differences if each.new_mode in REGULAR_MODES]
        old = [each.old_object_id for each in differences if each.old_mode in REGULAR_MODES]
        return combine(base_vector, added=self._vectors(new), removed=self._vectors(old))

    def _vectors(self, blobs: Sequence[str]) -> Iterator[Vector]:
        waiting = iter(blobs)
        while some := list(islice(waiting, _READ_AT_ONCE)):
            missing = self._files.missing(some)
            for blob, content in zip(missing, self._store.blobs(missing), strict=True):
                self._files.learn(blob, content)
            yield from (self._files[blob] for blob in some)
