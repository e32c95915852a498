"""A data set as the documents that clients read before its features: collection, queryables and schema."""

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from core.catalogue import VALID_FROM, VALID_TO, BBox, Dataset, Field, State
from core.crs import CRS84, WGS84, Srid, is_axis_swapped, is_geographic, lookup, transformer, uri
from core.language import Language, Text
from features.coded import coded
from features.table import Table

Json = dict[str, Any]

GEOMETRY_PROPERTY = "geometry"  # what filters call the geometry; no field may be called so
MEDIA = {"json": "application/json", "html": "text/html"}
SCHEMA_MEDIA = {"json": "application/schema+json", "html": "text/html"}
SCHEMA_FORMS = {**SCHEMA_MEDIA, "geojson": "application/schema+json"}  # the last describes features as they are sent
GEOJSON_MEDIA = "application/geo+json"
STYLE_MEDIA = "application/vnd.mapbox.style+json"
QML_MEDIA = "application/x-qgis-layer-settings"  # as QGIS registers its styles with desktops

_REL = "http://www.opengis.net/def/rel/ogc/1.0/"
_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_COMPARABLE: dict[str, dict[str, str]] = {  # what filters can compare, by PostgreSQL's names
    "boolean": {"type": "boolean"},
    "smallint": {"type": "integer"},
    "integer": {"type": "integer"},
    "bigint": {"type": "integer"},
    "numeric": {"type": "number"},
    "real": {"type": "number"},
    "double precision": {"type": "number"},
    "text": {"type": "string"},
    "character varying": {"type": "string"},
    "character": {"type": "string"},
    "uuid": {"type": "string", "format": "uuid"},
    "date": {"type": "string", "format": "date"},
    "timestamp without time zone": {"type": "string", "format": "date-time"},
    "timestamp with time zone": {"type": "string", "format": "date-time"},
}
_OTHER: dict[str, dict[str, str]] = {
    "time without time zone": {"type": "string", "format": "time"},
    "json": {"type": "object"},
    "jsonb": {"type": "object"},
}
_GEOJSON_TYPES = {
    one.lower(): one
    for one in (
        "Point",
        "MultiPoint",
        "LineString",
        "MultiLineString",
        "Polygon",
        "MultiPolygon",
        "GeometryCollection",
    )
}
_FORMS = {"json": "GeoJSON"}
_GEOMETRY = Text("Geometry", "几何")
_NUMBER = Text("Number of the feature", "要素编号")
_LIFETIME = {  # OGC API - Features 5 names the roles
    VALID_FROM: ("primary-interval-start", Text("Holds from", "生效日期")),
    VALID_TO: ("primary-interval-end", Text("Holds no more from", "失效日期")),
}
_TITLES = {
    "self": Text("This document", "本文档"),
    "alternate": Text("This document as a page", "本文档的网页"),
    "items": Text("The features as {form}", "要素({form})"),
    "queryables": Text("What features can be searched by", "可查询字段"),
    "schema": Text("The attributes of the features", "要素的属性结构"),
    "describedBy": Text("A feature as GeoJSON", "GeoJSON 要素的结构"),
    "changes": Text("What changes, feature by feature", "要素变更"),
    "quality": Text("What the checks found", "质量检查结果"),
    "history": Text("The life of a feature or a place", "要素或地点的历史"),
    "amendments": Text("Annual increments and sheets that were applied", "已应用的年度增量与图幅更新"),
    "stylesheet": Text("How the features are drawn", "绘制样式"),
    "qml": Text("A style for QGIS, with names for codes", "QGIS 样式(代码显示为名称)"),
    "tiles": Text("Vector tiles", "矢量瓦片"),
    "parent": Text("All data sets", "全部数据集"),
    "root": Text("The service", "服务首页"),
}


class Site(NamedTuple):
    """Where documents are served, in which language, and in what forms the features come."""

    base: str
    language: Language
    forms: Mapping[str, str]


