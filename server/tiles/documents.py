"""What clients read before they ask for tiles: tile sets, tile matrix sets (OGC API - Tiles 1, 9 to 11), and TileJSON 3."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from core.catalogue import BBox
from core.crs import CRS84, uri
from core.language import Language, Text
from features.documents import MEDIA, Json, Site, document_links, link, value_schema
from server.tiles.answers import MVT
from tiles.layer import MAX_ZOOM, TileLayer
from tiles.matrix import WEB_MERCATOR_QUAD, Limits, MatrixSet, axes_swapped

TILEJSON: Final = "application/json"
REL: Final = "http://www.opengis.net/def/rel/ogc/1.0/"

_TILE: Final = Text("A tile", "瓦片")
_SET: Final = Text("The tile matrix set", "瓦片矩阵集")
_TILEJSON: Final = Text("TileJSON, for web maps", "TileJSON(供网页地图使用)")
_STYLE: Final = Text("A style for it", "对应样式")
_KINDS: Final = {"area": 2, "line": 1, "point": 0}
_JSON_TYPES: Final = {"integer": "Number", "number": "Number", "boolean": "Boolean"}


class TileSource(NamedTuple):
    """What tiles are of: one collection, or the whole city."""

    title: Text
    description: Text
    layers: Sequence[TileLayer]
    path: str  # "" or "/collections/…"
    xyz: str  # "/xyz" or "/xyz/…"
    extent: BBox | None
    attribution: Text | None


def of_collection(layer: TileLayer) -> TileSource:
    """The tiles of a collection."""
    one = layer.dataset
    return TileSource(
        one.title, one.description, [layer], f"/collections/{one.id}", f"/xyz/{one.id}", one.extent, one.attribution
    )


def of_city(layers: Sequence[TileLayer], extent: BBox | None, title: Text, description: Text) -> TileSource:
    """The tiles of the whole city."""
    credits_ = dict.fromkeys(one.dataset.attribution for one in layers if one.dataset.attribution)
    joined = Text("; ".join(one.en for one in credits_), ";".join(one.zh for one in credits_)) if credits_ else None
    return TileSource(title, description, layers, "", "/xyz", extent, joined)


def tile_sets(source: TileSource, sets: Sequence[MatrixSet], site: Site) -> Json:
    """The tile sets there are: one for each tile matrix set (OGC API - Tiles 1, 9.2)."""
    here = f"{site.base}{source.path}/tiles"
    return {
        "links": document_links(here, MEDIA, site.language),
        "tilesets": [_brief(source, one, site) for one in sets],
    }


def tile_set(source: TileSource, one: MatrixSet, site: Site) -> Json:
    """A tile set and what is in it (OGC 2DTMS 2.0, 8, TileSet metadata)."""
    say = site.language
    whole: Json = {
        **_brief(source, one, site),
        "description": source.description.in_(say) or None,
        "attribution": source.attribution.in_(say) if source.attribution else None,
        "layers": [_layer(layer, say) for layer in source.layers],
        "boundingBox": _bounding_box(source.extent),
        "centerPoint": _centre(source.extent, one),
    }
    return {name: value for name, value in whole.items() if value is not None}


def tile_json(source: TileSource, site: Site) -> Json:
    """The tiles in Web Mercator for web maps (TileJSON 3.0.0), and what their generalised zooms leave out."""
    say = site.language
    described: Json = {
        "tilejson": "3.0.0",
        "name": source.title.in_(say),
        "description": source.description.in_(say) or None,
        "attribution": source.attribution.in_(say) if source.attribution else None,
        "scheme": "xyz",
        "tiles": [f"{site.base}{source.xyz}/{{z}}/{{x}}/{{y}}.mvt"],
        "minzoom": 0,
        "maxzoom": MAX_ZOOM,
        "bounds": list(_bounds(source.extent)) if source.extent else None,
        "center": _tile_json_centre(source.extent),
        "vector_layers": [_vector_layer(layer, say) for layer in source.layers],
        "left_out": _left_out(source.layers) or None,
    }
    return {name: value for name, value in described.items() if value is not None}


def addresses(source: TileSource, site: Site) -> Json:
    """What people copy from the page of the tile sets."""
    chosen = f"?layers={source.layers[0].id}" if source.path else ""
    return {
        "title": source.title.in_(site.language),
        "here": f"{site.base}{source.path}/tiles",
        "map": f"{site.base}/map{chosen}",
        "xyz": f"{site.base}{source.xyz}/{{z}}/{{x}}/{{y}}.mvt",
        "tilejson": f"{site.base}{source.xyz}.json",
        "style": f"{site.base}{source.path}/style.json",
    }


def matrix_set_list(sets: Sequence[MatrixSet], site: Site) -> Json:
    """The tile matrix sets that are offered (OGC API - Tiles 1, 10)."""
    return {
        "links": document_links(f"{site.base}/tileMatrixSets", MEDIA, site.language),
        "tileMatrixSets": [
            {name: value for name, value in _named(one, site).items() if value is not None} for one in sets
        ],
    }


def _named(one: MatrixSet, site: Site) -> Json:
    here = f"{site.base}/tileMatrixSets/{one.id}"
    self_ = link("self", here, MEDIA["json"], _SET.in_(site.language))
    return {"id": one.id, "title": one.title, "uri": one.uri, "crs": one.document["crs"], "links": [self_]}


def _brief(source: TileSource, one: MatrixSet, site: Site) -> Json:
    say, here = site.language, f"{site.base}{source.path}/tiles/{one.id}"
    scheme = f"{site.base}/tileMatrixSets/{one.id}"
    template = link("item", f"{here}/{{tileMatrix}}/{{tileRow}}/{{tileCol}}", MVT, _TILE.in_(say))
    links = [
        link("self", here, MEDIA["json"], f"{source.title.in_(say)}: {one.id}"),
        link("alternate", f"{here}?f=html", MEDIA["html"], f"{source.title.in_(say)}: {one.id}"),
        link(f"{REL}tiling-scheme", scheme, MEDIA["json"], _SET.in_(say)),
        template | {"templated": True},
    ]
    if one.id == WEB_MERCATOR_QUAD:
        links.append(link("describedby", f"{site.base}{source.xyz}.json", TILEJSON, _TILEJSON.in_(say)))
        links.append(link("related", f"{site.base}{source.path}/style.json", MEDIA["json"], _STYLE.in_(say)))
    return {
        "title": f"{source.title.in_(say)}: {one.id}",
        "dataType": "vector",
        "crs": one.document["crs"],
        "tileMatrixSetId": one.id,
        "tileMatrixSetURI": one.uri or scheme,
        "tileMatrixSetLimits": [_limits(limits) for limits in one.limits(source.extent, sorted(one.matrices))],
        "links": links,
    }


def _limits(limits: Limits) -> Json:
    return {
        "tileMatrix": str(limits.z),
        "minTileRow": limits.rows[0],
        "maxTileRow": limits.rows[1],
        "minTileCol": limits.columns[0],
        "maxTileCol": limits.columns[1],
    }


def _layer(layer: TileLayer, say: Language) -> Json:
    described: Json = {
        "id": layer.id,
        "title": layer.dataset.title.in_(say),
        "description": layer.dataset.description.in_(say) or None,
        "dataType": "vector",
        "geometryDimension": _KINDS.get(layer.family),
        "propertiesSchema": {
            "type": "object",
            "properties": {field.name: value_schema(field.type) for field in layer.fields},
        },
    }
    return {name: value for name, value in described.items() if value is not None}


def _vector_layer(layer: TileLayer, say: Language) -> Json:
    return {
        "id": layer.id,
        "description": layer.dataset.title.in_(say),
        "minzoom": 0,
        "maxzoom": MAX_ZOOM,
        "fields": {field.name: _JSON_TYPES.get(value_schema(field.type)["type"], "String") for field in layer.fields},
    }


def _left_out(layers: Sequence[TileLayer]) -> Json:
    """By layer and zoom: how many features, and which share of the area, no tile of that zoom shows."""
    told = {
        layer.id: {str(z): dict(facts) for z, facts in layer.left_out.items() if facts["features"]} for layer in layers
    }
    return {id_: zooms for id_, zooms in told.items() if zooms}


def _bounding_box(extent: BBox | None) -> Json | None:
    if extent is None:
        return None
    west, south, east, north = _bounds(extent)
    return {"lowerLeft": [west, south], "upperRight": [east, north], "crs": uri(CRS84)}


def _centre(extent: BBox | None, one: MatrixSet) -> Json | None:
    """Where a map begins, in the set's CRS and its axis order."""
    if extent is None:
        return None
    west, south, east, north = one.reach(extent)
    place: list[Any] = [(west + east) / 2, (south + north) / 2]
    zoom = _zoom_of(extent)
    matrix = min(one.matrices, key=lambda z: abs(one.mercator_zoom(z) - zoom))
    return {
        "coordinates": place[::-1] if axes_swapped(one) else place,
        "crs": one.document["crs"],
        "tileMatrix": str(matrix),
        "scaleDenominator": one.matrices[matrix].scale,
        "cellSize": one.matrices[matrix].cell,
    }


def _tile_json_centre(extent: BBox | None) -> list[float] | None:
    if extent is None:
        return None
    west, south, east, north = _bounds(extent)
    return [round((west + east) / 2, 6), round((south + north) / 2, 6), _zoom_of(extent)]


def _zoom_of(extent: BBox) -> int:
    """The zoom at which an extent is about one tile wide."""
    west, south, east, north = _bounds(extent)
    width, zoom = max(east - west, north - south, 1e-6), 0
    while 360 / 2 ** (zoom + 1) >= width and zoom < MAX_ZOOM:
        zoom += 1
    return zoom


def _bounds(extent: BBox) -> BBox:
    """Without the antimeridian between west and east, which TileJSON cannot tell."""
    return extent if extent.west <= extent.east else BBox(-180.0, extent.south, 180.0, extent.north)
