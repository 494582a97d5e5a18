"""Names of a Python source that cannot be bound when they are asked for."""

import ast
import builtins
import symtable
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

_OF_MODULES = frozenset(
    {"__file__", "__name__", "__doc__", "__package__", "__spec__", "__path__", "__builtins__"}
    | {"__loader__", "__dict__", "__annotations__", "__module__", "__qualname__", "__class__"}
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
Place = tuple[ast.AST, ...]  # the loops and branches around something, from outside


@dataclass(frozen=True, slots=True)
class _Use:
    """A name that is bound or asked for, in the order in which that happens."""

    name: str
    binds: bool
    place: Place
    augments: bool = False  # which does not bind what was not, and yet makes it a local name


def breaks_names(old: str, new: str) -> bool:
    """Whether ``new`` asks for a name that cannot be bound, and ``old`` does not ask for it so.

    What is left to chance, such as a name that some branch binds, passes.
    """
    return bool(_find_unbound(new) - _find_unbound(old))


@lru_cache(maxsize=16)
def _find_unbound(source: str) -> frozenset[tuple[str, str]]:
    """Each such name, with the function that asks for it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            table = symtable.symtable(source, "<source>", "exec")
        early = {
            (function.name, name)
            for function in ast.walk(tree)
            if isinstance(function, _FUNCTIONS)
            for name in _find_early(function)
        }
        return frozenset(early | set(_find_undefined(table, tree)))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()


def _find_undefined(table: symtable.SymbolTable, tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names that no scope binds; none where they may come from anywhere."""
    if any(isinstance(node, ast.alias) and node.name == "*" for node in ast.walk(tree)):
        return
    scopes = list(_walk_scopes(table))
    known = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_local()}
    known |= {
        symbol.get_name()
        for scope in scopes
        for symbol in scope.get_symbols()
        if symbol.is_declared_global() and symbol.is_assigned()
    }
    known |= _OF_MODULES | set(dir(builtins))
    for scope in scopes:
        for symbol in scope.get_symbols():
            # Of a function called `top` Python says that all of its names are global, too.
            is_global = symbol.is_global() and not symbol.is_local()
            if symbol.is_referenced() and is_global and symbol.get_name() not in known:
                yield scope.get_name(), symbol.get_name()


def _walk_scopes(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _walk_scopes(child)


def _find_early(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Variables of the function that it asks for before it can have bound them."""
    uses = [use for statement in function.body for use in _find_uses(statement, ())]
    outer = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    for node in ast.walk(function):
        if isinstance(node, ast.Global | ast.Nonlocal):
            outer.update(node.names)
    seen = set(outer)
    local = {use.name for use in uses if use.binds or use.augments}
    for use in uses:
        if use.name in local - seen and not use.binds:
            binds = [other.place for other in uses if other.binds and other.name == use.name]
            if all(_is_early(use.place, bind) for bind in binds):
                yield use.name
        seen.add(use.name)


def _is_early(use: Place, bind: Place) -> bool:
    """Whether a use that comes before the binding cannot have been preceded by it after all.

    In a loop around both it can, unless each turn comes to the use.
    """
    shared = [
        number for number, node in enumerate(use) if isinstance(node, _LOOPS) and node in bind
    ]
    return not shared or shared[-1] == len(use) - 1


def _find_uses(node: ast.AST, place: Place) -> Iterator[_Use]:
    """What the function's own scope binds and asks for, in the order in which it does so."""
    match node:
        case ast.Name():
            yield _Use(node.id, not isinstance(node.ctx, ast.Load), place)
        case ast.Assign():
            yield from _find_all_uses([node.value, *node.targets], place)
        case ast.AnnAssign():
            if node.value is not None:
                yield from _find_all_uses([node.value, node.target], place)
            elif not isinstance(node.target, ast.Name):
                yield from _find_uses(node.target, place)
        case ast.AugAssign(target=ast.Name(id=name)):
            yield _Use(name, False, place, augments=True)
            yield from _find_uses(node.value, place)
        case ast.NamedExpr():
            yield from _find_all_uses([node.value, node.target], place)
        case ast.For() | ast.AsyncFor():
            yield from _find_uses(node.iter, place)
            yield from _find_all_uses([node.target, *node.body], (*place, node))
            yield from _find_all_uses(node.orelse, (*place, node.target))
        case ast.While():
            yield from _find_all_uses([node.test, *node.body], (*place, node))
            yield from _find_all_uses(node.orelse, (*place, node.test))
        case ast.If() | ast.IfExp():
            yield from _find_uses(node.test, place)
            for branch in (node.body, node.orelse):
                inner = branch if isinstance(branch, list) else [branch]
                yield from _find_all_uses(inner, (*place, node))
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            yield from _find_all_uses(node.decorator_list, place)
            yield _Use(node.name, True, place)
        case ast.Import() | ast.ImportFrom():
            for alias in node.names:
                yield _Use(alias.asname or alias.name.partition(".")[0], True, place)
        case ast.ExceptHandler() | ast.MatchAs() | ast.MatchStar():
            if node.name:
                yield _Use(node.name, True, (*place, node))
            yield from _find_all_uses(list(ast.iter_child_nodes(node)), (*place, node))
        case ast.MatchMapping():
            if node.rest:
                yield _Use(node.rest, True, place)
            yield from _find_all_uses(list(ast.iter_child_nodes(node)), place)
        case ast.Lambda():
            return
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            for inside in ast.walk(node):  # it may bind names of the function by `:=`
                if isinstance(inside, ast.NamedExpr) and isinstance(inside.target, ast.Name):
                    yield _Use(inside.target.id, True, place)
        case ast.Try() | ast.BoolOp() | ast.match_case():
            yield from _find_all_uses(list(ast.iter_child_nodes(node)), (*place, node))
        case _:
            yield from _find_all_uses(list(ast.iter_child_nodes(node)), place)


def _find_all_uses(
    nodes: list[ast.AST] | list[ast.expr] | list[ast.stmt], place: Place
) -> Iterator[_Use]:
    for node in nodes:
        yield from _find_uses(node, place)