def collection(table: Table, state: State, site: Site) -> Json:
    """The data set as OGC API - Features 1, 7.14, describes a collection; what is not known is left out."""
    dataset, say = table.dataset, site.language
    members: Json = {
        "id": dataset.id,
        "title": dataset.title.in_(say),
        "description": description(dataset).in_(say),
        "keywords": list(dataset.keywords) or None,
        "attribution": dataset.attribution.in_(say) if dataset.attribution else None,
        "itemType": "feature",
        "itemCount": state.feature_count,
        "updated": _instant(state.changed),
        "extent": _extent(dataset, state) or None,
        "crs": [uri(srid) for srid in table.offered],
        "storageCrs": uri(Srid(dataset.srid)),
        "links": _collection_links(dataset, site),
    }
    return {name: value for name, value in members.items() if value is not None}


def queryables(dataset: Dataset, site: Site) -> Json:
    """What filters may name; `additionalProperties: false` says that all else is refused (OGC API - Features 3, Queryables)."""
    geometry = {
        "$ref": f"https://geojson.org/schema/{_geometry_type(dataset) or 'Geometry'}.json",  # all that QGIS looks at
        "format": f"geometry-{(_geometry_type(dataset) or 'any').lower()}",
        "title": _GEOMETRY.in_(site.language),
        "x-ogc-role": "primary-geometry",
    }
    properties = {field.name: _property(dataset, field, site) for field in _attributes(dataset) if is_queryable(field)}
    return _json_schema(dataset, "queryables", {GEOMETRY_PROPERTY: geometry} | properties, site)


def schema(dataset: Dataset, site: Site) -> Json:
    """What the features are made of, in order (OGC API - Common 3, 7)."""
    geometry = {
        "format": f"geometry-{(_geometry_type(dataset) or 'any').lower()}",
        "title": _GEOMETRY.in_(site.language),
        "x-ogc-role": "primary-geometry",
    }
    properties = {field.name: _property(dataset, field, site) for field in _attributes(dataset)}
    properties[GEOMETRY_PROPERTY] = geometry
    for place, one in enumerate(properties.values(), start=1):
        one["x-ogc-propertySeq"] = place
    return _json_schema(dataset, "schema", properties, site)


def feature_schema(dataset: Dataset, site: Site) -> Json:
    """A feature as GeoJSON has it, where its attributes are not null.

    GDAL takes the types of attributes from it, and else from the first ten features, which may have none. Whole numbers
    of eight bytes are left out, since GDAL would read them into four.
    """
    attributes = {field.name: value_schema(field.type) for field in searchable(dataset) if field.type != "bigint"}
    features = {
        "type": {"type": "string"},
        GEOMETRY_PROPERTY: {"$ref": f"https://geojson.org/schema/{_geometry_type(dataset) or 'Geometry'}.json"},
        "properties": {"type": "object", "properties": attributes},
    }
    described = _json_schema(dataset, "schema", features, site)
    return described | {"$id": f"{described['$id']}?f=geojson", "additionalProperties": True}


def is_queryable(field: Field) -> bool:
    """Whether filters can compare the values of a field, or those in its lists."""
    return _bare(field.type).removesuffix("[]") in _COMPARABLE


def is_simple(field: Field) -> bool:
    """Whether a query parameter can ask for a value of a field."""
    return _bare(field.type) in _COMPARABLE


def searchable(dataset: Dataset) -> tuple[Field, ...]:
    """The attributes that a query parameter of the same name can ask for."""
    return tuple(field for field in _attributes(dataset) if is_simple(field))


def value_schema(type_: str) -> Json:
    """The values of a column as JSON Schema."""
    bare = _bare(type_)
    if bare.endswith("[]"):
        return {"type": "array", "items": value_schema(bare.removesuffix("[]"))}
    return dict(_COMPARABLE.get(bare) or _OTHER.get(bare) or {"type": "string"})


