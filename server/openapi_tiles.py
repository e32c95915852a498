"""The tiles' part of the OpenAPI document."""

from collections.abc import Iterable
from typing import Final

from core.language import Language, Text
from features.documents import MEDIA, Json
from server.openapi_parts import object_of, path_parameter, ref, response_of
from server.tiles.answers import MVT

_LISTED: Final = Text("The tile sets of {of}", "{of}的瓦片集")
_ONE: Final = Text("A tile set of {of}", "{of}的一个瓦片集")
_TILE: Final = Text("A vector tile of {of}", "{of}的矢量瓦片")
_XYZ: Final = Text("A vector tile of {of}, for web maps", "{of}的矢量瓦片(供网页地图)")
_TILEJSON: Final = Text("TileJSON of {of}", "{of}的 TileJSON")
_CITY: Final = Text("all data sets", "全部数据集")
_COLLECTION: Final = Text("a data set", "一个数据集")
_SETS: Final = Text("The tile matrix sets", "全部瓦片矩阵集")
_SET: Final = Text("A tile matrix set", "一个瓦片矩阵集")

_READING: Final = ("400", "404", "406", "500", "503")
_JSON: Final = {"json": MEDIA["json"]}
_TEXT: Final = {"type": "string"}
_NUMBER: Final = {"type": "integer", "minimum": 0}
_LINKS: Final = {"type": "array", "items": ref("schemas", "link")}

SCHEMAS: Final[Json] = {
    "tileSet": object_of(
        ["dataType", "crs", "links"],
        title=_TEXT,
        dataType={"type": "string", "enum": ["vector"]},
        crs=_TEXT,
        tileMatrixSetId=_TEXT,
        tileMatrixSetURI=_TEXT,
        tileMatrixSetLimits={"type": "array", "items": {"type": "object"}},
        links=_LINKS,
    ),
    "tileSets": object_of(["tilesets"], tilesets={"type": "array", "items": ref("schemas", "tileSet")}, links=_LINKS),
    "tileMatrixSet": object_of(
        ["id", "crs", "tileMatrices"], id=_TEXT, crs=_TEXT, tileMatrices={"type": "array", "items": {"type": "object"}}
    ),
    "tileMatrixSets": object_of(
        ["tileMatrixSets"],
        tileMatrixSets={"type": "array", "items": object_of(["id", "links"], id=_TEXT, links=_LINKS)},
    ),
    "tileJson": object_of(
        ["tilejson", "tiles", "vector_layers"],
        tilejson=_TEXT,
        tiles={"type": "array", "items": _TEXT},
        vector_layers={"type": "array", "items": object_of(["id", "fields"], id=_TEXT, fields={"type": "object"})},
    ),
}
RESPONSES: Final[Json] = {
    "tile": {
        "description": Text("The tile.", "该瓦片。"),
        "content": {MVT: {"schema": {"type": "string", "format": "binary"}}},
    },
    "noTile": {"description": Text("Nothing is in the tile.", "该瓦片内没有数据。")},
    "tileSets": response_of(Text("The tile sets.", "全部瓦片集。"), "tileSets"),
    "tileSet": response_of(Text("The tile set.", "该瓦片集。"), "tileSet"),
    "tileMatrixSets": response_of(Text("The tile matrix sets.", "全部瓦片矩阵集。"), "tileMatrixSets"),
    "tileMatrixSet": response_of(Text("The tile matrix set.", "该瓦片矩阵集。"), "tileMatrixSet"),
    "tileJson": response_of(Text("A TileJSON document.", "TileJSON 文档。"), "tileJson", _JSON),
}


def tile_parameters(sets: Iterable[str]) -> Json:
    """The parameters in the addresses of tiles."""
    numbers = {
        "tileMatrix": Text("The zoom level.", "瓦片级别。"),
        "tileRow": Text("The row, from the north.", "行号,自北向南。"),
        "tileCol": Text("The column, from the west.", "列号,自西向东。"),
    }
    chosen = path_parameter("tileMatrixSetId", Text("A tile matrix set.", "瓦片矩阵集。"), [*sets])
    return {"tileMatrixSetId": chosen} | {
        name: path_parameter(name, words, []) | {"schema": _TEXT if name == "tileMatrix" else _NUMBER}
        for name, words in numbers.items()
    }


def tile_paths(say: Language, *, collections: bool) -> Json:
    """The addresses of tiles; those of collections stand here once for all of them."""
    document = ("f", "lang")
    paths = {
        "/tileMatrixSets": {"get": _get("getTileMatrixSets", _SETS.in_(say), "tileMatrixSets", *document)},
        "/tileMatrixSets/{tileMatrixSetId}": {
            "get": _get("getTileMatrixSet", _SET.in_(say), "tileMatrixSet", "tileMatrixSetId", *document)
        },
        **_source_paths("", "dataset.vector", _CITY.in_(say), ("collections",), say),
    }
    if collections:
        filters = ("datetime", "filter", "filter-lang", "filter-crs")
        here = "/collections/{collectionId}"
        paths |= _source_paths(here, "collection.vector", _COLLECTION.in_(say), filters, say)
    return paths


def _source_paths(here: str, name: str, of: str, choosing: tuple[str, ...], say: Language) -> Json:
    """The tiles of one collection or of all."""
    whose = ("collectionId",) if here else ()
    xyz = "/xyz/{collectionId}" if here else "/xyz"
    places = ("tileMatrix", "tileRow", "tileCol")
    tile = f"{here}/tiles/{{tileMatrixSetId}}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}"
    of_sets, of_set = _LISTED.in_(say).format(of=of), _ONE.in_(say).format(of=of)
    made = _get(f"{name}.getTile", _TILE.in_(say).format(of=of), "tile", *whose, "tileMatrixSetId", *places, *choosing)
    made["responses"] |= {"204": ref("responses", "noTile"), "304": ref("responses", "304")}
    drawn = _get(f"{name}.getXyzTile", _XYZ.in_(say).format(of=of), "tile", *whose, *places, *choosing)
    drawn["responses"] |= {"304": ref("responses", "304")}
    told = _get(f"{name}.getTileJson", _TILEJSON.in_(say).format(of=of), "tileJson", *whose, "lang")
    return {
        f"{here}/tiles": {"get": _get(f"{name}.getTileSetsList", of_sets, "tileSets", *whose, "f", "lang")},
        f"{here}/tiles/{{tileMatrixSetId}}": {
            "get": _get(f"{name}.getTileSet", of_set, "tileSet", *whose, "tileMatrixSetId", "f", "lang")
        },
        tile: {"get": made},
        f"{xyz}.json": {"get": told},
        f"{xyz}/{{tileMatrix}}/{{tileCol}}/{{tileRow}}.mvt": {"get": drawn},
    }


def _get(operation: str, summary: str, response: str, *parameters: str) -> Json:
    return {
        "operationId": operation,
        "tags": ["tiles"],
        "summary": summary,
        "parameters": [ref("parameters", name) for name in parameters],
        "responses": {"200": ref("responses", response)} | {status: ref("responses", status) for status in _READING},
    }
