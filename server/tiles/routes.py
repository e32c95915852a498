"""Vector tiles of a collection, of several, and of the whole city."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from core.catalogue import BBox, joined
from core.errors import NoSuchCollection
from features.asking import TableChanged, asking
from features.queries import conditions
from features.search import once, read_search
from features.table import Table
from features.versions import source
from server.negotiate import choose
from server.tiles.addresses import TileAddress
from server.tiles.answers import MVT, answer, left_out_at
from tiles.cache import Kept
from tiles.layer import TileLayer
from tiles.matrix import WEB_MERCATOR_QUAD, MatrixSet, NoSuchMatrixSet, Tile
from tiles.queries import Condition

FORMS: Final = {"mvt": MVT}
_FILTERS = ("filter", "filter-lang", "filter-crs", "datetime")
_ALWAYS = ("f", "lang", "api-key")


async def ogc_tile(request: Request) -> Response:
    """A tile of a collection (OGC API - Tiles 1, 7.1)."""
    return await _collection_tile(request, _address(request, xyz=False))


async def ogc_city_tile(request: Request) -> Response:
    """A tile of all collections, or of those that `collections` names, each a layer of it (OGC API - Tiles 1, 12)."""
    return await _city_tile(request, _address(request, xyz=False))


async def xyz_tile(request: Request) -> Response:
    """A tile of a collection in Web Mercator, for web maps."""
    return await _collection_tile(request, _address(request, xyz=True))


async def xyz_city_tile(request: Request) -> Response:
    """A tile of all collections in Web Mercator."""
    return await _city_tile(request, _address(request, xyz=True))


def _address(request: Request, *, xyz: bool) -> TileAddress:
    given = request.path_params
    set_ = WEB_MERCATOR_QUAD if xyz else given["matrix_set"]
    return TileAddress(given.get("collection_id"), set_, given["z"], given["row"], given["column"], xyz)


async def _collection_tile(request: Request, address: TileAddress) -> Response:
    choose(request.scope, FORMS)
    given = once(request.query_params.multi_items(), (*_ALWAYS, *_FILTERS))
    layer = layer_of(request, address.collection or "")
    matrix_set = matrix_set_of(request, address.matrix_set)
    tile = matrix_set.tile(address.z, address.row, address.column)
    if any(name in given for name in _FILTERS):
        kept = await _filtered(request, layer, matrix_set, tile)
    else:
        kept = await of_its_table(request, layer, matrix_set, tile)
    _require_within(address, kept, layer.dataset.extent, matrix_set, tile)
    return answer(
        request.headers,
        kept,
        max_age=layer.dataset.max_age,
        left_out=left_out_at(layer, matrix_set.mercator_zoom(tile.z)),
        empty=200 if address.xyz else 204,
    )


async def of_its_table(request: Request, layer: TileLayer, matrix_set: MatrixSet, tile: Tile) -> Kept:
    """A tile; and once more where the table changed since the catalogue was read."""
    state = request.app.state
    try:
        with asking(layer.id):
            kept: Kept = await state.tiles.tile(layer, matrix_set, tile)
    except TableChanged:
        await state.publisher.look_again(layer.id)
        with asking(layer.id):
            kept = await state.tiles.tile(layer_of(request, layer.id), matrix_set, tile)
    return kept


async def _filtered(request: Request, layer: TileLayer, matrix_set: MatrixSet, tile: Tile) -> Kept:
    """A tile of what a filter lets through."""
    state = request.app.state
    table: Table = state.publisher.table(layer.id)
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] in _FILTERS]
    search = read_search(pairs, table, state.limits)
    condition = Condition(*conditions(table, search), source(table, search))
    with asking(layer.id):
        kept: Kept = await state.tiles.filtered(layer, matrix_set, tile, condition)
    return kept


async def _city_tile(request: Request, address: TileAddress) -> Response:
    choose(request.scope, FORMS)
    given = once(request.query_params.multi_items(), (*_ALWAYS, "collections"))
    layers = layers_of(request, given.get("collections"))
    matrix_set = matrix_set_of(request, address.matrix_set)
    tile = matrix_set.tile(address.z, address.row, address.column)
    kept = await request.app.state.tiles.city(layers, matrix_set, tile)
    _require_within(address, kept, joined_extent(layers), matrix_set, tile)
    return answer(request.headers, kept, max_age=least_age(layers), empty=200 if address.xyz else 204)


def _require_within(address: TileAddress, kept: Kept, extent: BBox | None, matrix_set: MatrixSet, tile: Tile) -> None:
    """An empty tile beyond the limits that the tile set tells is none (OGC API - Tiles 1, requirement 9)."""
    if address.xyz or not kept.is_empty:
        return
    if not any(limits.holds(tile) for limits in matrix_set.limits(extent, [tile.z])):
        raise matrix_set.missing(*tile)


def layer_of(request: Request, id_: str) -> TileLayer:
    """The layer of a collection; the error of one that is out of service or is not there."""
    request.app.state.publisher.table(id_)
    layer: TileLayer = request.app.state.publisher.layers[id_]
    return layer


def layers_of(request: Request, named: str | None) -> list[TileLayer]:
    """The layers of the city, or of the collections that are named."""
    layers: dict[str, TileLayer] = request.app.state.publisher.layers
    if named is None:
        return list(layers.values())
    wanted = dict.fromkeys(part.strip() for part in named.split(","))
    for id_ in wanted:
        if id_ not in layers:
            raise NoSuchCollection(id=id_[:60])
    return [layers[id_] for id_ in wanted]


def matrix_set_of(request: Request, id_: str) -> MatrixSet:
    """The tile matrix set of this name."""
    sets: dict[str, MatrixSet] = request.app.state.tiles.sets
    if id_ not in sets:
        raise NoSuchMatrixSet(id=id_[:60], known=", ".join(sets))
    return sets[id_]


def joined_extent(layers: Sequence[TileLayer]) -> BBox | None:
    """The extent of all layers together."""
    return joined([one.dataset.extent for one in layers if one.dataset.extent is not None])


def least_age(layers: Sequence[TileLayer]) -> int:
    """How long a tile of several may be kept: as long as each of them."""
    return min((one.dataset.max_age for one in layers), default=0)


_OGC_TILE = "/tiles/{matrix_set}/{z}/{row}/{column}"
_XYZ_TILE = "/{z}/{column}/{row}"
TILE_ROUTES: list[BaseRoute] = [
    Route(f"/collections/{{collection_id}}{_OGC_TILE}", ogc_tile),
    Route(_OGC_TILE, ogc_city_tile),
    *(Route(f"/xyz/{{collection_id}}{_XYZ_TILE}{ending}", xyz_tile) for ending in (".mvt", ".pbf")),
    *(Route(f"/xyz{_XYZ_TILE}{ending}", xyz_city_tile) for ending in (".mvt", ".pbf")),
]
