"""The layers that draw one data set: fills and their edges, lines and their casings, circles."""

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from tiles.style.colours import mix
from tiles.style.ink import Expression, Ink, Json, by_zoom
from tiles.style.names import name_layer
from tiles.style.roles import Role, Shape, spacing, zoom_where

_ROUND = {"line-join": "round", "line-cap": "round"}
_OPACITY: dict[Role, float] = {"parcel": 0.75, "building": 1, "finding": 0.3}
_OVER_ALL = 290  # where findings lie: over what they are about
_EDGE_WIDTHS: dict[Role, Expression] = {
    "boundary": by_zoom(6, 0.8, 10, 1.4, 16, 3),
    "ground": by_zoom(11, 0.2, 14, 0.6, 18, 1.6),
    "parcel": by_zoom(12, 0.1, 14, 0.5, 16, 1, 19, 2.5),
    "building": by_zoom(14, 0.2, 17, 0.8, 20, 1.6),
    "finding": by_zoom(8, 2, 14, 3.5, 18, 5),
}
_ROAD_WIDTH = ((6, 0.5), (11, 0.9), (13, 1.8), (15, 5), (17, 13), (20, 44))  # pixels of a common street by zoom
_NARROW = 0.3  # of a street: what has no class
_RADIUS = ((7, 1.4), (13, 2.6), (16, 4.5), (19, 8))  # pixels of a point by zoom
_BROADER = (
    (r"高速|快速|motorway|expressway|trunk", 1.7),
    (r"主干|国道|arterial|primary", 1.35),
    (r"次干|省道|secondary", 1.0),
    (r"footway|steps|path|cycleway|pedestrian|人行|步行|自行车|trail|corridor|platform", 0.3),
)


class Drawn(NamedTuple):
    """A style layer, and how high it lies: what is lower is drawn first."""

    height: float
    layer: Json


def draw(ink: Ink, names: str | None) -> list[Drawn]:
    """The layers of a data set; `names` is the source of points where the names of areas go, if there is one."""
    drawn: list[Drawn] = []
    for shape in ink.shapes:
        id_ = ink.dataset.id if shape == ink.shapes[0] else f"{ink.dataset.id}-{shape}"
        drawn += [one._replace(layer=_placed(ink, shape, one.layer)) for one in _PENS[shape](ink, id_)]
    height, name = name_layer(ink, names)
    return [*drawn, Drawn(height, name)] if name else drawn


def _placed(ink: Ink, shape: Shape, layer: Json) -> Json:
    """A layer on its data; where a data set has several shapes, on one of them."""
    kind = {"area": "Polygon", "line": "LineString", "point": "Point"}[shape]
    only = ["in", ["geometry-type"], ["literal", [kind, f"Multi{kind}"]]]
    head = {"id": layer["id"], "type": layer["type"], "source": ink.dataset.id, "source-layer": ink.dataset.id}
    return head | ({"filter": only} if len(ink.shapes) > 1 else {}) | layer


def _areas(ink: Ink, id_: str) -> list[Drawn]:
    """A fill and the line around it; smaller areas lie higher, and boundaries above them all as lines."""
    role = ink.role("area")
    height = _OVER_ALL if role == "finding" else 100 - 10 * math.log10(spacing(ink.dataset))
    fades = _from_afar(ink, 9) if role == "building" else {}
    fill = {"fill-color": ink.coloured(), "fill-opacity": _opacity(ink, role), "fill-antialias": role == "building"}
    edge = {"line-color": _edge_colour(ink, role), "line-width": _EDGE_WIDTHS.get(role, _EDGE_WIDTHS["ground"])}
    dashes = {"line-dasharray": [6, 2, 1.5, 2], "line-opacity": 0.8} if role == "boundary" else {}
    return [
        Drawn(height, {"id": id_, "type": "fill", **fades, "paint": fill}),
        Drawn(
            150 if role == "boundary" else height + 0.001,
            {"id": f"{id_}-outline", "type": "line", **fades, "layout": {"line-join": "round"}, "paint": edge | dashes},
        ),
    ]


def _opacity(ink: Ink, role: Role) -> Expression:
    """In the city divisions are but lines, and coarse areas fade where something finer has room."""
    if role == "boundary":
        return 0 if ink.in_city else 0.5
    coarse = zoom_where(ink.dataset, 1200)
    if role == "ground" and ink.in_city and coarse < 13:
        return ["interpolate", ["linear"], ["zoom"], coarse, 0.8, coarse + 2, 0.25]
    return _OPACITY.get(role, 0.85)


