"""The tree to a commit, coloured by fitness, and its path from the root step by step."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from loreley.db.confirmations import best_commit
from loreley.views.ancestry import Ancestor, Ancestry, read_ancestry
from loreley.views.lineage import commits_beginning, read_lineage
from loreley.views.overview import read_overview
from loreley.views.score_scale import ScoreScale
from loreley.web.rendering import page, site_of

_MOST_BESIDE = 300
_COLUMN, _ROW, _EDGE = 38, 17, 16


@dataclass(frozen=True, slots=True)
class Node:
    """A commit on the drawing."""

    member: Ancestor
    x: int
    y: int
    heat: int
    is_on_path: bool


@dataclass(frozen=True, slots=True)
class Link:
    """A line from a parent to its child."""

    path: str
    is_on_path: bool


@dataclass(frozen=True, slots=True)
class LineageTree:
    """A drawing of a family, in pixels: generations from left to right."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    width: int
    height: int


def lineage_page(request: Request) -> HTMLResponse:
    """The best commit's lineage, or that of the commit asked for."""
    database = site_of(request).database
    wanted = request.query_params.get("commit", "").strip().lower()
    with database.read() as connection:
        found = commits_beginning(connection, wanted) if wanted else []
        best = best_commit(connection)
    if wanted and len(found) != 1:
        raise HTTPException(404, "No such commit was judged, or several begin so")
    chosen = found[0] if found else best
    lineage = read_lineage(database, chosen) if chosen else None
    family = read_ancestry(database, chosen, at_most=_MOST_BESIDE) if chosen else None
    scores = [each.score for each in family.members if each.score is not None] if family else []
    scale = ScoreScale.of(scores)
    sign = 1.0 if lineage is None or lineage.objective.higher_is_better else -1.0
    return page(
        request,
        "lineage.html",
        lineage=lineage,
        family=family,
        is_best=chosen == best,
        overview=None if chosen else read_overview(database),
        tree=draw_tree(family, scale) if family else None,
        legend=scale.legend(sign),
    )


def draw_tree(family: Ancestry, scale: ScoreScale) -> LineageTree:
    """Place every member: its generation gives the column; leaves take rows, parents the middle.

    The path comes first among siblings, so that it runs along the top.
    """
    members = {each.commit: each for each in family.members}
    path = set(family.path)
    depth, children = _count_generations(family.members, path)
    rows = _place_rows(family.members, children)
    nodes = tuple(
        Node(
            member,
            _EDGE + depth[name] * _COLUMN,
            _EDGE + round(rows[name] * _ROW),
            scale.step(member.score),
            name in path,
        )
        for name, member in members.items()
    )
    places = {node.member.commit: node for node in nodes}
    links = tuple(
        Link(_draw_curve(places[node.member.parent], node), node.is_on_path)
        for node in nodes
        if node.member.parent in places
    )
    return LineageTree(
        nodes,
        links,
        width=max((node.x for node in nodes), default=0) + _EDGE,
        height=max((node.y for node in nodes), default=0) + _EDGE,
    )


def _count_generations(
    members: Sequence[Ancestor], path: set[str]
) -> tuple[dict[str, int], dict[str, list[str]]]:
    depth: dict[str, int] = {}
    children: dict[str, list[str]] = {}
    for member in members:  # parents come first
        known = member.parent is not None and member.parent in depth
        depth[member.commit] = depth[member.parent] + 1 if known and member.parent else 0
        if known and member.parent:
            children.setdefault(member.parent, []).append(member.commit)
    for siblings in children.values():
        siblings.sort(key=lambda name: name not in path)
    return depth, children


def _place_rows(members: Sequence[Ancestor], children: dict[str, list[str]]) -> dict[str, float]:
    rows: dict[str, float] = {}
    roots = [each.commit for each in members if each.parent is None or each.parent not in children]
    ahead = roots[::-1]
    leaves = 0
    order: list[str] = []
    while ahead:
        name = ahead.pop()
        order.append(name)
        ahead += children.get(name, [])[::-1]
        if not children.get(name):
            rows[name] = float(leaves)
            leaves += 1
    for name in reversed(order):
        if children.get(name):
            rows[name] = rows[children[name][0]]  # in line with the first: a straight trunk
    return rows


def _draw_curve(parent: Node, child: Node) -> str:
    middle = (parent.x + child.x) // 2
    return f"M{parent.x} {parent.y}C{middle} {parent.y} {middle} {child.y} {child.x} {child.y}"
