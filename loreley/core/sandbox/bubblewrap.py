"""The view of the files that bubblewrap gives a child: what it needs, and nothing else."""

import sys
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import loreley
from loreley.core.sandbox.confinement import Confinement

HOST_NAME = "localhost"
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_STORES = ("/usr", "/nix/store", "/gnu/store")
# What programs look up in /etc; no keys, no passwords, no services' settings. Each costs a mount.
_ETC = ("alternatives", "group", "hosts", "ld.so.cache", "localtime", "nsswitch.conf", "passwd")
_ETC_FOR_NETWORK = (
    *("ca-certificates", "crypto-policies", "pki/ca-trust", "pki/tls/certs", "resolv.conf"),
    *("services", "ssl/cert.pem", "ssl/certs", "ssl/openssl.cnf"),
)
_SECRET_FILES = (".env",)
_SHARED_MEMORY = Path("/dev/shm")  # noqa: S108
_TEMPORARY_BYTES = 512 * 1024 * 1024  # of memory, in each folder that is one


class _MountKind(StrEnum):
    READ = "--ro-bind"
    WRITE = "--bind"
    EMPTY = "--tmpfs"


def arguments(confinement: Confinement, *, sized: bool) -> Iterator[str]:
    """What stands between ``bwrap`` and the command.

    The deepest mention of a path decides: a readable folder in a writable one is read-only,
    a hidden one in a readable one is empty. ``sized`` says whether this bwrap can limit what is
    written to memory.
    """
    yield from ("--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL")
    # A name that every host's list of names leads to loopback.
    yield from ("--hostname", HOST_NAME, "--proc", "/proc", "--dev", "/dev")
    # The kernel's switches belong to root's id, whatever capabilities it was left.
    yield from ("--ro-bind", "/proc/sys", "/proc/sys")
    if confinement.network:
        yield "--share-net"
    for link, target in _find_system_links():
        yield from ("--symlink", target, link)

    places = dict.fromkeys(_find_system_folders(), _MountKind.READ)
    if confinement.network:
        places |= {Path("/etc", name): _MountKind.READ for name in _ETC_FOR_NETWORK}
    places |= {Path("/tmp"): _MountKind.EMPTY, _SHARED_MEMORY: _MountKind.EMPTY}  # noqa: S108
    places |= dict.fromkeys(confinement.readable, _MountKind.READ)
    places |= dict.fromkeys(_find_secrets(confinement.readable), _MountKind.EMPTY)
    places |= dict.fromkeys(confinement.writable, _MountKind.WRITE)
    places |= dict.fromkeys(confinement.hidden, _MountKind.EMPTY)
    for path, kind in _drop_repetitions(places):
        yield from _mount(path, kind, sized=sized)
    for path, seen in confinement.stand_ins.items():
        yield from ("--ro-bind", str(seen), str(path))
    yield from ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", str(confinement.cwd), "--")


def _mount(path: Path, kind: _MountKind, *, sized: bool) -> Sequence[str]:
    if _is_device(path) and kind is not _MountKind.EMPTY:
        return ("--dev-bind-try", str(path), str(path))
    if kind is not _MountKind.EMPTY:
        return (kind.value, str(path.resolve()), str(path))
    if path.exists() and not path.is_dir():
        return (_MountKind.READ.value, "/dev/null", str(path))
    size = ("--size", str(_TEMPORARY_BYTES)) if sized else ()
    return (*size, kind.value, str(path))


def _is_device(path: Path) -> bool:
    """Whether it is one, or a folder of them; shared memory holds common files."""
    return path.is_relative_to("/dev") and not path.is_relative_to(_SHARED_MEMORY)


def _drop_repetitions(places: dict[Path, _MountKind]) -> Iterator[tuple[Path, _MountKind]]:
    """The places that exist, outer ones first, without those that change nothing."""
    placed: dict[Path, _MountKind] = {}
    always = {Path("/tmp"), _SHARED_MEMORY}  # noqa: S108
    for path in sorted(places, key=lambda path: len(path.parts)):
        around = next(
            (placed[above] for above in path.parents if above in placed), _MountKind.EMPTY
        )
        # What a link inside a writable folder points to was chosen by who could write there.
        planted = around is _MountKind.WRITE and path.resolve() != path
        if path in always or (places[path] is not around and path.exists() and not planted):
            placed[path] = places[path]
            yield path, places[path]


def _find_secrets(folders: Sequence[Path]) -> Iterator[Path]:
    return (folder / name for folder in folders for name in _SECRET_FILES)


@lru_cache(maxsize=1)
def _find_system_links() -> tuple[tuple[str, str], ...]:
    """Links that must exist under the same name inside, with what they point to."""
    links = [Path("/", name) for name in _SYSTEM if Path("/", name).is_symlink()]
    return tuple((str(link), str(link.readlink())) for link in (*links, *_find_interpreter_links()))


@lru_cache(maxsize=1)
def _find_system_folders() -> tuple[Path, ...]:
    system = [Path("/", name) for name in _SYSTEM if not Path("/", name).is_symlink()]
    etc = [Path("/etc", name) for name in _ETC]
    prefixes = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix]
    python = [Path(prefix) for prefix in prefixes] + [Path(prefix).resolve() for prefix in prefixes]
    package = [Path(folder).resolve() for folder in loreley.__path__]
    return (*map(Path, _STORES), *system, *etc, *python, *package)


def _find_interpreter_links() -> Iterator[Path]:
    """The links between the interpreter's name and its file, where its prefixes miss them."""
    link = Path(sys.executable)
    while link.is_symlink():
        if not any(link.is_relative_to(folder) for folder in _find_system_folders()):
            yield link
        link = link.parent / link.readlink()
