"""Syntax trees of Python source that give the source back unchanged."""

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
    changed = module.deep_replace(old, new)
    assert isinstance(changed, cst.Module)
    return changed.code


def shorten_code(module: cst.Module, node: cst.CSTNode) -> str:
    """The code of a node on one short line, for a commit's subject."""
    text = " ".join(module.code_for_node(node).split())
    return text if len(text) <= 32 else f"{text[:31]}…"


class _Collector(cst.CSTVisitor):
    def __init__(self, kinds: tuple[type[cst.CSTNode], ...]) -> None:
        super().__init__()
        self._kinds = kinds
        self.nodes: list[cst.CSTNode] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if isinstance(node, self._kinds):
            self.nodes.append(node)
        return True