def _edge_colour(ink: Ink, role: Role) -> Expression:
    """The line around an area: paper between parcels and patches, darker around buildings, grey for boundaries.

    A finding may be too thin to be seen but for its line.
    """
    if role == "finding":
        return ink.coloured()
    if role == "boundary":
        return ink.paper.quiet
    if role == "building":
        return ink.coloured(lambda colour: mix(colour, ink.paper.quiet, 0.6))
    return ink.paper.edge


def _lines(ink: Ink, id_: str) -> list[Drawn]:
    """A line; a road with a casing, and the broader the higher its class."""
    if ink.role("line") == "finding":
        paint = {"line-color": ink.coloured(), "line-width": _EDGE_WIDTHS["finding"]}
        return [Drawn(_OVER_ALL, {"id": id_, "type": "line", "layout": _ROUND, "paint": paint})]
    if ink.role("line") != "road":
        paint = {"line-color": ink.coloured(), "line-width": by_zoom(7, 0.7, 12, 1.4, 16, 3, 20, 8)}
        return [Drawn(210, {"id": id_, "type": "line", "layout": _ROUND, "paint": paint})]
    layout = _ROUND | {"line-sort-key": ink.by_class(_breadths(ink), _NARROW)}
    case = {"line-color": ink.coloured(lambda colour: mix(colour, ink.paper.quiet, 0.55))}
    return [
        Drawn(
            200,
            {"id": f"{id_}-outline", "type": "line", "minzoom": 12, "layout": layout, "paint": case | _width(ink, 1.4)},
        ),
        Drawn(
            211, {"id": id_, "type": "line", "layout": layout, "paint": {"line-color": ink.coloured()} | _width(ink)}
        ),
    ]


def _width(ink: Ink, more: float = 0) -> Json:
    """Pixels of a road by zoom and class, with so many more for its casing."""
    return {
        "line-width": _by_zoom_and_class(ink, _ROAD_WIDTH, _breadths(ink), _NARROW if ink.is_classed else 0.7, more)
    }


def _by_zoom_and_class(
    ink: Ink, sizes: tuple[tuple[float, float], ...], factors: dict[str, float], otherwise: float, more: float = 0
) -> Expression:
    """Sizes by zoom, times what each class has; a match in each stop, since QGIS cannot multiply."""
    stops: list[Any] = []
    for zoom, size in sizes:
        by_class = {value: round(size * factor + more, 2) for value, factor in factors.items()}
        stops += [zoom, ink.by_class(by_class, round(size * otherwise + more, 2))]
    return by_zoom(*stops)


def _breadths(ink: Ink) -> dict[str, float]:
    """How much broader or narrower a road is than a common street, by its class."""
    titles = ink.portrayal.class_titles or [("", "")] * len(ink.portrayal.classes)
    return {
        value: _breadth(f"{value} {title}") for value, (title, _) in zip(ink.portrayal.classes, titles, strict=True)
    }


def _breadth(words: str) -> float:
    return next((broader for pattern, broader in _BROADER if re.search(pattern, words, re.IGNORECASE)), 0.7)


def _points(ink: Ink, id_: str) -> list[Drawn]:
    """A circle; what is a crowd from afar stays away there."""
    place = ink.role("point") == "place"
    full = dict.fromkeys(ink.portrayal.classes, 1.0)
    size = _by_zoom_and_class(ink, _RADIUS, full, 0.55 if ink.is_classed else 1)
    paint = {
        "circle-color": ink.paper.ink if place else ink.coloured(),
        "circle-radius": by_zoom(7, 2.2, 13, 3.6, 18, 6) if place else size,
        "circle-stroke-color": ink.paper.halo,
        "circle-stroke-width": by_zoom(10, 0.6, 16, 1.4),
    }
    return [Drawn(310 if place else 300, {"id": id_, "type": "circle", **_from_afar(ink, 9), "paint": paint})]


def _from_afar(ink: Ink, pixels: float) -> Json:
    """The zoom from which features lie so far apart, in the picture of the city; alone they are always seen."""
    zoom = min(15.0, zoom_where(ink.dataset, pixels))
    return {"minzoom": zoom} if ink.in_city and zoom > 0 else {}


_PENS: dict[Shape, Callable[[Ink, str], list[Drawn]]] = {"area": _areas, "line": _lines, "point": _points}
