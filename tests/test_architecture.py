"""The tree is as docs/architecture.md maps it: complete, in one order, without cycles."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

from tests.support import PROJECT_ROOT

MOST_MODULES = 16
MOST_TEST_LINES = 400
_ROW = re.compile(r"^\| `([\w.]+)` \|(.*)\|$", re.MULTILINE)
_SUBPACKAGE = re.compile(r"`([\w/]+)/`")


@dataclass(frozen=True, slots=True)
class HouseMap:
    """The rows of the map, from the top: a place, and the subpackages that its line names."""

    rows: Mapping[str, frozenset[str]]

    @classmethod
    def read(cls, document: str) -> "HouseMap":
        """The map in the text of a document."""
        section = document.partition("\n## The map\n")[2].partition("\n## ")[0]
        return cls(
            {place: frozenset(_SUBPACKAGE.findall(line)) for place, line in _ROW.findall(section)}
        )

    def place_of(self, name: str) -> str | None:
        """The innermost row that a module or a package belongs to."""
        while name and name not in self.rows:
            name = name.rpartition(".")[0]
        return name or None

    def knows(self, package: str) -> bool:
        """Whether a package has a row, or is named in the line of its parent."""
        place = self.place_of(package)
        if place is None:
            return False
        below = package.removeprefix(place).strip(".").replace(".", "/")
        return not below or below in self.rows[place]

    def turns_back(self, importer: str, imported: str) -> bool:
        """Whether an import goes to a row above its own."""
        ranks = {place: rank for rank, place in enumerate(self.rows)}
        own, other = self.place_of(importer), self.place_of(imported)
        return own is not None and other is not None and ranks[other] < ranks[own]


@dataclass(frozen=True, slots=True)
class Tree:
    """The modules below a folder, and what each imports of the others."""

    imports: Mapping[str, frozenset[str]]
    packages: frozenset[str]

    @classmethod
    def read(cls, root: Path, places: Sequence[str]) -> "Tree":
        """The modules of these top-level packages, folders and files."""
        files = [
            path
            for place in places
            for path in (
                [root / place] if place.endswith(".py") else sorted((root / place).rglob("*.py"))
            )
        ]
        names = {path: _module_name(root, path) for path in files}
        modules = frozenset(names.values())
        return cls(
            {
                name: frozenset(_imported(path, name, modules)) - {name}
                for path, name in names.items()
            },
            frozenset(name for path, name in names.items() if path.name == "__init__.py"),
        )

    def unmapped(self, house: HouseMap) -> list[str]:
        """The packages, and modules outside of packages, that the map does not show."""
        alone = {name for name in self.imports if name.count(".") <= 1} - self.packages
        return sorted(name for name in self.packages | alone if not house.knows(name))

    def back_arrows(self, house: HouseMap) -> list[str]:
        """The imports against the order of the map."""
        return sorted(
            f"{importer} imports {imported}"
            for importer, all_imported in self.imports.items()
            for imported in all_imported
            if house.turns_back(importer, imported)
        )

    def cycle(self) -> list[str]:
        """Modules that import each other in a circle; empty when there is none."""
        try:
            TopologicalSorter(self.imports).prepare()
        except CycleError as error:
            return list(error.args[1])
        return []


def _module_name(root: Path, path: Path) -> str:
    return ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")


def _imported(path: Path, name: str, modules: frozenset[str]) -> Iterator[str]:
    """The modules of ours that a file imports anywhere: in functions and for types, too."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            targets = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            targets = [f"{source}.{alias.name}" for alias in node.names]
        else:
            continue
        for target in targets:
            found = target if target in modules else target.rpartition(".")[0]
            if found in modules:
                yield found


def crowded(root: Path) -> list[str]:
    """The folders with more modules of their own than a newcomer can take in."""
    counts = {
        folder: sum(path.name != "__init__.py" for path in folder.glob("*.py"))
        for folder in (root, *(path for path in root.rglob("*") if path.is_dir()))
        if folder.parts[-2:] != ("migrations", "versions")
    }
    return [f"{folder}: {count}" for folder, count in counts.items() if count > MOST_MODULES]


@pytest.fixture(scope="module")
def house() -> HouseMap:
    return HouseMap.read((PROJECT_ROOT / "docs" / "architecture.md").read_text())


@pytest.fixture(scope="module")
def tree() -> Tree:
    return Tree.read(
        PROJECT_ROOT, ("loreley", "script", "examples", "benchmarks", "development", "tasks.py")
    )


