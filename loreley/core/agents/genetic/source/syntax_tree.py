"""Syntax trees of Python source that give the source back unchanged."""

from collections.abc import Sequence
from dataclasses import fields
from functools import lru_cache
from typing import TypeVar

import libcst as cst

Node = TypeVar("Node", bound=cst.CSTNode)


@lru_cache(maxsize=16)  # operators that are tried in turn see the same files
def parse(source: str) -> cst.Module | None:
    """The tree of ``source``, which compiles; None where libcst cannot give it back unchanged."""
    try:
        module = cst.parse_module(source)
        return module if module.code == source else None
    except (cst.ParserSyntaxError, RecursionError):
        return None


def find_nodes(module: cst.Module, *kinds: type[Node]) -> list[Node]:
    """All nodes of some kinds, in the order of the source."""
    return [node for node in _collect(module, kinds) if isinstance(node, kinds)]


@lru_cache(maxsize=32)  # an operator that finds nothing to change asks again
def _collect(module: cst.Module, kinds: tuple[type[cst.CSTNode], ...]) -> list[cst.CSTNode]:
    collector = _Collector(kinds)
    module.visit(collector)
    return collector.nodes


def replace_node(module: cst.Module, old: cst.CSTNode, new: cst.CSTNode) -> str:
    """The source with ``new`` in the place of ``old``, which may be the module itself."""
    # Not by `deep_replace`, which walks through the whole tree for what lies on one branch of it.
    parents = _find_parents(module)
    while old is not module:
        parent = parents[old]
        old, new = parent, _with_child(parent, old, new)
    assert isinstance(new, cst.Module)
    return new.code


@lru_cache(maxsize=16)
def read_code(module: cst.Module) -> str:
    """The source of a whole tree, which takes long to write out."""
    return module.code


def shorten_code(module: cst.Module, node: cst.CSTNode) -> str:
    """The code of a node on one short line, for a commit's subject."""
    text = " ".join(module.code_for_node(node).split())
    return text if len(text) <= 32 else f"{text[:31]}…"


@lru_cache(maxsize=16)
def _find_parents(module: cst.Module) -> dict[cst.CSTNode, cst.CSTNode]:
    return {
        child: parent for parent in _collect(module, (cst.CSTNode,)) for child in parent.children
    }


def _with_child(parent: cst.CSTNode, old: cst.CSTNode, new: cst.CSTNode) -> cst.CSTNode:
    for each in fields(parent):
        value = getattr(parent, each.name)
        if value is old:
            return parent.with_changes(**{each.name: new})
        if isinstance(value, Sequence) and any(item is old for item in value):
            items = [new if item is old else item for item in value]
            return parent.with_changes(**{each.name: items})
    raise AssertionError("a node is in none of its parent's fields")


class _Collector(cst.CSTVisitor):
    def __init__(self, kinds: tuple[type[cst.CSTNode], ...]) -> None:
        super().__init__()
        self._kinds = kinds
        self.nodes: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, self._kinds):
            self.nodes.append(node)
        return True
