"""What a candidate must pass before it is worth an evaluation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

from loreley.config import GateSettings
from loreley.core.agents.edit_rules import PathRules, Region
from loreley.core.worker.secret_scan import Secrets
from loreley.core.worktrees.worktree import Worktree
from loreley.errors import CandidateRejected
from loreley.git.objects import Difference

_SCANNED_BYTES = 8 * 1024 * 1024  # of a diff that has no limit of its own


@dataclass(frozen=True, slots=True)
class Gates:
    """What the operator allows; a maximum of 0 is none."""

    paths: PathRules = field(default_factory=PathRules)
    region: Region | None = None
    max_files: int = 0
    max_lines: int = 0
    max_bytes: int = 0
    secrets: Secrets | None = None  # None: not looked for
    meaning: bool = False  # whether what means the same as a judged tree is refused

    @classmethod
    def from_settings(cls, settings: GateSettings, secrets: Secrets) -> Self:
        """The gates of a worker."""
        region = settings.worker_gate_region
        return cls(
            paths=PathRules(
                settings.worker_gate_editable_paths, settings.worker_gate_protected_paths
            ),
            region=Region(*region) if region else None,
            max_files=settings.worker_gate_max_files,
            max_lines=settings.worker_gate_max_lines,
            max_bytes=settings.worker_gate_max_kb * 1024,
            secrets=secrets if settings.worker_gate_secrets else None,
            meaning=settings.worker_gate_meaning,
        )

    def check(self, worktree: Worktree, commit: str) -> None:
        """Raise `CandidateRejected` with the first thing that is not allowed about ``commit``."""
        differences = worktree.differences()
        self._check_paths(differences)
        self._check_size(differences, worktree)
        if self.region is not None:
            self._check_regions(self.region, differences, worktree, commit)
        if self.secrets is not None:
            self._check_secrets(self.secrets, differences, worktree, commit)

    def _check_paths(self, differences: Sequence[Difference]) -> None:
        objections = [
            objection for each in differences if (objection := self.paths.objection_to(each.path))
        ]
        if objections:
            raise CandidateRejected(
                "the candidate changes what it may not",
                reason="; ".join(objections[:5]) + _format_more(objections[5:]),
                setting="WORKER_GATE_EDITABLE_PATHS, WORKER_GATE_PROTECTED_PATHS",
            )

    def _check_size(self, differences: Sequence[Difference], worktree: Worktree) -> None:
        lines = sum(each.changed_lines for each in differences)
        size_bytes = len(worktree.patch(self.max_bytes + 1).encode()) if self.max_bytes else 0
        for what, amount, most, setting in (
            ("files", len(differences), self.max_files, "WORKER_GATE_MAX_FILES"),
            ("lines", lines, self.max_lines, "WORKER_GATE_MAX_LINES"),
            ("bytes", size_bytes, self.max_bytes, "WORKER_GATE_MAX_KB"),
        ):
            if most and amount > most:
                seen = f"more than {most}" if what == "bytes" else f"{amount}"
                raise CandidateRejected(
                    "the change is too large",
                    setting=setting,
                    reason=f"{seen} {what}, at most {most} allowed",
                )

    def _check_regions(
        self, region: Region, differences: Sequence[Difference], worktree: Worktree, commit: str
    ) -> None:
        for difference in differences:
            old = worktree.read(worktree.base_commit, difference.path)
            new = worktree.read(commit, difference.path)
            if old is None or new is None or difference.old_mode != difference.new_mode:
                raise _outside_refusal(difference.path, "it was added, removed or changed its kind")
            if not region.encloses_changes(old, new):
                raise _outside_refusal(
                    difference.path, "lines outside of its marked regions differ"
                )

    def _check_secrets(
        self, secrets: Secrets, differences: Sequence[Difference], worktree: Worktree, commit: str
    ) -> None:
        limit_bytes = self.max_bytes or _SCANNED_BYTES
        patch = worktree.patch(limit_bytes)
        binary = [each for each in differences if each.is_binary]
        added = [
            *_added_lines(patch),
            *(_read_text(worktree, commit, each.path) for each in binary),
        ]
        found = secrets.find_in("\n".join(added))
        if len(patch.encode()) > limit_bytes:  # it was cut
            for each in differences:
                known = secrets.find_in(_read_text(worktree, worktree.base_commit, each.path))
                now = secrets.find_in(_read_text(worktree, commit, each.path))
                found += [name for name in now if name not in [*known, *found]]
        if found:
            raise CandidateRejected(
                "the change holds a secret", reason=", ".join(found), setting="WORKER_GATE_SECRETS"
            )


def _added_lines(patch: str) -> Iterator[str]:
    # Not splitlines: what follows a form feed is still the added line, as git counts lines.
    return (line[1:] for line in patch.split("\n") if line.startswith("+"))


def _read_text(worktree: Worktree, commit: str, path: str) -> str:
    return (worktree.read(commit, path) or b"").decode("latin-1")


def _outside_refusal(path: str, reason: str) -> CandidateRejected:
    return CandidateRejected(
        "only what is between the marks may be changed",
        target=path,
        reason=reason,
        setting="WORKER_GATE_REGION",
    )


def _format_more(rest: Sequence[str]) -> str:
    return f", and {len(rest)} more" if rest else ""