def test_the_map_shows_every_package(house: HouseMap) -> None:
    assert Tree.read(PROJECT_ROOT, ("loreley",)).unmapped(house) == []


def test_the_map_shows_nothing_that_is_gone(tree: Tree, house: HouseMap) -> None:
    folders = {name.rpartition(".")[0] for name in tree.imports} | set(tree.imports)
    subpackages = {
        f"{place}.{each.replace('/', '.')}" for place, named in house.rows.items() for each in named
    }
    assert sorted((house.rows.keys() | subpackages) - folders) == []


def test_no_import_turns_back_against_the_map(tree: Tree, house: HouseMap) -> None:
    assert tree.back_arrows(house) == []


def test_no_module_imports_itself_by_way_of_others(tree: Tree) -> None:
    assert tree.cycle() == []


def test_no_folder_is_crowded() -> None:
    assert crowded(PROJECT_ROOT / "loreley") == []


def test_no_test_file_is_too_long_to_read() -> None:
    lengths = {
        path.relative_to(PROJECT_ROOT): path.read_bytes().count(b"\n")
        for path in (PROJECT_ROOT / "tests").rglob("*.py")
    }
    assert {path: lines for path, lines in lengths.items() if lines > MOST_TEST_LINES} == {}


MADE_UP_MAP = """
# A house

## The map

| place | what it does |
| --- | --- |
| `house.top` | the top, with `attic/` |
| `house.middle` | the middle |
| `house.base` | the base |

## Something else

| `house.elsewhere` | no row of the map |
"""


def made_up(root: Path, **sources: str) -> Tree:
    """A tree of packages with these modules: ``top__roof="import house.base"``."""
    for name, source in sources.items():
        path = root.joinpath("house", *name.split("__")).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in (path.parent, *path.parent.relative_to(root).parents):
            (root / folder / "__init__.py").touch()
        path.write_text(source)
    (root / "__init__.py").unlink(missing_ok=True)
    return Tree.read(root, ("house",))


@pytest.fixture
def made_up_map() -> HouseMap:

    return HouseMap.read(MADE_UP_MAP)


def test_the_checker_reads_the_rows_of_the_map_alone(made_up_map: HouseMap) -> None:
    assert list(made_up_map.rows) == ["house.top", "house.middle", "house.base"]


def test_the_checker_finds_a_package_that_the_map_lacks(
    tmp_path: Path, made_up_map: HouseMap
) -> None:
    tree = made_up(tmp_path, top__attic__box="", top__cellar__box="", garden__bed="", gate="")
    assert tree.unmapped(made_up_map) == [
        "house",
        "house.garden",
        "house.gate",
        "house.top.cellar",
    ]


@pytest.mark.parametrize(
    "source",
    [
        "import house.top.roof",
        "from house.top import roof",
        "from house.top.roof import tile",
        "from ..top import roof",
        "def climb():\n    import house.top.roof\n",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import house.top.roof\n",
    ],
)
def test_the_checker_finds_an_import_that_turns_back(
    tmp_path: Path, made_up_map: HouseMap, source: str
) -> None:
    tree = made_up(tmp_path, top__roof="from house.middle import floor", middle__floor=source)
    assert [arrow.partition(" ")[0] for arrow in tree.back_arrows(made_up_map)] == [
        "house.middle.floor"
    ]


def test_the_checker_finds_a_cycle_between_modules(tmp_path: Path) -> None:
    assert made_up(tmp_path / "tree", base__one="", base__two="import house.base.one").cycle() == []
    tree = made_up(
        tmp_path / "circle",
        base__one="def late():\n    import house.base.two\n",
        base__two="import house.base.three",
        base__three="from house.base.one import late",
    )
    assert set(tree.cycle()) == {"house.base.one", "house.base.two", "house.base.three"}


def test_the_checker_finds_a_crowded_folder(tmp_path: Path) -> None:
    for folder in ("db", "db/migrations/versions"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").touch()
        for number in range(MOST_MODULES):
            (tmp_path / folder / f"m{number}.py").touch()
    (tmp_path / "db" / "migrations" / "versions" / "m.py").touch()
    assert crowded(tmp_path) == []
    (tmp_path / "db" / "one_more.py").touch()
    assert crowded(tmp_path) == [f"{tmp_path / 'db'}: {MOST_MODULES + 1}"]
