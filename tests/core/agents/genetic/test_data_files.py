"""Numbers of data files: they change, nothing else does, and what is doubtful is left alone."""

import configparser
import json
import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from loreley.core.agents.genetic.agent import GeneticAgent
from loreley.core.agents.genetic.source.data.entries import DataFile
from loreley.core.agents.genetic.source.languages import language_of
from loreley.core.agents.genetic.source.literals import NumberLiteral, rewrite
from loreley.host.deadline import Deadline
from tests.core.agents.genetic.folder import MATE, OTHER, brief, folder

_KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,6}", fullmatch=True).filter(
    lambda key: key not in ("y", "n", "yes", "no", "on", "off", "true", "false", "null")
)
_NUMBERS = st.one_of(
    st.integers(-(10**9), 10**9),
    st.floats(-1e12, 1e12, allow_subnormal=False).filter(lambda value: abs(value) > 1e-30),
)
_TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=12).filter(
    lambda text: not re.fullmatch(r"[-+]?\d+e[-+]?\d+", text, re.IGNORECASE)
)  # what YAML 1.2 takes for a number, PyYAML for a text
_SCALARS = st.one_of(_NUMBERS, _NUMBERS, _TEXTS, st.booleans(), st.sampled_from(["1", "0,5", "-2"]))
_TREES = st.dictionaries(
    _KEYS,
    st.recursive(
        _SCALARS,
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(_KEYS, inner, max_size=4)
        ),
        max_leaves=12,
    ),
    min_size=1,
    max_size=6,
)
_NEWLINES = st.sampled_from(["\n", "\r\n"])


def read(path: str, text: str) -> DataFile:
    language = language_of(path)
    assert language is not None
    assert language.read_data is not None
    return language.read_data(text)


def named(path: str, text: str) -> dict[str, float]:
    return {literal.name: literal.value for literal in read(path, text).literals}


def move(value: Any) -> Any:
    """Every number of a tree by a step; the same that `changed` does to a text."""
    if isinstance(value, dict):
        return {key: move(each) for key, each in value.items()}
    if isinstance(value, list):
        return [move(each) for each in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return value + 1 if isinstance(value, int) else value * 0.5 - 1e-7


def changed(path: str, text: str) -> str:
    """The text with every number that is found moved; nothing around them is."""
    literals = read(path, text).literals
    after = rewrite(text, {literal: move(literal.value) for literal in literals})
    again = read(path, after).literals
    assert blanked(text, literals) == blanked(after, again)
    return after


def blanked(text: str, literals: tuple[NumberLiteral, ...]) -> str:
    return rewrite(text, dict.fromkeys(literals, 0))


def to_toml(tree: Mapping[str, Any]) -> str:
    def write(value: Any) -> str:
        if isinstance(value, dict):
            return "{" + ", ".join(f"{key} = {write(each)}" for key, each in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", # 1\n ".join(map(write, value)) + "]"
        return json.dumps(value, ensure_ascii=False)

    return "".join(f"{key} = {write(each)} # 2.5\n" for key, each in tree.items())


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(_TREES, _NEWLINES, st.booleans())
def test_all_numbers_of_yaml_change_and_nothing_else(
    tree: dict[str, Any], newline: str, flow: bool
) -> None:
    text = f"# 1 head\n{yaml.safe_dump(tree, default_flow_style=flow, allow_unicode=True)}"
    text = text.replace("\n", newline)
    after = changed("a.yaml", text)
    assert yaml.safe_load(after) == move(yaml.safe_load(text))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(_TREES, _NEWLINES, st.sampled_from([None, 1, "\t"]))
def test_all_numbers_of_json_change_and_nothing_else(
    tree: dict[str, Any], newline: str, indent: Any
) -> None:
    text = json.dumps(tree, indent=indent).replace("\n", newline)
    assert json.loads(changed("a.json", text)) == move(tree)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(_TREES, _NEWLINES)
def test_all_numbers_of_toml_change_and_nothing_else(tree: dict[str, Any], newline: str) -> None:
    text = to_toml(tree).replace("\n", newline)
    after = changed("a.toml", text)
    assert tomllib.loads(after) == move(tomllib.loads(text))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.dictionaries(_KEYS, _NUMBERS, min_size=1), _NEWLINES, st.sampled_from([" = ", ":", "="]))
def test_all_numbers_of_ini_change_and_nothing_else(
    entries: dict[str, float], newline: str, between: str
) -> None:
    text = "[part]\n; 1\n" + "".join(f"{key}{between}{each!r}\n" for key, each in entries.items())
    parser = configparser.ConfigParser()
    parser.read_string(changed("a.ini", text.replace("\n", newline)))
    assert {key: parser.get("part", key) for key in entries} == {
        key: repr(move(each)) for key, each in entries.items()
    }


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.sampled_from(["a.yaml", "a.json", "a.toml", "a.ini", "a.properties"]), st.text())
def test_no_text_breaks_a_reader(path: str, text: str) -> None:
    for literal in read(path, text).literals:
        assert float(text[literal.start : literal.end]) == literal.value


