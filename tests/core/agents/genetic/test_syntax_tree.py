"""Replacing a node does what libcst's own way does, which walks through the whole tree."""

import libcst as cst
import pytest

from loreley.core.agents.genetic.source.syntax_tree import find_nodes, parse, replace_node
from tests.core.agents.genetic import sources


@pytest.mark.parametrize("source", [sources.PYTHON, sources.PYTHON_MATE, sources.PYTHON_OTHER])
def test_replacing_any_node_gives_the_same_source_as_libcst_does(source: str) -> None:
    module = parse(source)
    assert module is not None
    signs = [(sign, cst.Modulo()) for sign in find_nodes(module, cst.Add, cst.Multiply)]
    names = [(name, cst.Name("other")) for name in find_nodes(module, cst.Name)]
    found: list[cst.Module | cst.IndentedBlock] = [module, *find_nodes(module, cst.IndentedBlock)]
    blocks = [(each, each.with_changes(body=[*each.body[1:], each.body[0]])) for each in found]

    for old, new in [*signs, *names, *blocks]:
        changed = module.deep_replace(old, new)
        assert isinstance(changed, cst.Module)
        assert replace_node(module, old, new) == changed.code
