"""What to change when an evaluator fails for want of a file, by what it printed."""

import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from loreley.core.evaluation.options import EvaluatorOptions
from loreley.core.sandbox.own_name import FIX, find_unknown_name

_MODULE = re.compile(r"No module named '([\w.]+)'|Cannot find module '([^']+)'")
_FILE = re.compile(
    r"No such file or directory: '([^']+)'|can't open file '([^']+)'|"
    r"(?:^|: )([^\s:']+): No such file or directory|no such file or directory,? open '([^']+)'",
    re.MULTILINE,
)
_MISSING = re.compile(
    r"not found|no such file|cannot (?:open|load|find|locate)|can't (?:open|load|find|locate)|"
    r"(?:does|do) not exist|ENOENT|LoadError|ImportError|FileNotFoundError",
    re.IGNORECASE,
)
_ABSOLUTE = re.compile(r"/[^\s:'\"()]{1,500}")
_TOKEN = re.compile(r"[\w+-][\w.+-]*")
_ENDINGS = ("", ".py", ".rb", ".js", ".mjs", ".so", ".pm", ".lua", ".R", ".sh")
_MOST_LINES, _MOST_NAMES = 100, 1000
_PROGRAM = re.compile(r"exit code 127\b|command not found|: not found\b")

_UNKNOWN_HOST = re.compile(r"gaierror|Name or service not known|UnknownHost|ENOTFOUND|getaddrinfo")


def find_fix(reason: str, log: str, options: EvaluatorOptions) -> str:
    """The setting that grants what was missing; empty where nothing of the kind is seen."""
    said = f"{reason}\n{log}"
    for names in _MODULE.findall(said):
        name = next(filter(None, names))
        for folder in _find_folders(options):
            if _holds_module(folder, name):
                return _name_folder(folder, f"{name!r} lies in it")
    for names in _FILE.findall(said):
        path = Path(next(filter(None, names)))
        if path.is_absolute() and path.exists():
            folder = path if path.is_dir() else path.parent
            return _name_folder(folder, f"{str(path)!r} exists, and is not granted")
        for folder in _find_folders(options):
            if not path.is_absolute() and (folder / path).exists():
                return (
                    f"{str(path)!r} lies in {folder}, but an evaluator runs in a scratch folder: "
                    f"add {folder} to WORKER_EVALUATOR_READ_PATHS and open it by its whole path"
                )
    if found := _find_absolute(said):
        return _name_folder(
            found, f"what is missing exists below {str(found)!r}, and is not granted"
        )
    if found := _find_beside(said, options):
        return _name_folder(found.parent, f"{found.name!r} lies in it")
    if _UNKNOWN_HOST.search(said) and (name := find_unknown_name()):
        return f"the host's own name, {name!r}, does not resolve: {FIX}"
    if options.command and _PROGRAM.search(reason):
        return (
            "a program is missing: call it by its whole path, and add the folder it is installed "
            "in to WORKER_EVALUATOR_READ_PATHS"
        )
    return ""


def _find_absolute(said: str) -> Path | None:
    """The folder of a program that is called by its whole path, with all of its environment."""
    lines = [line for line in said.splitlines() if _MISSING.search(line)][-_MOST_LINES:]
    for path in (Path(text) for line in lines for text in _ABSOLUTE.findall(line)):
        try:
            if path.parent.name == "bin" and path.is_file():
                folder = path.parent.parent
                return folder if (folder / "pyvenv.cfg").is_file() else path.parent
        except OSError:  # what is no path
            continue
    return None


def _find_beside(said: str, options: EvaluatorOptions) -> Path | None:
    """What lies beside the script and stands in a line that says that something is missing."""
    lines = [line for line in said.splitlines() if _MISSING.search(line)][-_MOST_LINES:]
    tokens = {token.rstrip(".") for line in lines for token in _TOKEN.findall(line)}
    own = {Path(word) for word in options.command}
    for folder in _find_folders(options):
        try:
            entries = {path.name: path for path in islice(folder.iterdir(), _MOST_NAMES)}
        except OSError:
            continue
        for name in sorted(f"{token}{ending}" for token in tokens for ending in _ENDINGS):
            is_file = name in entries and (entries[name].is_file() or "." in name)
            if is_file and "." in name and entries[name] not in own:
                return entries[name]
    return None


def _name_folder(folder: Path, why: str) -> str:
    return f"add {folder} to WORKER_EVALUATOR_READ_PATHS: {why}"


def _find_folders(options: EvaluatorOptions) -> Iterator[Path]:
    """Where what an evaluator wants is looked for: beside its script, then here."""
    for word in options.command:
        if word.startswith("/") and Path(word).is_file():
            yield Path(word).parent
    yield Path.cwd()


def _holds_module(folder: Path, name: str) -> bool:
    first = name.removeprefix("./").partition(".")[0]
    forms = (first, f"{first}.py", f"{first}.js", f"{first}.so")
    return any((folder / form).exists() for form in forms)
