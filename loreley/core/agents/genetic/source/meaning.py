"""What a source says, whatever its blanks, its comments and, in Python, its local names."""

import ast
import re
import warnings
from collections.abc import Iterator
from hashlib import sha256

from loreley.core.agents.genetic.source.languages import PYTHON, Language, language_of
from loreley.core.agents.genetic.source.lexer import TokenKind, lex

_LOOKS_AT_NAMES = frozenset({"locals", "vars", "dir", "eval", "exec", "globals"})
# Comments that a compiler or an interpreter obeys: `#!`, `/*!`, `!$omp`, `// @ts-check`, `# -*-`.
_OBEYED = re.compile(
    r"(?://|/\*|--|\{-|\(\*|[#;%!'])\**\s*"
    r"(?:[!#$@+]|-\*-|export|line\b|pragma|frozen_string|coding|encoding)"
)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def may_read(path: str) -> bool:
    """Whether there is more to know of a file's content than its bytes."""
    language = language_of(path)
    return language is not None and not language.is_data


def find_meaning(path: str, content: bytes) -> str:
    """A digest, the same for contents of a file that differ in what has no effect only.

    That is in Python what its syntax tree leaves out, and how variables of functions are called;
    elsewhere comments, blank lines and how many blanks there are, where lines are not told apart by
    their indentation. What cannot be read is known by its bytes.
    """
    language = language_of(path)
    assert language is not None
    said = _read_python(content) if language is PYTHON else _read_tokens(content, language)
    return sha256(content if said is None else said.encode("utf-8", "surrogateescape")).hexdigest()


def _read_python(content: bytes) -> str | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(content)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                _number_variables(node)
        return ast.dump(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _number_variables(function: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Name the function's own variables by their order; those seen from elsewhere keep theirs."""
    own = [node for statement in function.body for node in _walk_scope(statement)]
    names = [node for node in own if isinstance(node, ast.Name)]
    if any(name.id in _LOOKS_AT_NAMES for name in names):
        return
    bound = {name.id for name in names if not isinstance(name.ctx, ast.Load)}
    kept = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    for node in own:
        if isinstance(node, ast.Global | ast.Nonlocal):
            kept.update(node.names)
        elif isinstance(node, ast.alias):
            kept.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            kept.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            kept.add(node.rest)
        elif isinstance(node, (*_SCOPES, *_COMPREHENSIONS)):
            kept.update(_find_names(node))
    numbers: dict[str, str] = {}
    for name in names:
        if name.id in bound - kept:
            # No name of Python's: it is never taken for another one.
            name.id = numbers.setdefault(name.id, f"variable {len(numbers)}")


def _walk_scope(node: ast.AST) -> Iterator[ast.AST]:
    """The node and what is below it, in order, but nothing inside of other scopes."""
    yield node
    if not isinstance(node, (*_SCOPES, *_COMPREHENSIONS)):
        for child in ast.iter_child_nodes(node):
            yield from _walk_scope(child)


def _find_names(scope: ast.AST) -> Iterator[str]:
    for node in ast.walk(scope):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names


def _read_tokens(content: bytes, language: Language) -> str | None:
    try:
        source = content.decode()
    except UnicodeDecodeError:
        return None
    lines, line, at, is_apart = [], "", 0, False
    for token in lex(source, language.rules):
        is_comment = token.kind is TokenKind.COMMENT and not _is_obeyed(token.text, language)
        is_apart = is_apart or at < token.start or is_comment
        if token.kind is TokenKind.NEWLINE or (is_comment and "\n" in token.text):
            lines.append(line)
            line = ""
        elif line and not is_comment:
            line += f" {token.text}" if is_apart else token.text
        elif not is_comment:
            indent = "" if language.rules.has_braces else source[at : token.start]
            line = f"{indent}{token.text}"
        is_apart = is_apart and is_comment
        at = token.end
    return "\n".join(filter(None, [*lines, line]))


def _is_obeyed(comment: str, language: Language) -> bool:
    # What stands above an `import "C"` of Go is a program in C.
    return language.name == "Go" or _OBEYED.match(comment) is not None