def description(dataset: Dataset) -> Text:
    """The description, with the CRS that the data are kept in."""
    crs = f"{lookup(Srid(dataset.srid)).name} (EPSG:{dataset.srid})"
    given = Text(dataset.description.en or dataset.title.en, dataset.description.zh or dataset.title.zh)
    return Text(f"{_closed(given.en, '.')} CRS: {crs}.", f"{_closed(given.zh, '。')}坐标系:{crs}。")


def link(rel: str, href: str, media: str, title: str) -> Json:
    """A link, all of it (OGC API - Features 1, 7.2)."""
    return {"rel": rel, "type": media, "title": title, "href": href}


def document_links(href: str, media: Mapping[str, str], language: Language) -> list[Json]:
    """Links to a document and to its page."""
    return [
        link("self", f"{href}?f=json", media["json"], _TITLES["self"].in_(language)),
        link("alternate", f"{href}?f=html", media["html"], _TITLES["alternate"].in_(language)),
    ]


def _collection_links(dataset: Dataset, site: Site) -> list[Json]:
    say, here = site.language, f"{site.base}/collections/{dataset.id}"
    items = [
        link(
            "items",
            f"{here}/items?f={name}",
            media,
            _TITLES["items"].in_(say).format(form=_FORMS.get(name, name.upper())),
        )
        for name, media in site.forms.items()
    ]
    schemas = [
        link(f"{_REL}{name}", f"{here}/{name}?f={form}", media, _TITLES[name].in_(say))
        for name in ("queryables", "schema")
        for form, media in SCHEMA_MEDIA.items()
    ]
    return [
        *document_links(here, MEDIA, say),
        *items,
        *schemas,
        link("describedBy", f"{here}/schema?f=geojson", SCHEMA_FORMS["geojson"], _TITLES["describedBy"].in_(say)),
        *_source_links(dataset, site),
        *_style_links(dataset, site),
        link("changes", f"{here}/changes", MEDIA["json"], _TITLES["changes"].in_(say)),
        *_quality_links(dataset, site),
        *_history_links(dataset, site),
        link(f"{_REL}tilesets-vector", f"{here}/tiles", MEDIA["json"], _TITLES["tiles"].in_(say)),
        link("parent", f"{site.base}/collections", MEDIA["json"], _TITLES["parent"].in_(say)),
        link("root", f"{site.base}/", MEDIA["json"], _TITLES["root"].in_(say)),
    ]


def _history_links(dataset: Dataset, site: Site) -> list[Json]:
    """What was, where it is kept."""
    if dataset.history is None:
        return []
    here, say = f"{site.base}/collections/{dataset.id}", site.language
    return [
        link("version-history", f"{here}/history", GEOJSON_MEDIA, _TITLES["history"].in_(say)),  # RFC 5829
        link("related", f"{here}/amendments", MEDIA["json"], _TITLES["amendments"].in_(say)),
    ]


def _style_links(dataset: Dataset, site: Site) -> list[Json]:
    """How the data set is drawn, by the registered relation that OGC API - Styles (20-009) has for this as well."""
    say, here = site.language, f"{site.base}/collections/{dataset.id}"
    for_qgis = link("stylesheet", f"{here}/style.qml?lang={say}", QML_MEDIA, _TITLES["qml"].in_(say))
    if dataset.extent is None:
        return [for_qgis]
    return [link("stylesheet", f"{here}/style.json", STYLE_MEDIA, _TITLES["stylesheet"].in_(say)), for_qgis]


def _quality_links(dataset: Dataset, site: Site) -> list[Json]:
    """What the checks of its profile found, where it has one with rules."""
    if not dataset.judged:
        return []
    here = f"{site.base}/collections/{dataset.id}/quality"
    return [
        link("quality", f"{here}?f={form}", media, _TITLES["quality"].in_(site.language))
        for form, media in MEDIA.items()
    ]


