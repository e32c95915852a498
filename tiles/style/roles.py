"""What part of a map a data set plays, by its id, its titles and its geometry: that decides how it is drawn, and over what."""

import math
import re
from typing import Literal

from core.catalogue import Dataset

Role = Literal["boundary", "ground", "parcel", "building", "road", "line", "place", "point", "finding"]
Shape = Literal["area", "line", "point"]

_AREAS: tuple[tuple[Role, str], ...] = (
    ("boundary", r"district|prefecture|count(y|ies)|province|boundar|admin|township|行政区|区县|区划|界线|边界|乡镇"),
    ("building", r"building|footprint|建筑|房屋|楼"),
    ("parcel", r"parcel|cadastr|lots?\b|宗地|地块|地籍|红线"),
)
_LINES: tuple[tuple[Role, str], ...] = (("road", r"road|street|highway|道路|路网|街道|公路"),)
_POINTS: tuple[tuple[Role, str], ...] = (("place", r"\bplaces?\b|settlement|\btowns?\b|village|居民地|地名"),)
_FINDINGS = frozenset({"finding-severities", "edge-rules"})  # code lists of what is wrong with other data sets
_WORLD = 40_075_016.7  # metres around the equator
_TILE = 512  # pixels of a tile in MapLibre


def shapes_of(dataset: Dataset) -> tuple[Shape, ...]:
    """What a data set's geometries are; a mixed one is drawn as all three."""
    type_ = dataset.geometry_type.lower()
    if "polygon" in type_:
        return ("area",)
    if "line" in type_:
        return ("line",)
    return ("point",) if "point" in type_ else ("area", "line", "point")


def role_of(dataset: Dataset, shape: Shape) -> Role:
    """The part that a data set's areas, lines or points play."""
    if any(about.codelist in _FINDINGS for about in dataset.about_fields.values()):
        return "finding"
    words = f"{dataset.id.replace('_', ' ')} {dataset.title.en} {dataset.title.zh}"
    known, plain = {
        "area": (_AREAS, "ground"),
        "line": (_LINES, "line"),
        "point": (_POINTS, "point"),
    }[shape]
    return next((role for role, pattern in known if re.search(pattern, words, re.IGNORECASE)), _role(plain))


def spacing(dataset: Dataset) -> float:
    """How far features lie from each other, in metres: the side of the square that each has to itself."""
    if dataset.extent is None:
        return 1.0
    west, south, east, north = dataset.extent
    degree = _WORLD / 360
    area = (east - west) * degree * math.cos(math.radians((south + north) / 2)) * (north - south) * degree
    return max(1.0, math.sqrt(area / max(1, dataset.feature_count)))


def zoom_where(dataset: Dataset, pixels: float) -> float:
    """The zoom from which features lie so many pixels from each other, 0 to 20."""
    middle = (dataset.extent.south + dataset.extent.north) / 2 if dataset.extent else 0
    around = _WORLD * max(0.01, math.cos(math.radians(middle)))
    return round(min(20.0, max(0.0, math.log2(pixels * around / (_TILE * spacing(dataset))))), 1)


def _role(name: str) -> Role:
    roles: dict[str, Role] = {"ground": "ground", "line": "line", "point": "point"}
    return roles[name]
