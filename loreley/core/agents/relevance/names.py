"""Which files of a repository a path, a part of one, a module or an import leads to; pure."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence

_MOST_OF_ONE_NAME = 3  # files; a name that more of them have says nothing
_SHOWN_BYTES = 100_000  # of a file, in which imports are looked for
_PYTHON = re.compile(
    r"^[ \t]*from[ \t]+(?P<where>\.*[\w.]*)[ \t]+import[ \t]+(?P<what>[^\n#]+)|"
    r"^[ \t]*import[ \t]+(?P<modules>[\w., \t]+)",
    re.MULTILINE,
)
_OTHER = re.compile(
    r"^[ \t]*(?:#[ \t]*include[ \t]+[\"<]|import[ \t]+[^\n]{0,500}?[\"']|"
    r"export[ \t]+[^\n]{0,500}?from[ \t]+[\"']|"
    r"[^\n]{0,200}?\brequire(?:_relative)?[ \t(]+[\"']|use[ \t]+|mod[ \t]+|\}[ \t]*from[ \t]+[\"'])"
    r"(?P<path>[\w./:@-]+)",
    re.MULTILINE,
)
_NAME = re.compile(r"[A-Za-z_]\w*")


class FileNames:
    """Finds files by what they are called in texts; where too many would fit, none does."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._by_name: dict[str, list[str]] = defaultdict(list)
        self._by_module: dict[str, list[str]] = defaultdict(list)
        for path in paths:
            self._by_name[_last(path)].append(path)
            self._by_module[_last(_module_of(path))].append(path)

    def find(self, text: str) -> list[str]:
        """The files whose paths end with the text."""
        plain = text.removeprefix("./")
        return _few(path for path in self._by_name.get(_last(plain), ()) if _ends(path, plain))

    def find_below(self, path: str) -> list[str]:
        """The files that a path from another folder leads to, by as much of its end as fits."""
        parts = path.strip("/").split("/")
        found = (self.find("/".join(parts[start:])) for start in range(len(parts)))
        return next(filter(None, found), [])

    def find_module(self, dotted: str) -> list[str]:
        """The files of a module, or of the one that holds what is named."""
        parts = [part for part in dotted.split(".") if part]
        while parts:
            stem = "/".join(parts)
            known = self._by_module.get(parts[-1], ())
            if any(_ends(_module_of(path), stem) for path in known):
                return _few(path for path in known if _ends(_module_of(path), stem))
            parts.pop()
        return []

    def find_imported(self, path: str, text: str) -> Iterator[str]:
        """The files that one imports or includes, as far as its text tells."""
        folder = path.rpartition("/")[0]
        for match in _PYTHON.finditer(text[:_SHOWN_BYTES]):
            for dotted in _list_modules(match, folder):
                yield from self.find_module(dotted)
        for match in _OTHER.finditer(text[:_SHOWN_BYTES]):
            named = match["path"].replace("::", "/").lstrip("./")
            yield from self.find(named) or self.find_module(named.replace("/", "."))


def _list_modules(match: re.Match[str], folder: str) -> Iterator[str]:
    if match["modules"]:
        yield from (name.split()[0] for name in match["modules"].split(",") if name.split())
        return
    where = match["where"]
    dots = len(where) - len(where.lstrip("."))
    parents = folder.split("/") if folder else []
    base = parents[: len(parents) - dots + 1] if dots else []
    module = ".".join([*base, *where.strip(".").split(".")]).strip(".")
    if where.strip("."):
        yield module
    for name in _NAME.findall(match["what"].partition(" as ")[0]):
        yield f"{module}.{name}".strip(".")


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _module_of(path: str) -> str:
    stem = path.rpartition(".")[0] or path
    return stem.removesuffix("/__init__").removesuffix("/index").removesuffix("/mod")


def _ends(path: str, end: str) -> bool:
    return path == end or path.endswith(f"/{end}")


def _few(paths: Iterator[str]) -> list[str]:
    found = list(paths)
    return found if len(found) <= _MOST_OF_ONE_NAME else []
