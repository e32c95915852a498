"""Tries a box in CRS84 and in a CRS with swapped axes: do both bring the features that lie in it, and where they lie?"""

from collections.abc import Iterator

from core.crs import CRS84, WGS84, Srid, is_axis_swapped, is_geographic, is_known_operation, parse_uri, transformer
from core.errors import ChengtuError
from server.contract.description import listed_crs
from server.contract.findings import finding
from server.contract.geojson import Bounds, Feature, Page
from server.contract.report import Finding, Found
from server.contract.versions import CRS_CLASS
from server.contract.visit import Visit

_LEAST = 1e-4  # degrees: a box around a point is ten metres wide
_FAR = 0.005  # degrees, half a kilometre: beyond any doubt about datums that we would not know


def boxes(visit: Visit) -> Iterator[Finding]:
    """A small box around one feature, asked for in both ways."""
    target = middle(visit.sample)
    if target is None or target.bounds is None:
        return
    box = box_around(target.bounds)
    found = visit.items({"limit": str(visit.page_size), "bbox": written(box)})
    if renamed := _renamed(found, visit.sample):
        yield finding("ids-unstable", example=renamed)
        visit.forget_ids()
        return
    problem = _problem(found, visit.sample, target, box)
    if problem:
        yield finding(problem, example=_example(found, visit.sample, target, box, problem))
        return
    crs = swapped_crs(visit)
    if crs is not None:
        yield from _swapped(visit, target, box, *crs)


def middle(sample: tuple[Feature, ...]) -> Feature | None:
    """A feature with an id and a place, from the middle of the sample."""
    placed = [one for one in sample if one.id is not None and one.bounds]
    return placed[len(placed) // 2] if placed else None


def _renamed(found: Page, sample: tuple[Feature, ...]) -> str | None:
    """A feature that an answer in CRS84 calls by the id of another."""
    known = {one.id: one for one in sample if one.id is not None}
    return next((one.id for one in found.features if one.id in known and known[one.id] != one), None)


def box_around(bounds: Bounds) -> Bounds:
    """The bounds, a tenth larger."""
    west, south, east, north = bounds
    x, y = max((east - west) / 10, _LEAST), max((north - south) / 10, _LEAST)
    return west - x, south - y, east + x, north + y


def outside(bounds: Bounds, box: Bounds) -> bool:
    """Whether bounds lie clear of a box, and of what a box turned into another CRS covers beyond it."""
    west, south, east, north = box
    x, y = (east - west) / 4 + _LEAST, (north - south) / 4 + _LEAST
    return bounds[2] < west - x or bounds[0] > east + x or bounds[3] < south - y or bounds[1] > north + y


def written(numbers: Bounds) -> str:
    """A box as QGIS writes it, with 17 digits."""
    return ",".join(f"{number:.17g}" for number in numbers)


def _strangers(found: Page, sample: tuple[Feature, ...], box: Bounds) -> list[str]:
    """Features of an answer that are known to lie outside of the box."""
    far = {one.id for one in sample if one.bounds and outside(one.bounds, box)}
    return sorted(one for one in found.ids if one in far)


def _problem(found: Page, sample: tuple[Feature, ...], target: Feature, box: Bounds) -> str | None:
    if _strangers(found, sample, box):
        return "bbox-ignored"
    if target.id not in found.ids and found.next is None:
        return "bbox-wrong"
    return None


def _example(found: Page, sample: tuple[Feature, ...], target: Feature, box: Bounds, problem: str) -> str | None:
    return _strangers(found, sample, box)[0] if problem == "bbox-ignored" else target.id


def layer_crs(visit: Visit) -> str | None:
    """The CRS that QGIS 3.44 gives the layer, where it is another than CRS84 and the service offers it."""
    listed, storage = listed_crs(visit.description), visit.description.get("storageCrs")
    if CRS_CLASS not in visit.classes or not isinstance(storage, str) or storage not in listed or "CRS84" in storage:
        return None
    return storage


def swapped_crs(visit: Visit) -> tuple[str, Srid] | None:
    """A CRS that the collection lists and that counts north first: the one it is stored in, or degrees, if it can be."""
    if CRS_CLASS not in visit.classes:
        return None
    storage = layer_crs(visit)
    known = [(one, srid) for one in listed_crs(visit.description) if (srid := _srid(one)) is not None]
    usable = [(one, srid) for one, srid in known if is_axis_swapped(srid) and is_known_operation(WGS84, srid)]
    return min(usable, key=lambda one: (one[0] != storage, not is_geographic(one[1])), default=None)


def _srid(uri: str) -> Srid | None:
    try:
        srid = parse_uri(uri)
    except ChengtuError:
        return None
    return srid if srid != CRS84 else None


def _swapped(visit: Visit, target: Feature, box: Bounds, crs: str, srid: Srid) -> Iterator[Finding]:
    """The same box in the other CRS; where it fails, whether the axes are to blame."""
    asked = {"limit": str(visit.page_size), "bbox-crs": crs, "crs": crs}
    turned = in_axis_order(box, srid)
    try:
        found = visit.items(asked | {"bbox": written(turned)})
    except Found as error:
        if error.finding.code != "http-status":
            raise
        yield finding("crs-refused", crs=crs, said=error.finding.seen)
        return
    if _problem(found, visit.sample, target, box):
        south, west, north, east = turned
        found = visit.items(asked | {"bbox": written((west, south, east, north))})
        if _problem(found, visit.sample, target, box):
            yield finding("bbox-crs-wrong", crs=crs)
            return
        yield finding("bbox-axis", crs=crs)
    yield from _place(found, target, crs, srid)


def in_axis_order(box: Bounds, srid: Srid) -> Bounds:
    """A box of CRS84 in a CRS that counts north first."""
    west, south, east, north = transformer(WGS84, srid).transform_bounds(*box)
    return south, west, north, east


def _place(found: Page, target: Feature, crs: str, srid: Srid) -> Iterator[Finding]:
    """Whether a corner of the feature, read in the other CRS, lies in its bounds."""
    corner = next((one.first for one in found.features if one.id == target.id), None)
    if corner is None or target.bounds is None:
        return
    back = transformer(srid, WGS84)
    right, wrong = back.transform(corner[1], corner[0]), back.transform(corner[0], corner[1])
    if _away(right, target.bounds) <= _FAR:
        return
    if _away(wrong, target.bounds) <= _FAR:
        yield finding("crs-axis", crs=crs, coordinates=f"{corner[0]:.10g}, {corner[1]:.10g}")
    else:
        yield finding("crs-place", crs=crs, example=target.id, distance=f"{_away(right, target.bounds):.3g}°")


def _away(point: tuple[float, float], bounds: Bounds) -> float:
    """How many degrees a point lies outside of bounds, along the worse axis."""
    (x, y), (west, south, east, north) = point, bounds
    return max(west - x, x - east, south - y, y - north, 0)
