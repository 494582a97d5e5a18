"""What a worker judges with, so that all workers of an experiment judge alike."""

import hashlib
import os
import platform
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, packages_distributions, requires, version
from pathlib import Path
from typing import Any, Self, TypeVar

from loreley.core.evaluation.options import EvaluatorOptions
from loreley.errors import LoreleyError
from loreley.invocation import typed

_MOST_FILES = 2_000  # of the folders of an evaluator
_READ_BYTES = 64 * 1024 * 1024  # of all of them; of what is beyond only the size counts
_UNREAD = ("__pycache__", "node_modules")
_SYSTEM = ("/usr/", "/bin/", "/sbin/", "/lib/")  # programs of the host: known by their names
_MOST_NAMED = 5
_IMPORT = re.compile(rb"^[ \t]*(?:import|from)[ \t]+([A-Za-z_]\w*)", re.MULTILINE)
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_SHOWN_DIGITS = 12  # of a digest

ErrorKind = TypeVar("ErrorKind", bound=LoreleyError)


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The evaluator of one worker: two that are equal give a commit the same figures.

    ``machine`` is a note for people: machines may differ in speed, and say so in their figures.
    """

    evaluator: str
    files: Mapping[str, str]  # digest by name: of its code and data
    settings: Mapping[str, Any]
    python: str = ""  # empty where the evaluator is a command
    packages: Mapping[str, str] = field(default_factory=dict)  # version by name
    machine: str = field(default="", compare=False)

    @property
    def digest(self) -> str:
        """The same for equal fingerprints, and for no others."""
        parts = asdict(self)
        del parts["machine"]
        return hashlib.sha256(repr(sorted(_flattened(parts))).encode()).hexdigest()

    def to_mapping(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Self:
        """What `to_mapping` gave."""
        return cls(**mapping)

    def differences(self, other: Self) -> list[str]:
        """In what ``other`` judges otherwise, each as ``name: this, there that``."""
        ours, theirs = dict(_flattened(self.to_mapping())), dict(_flattened(other.to_mapping()))
        names = [name for name in sorted({*ours, *theirs}) if name != "machine"]
        found = [
            f"{name}: {_shorten(ours.get(name))} here, {_shorten(theirs.get(name))} there"
            for name in names
            if ours.get(name) != theirs.get(name)
        ]
        more = len(found) - _MOST_NAMED
        return [*found[:_MOST_NAMED], *([f"{more} more"] if more > 0 else [])]

    @property
    def in_short(self) -> str:
        """Its digest and evaluator, for a line."""
        return f"{self.digest[:_SHOWN_DIGITS]} ({self.evaluator})"


def explain_other_judge(
    kind: type[ErrorKind], wanted: Fingerprint, found: Fingerprint
) -> ErrorKind:
    """What the operator should know where the experiment has another judge than this host."""
    return kind(
        "this host judges otherwise than the experiment does",
        target=f"the experiment's judge is {wanted.in_short}, this host's is {found.in_short}",
        reason="; ".join(found.differences(wanted)),
        fix="bring evaluator, settings and packages here to the experiment's state, or, if the "
        f"change is meant, run `{typed('rejudge')}`",
    )


class EvaluatorFiles:
    """The digests of an evaluator's files; a file is read again only when it was changed."""

    def __init__(
        self, options: Sequence[EvaluatorOptions], holdout: EvaluatorOptions | None = None
    ) -> None:
        """``options`` are those of each stage and of the full evaluation."""
        self._options = options
        self._holdout = holdout
        self._known: dict[tuple[str, int, int, int], str] = {}
        self._imports: dict[str, frozenset[str]] = {}  # by digest

    def packages(self, files: Mapping[str, str]) -> dict[str, str]:
        """The versions of the packages that the code among ``files`` imports, and they in turn.

        Others that are installed may come and go, such as those of Loreley's own extras.
        """
        names = frozenset[str]().union(*(self._imports.get(each, ()) for each in files.values()))
        return _versions_of(names)

    def read(self) -> dict[str, str]:
        """The digest of each file by its name; names do not depend on where the folders are."""
        left = _READ_BYTES
        found: dict[str, str] = {}
        for name, path in self._named_files():
            if len(found) >= _MOST_FILES:
                break
            try:
                state = path.stat()
            except OSError:
                continue  # removed meanwhile
            if name in found:
                continue
            if state.st_size > left:
                found[name] = f"{state.st_size} bytes"
                continue
            left -= state.st_size
            found[name] = self._digest(path, state)
        return found

    def _named_files(self) -> Iterator[tuple[str, Path]]:
        yield from _named_files(self._options)
        if self._holdout:
            for name, path in _named_files([self._holdout]):
                yield f"hold-out {name}", path

    def _digest(self, path: Path, state: os.stat_result) -> str:
        key = (str(path), state.st_ino, state.st_ctime_ns, state.st_size)
        if key not in self._known:
            try:
                content = path.read_bytes()
                self._known[key] = digest = hashlib.sha256(content).hexdigest()[:16]
                if path.suffix == ".py":
                    self._imports[digest] = frozenset(map(bytes.decode, _IMPORT.findall(content)))
            except OSError as error:
                return error.strerror or "not readable"
        return self._known[key]


