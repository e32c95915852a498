"""Geometries on their way in: WKB batches checked, repaired, sorted by family, and made multi-part.

All is ISO WKB, little-endian; once `Rules.move` was applied, x = east and y = north in the data's own SRID.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

Ordinates = str  # beyond x and y: "", "Z", "M" or "ZM"
Numbers = NDArray[np.float64]
Objects = NDArray[np.object_]  # bytes or None; shapely.Geometry or None
Move = Callable[[Numbers, Numbers], tuple[Numbers, Numbers]]
Straighten = Callable[[list[bytes], Ordinates], list[bytes | None]]

FAMILIES = ("none", "point", "line", "polygon", "collection")
NONE, POINT, LINE, POLYGON, COLLECTION = range(5)
MULTI_NAMES = {POINT: "MultiPoint", LINE: "MultiLineString", POLYGON: "MultiPolygon", COLLECTION: "GeometryCollection"}
MULTI_CODES = {1: 4, 2: 5, 3: 6}  # WKB code of a single part -> of its multi-part type

# WKB base code -> family; 8 to 14 are curves, 15 to 17 faceted surfaces (SQL/MM part 3).
_FAMILY_OF = np.array(
    [0, *(POINT, LINE, POLYGON) * 2, COLLECTION, LINE, LINE, POLYGON, LINE, POLYGON, LINE, *(POLYGON,) * 4], np.int8
)


class Repair(NamedTuple):
    """A geometry that was mended: its row in the batch, and what GEOS said of it."""

    row: int
    reason: str


class Refusal(NamedTuple):
    """A geometry that cannot be stored, kept as it came."""

    row: int
    reason: str
    wkb: bytes


class Rules(NamedTuple):
    """What to do with each geometry."""

    move: Move | None  # another place for x and y: swapped axes, a change of datum
    straighten: Straighten  # the detour through PostGIS: arcs, facets, foreign byte orders, missing ordinates
    generic: bool  # keep single parts as they are, and all families in one data set


class Cleaned(NamedTuple):
    """A batch's geometries, fit to store; null where there is none."""

    wkb: pa.Array
    family: NDArray[np.int8]
    has_multipoints: bool
    ordinates: Ordinates
    repaired: list[Repair]
    refused: list[Refusal]
    empty: NDArray[np.bool_]


class _Headers(NamedTuple):
    """What the first bytes of each WKB say; base is 0 where there is no geometry."""

    base: NDArray[np.int64]
    has_z: NDArray[np.bool_]
    has_m: NDArray[np.bool_]
    foreign: NDArray[np.bool_]  # big-endian, or PostGIS's own EWKB
    hollow: NDArray[np.bool_]  # a point without numbers, or what counts no coordinates, rings or parts


def clean(wkb: pa.Array, rules: Rules, at_least: Ordinates = "") -> Cleaned:
    """Check one batch of WKB; nothing is dropped: what cannot be stored becomes null and a `Refusal`."""
    values: Objects = np.fromiter(wkb.to_pylist(), dtype=object, count=len(wkb))
    refused: list[Refusal] = []
    headers = _headers(wkb)
    ordinates = _ordinates(headers, at_least)
    headers = _straighten(values, headers, ordinates, rules, refused)
    if rules.move is not None:
        _relocate(values, rules.move, refused)
    repaired, empty = _inspect(values, headers, refused)
    if repaired or refused:
        headers = _straighten(values, _headers(pa.array(values, pa.binary())), ordinates, rules, refused)
    stored = pa.array(values, pa.binary())
    if not rules.generic:
        stored = _promote(stored, headers, (2, 3), ordinates)
    has_multipoints = bool((headers.base == 4).any())
    return Cleaned(stored, _FAMILY_OF[headers.base], has_multipoints, ordinates, repaired, refused, empty)


def promote_points(wkb: pa.Array, ordinates: Ordinates) -> pa.Array:
    """Single points as multi-points, for a data set that turned out to hold both."""
    return _promote(wkb, _headers(wkb), (1,), ordinates)


def widest(one: Ordinates, other: Ordinates) -> Ordinates:
    """The ordinates that hold those of both."""
    return ("Z" if "Z" in one + other else "") + ("M" if "M" in one + other else "")


