"""docs/loreley/config.md and .env.example against the settings there are."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic.fields import FieldInfo

from loreley.config import Settings, as_written, load_settings
from loreley.ops.dotenv import load_environment
from tests.support import PROJECT_ROOT

DOCUMENT = PROJECT_ROOT / "docs" / "loreley" / "config.md"
EXAMPLE = PROJECT_ROOT / ".env.example"

SECTIONS = [section for section in Settings.__bases__ if hasattr(section, "model_fields")][:-1]
FIELDS = {name.upper(): field for name, field in Settings.model_fields.items()}
NAMES_BY_SECTION = [[name.upper() for name in section.model_fields] for section in SECTIONS]

_ROW = re.compile(r"^\| `([A-Z_]+)` \| (.+?) \| (.+) \|$", re.MULTILINE)
_LINE = re.compile(r"^#?([A-Z_]+)=(.*)$", re.MULTILINE)


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORKER_TUNE_SECONDS")


def rows(text: str) -> dict[str, tuple[str, str]]:
    """The default and the meaning of each setting of the document's tables."""
    return {name: (default, meaning) for name, default, meaning in _ROW.findall(text)}


def sections(text: str, heading: str) -> list[str]:
    return re.split(heading, text, flags=re.MULTILINE)[1:]


def in_words(default: Any) -> str:
    """A default as the document writes it."""
    if default is None:
        return "unset"
    if isinstance(default, bool):
        default = str(default).lower()
    if isinstance(default, list):
        default = ", ".join(as_written(default))
    if isinstance(default, float):
        default = f"{default:g}"
    return f"`{default}`" if str(default) else "empty"


def bounds(field: FieldInfo) -> Iterator[str]:
    """The numbers a value may not go beyond, as the document writes them."""
    for metadata in field.metadata:
        for side in ("ge", "gt", "le", "lt", "max_length"):
            bound = getattr(metadata, side, None)
            if bound is not None:
                yield f"{bound:g}" if isinstance(bound, float) else str(bound)


def test_the_document_has_every_setting_in_its_section_and_order() -> None:
    tables = [list(rows(text)) for text in sections(DOCUMENT.read_text(), "^## ")]

    assert [table for table in tables if table] == NAMES_BY_SECTION


@pytest.mark.parametrize("name", FIELDS)
def test_the_document_tells_the_default_and_the_bounds(name: str) -> None:
    default, meaning = rows(DOCUMENT.read_text())[name]

    assert default == in_words(FIELDS[name].default)
    for bound in bounds(FIELDS[name]):
        assert re.search(rf"(?<![\d.]){re.escape(bound)}(?![\d])", meaning), f"{name}: {bound}"


def test_each_section_tells_what_people_get_wrong() -> None:
    for text in sections(DOCUMENT.read_text(), "^## "):
        if rows(text):
            assert re.search(r"^- ", text, re.MULTILINE), text[:40]


def test_the_example_has_every_setting_once_in_its_section_and_order() -> None:
    parts = sections(EXAMPLE.read_text(), "^# --- ")

    assert [[name for name, _ in _LINE.findall(part)] for part in parts] == NAMES_BY_SECTION


def test_the_example_says_of_each_setting_what_its_description_says() -> None:
    text = " ".join(EXAMPLE.read_text().replace("\n# ", " ").split())

    for name, field in FIELDS.items():
        description = " ".join((field.description or "").replace("`", "").split())
        assert f"{description} #{name}=" in text, name


def test_the_example_as_it_is_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(EXAMPLE.read_text())
    environment: dict[str, str] = {}

    assert load_environment(tmp_path, environment) == []
    assert environment == {}


def test_the_example_uncommented_is_the_defaults(tmp_path: Path) -> None:
    Path(".env").write_text(re.sub(r"^#(?=[A-Z_]+=)", "", EXAMPLE.read_text(), flags=re.MULTILINE))

    assert load_settings() == Settings.model_construct()


def test_the_example_shows_defaults_instead_of_leaving_them_out() -> None:
    written = dict(_LINE.findall(EXAMPLE.read_text()))

    for name, field in FIELDS.items():
        assert bool(written[name]) == (field.default not in (None, [])), name


def test_every_setting_is_read_by_something() -> None:
    sources = [*PROJECT_ROOT.glob("loreley/**/*.py"), *PROJECT_ROOT.glob("script/*.py")]
    words = {
        word
        for path in sources
        if "config" not in path.parts
        for word in re.findall(r"\w+", path.read_text())
    }
    properties = {"database_url": "sqlalchemy_url"}

    unread = {name for name in Settings.model_fields if properties.get(name, name) not in words}
    assert unread == set()
