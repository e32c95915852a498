"""Edges between neighbouring sheets: what ends at a border must go on beyond it, at the same place, as the same thing.

A line ends at a border where its end lies within the tolerance of it; an area, where a corner of it does and its outline
runs along the border from there. Such an end must meet one of the other sheet: `edge-attribute` is one within the tolerance that has another class, name or
height; `edge-geometry` one that is alike, but farther off than the tolerance; `edge-missing` is where there is neither.
"""

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray

from core.language import Text

ON_PAPER: Final = 0.0002  # metres on the map that two drawings of one place may lie apart: 0.2 mm
REACH: Final = 25  # tolerances within which a partner is looked for: 5 mm on paper

Rule = Literal["edge-missing", "edge-geometry", "edge-attribute"]


class Bordering(NamedTuple):
    """A feature that comes near a border."""

    id: str
    alike: tuple[str | None, str | None, float | None]  # class, name and height: the same on both sides
    shape: shapely.Geometry


class End(NamedTuple):
    """Where a feature ends near a border; only `due` ones must have a partner."""

    feature: Bordering
    x: float
    y: float
    due: bool


class Finding(NamedTuple):
    """An end without its match: the features on this side and on the other, and how far apart they are."""

    rule: Rule
    feature: str | None
    other: str | None
    gap: float | None  # metres
    note: Text
    x: float
    y: float


def tolerance_of(scale: int) -> float:
    """How far apart two ends may lie, in metres: 0.2 mm on paper, 0.1 m at 1:500 and 2 m at 1:10 000."""
    return ON_PAPER * scale


def match(
    border: shapely.Geometry, ours: Sequence[Bordering], theirs: Sequence[Bordering], tolerance: float
) -> list[Finding]:
    """The mismatches along a border between the features of two sheets of one theme, in one plane with metres."""
    here, there = ends_at(border, ours, tolerance), ends_at(border, theirs, tolerance)
    pairs = _paired(here, there, tolerance)
    findings = [found for mine, other, gap in pairs if (found := _compared(mine, other, gap, tolerance))]
    met_here, met_there = {id(mine) for mine, _, _ in pairs}, {id(other) for _, other, _ in pairs}
    findings += [_lonely(one, here=True) for one in here if one.due and id(one) not in met_here]
    findings += [_lonely(one, here=False) for one in there if one.due and id(one) not in met_there]
    return findings


def ends_at(border: shapely.Geometry, features: Sequence[Bordering], tolerance: float) -> list[End]:
    """The ends of features near a border."""
    found = []
    for feature in features:
        for part in shapely.get_parts(feature.shape):
            points = _area_ends(part, border, tolerance) if part.geom_type == "Polygon" else _line_ends(part)
            away = shapely.distance(shapely.points(points), border) if len(points) else np.empty(0)
            near = away <= tolerance * REACH
            found += [
                End(feature, float(x), float(y), bool(distance <= tolerance))
                for (x, y), distance in zip(points[near], away[near], strict=True)
            ]
    return found


def _line_ends(line: shapely.LineString) -> NDArray[np.float64]:
    points = shapely.get_coordinates(line)
    closed = len(points) > 1 and (points[0] == points[-1]).all()
    ends: NDArray[np.float64] = points[:0] if closed else points[[0, -1]] if len(points) else points
    return ends


def _area_ends(area: shapely.Polygon, border: shapely.Geometry, tolerance: float) -> NDArray[np.float64]:
    """Where the outline of an area comes to the border and runs along it."""
    points = shapely.get_coordinates(area.exterior)[:-1]
    on = shapely.distance(shapely.points(points), border) <= tolerance
    before, after = np.roll(on, 1), np.roll(on, -1)
    corners: NDArray[np.float64] = points[on & (before != after)]
    return corners


def _paired(here: list[End], there: list[End], tolerance: float) -> list[tuple[End, End, float]]:
    """Each end with one of the other side: within the tolerance, the alike first; else with the nearest that is alike."""
    if not here or not there:
        return []
    tree = shapely.STRtree(shapely.points([(one.x, one.y) for one in there]))
    mine, other = tree.query(
        shapely.points([(one.x, one.y) for one in here]), predicate="dwithin", distance=tolerance * REACH
    )
    choices = []
    for a, b in zip(mine, other, strict=True):
        gap = float(np.hypot(here[a].x - there[b].x, here[a].y - there[b].y))
        differ = here[a].feature.alike != there[b].feature.alike
        if gap <= tolerance or not differ:
            choices.append((gap > tolerance, differ, gap, int(a), int(b)))
    taken_here, taken_there, pairs = set[int](), set[int](), []
    for _, _, gap, a, b in sorted(choices):
        if a not in taken_here and b not in taken_there:
            taken_here.add(a)
            taken_there.add(b)
            pairs.append((here[a], there[b], gap))
    return pairs


def _compared(mine: End, other: End, gap: float, tolerance: float) -> Finding | None:
    if not (mine.due or other.due):
        return None
    if gap > tolerance:
        note = Text(
            f"The ends lie {gap:.2f} m apart; {tolerance:g} m are allowed.",
            f"两侧端点相距 {gap:.2f} 米,允许 {tolerance:g} 米。",
        )
        return _finding("edge-geometry", mine, other, gap, note)
    if mine.feature.alike != other.feature.alike:
        a, b = _told(mine.feature), _told(other.feature)
        note = Text(f"On this sheet it is {a}, on the other {b}.", f"本幅为 {a},邻幅为 {b}。")
        return _finding("edge-attribute", mine, other, gap, note)
    return None


def _lonely(end: End, *, here: bool) -> Finding:
    note = Text(
        f"{_told(end.feature)} ends at the border; nothing goes on beyond it.",
        f"{_told(end.feature)} 止于图廓,邻幅无对应要素。",
    )
    finding = _finding("edge-missing", end, end, None, note)
    return finding._replace(other=None) if here else finding._replace(feature=None)


def _finding(rule: Rule, mine: End, other: End, gap: float | None, note: Text) -> Finding:
    return Finding(rule, mine.feature.id, other.feature.id, gap, note, (mine.x + other.x) / 2, (mine.y + other.y) / 2)


def _told(feature: Bordering) -> str:
    """Class, name and height in short."""
    code, name, height = feature.alike
    return " ".join(filter(None, (code, name, None if height is None else f"{height:g} m")))
