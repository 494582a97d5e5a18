"""How far a commit is from the experiment's root, and how much code it holds."""

from dataclasses import dataclass, fields

from loreley.git.objects import REGULAR_MODES, Difference, ObjectStore


@dataclass(frozen=True, slots=True)
class Footprint:
    """What is counted of every commit; each field is a measure and a column of `commits`."""

    edit_distance: int  # lines added and deleted since the root; a changed binary file counts one
    code_size: int  # bytes in regular text files, as git distinguishes text from binary


BUILT_IN_MEASURES = tuple(field.name for field in fields(Footprint))


class Footprints:
    """Measures commits of one repository: the root in full and once, others by their changes."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._text_sizes: dict[str, dict[str, int]] = {}  # root commit → path → bytes

    def knows(self, root_commit: str) -> bool:
        """Whether commits were compared with this root before."""
        return root_commit in self._text_sizes

    def measure(self, root_commit: str, commit: str) -> Footprint:
        """Compare ``commit`` with the root; both must be in the store."""
        at_root = self._text_sizes_at(root_commit)
        differences = self._store.differences(root_commit, commit)
        texts = [each for each in differences if self._is_text(commit, each, at_root)]
        gone = sum(at_root.get(difference.path, 0) for difference in differences)
        new = sum(self._store.sizes_bytes([difference.new_object_id for difference in texts]))
        return Footprint(
            edit_distance=sum(difference.changed_lines for difference in differences),
            code_size=sum(at_root.values()) - gone + new,
        )

    def _text_sizes_at(self, root_commit: str) -> dict[str, int]:
        if root_commit not in self._text_sizes:
            texts = self._store.text_files(root_commit)
            self._text_sizes[root_commit] = {
                entry.path: entry.size_bytes
                for entry in self._store.files(root_commit, with_sizes=True)
                if entry.mode in REGULAR_MODES and entry.path in texts
            }
        return self._text_sizes[root_commit]

    def _is_text(self, commit: str, difference: Difference, at_root: dict[str, int]) -> bool:
        """Whether the new side is text; git only says whether one of both sides is binary."""
        if difference.new_mode not in REGULAR_MODES:
            return False
        was_binary = difference.old_mode in REGULAR_MODES and difference.path not in at_root
        if not difference.is_binary or not was_binary:
            return not difference.is_binary
        return b"\0" not in (self._store.file(commit, difference.path) or b"\0")[:8000]
