"""Worktrees that outlive their job as spare slots, shared by all workers of a base clone."""

import re
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from secrets import token_hex

from loguru import logger

from loreley.core.worktrees.checkout import Checkout
from loreley.core.worktrees.removal import empty_trash, move_to_trash
from loreley.core.worktrees.slot import Slot
from loreley.core.worktrees.submodules.checkouts import Submodules
from loreley.errors import GitError, LoreleyError, TimeLimitReached
from loreley.git.environment import Config
from loreley.git.objects import ObjectStore
from loreley.host.deadline import Deadline
from loreley.host.locks import FileLock, hold_lock, is_locked, read_lock_text

SPARE = "spare\n"
_IDLE_SECONDS = 3600.0  # a spare slot that nobody wanted for so long is one too many
_CLEANING_SECONDS = 30.0  # then a new worktree is the better one
_LEAST_BYTES = 16 * 1024 * 1024  # with less room on the disk no worktree is kept as a spare one
_RETURN_SECONDS = 30.0  # to wait for others when a lease ends
_SLOT_ID = re.compile(r"slot-[0-9a-f]{8}")
_JOB_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class Slots:
    """The worktrees under ``folder``, one for each lease that is held at the same time.

    ``folder/<job>`` is a leased worktree, ``folder/.slots/<slot>`` a spare one. Beside a slot
    stand ``<slot>.owner``, locked by the process that leases it, and ``<slot>.index``. What is
    neither locked nor marked as spare was left by a crash, and is removed by the next lease.
    """

    def __init__(
        self,
        store: ObjectStore,
        folder: Path,
        excludes: Sequence[str],
        *,
        submodules: Submodules | None = None,
        cleaning_seconds: float = _CLEANING_SECONDS,
    ) -> None:
        """A spare slot that cannot be cleaned within ``cleaning_seconds`` is thrown away."""
        self._store = store
        self._cleaning_seconds = cleaning_seconds
        self._folder = folder
        self._excludes = tuple(excludes)
        self._submodules = submodules
        self._spare = folder / ".slots"
        self._scratch = folder / ".scratch"
        self._trash = folder / ".trash"
        self._admin = store.git_dir / "worktrees"

    def lock(self, deadline: Deadline) -> AbstractContextManager[None]:
        """Keep other workers of this host from changing slots and refs meanwhile."""
        return hold_lock(self._folder / ".lock", deadline)

    def are_all_free(self) -> bool:
        """Whether nobody leases a worktree; the caller holds the lock."""
        return not any(is_locked(path) for path in self._owner_files())

    def sweep(self, deadline: Deadline) -> None:
        """Remove what crashed processes left: worktrees, slots and git's entries for them.

        Where the disk is full, spare slots too: whatever filled it may be in one of them.
        """
        try:
            with self.lock(deadline):
                self._sweep()
        finally:
            empty_trash(self._trash)

    def take(self, job: str, commit: str, filters: Config, deadline: Deadline) -> Slot:
        """A clean checkout of ``commit`` at ``folder/<job>``, owned until `give_back`.

        Raises `ValueError` for a name that is no part of a path and `LoreleyError` when another
        process leases the same name.
        """
        if not _JOB_NAME.fullmatch(job):
            raise ValueError(f"{job!r} cannot name a worktree: expected {_JOB_NAME.pattern}")
        try:
            return self._lease(job, commit, filters, deadline, may_be_spare=True)
        except GitError as error:
            logger.debug("trying again with a new worktree: {}", error.summary)
        return self._lease(job, commit, filters, deadline, may_be_spare=False)

    def give_back(self, slot: Slot) -> None:
        """End the lease: the job's path is gone, the worktree spare, or deleted if in doubt."""
        try:
            self._end(slot)
        finally:
            empty_trash(self._trash)

    def _end(self, slot: Slot) -> None:
        try:
            with self.lock(Deadline.after(_RETURN_SECONDS)):
                if slot.is_untouched() and self.has_room():
                    self._park(slot)
                else:
                    self._remove(slot.id, slot.checkout.path.name, slot.owner)
        except TimeLimitReached:
            # The next sweep, of whichever process, finds a slot that nobody owns.
            move_to_trash(slot.checkout.path, self._trash)
        finally:
            slot.owner.release()
        move_to_trash(slot.scratch, self._trash)

    def _lease(
        self, job: str, commit: str, filters: Config, deadline: Deadline, *, may_be_spare: bool
    ) -> Slot:
        with self.lock(deadline):
            self._sweep()
            if (self._folder / job).exists():
                raise LoreleyError("another process leases this worktree", target=job)
            slot = self._claim_spare(job, commit, filters) if may_be_spare else None
            slot = slot or self._add(job, commit, filters, deadline)
        try:
            slot.restore(commit, deadline, cleaning_seconds=self._cleaning_seconds)
        except BaseException:
            slot.make_unusable()
            self._end(slot)  # what may take long to delete is no matter of the job that finds it
            raise
        return slot

    def has_room(self) -> bool:
        """Whether the disk has room to speak of, as far as that is known."""
        try:
            return shutil.disk_usage(self._folder).free >= _LEAST_BYTES
        except OSError:
            return True

    def _claim_spare(self, job: str, commit: str, filters: Config) -> Slot | None:
        for slot_id in self._spare_ids(commit):
            owner = FileLock.take(self._owner_file(slot_id))
            if owner is None:
                continue
            try:
                if owner.text == SPARE:
                    owner.write(job)
                    return self._move_to_job(slot_id, job, owner, filters)
            except BaseException:
                owner.release()
                raise
            owner.release()
        return None

    def _spare_ids(self, commit: str) -> list[str]:
        """Spare slots: those that hold ``commit`` first, then by when they were last used."""
        spare = [path.stem for path in self._owner_files() if read_lock_text(path) == SPARE]

        def rank(slot_id: str) -> tuple[bool, float]:
            with suppress(OSError):
                head = (self._admin / slot_id / "HEAD").read_text().strip()
                return head == commit, self._owner_file(slot_id).stat().st_mtime
            return False, 0.0

        return sorted(spare, key=rank, reverse=True)

    def _add(self, job: str, commit: str, filters: Config, deadline: Deadline) -> Slot:
        slot_id = f"slot-{token_hex(4)}"
        self._spare.mkdir(parents=True, exist_ok=True)
        owner = FileLock.take(self._owner_file(slot_id))
        if owner is None:
            raise LoreleyError("two slots were given one name", target=slot_id)
        try:
            owner.write(job)
            self._store.run(
                *("worktree", "add", "--quiet", "--detach", "--no-checkout", "--lock"),
                *(str(self._spare / slot_id), commit),
                deadline=deadline,
            )
            return self._move_to_job(slot_id, job, owner, filters)
        except BaseException:
            self._remove(slot_id, job, owner)
            raise

    def _move_to_job(self, slot_id: str, job: str, owner: FileLock, filters: Config) -> Slot:
        path, scratch = self._folder / job, self._scratch / job
        scratch.mkdir(parents=True)
        (self._spare / slot_id).rename(path)
        index = self._spare / f"{slot_id}.index"
        return Slot(
            id=slot_id,
            owner=owner,
            checkout=Checkout(self._store, path, index, self._excludes, filters, self._submodules),
            scratch=scratch,
            git_dir=self._admin / slot_id,
            trash=self._trash,
        )

    def _park(self, slot: Slot) -> None:
        parked = self._spare / slot.id
        slot.checkout.path.rename(parked)
        slot.point_to(parked)
        slot.owner.write(SPARE)

    def _sweep(self) -> None:
        """Remove all that no live process owns and that is no spare slot; the lock is held."""
        leased, keeps_spares = set(), self.has_room()
        for path in self._owner_files():
            owner = FileLock.take(path)
            if owner is None:
                leased.add(read_lock_text(path))
                continue
            try:
                is_spare = owner.text == SPARE and keeps_spares
                if not is_spare or not self._is_worth_keeping(path):
                    self._remove(path.stem, owner.text, owner)
            finally:
                owner.release()
        self._sweep_ownerless(leased)

    def _is_worth_keeping(self, owner_file: Path) -> bool:
        is_idle = time.time() - owner_file.stat().st_mtime > _IDLE_SECONDS
        return not is_idle and (self._spare / owner_file.stem).is_dir()

    def _sweep_ownerless(self, leased: set[str]) -> None:
        slot_ids = {path.stem for path in self._owner_files()}
        for path in [*_list_folder(self._folder), *_list_folder(self._scratch)]:
            if _JOB_NAME.fullmatch(path.name) and path.name not in leased:
                move_to_trash(path, self._trash)
        for path in [*_list_folder(self._spare), *_list_folder(self._admin)]:
            slot_id = path.name.partition(".")[0]
            if _SLOT_ID.fullmatch(slot_id) and slot_id not in slot_ids:
                move_to_trash(path, self._trash)

    def _remove(self, slot_id: str, job: str, owner: FileLock) -> None:
        if _JOB_NAME.fullmatch(job):
            move_to_trash(self._folder / job, self._trash)
            move_to_trash(self._scratch / job, self._trash)
        for path in (self._spare / slot_id, self._admin / slot_id):
            move_to_trash(path, self._trash)
        for path in self._spare.glob(f"{slot_id}.index*"):
            path.unlink(missing_ok=True)
        owner.remove()

    def _owner_file(self, slot_id: str) -> Path:
        return self._spare / f"{slot_id}.owner"

    def _owner_files(self) -> Iterator[Path]:
        yield from (path for path in _list_folder(self._spare) if path.suffix == ".owner")


def _list_folder(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