@pytest.mark.parametrize(
    ("path", "text", "numbers"),
    [
        ("a.yaml", "a: &x 0.5 # 1\nb: *x\nc: {<<: *y, d: 1}\n", {"a": 0.5, "c.d": 1}),
        ("a.yaml", "a: '1'\nb: !!str 2\nc: 12:30\nd: 007\ne: 0x10\nf: 1.2.3\n", {}),
        ("a.yaml", "a: |\n  5\n  b: 6\nc: 7\n", {"c": 7}),
        ("a.yaml", "\ufeffa: 1e-4\n1: +.5\n", {"a": 1e-4, "1": 0.5}),
        ("a.yaml", "layers:\n- {size: 3, at: [1, 2]}\n", {
            "layers.0.size": 3, "layers.0.at.0": 1, "layers.0.at.1": 2,
        }),
        ("a.json", '// 1\n{"a": 1, /* "b": 2, */ "c": [3,], }\n', {"a": 1, "c.0": 3}),
        ("a.json", '{"a//1": 1, "b": "2 /* ", "c": 3}', {"a//1": 1, "c": 3}),
        ("a.json", '{"a": 1 "b": 2}', {}),
        ("a.toml", "x = 1979-05-27 07:32:00\ny = 0x1F\nz = '''\nq = 1\n'''\n", {}),
        ("a.toml", '[t."p.q"]\na.b = 1\n[[l]]\nc = +2.5\n[[l]]\nc = 3\n', {
            "t.p.q.a.b": 1, "l.0.c": 2.5, "l.1.c": 3,
        }),
        ("a.ini", "[s]\na = 1 ; 2\nb = 3 4\n  c = 5\n#d = 6\n", {"s.a": 1}),
        ("a.properties", "a 1\nb: 2\nc=3 # no\nd=\\\n 4\n", {"a": 1, "b": 2}),
    ],
)  # fmt: skip
def test_a_number_is_what_every_reader_of_the_format_takes_for_one(
    path: str, text: str, numbers: dict[str, float]
) -> None:
    assert named(path, text) == numbers


def test_the_same_name_in_two_documents_is_two_numbers() -> None:
    assert [each.value for each in read("a.yml", "a: 1\n---\na: 2\n").literals] == [1, 2]


@pytest.mark.parametrize(
    ("path", "text", "remark"),
    [
        ("a.yaml", "a: {b: 1}\nc: 2\na: {b: 3}\n", "a is there twice"),
        ("a.json", '{"a": {"b": 1}, "c": 2, "a": {"b": 3}}', "a is there twice"),
        ("a.ini", "a = 1\nc = 2\na = 3\n", "a is there twice"),
        ("a.yaml", "a: 0,5\nc: 2\n", "a: 0,5 has a decimal comma"),
        ("a.ini", "a = 0,5\nc = 2\n", "a: 0,5 has a decimal comma"),
    ],
)
def test_what_is_doubtful_is_left_alone_and_said(path: str, text: str, remark: str) -> None:
    assert read(path, text).remarks == (remark,)
    assert named(path, text) == {"c": 2}


@pytest.mark.parametrize("path", ["a.yaml", "a.json", "a.toml"])
def test_what_is_deeply_nested_is_no_data_file(path: str) -> None:
    brackets = "[" * 5_000 + "]" * 5_000
    assert named(path, brackets if path != "a.toml" else f"a = {brackets}") == {}


def test_an_exponent_stays_a_number_for_old_and_new_yaml() -> None:
    assert changed("a.yaml", "a: 1.0e-07\n") == "a: -5.0e-08\n"
    assert yaml.safe_load("a: -5.0e-08") == {"a": -5e-08}


_DATA = {
    "conf/model.yaml": "# how it learns\nrate: 0.5 # per step\nfast: true\nsizes: [3, 4]\n",
    "conf/model.json": '{"rate": 0.5, "fast": true, "sizes": [3, 4]}\n',
    "conf/model.toml": "rate = 0.5 # per step\r\nfast = true\r\nsizes = [3, 4]\r\n",
    "conf/model.ini": "[model]\nrate = 0.5\nfast = true\n",
}
_LOAD: dict[str, Callable[[str], Any]] = {
    ".yaml": yaml.safe_load,
    ".json": json.loads,
    ".toml": tomllib.loads,
}


@pytest.mark.parametrize("path", _DATA)
def test_a_repository_of_data_alone_can_be_evolved(path: str, tmp_path: Path) -> None:
    seen = set()
    for seed in range(15):
        workspace = folder(tmp_path / str(seed), {path: _DATA[path], "README": "1"})
        GeneticAgent().propose(workspace, brief(seed), Deadline.after(60))
        text = workspace.contents()[path].decode()
        seen.add(text)
        load = _LOAD.get(Path(path).suffix)
        if load is not None:
            assert set(load(text)) == {"rate", "fast", "sizes"}
    assert len(seen) > 8


def test_numbers_of_data_are_mixed_with_those_of_other_commits(tmp_path: Path) -> None:
    path = "model.yaml"
    workspace = folder(tmp_path, {path: "a: 1.5\nb: 2.5\n"})
    workspace.commits = {MATE: {path: "a: 7.5\nb: 2.5\n"}, OTHER: {path: "a: 1.5\nb: 9.5\n"}}
    task = brief(4, inspirations=(MATE, OTHER), operator="mix-numbers")
    assert GeneticAgent().propose(workspace, task, Deadline.after(60)).operator == "mix-numbers"
    assert workspace.contents()[path] in (b"a: 7.5\nb: 2.5\n", b"a: 1.5\nb: 9.5\n")


@pytest.mark.parametrize("path", ["package.json", "Cargo.toml", "tests/a.yaml", ".github/a.yaml"])
def test_settings_of_tools_and_tests_are_left_alone(path: str, tmp_path: Path) -> None:
    workspace = folder(tmp_path, {path: _DATA["conf/model.json"], "a.py": "SIZE = 3.5\n"})
    before = workspace.contents()[path]
    GeneticAgent().propose(workspace, brief(1), Deadline.after(60))
    assert workspace.contents()[path] == before