def _headers(wkb: pa.Array) -> _Headers:
    heads = _first_bytes(wkb, 13)
    code = np.where(heads[:, 0] == 1, _column(heads, 1, "<u4"), _column(heads, 1, ">u4")).astype(np.int64)
    flags = code >> 28  # EWKB: 8 = z, 4 = m, 2 = srid
    dimension, base = np.divmod(code & 0x0FFFFFFF, 1000)
    base = np.where((base > 17) | (dimension > 3), 0, base)
    known = base > 0
    has_z = np.isin(dimension, [1, 3]) | (flags & 8 > 0)
    has_m = np.isin(dimension, [2, 3]) | (flags & 4 > 0)
    foreign = (heads[:, 0] != 1) | (flags > 0)
    hollow = np.where(base == 1, np.isnan(_column(heads, 5, "<f8")), _column(heads, 5, "<u4") == 0)
    return _Headers(base, has_z & known, has_m & known, foreign & known, hollow & known)


def _first_bytes(wkb: pa.Array, count: int) -> NDArray[np.uint8]:
    """The first bytes of each value as a row, zero where there are none."""
    _, offsets, data = wkb.buffers()
    if data is None or not data.size or not len(wkb):
        return np.zeros((len(wkb), count), np.uint8)
    ends = np.frombuffer(offsets, np.int32, len(wkb) + 1, wkb.offset * 4)
    octets = np.frombuffer(data, np.uint8)
    lengths = np.diff(ends)
    if count <= lengths[0] == lengths.min() == lengths.max():  # points: no gathering
        return octets[ends[0] : ends[-1]].reshape(len(wkb), -1)[:, :count]
    places = ends[:-1, np.newaxis] + np.arange(count)
    rows: NDArray[np.uint8] = octets[np.minimum(places, octets.size - 1)]
    rows[places >= ends[1:, np.newaxis]] = 0
    return rows


def _column(rows: NDArray[np.uint8], at: int, layout: str) -> NDArray[Any]:
    """The numbers that lie in each row from a byte on, by their NumPy type."""
    width = np.dtype(layout).itemsize
    numbers: NDArray[Any] = np.ascontiguousarray(rows[:, at : at + width]).view(layout)
    return numbers[:, 0]


def _ordinates(headers: _Headers, at_least: Ordinates) -> Ordinates:
    found = ("Z" if headers.has_z.any() else "") + ("M" if headers.has_m.any() else "")
    return widest(found, at_least)


def _refuse(values: Objects, row: int, reason: str, refused: list[Refusal]) -> None:
    refused.append(Refusal(row, reason, values[row]))
    values[row] = None


def _straighten(
    values: Objects, headers: _Headers, ordinates: Ordinates, rules: Rules, refused: list[Refusal]
) -> _Headers:
    """Let PostGIS rewrite what is not plain little-endian WKB with just the wanted ordinates."""
    for unknown in np.flatnonzero(headers.base == 0):
        if values[unknown] is not None:
            _refuse(values, int(unknown), "Unknown geometry type", refused)
    odd = (headers.base > 7) | headers.foreign
    odd |= (headers.base > 0) & ((headers.has_z != ("Z" in ordinates)) | (headers.has_m != ("M" in ordinates)))
    rows = [int(row) for row in np.flatnonzero(odd) if values[row] is not None]
    if not rows:
        return headers
    for row, straight in zip(rows, rules.straighten([values[row] for row in rows], ordinates), strict=True):
        if straight is None:
            _refuse(values, row, "Damaged geometry", refused)
        else:
            values[row] = straight
    return _headers(pa.array(values, pa.binary()))


def _relocate(values: Objects, move: Move, refused: list[Refusal]) -> None:
    """Give each coordinate its new x and y, in one call for the batch; z and m stay."""
    buffers = {row: bytearray(value) for row, value in enumerate(values) if value is not None}
    views = [
        (row, np.frombuffer(buffer, "<f8", count * stride, start).reshape(count, stride))
        for row, buffer in buffers.items()
        for start, count, stride in _runs(buffer)
        if count
    ]
    if not views:
        return
    x, y = move(np.concatenate([v[:, 0] for _, v in views]), np.concatenate([v[:, 1] for _, v in views]))
    lost, at = set(), 0
    for row, view in views:
        view[:, 0], view[:, 1] = x[at : at + len(view)], y[at : at + len(view)]
        at += len(view)
        if not np.isfinite(view[:, :2]).all() and not np.isnan(view).all():
            lost.add(row)
    for row, buffer in buffers.items():
        if row in lost:
            _refuse(values, row, "Coordinates that cannot be transformed", refused)
        else:
            values[row] = bytes(buffer)


