"""Globs of what may be changed."""

import pytest

from loreley.core.agents.edit_rules import PathRules, matches


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("a.py", "a.py"),
        ("a.py", "deep/er/a.py"),
        ("/a.py", "a.py"),
        ("./src/a.py", "src/a.py"),
        ("src", "src/deep/a.py"),
        ("src/", "src/a.py"),
        ("src/*.py", "src/a.py"),
        ("src/**/*.py", "src/a.py"),
        ("src/**/*.py", "src/deep/er/a.py"),
        ("src/**", "src/deep/a.py"),
        ("*.py", "deep/a.py"),
        ("a?.py", "ab.py"),
        ("[ab].py", "b.py"),
        ("[!ab].py", "c.py"),
        (".aider*", ".aider.chat.history.md"),
        ("a+b(1).py", "a+b(1).py"),
    ],
)
def test_a_pattern_matches(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/a.py", "deep/a.py"),
        ("src/*.py", "src/deep/a.py"),
        ("src/a.py", "other/src/a.py"),
        ("a?.py", "a/.py"),
        ("[!ab].py", "a.py"),
        ("src", "source/a.py"),
        ("a.py", "a.pyc"),
        ("a.py", "ba.py"),
    ],
)
def test_a_pattern_does_not_match(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


def test_what_is_protected_is_so_even_where_it_is_editable() -> None:
    rules = PathRules(editable=["src"], protected=["src/key.py"])

    assert rules.allow("src/a.py")
    assert rules.objection_to("src/key.py") == "src/key.py is protected by 'src/key.py'"
    assert rules.objection_to("docs/a.md") == "docs/a.md is not among the editable paths"


def test_without_editable_paths_everything_else_may_be_changed() -> None:
    assert PathRules(protected=["tests"]).allow("src/a.py")
    assert not PathRules(protected=["tests"]).allow("tests/test_a.py")
