"""One tile of one data set as SQL: the features that are in it, placed by an affine map, as ST_AsMVT writes them."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from psycopg import sql

from core.catalogue import Dataset
from core.crs import WEB_MERCATOR, Srid
from core.database import query
from tiles.layer import TileLayer, is_plain
from tiles.levels.source import OWN
from tiles.matrix import MatrixSet, Tile
from tiles.placing import EXTENT, place

_SQUARE: Final = f"BOX(0 0,{EXTENT} {EXTENT})"
_REVERSED: Final = sql.SQL("st_reverse")  # of rings known to be wound as stored polygons should be
_FORCED: Final = sql.SQL("st_forcepolygonccw")  # in the plane of the tile, whose y goes down
_LONG = 2  # units: of a line that is as long or wide, rounding leaves something


class Statement(NamedTuple):
    """SQL with its parameters."""

    text: sql.SQL | sql.Composed
    parameters: dict[str, object]


class Condition(NamedTuple):
    """What features must be besides in the tile: SQL over columns `f.…`, with its parameters."""

    text: sql.Composable
    parameters: Mapping[str, object]
    source: sql.Composable | None = None  # what features are read from, where that is not the data set's table


_NO_CONDITION: Final = Condition(sql.SQL("true"), {})


class Wanted(NamedTuple):
    """A tile of a layer, and what of it."""

    layer: TileLayer
    matrix_set: MatrixSet
    tile: Tile
    condition: Condition | None = None  # of features, which are then whole at any zoom
    most: int | None = None  # only so many features, those of the highest rank
    ordered: bool = False  # features in an order of their own, so that the same data are always the same bytes

    @property
    def generalised(self) -> bool:
        """Whether generalised features are wanted."""
        return self.condition is None and self.zoom < self.layer.whole_from

    @property
    def zoom(self) -> int:
        """The zoom of Web Mercator whose features are as fine as this tile."""
        return self.tile.z if self.matrix_set.is_mercator else self.matrix_set.mercator_zoom(self.tile.z)


def tile(wanted: Wanted) -> Statement:
    """The statement for a tile (columns release, change, level_step, tile); its text is the same for all tiles of a kind."""
    layer = wanted.layer
    stored = WEB_MERCATOR if wanted.generalised else Srid(layer.dataset.srid)
    placing = place(wanted.matrix_set, wanted.tile, stored)
    parameters: dict[str, object] = {
        "dataset": layer.id,
        "fetch": placing.fetch,
        "inside": placing.inside,
        "near": placing.near,
    }
    parameters |= placing.affine._asdict() | {"square": _SQUARE, "clear": placing.clear}
    if placing.affine.least:
        parameters["long"] = _LONG / placing.affine.least
    kind = _Kind(wanted.generalised and wanted.matrix_set.is_mercator, wanted.generalised, placing.through)
    if wanted.condition is None and wanted.most is None and not wanted.ordered:
        return Statement(_remembered(layer, kind, wanted.zoom if wanted.generalised else None), parameters)
    extra = wanted.condition or _NO_CONDITION
    zoom = wanted.zoom if wanted.generalised else None
    return Statement(_composed(layer, kind, zoom, extra, _chosen(wanted)), {**parameters, **extra.parameters})


class _Kind(NamedTuple):
    on_grid: bool  # rounded already, to the tile's own units
    generalised: bool
    through: Srid | None


@lru_cache(maxsize=2000)
def _remembered(layer: TileLayer, kind: _Kind, zoom: int | None) -> sql.SQL:
    """Put together once, to the last letter: psycopg would do that again at each tile."""
    whole = _composed(layer, kind, zoom, _NO_CONDITION, sql.SQL(""))
    return sql.SQL(whole.as_string())  # made of literal ones, names and quoted values


def _composed(
    layer: TileLayer, kind: _Kind, zoom: int | None, extra: Condition, chosen: sql.Composable
) -> sql.Composed:
    dataset = layer.dataset
    conditions = [query("tile_fetch"), extra.text]
    if zoom is not None:
        conditions.insert(0, query("tile_level").format(zoom=sql.Literal(zoom)))
    return query("tile").format(
        layer=sql.Literal(layer.id),
        id=sql.SQL(", {}").format(sql.Literal(dataset.key)) if layer.has_ids else sql.SQL(""),
        shape=_shape(layer, kind),
        columns=_columns(layer, kind),
        source=_source(dataset, kind, extra.source),
        conditions=sql.SQL(" and ").join(conditions),
        limit=chosen,
    )


def _source(dataset: Dataset, kind: _Kind, other: sql.Composable | None) -> sql.Composable:
    table = other or sql.Identifier("tiles" if kind.generalised else "data", dataset.id)
    if kind.through is None:
        return query("tile_source").format(table=table)
    return query("tile_source_transformed").format(table=table, srid=sql.Literal(int(kind.through)))


def _shape(layer: TileLayer, kind: _Kind) -> sql.Composable:
    """A feature's geometry in tile units, by the shortest way that is right for it."""
    geometry = sql.Identifier("f", "geom" if kind.through is None else "moved")
    parts = {
        "geometry": geometry,
        "placed": query("tile_affine").format(geometry=geometry),
        "upright": query("tile_upright").format(geometry=geometry),
    }
    if layer.family in ("line", "point"):
        return query(f"tile_{layer.family}").format(**parts)
    if layer.family == "area" and kind.on_grid:
        return query("tile_area").format(clear=sql.SQL("true"), wound=_FORCED, **parts)
    if layer.family == "area" and layer.dataset.knows_clearance and not kind.generalised:
        return query("tile_area").format(clear=query("tile_clear"), wound=_REVERSED, **parts)
    return query("tile_any").format(**parts)


def _columns(layer: TileLayer, kind: _Kind) -> sql.Composable:
    names = [sql.SQL(", {}").format(_column(layer.dataset.key))] if layer.has_ids else []
    for field in layer.fields:
        if kind.generalised and field.name in OWN:
            continue
        column = _column(field.name)
        if not is_plain(field):
            column = sql.SQL("{}::{} as {}").format(
                column, sql.SQL("float8" if field.type == "numeric" else "text"), _named(field.name)
            )
        names.append(sql.SQL(", {}").format(column))
    return sql.SQL("").join(names)


def _chosen(wanted: Wanted) -> sql.Composable:
    """Which features, or at least in which order."""
    if wanted.most is not None:
        return _ranked(wanted.layer, wanted.most)
    if not wanted.ordered:
        return sql.SQL("")
    key = sql.Identifier("row_id") if wanted.generalised else _named(wanted.layer.dataset.key)
    return query("tile_order").format(key=key)


def _ranked(layer: TileLayer, most: int) -> sql.Composable:
    name = {"area": "tile_rank_area", "line": "tile_rank_length"}.get(layer.family, "tile_rank_any")
    return query(name).format(key=_named(layer.dataset.key), limit=sql.Literal(most))


def _column(name: str) -> sql.Composable:
    return sql.Identifier("f", name.replace("%", "%%"))


def _named(name: str) -> sql.Identifier:
    return sql.Identifier(name.replace("%", "%%"))


__all__ = ["Condition", "Statement", "Wanted", "tile"]