def _source_links(dataset: Dataset, site: Site) -> list[Json]:
    """The licence, and whom the data come from: maps show both (OGC API - Features 1, 7.15.2)."""
    links = []
    if dataset.attribution is not None:
        links.append(link("via", f"{site.base}/", MEDIA["html"], dataset.attribution.in_(site.language)))
    if dataset.licence:
        address = dataset.licence if dataset.licence.startswith(("http://", "https://")) else f"{site.base}/"
        links.append(link("license", address, MEDIA["html"], dataset.licence))
    return links


def _extent(dataset: Dataset, state: State) -> Json:
    extent: Json = {}
    if state.extent is not None:
        extent["spatial"] = {"bbox": [list(state.extent)], "crs": uri(CRS84)}
        if stored := _in_storage_crs(state.extent, Srid(dataset.srid)):
            extent["spatial"]["storageCrsBbox"] = [stored]
    if dataset.history is not None:
        extent["temporal"] = {"interval": [[f"{dataset.history.since}T00:00:00Z", None]]}
    elif dataset.time is not None and state.interval is not None:
        extent["temporal"] = {"interval": [[_instant(moment) for moment in state.interval]]}
    return extent


def _in_storage_crs(extent: BBox, srid: Srid) -> list[float] | None:
    """A box that holds an extent, in the CRS of the data and its axis order; None where that has no numbers for it."""
    bounds = transformer(WGS84, srid).transform_bounds(*extent)
    if not all(map(math.isfinite, bounds)):
        return None
    scale = 1e9 if is_geographic(srid) else 1e3  # rounded outwards: what lies at the edge stays within
    west, south = (math.floor(number * scale) / scale for number in bounds[:2])
    east, north = (math.ceil(number * scale) / scale for number in bounds[2:])
    return [south, west, north, east] if is_axis_swapped(srid) else [west, south, east, north]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _attributes(dataset: Dataset) -> Sequence[Field]:
    """The fields, and before them the key where it is none of them."""
    if dataset.key in dict(dataset.fields):
        return dataset.attributes
    return (Field(dataset.key, dataset.key_type), *dataset.attributes)


def _property(dataset: Dataset, field: Field, site: Site) -> Json:
    described: Json = {"title": field.name, **value_schema(field.type)}
    if (about := dataset.about_fields.get(field.name)) is not None:
        described["title"] = about.title.in_(site.language) or field.name
        described |= {"x-ogc-unit": about.unit} if about.unit else {}
        described |= coded(about.codelist, described["type"], site.base, site.language) if about.codelist else {}
    if field.name == dataset.time and not dataset.history:
        described["x-ogc-role"] = "primary-instant"
    if field.name == dataset.key and described["type"] in ("integer", "string"):
        described["x-ogc-role"] = "id"
    if dataset.history and field.name in _LIFETIME:
        role, title = _LIFETIME[field.name]
        return described | {"title": title.in_(site.language), "readOnly": True, "x-ogc-role": role}
    if field.name not in dict(dataset.fields):  # the service numbers these features itself
        described |= {"title": _NUMBER.in_(site.language), "readOnly": True}
    return described


def _json_schema(dataset: Dataset, name: str, properties: Json, site: Site) -> Json:
    return {
        "$schema": _DIALECT,
        "$id": f"{site.base}/collections/{dataset.id}/{name}",
        "type": "object",
        "title": dataset.title.in_(site.language),
        "description": description(dataset).in_(site.language),
        "properties": properties,
        "additionalProperties": False,
    }


def _geometry_type(dataset: Dataset) -> str | None:
    """The type of GeoJSON that every geometry has; None where they differ."""
    return _GEOJSON_TYPES.get(re.sub(r" ?(ZM|Z|M)$", "", dataset.geometry_type).lower())


def _bare(type_: str) -> str:
    """A PostgreSQL type without its length or precision."""
    return re.sub(r"\([\d,]*\)", "", type_)


def _closed(sentence: str, stop: str) -> str:
    return sentence if sentence.endswith((".", "。", "!", "！", "?", "？")) else sentence + stop