def _runs(wkb: bytearray) -> Iterator[tuple[int, int, int]]:
    """Where the coordinates of a WKB lie: (byte offset, how many, numbers in each)."""
    at, left = 0, 1
    while left:
        left -= 1
        dimension, base = divmod(struct.unpack_from("<I", wkb, at + 1)[0], 1000)
        stride = 2 + (dimension in (1, 3)) + (dimension in (2, 3))
        at += 5
        if base == 1:
            yield at, 1, stride
            at += 8 * stride
            continue
        (count,) = struct.unpack_from("<I", wkb, at)
        at += 4
        if base == 2:
            yield at, count, stride
            at += 8 * stride * count
        elif base == 3:
            for _ in range(count):
                (points,) = struct.unpack_from("<I", wkb, at)
                yield at + 4, points, stride
                at += 4 + 8 * stride * points
        else:
            left += count


def _inspect(values: Objects, headers: _Headers, refused: list[Refusal]) -> tuple[list[Repair], NDArray[np.bool_]]:
    """Repair what is invalid, and count the empty; single points can only be wrong by not being numbers."""
    points = _points(values, headers)
    if points is not None:
        for odd in np.flatnonzero(np.isinf(points).any(axis=1) | (np.isnan(points).sum(axis=1) == 1)):
            _refuse(values, int(odd), "Invalid Coordinate", refused)
        return [], np.isnan(points).all(axis=1)
    shapes: Objects = shapely.from_wkb(values, on_invalid="ignore")
    missing = shapely.is_missing(shapes)
    for row in np.flatnonzero(missing):
        if values[row] is not None:
            _refuse(values, int(row), "Damaged geometry", refused)
    repaired = []
    for row in np.flatnonzero(~shapely.is_valid(shapes) & ~missing):
        reason = shapely.is_valid_reason(shapes[row]).split("[")[0].strip()
        mended = None if reason == "Invalid Coordinate" else _mend(shapes[row])
        if mended is None:
            _refuse(values, int(row), reason, refused)
        else:
            values[row] = shapely.to_wkb(mended, output_dimension=4, byte_order=1, flavor="iso")
            repaired.append(Repair(int(row), reason))
            shapes[row] = mended
    _orient(values, shapes)
    return repaired, shapely.is_empty(shapes)


def _orient(values: Objects, shapes: Objects) -> None:
    """Wind the rings of polygons as the standards have them, outer ones against the clock (RFC 7946, 3.1.6)."""
    areas = np.flatnonzero(shapely.get_dimensions(shapes) == 2)
    turned = shapely.orient_polygons(shapes[areas])
    wrong = ~shapely.equals_identical(turned, shapes[areas])
    values[areas[wrong]] = shapely.to_wkb(turned[wrong], output_dimension=4, byte_order=1, flavor="iso")


def _points(values: Objects, headers: _Headers) -> Numbers | None:
    """The x and y of a batch that holds nothing but whole points, else None."""
    if not len(values) or (headers.base != 1).any():
        return None
    wkb = pa.array(values, pa.binary())
    if (pc.min(pc.binary_length(wkb)).as_py() or 0) < 21:
        return None
    heads = _first_bytes(wkb, 21)
    return np.column_stack([_column(heads, 5, "<f8"), _column(heads, 13, "<f8")])


def _mend(shape: shapely.Geometry) -> shapely.Geometry | None:
    """The valid geometry of the same family that GEOS makes of it, or None when it collapses."""
    mended = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    family = _family(shape)
    if _family(mended) != family:
        mended = shapely.union_all([part for part in shapely.get_parts(mended) if _family(part) == family])
    return None if mended.is_empty else mended


def _family(shape: shapely.Geometry) -> int:
    # shapely's type ids: 0 point, 1 line, 2 ring, 3 polygon, 4-6 multi, 7 collection.
    return (POINT, LINE, LINE, POLYGON, POINT, LINE, POLYGON, COLLECTION)[shapely.get_type_id(shape)]


def _promote(wkb: pa.Array, headers: _Headers, bases: tuple[int, ...], ordinates: Ordinates) -> pa.Array:
    """Single parts as multi-parts, hollow ones as none: a data set of lines or polygons has one type."""
    for base in bases:
        rows = headers.base == base
        if rows.any():
            code = MULTI_CODES[base] + 1000 * ("Z" in ordinates) + 2000 * ("M" in ordinates)
            none, one = (pa.scalar(struct.pack("<BII", 1, code, parts), pa.binary()) for parts in (0, 1))
            multi = pc.binary_join_element_wise(one, wkb, pa.scalar(b"", pa.binary()))
            multi = pc.if_else(pa.array(headers.hollow), none, multi)
            wkb = pc.if_else(pa.array(rows), multi, wkb)
    return wkb
