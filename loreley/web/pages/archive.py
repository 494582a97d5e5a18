"""The archive as a map, and one commit with all that is known of it."""

from dataclasses import dataclass

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse

from loreley.db.engine import Database
from loreley.map_elites.cells import Measure
from loreley.views.archive_map import IslandMap, MapElite, read_island
from loreley.views.job_list import find_job, read_children
from loreley.views.job_story import read_job_story
from loreley.views.lineage import read_lineage
from loreley.views.overview import read_overview
from loreley.views.pictures import read_pictures
from loreley.views.score_scale import RankScale, ScoreScale
from loreley.views.wording import figure, shorten
from loreley.web.changes import read_changes
from loreley.web.rendering import page, site_of

_MOST_TILES = 60  # on an axis; finer grids are drawn by taking neighbours together
_TILE, _BOTTOM = 26, 44
_CHARACTER = 7  # how wide one of a label is, in pixels
_MAP_WIDTH = 660
_CHILDREN = 12


@dataclass(frozen=True, slots=True)
class Tile:
    """A cell on the map, or some of them; the fittest of them stands for all."""

    x: int
    y: int
    elite: MapElite
    heat: int


@dataclass(frozen=True, slots=True)
class Axis:
    """An axis of the map."""

    name: str
    tiles: int
    ticks: tuple[tuple[float, str], ...]  # position in tiles, label


@dataclass(frozen=True, slots=True)
class TileMap:
    """What is drawn of an island; tiles of one size, the origin below on the left."""

    across: Axis
    up: Axis
    tiles: tuple[Tile, ...]
    tile_size: int
    tile_height: int
    bottom: int = _BOTTOM

    @property
    def left(self) -> int:
        """The room for labels beside the tiles."""
        longest = max((len(label) for _, label in self.up.ticks if self.up.name), default=0)
        return max(58, 24 + _CHARACTER * longest, 2 + self._name_beyond)

    @property
    def right(self) -> int:
        """The room for what labels below the tiles reach beyond them."""
        return max(12, 4 + _CHARACTER * len(self.across.ticks[-1][1]) // 2, 2 + self._name_beyond)

    @property
    def _name_beyond(self) -> int:
        """By how much the name below reaches beyond the tiles, on each side."""
        return (_CHARACTER * (len(shorten(self.across.name, 40)) + 2) - self.width) // 2

    @property
    def width(self) -> int:
        """In pixels, of the part with tiles."""
        return self.across.tiles * self.tile_size

    @property
    def height(self) -> int:
        """In pixels, of the part with tiles."""
        return self.up.tiles * self.tile_height


def archive_page(request: Request) -> HTMLResponse:
    """The map of an island; with more than two axes, of two of them."""
    asked = request.query_params
    database = site_of(request).database
    island = _number(asked.get("island")) or 0
    found = read_island(database, island)
    if found is None or not found.islands or not found.grid.measures:
        return page(request, "archive.html", found=None, overview=read_overview(database))
    last = len(found.grid.measures) - 1
    x = min(_number(asked.get("x")) or 0, last)
    y = min(_number(asked.get("y")) or (1 if x == 0 else 0), last)
    colours = "value" if asked.get("colours") == "value" else "rank"
    scales = {"rank": RankScale, "value": ScoreScale}
    scale = scales[colours].of([elite.score for elite in found.elites])
    fittest = sorted(found.elites, key=lambda elite: -elite.score)
    return page(
        request,
        "archive.html",
        found=found,
        island=island,
        axes=[measure.name for measure in found.grid.measures],
        x=x,
        y=y,
        colours=colours,
        drawn=_draw(found, x, y, scale),
        legend=scale.legend(-1.0 if _is_lower_better(found) else 1.0),
        fittest=fittest[:10],
    )


def commit_page(request: Request) -> HTMLResponse:
    """A judged commit: its figures and changes, beside those of another one."""
    commit = request.path_params["commit"]
    site = site_of(request)
    lineage = read_lineage(site.database, commit)
    if lineage is None:
        raise HTTPException(404, "No such commit was judged")
    against = request.query_params.get("against", "parent").strip()
    own = {"root": lineage.root_commit, "parent": lineage.last.parent}
    other = own[against] if against in own else _find_commit(site.database, against)
    beside = read_lineage(site.database, other) if other else None
    root_values = {metric.name: metric.value for metric in lineage.root_metrics}
    return page(
        request,
        "commit.html",
        lineage=lineage,
        step=lineage.last,
        root_values=root_values,
        pictures=read_pictures(site.database, commit),
        children=read_children(site.database, commit, limit=_CHILDREN),
        against=against,
        beside=beside.last if beside else None,
        beside_values={metric.name: metric.value for metric in beside.metrics} if beside else {},
        changes=read_changes(site, commit, other) if other and other != commit else None,
    )


def _find_commit(database: Database, text: str) -> str | None:
    """The judged commit of a job's number or of the beginning of an id; None without."""
    job_id = find_job(database, text)
    story = read_job_story(database, job_id) if job_id else None
    return story.commit if story else None


def _draw(found: IslandMap, x: int, y: int, scale: ScoreScale) -> TileMap:
    measures = found.grid.measures
    across = _make_axis(measures[x])
    up = _make_axis(measures[y]) if x != y else Axis("", 1, ())
    tiles: dict[tuple[int, int], MapElite] = {}
    for elite in found.elites:
        place = (
            elite.bins[x] * across.tiles // measures[x].bins,
            elite.bins[y] * up.tiles // measures[y].bins if x != y else 0,
        )
        if place not in tiles or elite.score > tiles[place].score:
            tiles[place] = elite
    size = max(9, min(_TILE * 2, _MAP_WIDTH // across.tiles))
    height = size if up.tiles > 1 else max(size, 2 * _TILE)
    shown = (
        Tile(column * size, (up.tiles - 1 - row) * height, elite, scale.step(elite.score))
        for (column, row), elite in sorted(tiles.items(), key=lambda one: (-one[0][1], one[0][0]))
    )
    return TileMap(across, up, tuple(shown), size, height)


def _make_axis(measure: Measure) -> Axis:
    tiles = min(measure.bins, _MOST_TILES)
    parts = min(tiles, 4)
    width = measure.high - measure.low
    ticks = tuple(
        (tiles * part / parts, _format_tick(measure.low + width * part / parts))
        for part in range(parts + 1)
    )
    return Axis(measure.name, tiles, ticks)


def _format_tick(value: float) -> str:
    whole = figure(value)
    return whole if len(whole) <= 8 else figure(value, 4)


def _is_lower_better(found: IslandMap) -> bool:
    return any(elite.score != elite.fitness for elite in found.elites)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 6 else None
