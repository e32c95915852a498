"""Reads links, pages and features of any server, trusting none of them to be what it should be."""

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, NamedTuple

from core.language import Text
from server.contract.client import Answer
from server.contract.findings import finding
from server.contract.report import Found

Bounds = tuple[float, float, float, float]  # of x and y, as they are written


class Link(NamedTuple):
    """A link that has what QGIS asks of one: an address and a relation."""

    href: str
    rel: str
    type: str
    title: str


class Feature(NamedTuple):
    """A feature, as far as a check looks at it."""

    id: str | None
    properties: dict[str, Any]
    geometry_type: str | None
    bounds: Bounds | None
    first: tuple[float, float] | None  # its first coordinate


class Page(NamedTuple):
    """A page of features."""

    features: tuple[Feature, ...]
    matched: int | None
    next: Link | None
    answer: Answer

    @property
    def ids(self) -> list[str]:
        """The ids of its features, as far as they have any."""
        return [one.id for one in self.features if one.id is not None]


def mapping(answer: Answer, what: Text, *keys: str) -> dict[str, Any]:
    """The answer as a JSON object that has all of `keys`, or the end of the step."""
    document = answer.document()
    if not isinstance(document, dict) or not all(key in document for key in keys):
        raise Found(finding("not-as-expected", url=answer.url, what=what))
    return document


def links(document: Any) -> list[Link]:  # noqa: ANN401 — any JSON value
    """The links of a document that QGIS would take for some."""
    found = document.get("links") if isinstance(document, dict) else None
    return [
        Link(one["href"], one["rel"], str(one.get("type") or ""), str(one.get("title") or ""))
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and isinstance(one.get("href"), str) and isinstance(one.get("rel"), str)
    ]


def find_link(candidates: list[Link], rel: str, *preferred: str) -> Link | None:
    """The link that QGIS picks: the first of the type most preferred, else the first of any."""
    fitting = [one for one in candidates if one.rel == rel]
    return min(
        fitting, key=lambda one: preferred.index(one.type) if one.type in preferred else len(preferred), default=None
    )


def page(answer: Answer) -> Page:
    """A page of features, or the end of the step."""
    what = Text("a GeoJSON FeatureCollection", " GeoJSON FeatureCollection")
    document = mapping(answer, what, "features")
    if not isinstance(document["features"], list):
        raise Found(finding("not-as-expected", url=answer.url, what=what))
    features = tuple(_feature(one) for one in document["features"] if isinstance(one, dict))
    matched = document.get("numberMatched")
    return Page(
        features,
        matched if isinstance(matched, int) and not isinstance(matched, bool) else None,
        find_link(links(document), "next", "application/geo+json"),
        answer,
    )


def _feature(document: dict[str, Any]) -> Feature:
    id_, properties, geometry = document.get("id"), document.get("properties"), document.get("geometry")
    points = list(_points(geometry)) if isinstance(geometry, dict) else []
    return Feature(
        str(id_) if isinstance(id_, str | int) and not isinstance(id_, bool) else None,
        properties if isinstance(properties, dict) else {},
        str(geometry.get("type")) if isinstance(geometry, dict) else None,
        _bounds(points),
        points[0] if points else None,
    )


def _points(geometry: dict[str, Any]) -> Iterator[tuple[float, float]]:
    """All coordinates of a geometry, however deep."""
    parts = [geometry.get("coordinates"), geometry.get("geometries")]
    while parts:
        part = parts.pop()
        if isinstance(part, dict):
            parts += [part.get("geometries"), part.get("coordinates")]
        elif isinstance(part, list) and len(part) >= 2 and all(_is_number(one) for one in part[:2]):
            yield float(part[0]), float(part[1])
        elif isinstance(part, list):
            parts += reversed(part)


def _bounds(points: list[tuple[float, float]]) -> Bounds | None:
    if not points:
        return None
    xs, ys = [x for x, _ in points], [y for _, y in points]
    return min(xs), min(ys), max(xs), max(ys)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e300  # float() may overflow


def field_types(features: tuple[Feature, ...]) -> dict[str, str | None]:
    """The type that QGIS (by GDAL) gives each property after having seen these features; None where all are null."""
    types: dict[str, str | None] = {}
    for one in features:
        for name, value in one.properties.items():
            types[name] = _wider(types.get(name), _type(value))
    return types


def _type(value: object) -> str | None:
    match value:
        case None:
            return None
        case bool():
            return "boolean"
        case int():
            return "integer" if -(2**31) <= value < 2**31 else "integer64"
        case float():
            return "real"
        case str():
            return _text_type(value)
        case _:
            return "json"


def _text_type(value: str) -> str:
    for type_, parse in (("date", date.fromisoformat), ("datetime", datetime.fromisoformat)):
        try:
            parse(value)
        except ValueError:
            continue
        if "-" in value:
            return type_
    return "string"


_WIDER = {
    frozenset({"integer", "integer64"}): "integer64",
    frozenset({"integer", "real"}): "real",
    frozenset({"integer64", "real"}): "real",
    frozenset({"date", "datetime"}): "datetime",
}


def _wider(one: str | None, other: str | None) -> str | None:
    if one is None or other is None or one == other:
        return one or other
    return _WIDER.get(frozenset({one, other}), "string")
