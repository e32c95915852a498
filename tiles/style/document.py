"""Styles as documents: of one data set, and of the city with all data sets over each other."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from core.catalogue import Dataset
from core.language import Language
from tiles.portrayal import portrayal_of
from tiles.style.colours import PAPERS, Theme
from tiles.style.ink import Ink, Json
from tiles.style.layers import Drawn, draw
from tiles.style.names import MARK, NAME, wanted_names

LEGEND = "chengtu:legend"  # of `metadata`
_OWN = 120  # the height of a style of one's own: over made areas, under lines


class NamePoint(NamedTuple):
    """Where the name of an area goes, in degrees, and the attributes that name it, by their names."""

    east: float
    north: float
    names: dict[str, Any]


class Drawing(NamedTuple):
    """For whom and where styles are made."""

    base: str  # the service's address
    language: Language = "zh"
    theme: Theme = "light"


def style(title: str, datasets: Iterable[Dataset], names: dict[str, list[NamePoint]], drawing: Drawing) -> Json:
    """A MapLibre style, version 8, of data sets that have a geometry; `names` are points for the names of their areas."""
    shown = [one for one in datasets if one.extent is not None]
    sources: Json = {}
    drawn: list[Drawn] = []
    for one in shown:
        ink = Ink(one, portrayal_of(one), drawing.theme, drawing.language, in_city=len(shown) > 1)
        sources[one.id] = {"type": "vector", "url": f"{drawing.base}/xyz/{one.id}.json"}
        points = f"{one.id}-names" if names.get(one.id) and one.style is None else None
        if points:
            sources[points] = {"type": "geojson", "data": _named_points(names[one.id], wanted_names(ink))}
        drawn += _own(one) if one.style else draw(ink, points)
    ground = {"id": "-ground", "type": "background", "paint": {"background-color": PAPERS[drawing.theme].ground}}
    return {
        "version": 8,
        "name": title,
        "metadata": {LEGEND: [_legend(one, drawing, in_city=len(shown) > 1) for one in shown]},
        **_view(shown),
        "sources": sources,
        "layers": [ground, *(one.layer for one in sorted(drawn, key=lambda one: (one.height, one.layer["id"])))],
    }


def _own(dataset: Dataset) -> list[Drawn]:
    """The layers of a data set's own style: over its source, with ids that no other data set's layers have."""
    found = []
    for layer in (dataset.style or {}).get("layers", []):
        id_ = layer["id"] if layer["id"].split("-")[0] == dataset.id else f"{dataset.id}-{layer['id']}"
        height = 420 if layer["type"] == "symbol" else 220 if layer["type"] in ("line", "circle") else _OWN
        found.append(Drawn(height, layer | {"id": id_, "source": dataset.id, "source-layer": dataset.id}))
    return found


def _legend(dataset: Dataset, drawing: Drawing, *, in_city: bool) -> Json:
    """A data set in the legend: a style of its own says nothing of classes."""
    ink = Ink(dataset, portrayal_of(dataset), drawing.theme, drawing.language, in_city)
    entries = [] if dataset.style else ink.legend()
    return {
        "id": dataset.id,
        "title": dataset.title.in_(drawing.language),
        "key": dataset.key,
        "class": ink.portrayal.class_field if ink.is_classed and not dataset.style else None,
        "shape": ink.shapes[0],
        "role": ink.role(ink.shapes[0]),
        "entries": [one._asdict() for one in entries],
    }


def _view(datasets: list[Dataset]) -> Json:
    """Where a map may begin: in the middle of the smallest extent, for there the city is."""
    extents = [one.extent for one in datasets if one.extent]
    if not extents:
        return {}
    west, south, east, north = min(extents, key=lambda box: (box.east - box.west) * (box.north - box.south))
    return {"center": [round((west + east) / 2, 5), round((south + north) / 2, 5)]}


def _named_points(points: list[NamePoint], wanted: list[str]) -> Json:
    """Points, each with its name in the reader's language, or in the other."""
    named = ((one, next((one.names[name] for name in wanted if one.names.get(name)), "")) for one in points)
    return {
        "type": "FeatureCollection",
        "features": [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [point.east, point.north]},
                "properties": {MARK: MARK, NAME: name},
            }
            for point, name in named
        ],
    }
