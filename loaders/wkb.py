"""A look at WKB before anyone parses it: GEOS dies of collections nested some ten thousand deep."""

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import shapely

from core.language import Text
from loaders.errors import UnsafeSource
from loaders.layer import BBox

MOST_COLLECTIONS = 500  # collections inside one geometry; GEOS runs out of stack from about 20 000

# The head of a GeometryCollection in ISO WKB and EWKB, little and big endian, with and without Z and M.
_HEAD = re.compile(
    rb"\x01(?:\x07\x00\x00[\x00\x20\x40\x60\x80\xa0\xc0\xe0]|[\xef]\x03\x00\x00|\xd7\x07\x00\x00|\xbf\x0b\x00\x00)"
    rb"|\x00(?:[\x00\x20\x40\x60\x80\xa0\xc0\xe0]\x00\x00\x07|\x00\x00\x03\xef|\x00\x00\x07\xd7|\x00\x00\x0b\xbf)"
)
_LOW_BYTES = np.array([0x07, 0xEF, 0xD7, 0xBF], np.uint8)


def check_nesting(path: Path, geometries: pa.Array) -> None:
    """Raise `UnsafeSource` for a geometry of so many collections in collections that parsers would crash."""
    for row in np.flatnonzero(_are_collections(geometries)):
        heads = _HEAD.finditer(memoryview(geometries[int(row)].as_buffer()))
        if sum(1 for _ in zip(heads, range(MOST_COLLECTIONS), strict=False)) == MOST_COLLECTIONS:
            raise UnsafeSource(
                path=path,
                why=Text("a geometry nests too many collections", "有几何对象嵌套了过多的集合"),
                advice=Text("Take it apart in the software it comes from.", "请在原软件中拆分该对象。"),
            )


def bounds_of(geometries: pa.Array) -> BBox | None:
    """The box of some geometries in their own x and y; None if none of them has any extent."""
    boxes = shapely.bounds(shapely.from_wkb(geometries.drop_null().to_pylist(), on_invalid="ignore"))
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    if not len(boxes):
        return None
    (west, south), (east, north) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return float(west), float(south), float(east), float(north)


def _are_collections(geometries: pa.Array) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which values of a WKB column begin like a GeometryCollection, judged by one byte of each."""
    _, offsets, data = geometries.buffers()
    if data is None or not data.size or not len(geometries):
        return np.zeros(len(geometries), np.bool_)
    ends = np.frombuffer(offsets, np.int32, len(geometries) + 1, geometries.offset * 4)
    octets = np.frombuffer(data, np.uint8)
    starts = ends[:-1]
    whole = np.diff(ends) >= 5
    start = np.where(whole, starts, 0)
    low = np.where(
        octets[start] == 1,
        octets[np.minimum(start + 1, octets.size - 1)],
        octets[np.minimum(start + 4, octets.size - 1)],
    )
    return whole & np.isin(low, _LOW_BYTES)