def take_fingerprint(
    options: Sequence[EvaluatorOptions], settings: Mapping[str, Any], files: EvaluatorFiles
) -> Fingerprint:
    """The fingerprint of this process's evaluator, whose last ``options`` are the full one's.

    ``settings`` are those that decide what an evaluation gives.
    """
    is_plugin = any(each.plugin for each in options)
    found = files.read()
    return Fingerprint(
        evaluator=" | ".join(_evaluator_name(each) for each in options),
        files=found,
        settings=settings,
        python=f"{platform.python_implementation()} {platform.python_version()}"
        if is_plugin
        else "",
        packages=files.packages(found) if is_plugin else {},
        machine=_machine(),
    )


def _evaluator_name(options: EvaluatorOptions) -> str:
    """As people know it, without where on this host its files are."""
    if options.plugin:
        return options.plugin
    return " ".join(Path(word).name if word.startswith("/") else word for word in options.command)


def _named_files(options: Sequence[EvaluatorOptions]) -> Iterator[tuple[str, Path]]:
    """Files that the command lines name, Python below the plugins' folders, and all data."""
    for each in options:
        for word in each.command:
            if word.startswith("/") and not word.startswith(_SYSTEM) and Path(word).is_file():
                yield Path(word).name, Path(word)
        for number, folder in enumerate(each.python_paths):
            for path in _files_below(folder, each.hidden):
                if path.suffix == ".py":
                    yield f"code {number}/{path.relative_to(folder)}", path
        for number, folder in enumerate(each.readable):
            for path in _files_below(folder, each.hidden):
                yield f"data {number}/{path.relative_to(folder)}", path


def _files_below(folder: Path, hidden: Sequence[Path]) -> Iterator[Path]:
    if folder.is_file():
        yield folder
        return
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and name not in _UNREAD and Path(parent, name) not in hidden
        )
        yield from (path for name in sorted(names) if (path := Path(parent, name)).is_file())


@cache
def _versions_of(imported: frozenset[str]) -> dict[str, str]:
    """The versions of what these top-level modules are from, and of what that needs."""
    by_module = packages_distributions()
    ahead = [name for module in imported for name in by_module.get(module, ())]
    found: dict[str, str] = {}
    while ahead:
        name = ahead.pop()
        key = name.lower().replace("_", "-")
        if key in found or key == "loreley":  # which says its own version elsewhere
            continue
        with suppress(PackageNotFoundError):
            found[key] = version(name)
            needed = (text for text in requires(name) or () if "extra ==" not in text)
            ahead += [match[0] for text in needed if (match := _REQUIREMENT.match(text))]
    return dict(sorted(found.items()))


@cache
def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores, {_processor()}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor() or "unknown processor"


def _flattened(value: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, each in value.items():
        if isinstance(each, Mapping):
            yield from _flattened(each, f"{before}{name} ")
        else:
            yield f"{before}{name}", each


def _shorten(value: object) -> str:
    return "none" if value is None else str(value)[:64]
