"""How a long file is divided."""

from pathlib import Path

import pytest

from loreley.core.agents.relevance.parts import find_definitions, lines_of, split_lines

SOURCE = '''"""A module."""

import os


class Shop:
    """Sells."""

    def open(self):
        a = 1
        b = 2
        c = 3
        d = 4

    @property
    def price(self):
        a = 1
        b = 2
        c = 3
        d = 4


def close():
    a = 1
    b = 2
    c = 3
    d = 4
    e = 5
'''


def test_a_definition_begins_a_part_with_what_belongs_to_it() -> None:
    lines = lines_of(SOURCE)
    parts = split_lines(lines)

    by_name = {part.name: part for part in parts}
    assert lines[by_name["price"].start] == "    @property"
    assert by_name["price"].owner == "Shop"
    assert lines[by_name["close"].start] == "def close():"


@pytest.mark.parametrize(
    "text",
    ["", "\n", "x", "\n\n\n", SOURCE, "a\n" * 1000, "\n".join(f"x{n} = {n}\n" for n in range(300))],
)
def test_each_line_is_in_one_part(text: str) -> None:
    lines = lines_of(text)
    covered = [n for part in split_lines(lines) for n in range(part.start, part.end)]

    assert covered == list(range(len(lines)))


def test_no_part_is_long() -> None:
    lines = lines_of(Path(__file__).read_text() * 5 + "def f():\n" + "    x = 1\n" * 500)

    assert max(part.end - part.start for part in split_lines(lines)) <= 80


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("    async def fetch(self):", "fetch"),
        ("export default function render(x) {", "render"),
        ("pub(crate) fn push<T>(item: T) {", "push"),
        ("func (s *Server) Serve() error {", "Serve"),
        ("public static final class Row {", "Row"),
        ("LIMIT: int = 3", "LIMIT"),
        ("impl Cache {", "Cache"),
    ],
)
def test_definitions_of_many_languages_are_known(line: str, name: str) -> None:
    assert find_definitions(f"x\n{line}\ny") == {name}
