"""The rules on shapes that shall cover their ground once: each fault is told once, by one rule.

What is wide is an overlap or a gap; what is no wider than `tolerance` are two edges that nearly match; what is narrower
than the rounding of coordinates is nothing.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
import shapely

from core.language import Text
from loaders.profiles import Rule
from loaders.quality.coverage import Coverage
from loaders.quality.edges import Shapes
from loaders.quality.ellipsoid import ellipsoidal_areas, in_metres
from loaders.quality.findings import Finding
from loaders.quality.shapes import Texts
from loaders.quality.widths import areal_parts, is_wider, mean_widths

_TOLERANCE = 0.2  # metres, where a rule does not say
_SLIVER_AREA, _SLIVER_INDEX = 50.0, 0.05  # square metres; 4πA/P², which is 1 of a circle


class Found(NamedTuple):
    """Findings of one rule, and the places of the shapes that they concern."""

    findings: list[Finding]
    concerned: set[int]


def overlaps(rule: Rule, coverage: Coverage, keys: Texts) -> Found:
    """Pairs of features that share ground wider than the tolerance: that ground, and its area."""
    pairs = [(one.one, one.other) for one in coverage.overlaps]
    wide = _wide(rule, coverage, [one.shape for one in coverage.overlaps])
    shared = {pairs[number]: shape for number, shape in wide.items()}
    areas = _areas(shared.values(), coverage)
    findings = [
        _of_two(rule, keys, pair, shape, area, _shares)
        for (pair, shape), area in zip(shared.items(), areas, strict=True)
    ]
    return Found(findings, {place for pair in shared for place in pair})


def gaps(rule: Rule, coverage: Coverage, keys: Texts) -> Found:
    """Open places wider than the tolerance: the place, its area, and the lowest key of its neighbours, or both if they are two."""
    wide = _wide(rule, coverage, [gap.shape for gap in coverage.gaps])
    areas = _areas(wide.values(), coverage)
    findings: list[Finding] = []
    concerned: set[int] = set()
    for number, area in zip(wide, areas, strict=True):
        gap = coverage.gaps[number]
        beside = sorted(str(keys[place]) for place in gap.neighbours if keys[place] is not None)
        note = Text(f"a gap of {area:.2f} m²", f"缝隙面积 {area:.2f} 平方米")
        first, other = next(iter(beside), None), beside[1] if len(beside) == 2 else None
        findings.append(Finding(rule.id, note, first, other, measured=area, shape=gap.shape))
        concerned.update(gap.neighbours)
    return Found(findings, concerned)


def near_edges(rule: Rule, coverage: Coverage, keys: Texts) -> Found:
    """Features whose common border is two edges, at most the tolerance apart: what lies between, and how wide it is."""
    thin: dict[tuple[int, ...], list[shapely.Geometry]] = defaultdict(list)
    for places, shapes in (
        ([(one.one, one.other) for one in coverage.overlaps], [one.shape for one in coverage.overlaps]),
        ([tuple(sorted(gap.neighbours[:2])) for gap in coverage.gaps], [gap.shape for gap in coverage.gaps]),
        ([(place,) for place, _ in coverage.outside], [shape for _, shape in coverage.outside]),
    ):
        wide = _wide(rule, coverage, shapes)
        for number in range(len(shapes)):
            if number not in wide and places[number]:
                thin[places[number]].append(shapes[number])
    between = {pair: shapely.union_all(shapes) for pair, shapes in thin.items()}
    real = coverage.counts(_array(between.values()))
    between = {pair: shape for (pair, shape), is_real in zip(between.items(), real, strict=True) if is_real}
    widths = mean_widths(_array(between.values()), coverage.srid)
    findings = [
        _of_two(rule, keys, pair, shape, float(width), _apart)
        for (pair, shape), width in zip(between.items(), widths, strict=True)
    ]
    return Found(findings, {place for pair in between for place in pair})


def outside(rule: Rule, coverage: Coverage, keys: Texts) -> Found:
    """Features that reach outside the boundary by more than the tolerance: with what, and its area."""
    wide = _wide(rule, coverage, [shape for _, shape in coverage.outside])
    areas = _areas(wide.values(), coverage)
    places = [coverage.outside[number][0] for number in wide]
    findings = [
        Finding(
            rule.id,
            Text(f"{area:.2f} m² outside the boundary", f"超出边界 {area:.2f} 平方米"),
            keys[place],
            measured=area,
            shape=shape,
        )
        for place, shape, area in zip(places, wide.values(), areas, strict=True)
    ]
    return Found(findings, set(places))


def slivers(rule: Rule, coverage: Coverage, keys: Texts) -> Found:
    """Small thin features: of less than `area` square metres, and a shape index 4πA/P² below `index`."""
    most = float(rule.parameters.get("area", _SLIVER_AREA))
    index = float(rule.parameters.get("index", _SLIVER_INDEX))
    small = np.flatnonzero((coverage.areas < most) & ~coverage.mended)
    true = in_metres(coverage.shapes[small], coverage.srid)
    area, around = shapely.area(true), shapely.length(true)
    thin = 4 * np.pi * area < index * around**2
    findings = [
        Finding(
            rule.id,
            Text(f"{a:.2f} m² in an outline of {p:.1f} m", f"面积 {a:.2f} 平方米,周长 {p:.1f} 米"),
            keys[place],
            measured=float(a),
            shape=coverage.shapes[place],
        )
        for place, a, p in zip(small[thin].tolist(), area[thin], around[thin], strict=True)
    ]
    return Found(findings, set(small[thin].tolist()))


TOPOLOGY_KINDS: dict[str, Callable[[Rule, Coverage, Texts], Found]] = {
    "overlap": overlaps,
    "gap": gaps,
    "near-edge": near_edges,
    "outside": outside,
    "sliver": slivers,
}


def _wide(rule: Rule, coverage: Coverage, shapes: Sequence[shapely.Geometry]) -> dict[int, shapely.Geometry]:
    """The places of shapes that have a part wider than the tolerance, and these parts of them."""
    parts, place = areal_parts(_array(shapes))
    wide = is_wider(parts, float(rule.parameters.get("tolerance", _TOLERANCE)), coverage.srid)
    found: dict[int, list[shapely.Geometry]] = defaultdict(list)
    for number in np.flatnonzero(wide):
        found[int(place[number])].append(parts[number])
    return {number: shapely.union_all(those) for number, those in found.items()}


def _areas(shapes: Iterable[shapely.Geometry], coverage: Coverage) -> list[float]:
    areas: list[float] = ellipsoidal_areas(_array(shapes), coverage.srid).tolist()
    return areas


def _array(shapes: Iterable[shapely.Geometry]) -> Shapes:
    return np.array(list(shapes), dtype=object)


def _of_two(
    rule: Rule,
    keys: Texts,
    pair: Sequence[int],
    shape: shapely.Geometry,
    measured: float,
    note: Callable[[float, Sequence[str]], Text],
) -> Finding:
    named = sorted(str(keys[place]) for place in pair if keys[place] is not None)
    first, other = [*named, None, None][:2]
    return Finding(rule.id, note(measured, named or ["?"]), first, other, measured=measured, shape=shape)


def _shares(area: float, keys: Sequence[str]) -> Text:
    return Text(f"{' and '.join(keys)} share {area:.2f} m²", f"{'与'.join(keys)} 重叠 {area:.2f} 平方米")


def _apart(width: float, keys: Sequence[str]) -> Text:
    and_, with_ = " and ".join(keys), "与".join(keys)
    return Text(f"edges of {and_} are {width:.3f} m apart on the average", f"{with_} 的边线平均相距 {width:.3f} 米")
