"""The names on a map: what they say, where they go, and from which zoom there is room for them."""

from typing import Any

from tiles.style.ink import Expression, Ink, Json, by_zoom
from tiles.style.roles import Role, zoom_where
from tiles.words import measured

NAME = "chengtu:name"  # of the points where names of areas go
MARK = "chengtu:mark"  # what tells these points from all else: both attribute and value
_FONT = ["sans-serif"]  # the machine's that draws: a style without `glyphs` asks nobody for a font
_HEIGHTS: dict[Role, float] = {
    "building": 400, "parcel": 401, "point": 402, "ground": 405, "line": 410, "road": 415, "boundary": 430, "place": 440, "finding": 445,
}  # fmt: skip
_SIZES: dict[Role, Expression] = {
    "boundary": by_zoom(6, 11, 10, 15, 14, 19),
    "place": by_zoom(6, 11, 10, 14, 16, 19),
    "ground": by_zoom(11, 11, 18, 15),
    "road": by_zoom(12, 10, 16, 12.5, 19, 16),
}
_ROOM: dict[Role, float] = {
    "building": 58,
    "parcel": 110,
    "point": 70,
    "ground": 110,
    "line": 90,
    "road": 110,
    "place": 12,
}
_PEOPLE = frozenset(("population", "人口", "rks"))


def name_layer(ink: Ink, names: str | None) -> tuple[float, Json | None]:
    """The layer of a data set's names and how high it lies; None where it has none, or where they tell nothing new."""
    portrayal, role = ink.portrayal, ink.role(ink.shapes[0])
    told = portrayal.label_field == portrayal.class_field or (ink.in_city and ink.dataset.feature_count == 1)
    if portrayal.label_field is None or told:
        return 0, None
    layer: Json = {"id": f"{ink.dataset.id}-label", "type": "symbol"}
    if names is not None:
        # QGIS writes what has no source-layer on all layers, and takes any attribute for another: nothing passes there.
        layer |= {"source": names, "filter": ["==", ["get", MARK], MARK]}
    else:
        layer |= {"source": ink.dataset.id, "source-layer": ink.dataset.id, **_room(ink, role)}
    return _HEIGHTS[role], layer | {
        "layout": _layout(ink, role, ["get", NAME] if names else _text(ink)),
        "paint": _paint(ink, role),
    }


def wanted_names(ink: Ink) -> list[str]:
    """The attributes that name a feature, that of the reader's language first."""
    label = ink.portrayal.label_field or ""
    pair = next((pair for pair in ink.portrayal.twins if label in pair), (label,))
    return [*pair] if ink.language == "en" else [*reversed(pair)]


def _text(ink: Ink) -> Expression:
    wanted = [["get", name] for name in wanted_names(ink)]
    return wanted[0] if len(wanted) == 1 else ["coalesce", *wanted]


def _room(ink: Ink, role: Role) -> Json:
    """The zoom from which there is room for names; in a data set alone they come a little earlier."""
    zoom = zoom_where(ink.dataset, _ROOM.get(role, 40))
    return {"minzoom": min(17.0 if ink.in_city else 16.0, zoom)} if zoom > 0 else {}


def _layout(ink: Ink, role: Role, text: Expression) -> Json:
    layout: dict[str, Any] = {
        "text-field": text,
        "text-font": _FONT,
        "text-size": _SIZES.get(role, by_zoom(13, 10, 18, 13)),
        "text-max-width": 8,
    }
    if role == "boundary":
        layout |= {"text-letter-spacing": 0.12, "text-padding": 8}
    if ink.shapes[0] == "line":
        layout |= {"symbol-placement": "line", "symbol-spacing": 380, "text-max-angle": 30}
    if ink.shapes[0] == "point":
        layout |= {"text-variable-anchor": ["left", "right", "top", "bottom"], "text-radial-offset": 0.6}
        layout |= {"text-justify": "auto", **_most_people_first(ink)}
    return layout


def _most_people_first(ink: Ink) -> Json:
    """Where names collide, that of the place with more people stays."""
    people = next((name for name in ink.portrayal.fields if measured(name) & _PEOPLE), None)
    return {"symbol-sort-key": ["-", 0, ["coalesce", ["get", people], 0]]} if people else {}


def _paint(ink: Ink, role: Role) -> Json:
    strong = role in ("boundary", "place", "road", "finding")
    return {
        "text-color": ink.paper.ink if strong else ink.paper.quiet,
        "text-halo-color": ink.paper.halo,
        "text-halo-width": 1.6 if strong else 1.2,
    }
