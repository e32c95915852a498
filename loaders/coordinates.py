"""Geometry out of a table's columns: two numbers, or a text that is WKT, hexadecimal WKB or GeoJSON."""

import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from core.language import Text
from loaders.errors import NoCoordinates, NoSuchColumn
from loaders.layer import Note
from loaders.tally import Tally
from loaders.wkb import MOST_COLLECTIONS

# Pairs of the names that people give to east and north; the first pair that a table has whole is taken.
_PAIRS: tuple[tuple[frozenset[str], frozenset[str]], ...] = (
    (
        frozenset(
            {"lon", "lng", "long", "longitude", "经度", "东经", "lond", "jd", "wgs84lon", "wgs84lng", "经度坐标"}
        ),
        frozenset({"lat", "latitude", "纬度", "北纬", "latd", "wd", "wgs84lat", "纬度坐标"}),
    ),
    (
        frozenset({"east", "easting", "东坐标", "横坐标", "东", "e", "e坐标", "东向坐标"}),
        frozenset({"north", "northing", "北坐标", "纵坐标", "北", "n", "n坐标", "北向坐标"}),
    ),
    (
        frozenset({"x", "x坐标", "坐标x", "pointx", "coordx", "xcoord", "xcoordinate", "centerx", "中心点x"}),
        frozenset({"y", "y坐标", "坐标y", "pointy", "coordy", "ycoord", "ycoordinate", "centery", "中心点y"}),
    ),
)
_ENDINGS = (("经度", "lon", "lng", "longitude"), ("纬度", "lat", "latitude"))
_WKT = frozenset({"wkt", "geom", "geometry", "thegeom", "wkb", "wkbgeometry", "shape", "几何", "空间坐标", "geojson"})
_OFFSET = re.compile("gcj|bd-?09|baidu|百度|火星|高德|amap", re.IGNORECASE)

_DEGREES = re.compile(
    r"""^\s*([NSEWnsew东西南北])?\s*(\d{1,3})\s*[°º度d]\s*(?:(\d{1,2}(?:\.\d+)?)\s*['′’分m]\s*)?"""
    r"""(?:(\d{1,2}(?:\.\d+)?)\s*(?:["″”秒s]|'')?\s*)?([NSEWnsew东西南北])?\s*$"""
)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_HEX = re.compile(r"[0-9A-Fa-f]{18,}")
_SRID = re.compile(r"\s*SRID\s*=\s*(\d{1,6})\s*;", re.IGNORECASE)


class Asked(NamedTuple):
    """The columns that the user names as holding coordinates."""

    x: str | None = None
    y: str | None = None
    wkt: str | None = None


class Place(NamedTuple):
    """Which columns hold the geometry, by position: one text, or east and north."""

    wkt: int | None
    x: int | None
    y: int | None
    notes: tuple[Note, ...] = ()


def find_place(path: Path, names: Sequence[str], asked: Asked) -> Place:
    """The columns that hold the geometry, as asked for, else by their names.

    Raises `NoCoordinates` if there are none, `NoSuchColumn` for a name that the table lacks.
    """
    if asked.wkt is not None:
        return Place(_column(path, names, asked.wkt), None, None)
    if asked.x is not None and asked.y is not None:
        x, y = _column(path, names, asked.x), _column(path, names, asked.y)
        return Place(None, x, y, _offset_notes(asked.x, asked.y))
    if asked.x is not None or asked.y is not None:
        raise _no_coordinates(path, names)
    plain = [_plain(name) for name in names]
    for east, north in _PAIRS:
        if (pair := _both(_only(plain, east), _only(plain, north))) is not None:
            return _named_pair(names, *pair)
    if (text := _only(plain, _WKT)) is not None:
        return Place(text, None, None)
    if (pair := _both(*(_only_ending(plain, endings) for endings in _ENDINGS))) is not None:
        return _named_pair(names, *pair)
    raise _no_coordinates(path, names)


def has_place(names: Sequence[str], asked: Asked) -> bool:
    """Whether a table with these columns has coordinates."""
    try:
        find_place(Path(), names, asked)
    except (NoCoordinates, NoSuchColumn):
        return False
    return True


def _no_coordinates(path: Path, names: Sequence[str]) -> NoCoordinates:
    listed = ", ".join(name[:40] for name in names[:20]) + (" …" if len(names) > 20 else "")
    return NoCoordinates(path=path, columns=listed)


def _both(x: int | None, y: int | None) -> tuple[int, int] | None:
    return None if x is None or y is None else (x, y)


def _named_pair(names: Sequence[str], x: int, y: int) -> Place:
    note = Note(
        "coordinate-columns",
        Text(f"Coordinates are taken from {names[x]} and {names[y]}.", f"坐标取自 {names[x]} 和 {names[y]} 两列。"),
    )
    return Place(None, x, y, (note, *_offset_notes(names[x], names[y])))


def _offset_notes(*names: str) -> tuple[Note, ...]:
    if not any(_OFFSET.search(name) for name in names):
        return ()
    text = Text(
        "The column names speak of GCJ-02 or BD-09: such coordinates lie hundreds of metres off and are not corrected.",
        "列名提示坐标为 GCJ-02 或 BD-09:此类坐标有数百米偏移,未作纠正。",
    )
    return (Note("offset-coordinates", text),)


def _plain(name: str) -> str:
    return re.sub(r"[((\[【].*$|[\s_\-.]", "", name).casefold()


def _only(plain: Sequence[str], known: frozenset[str]) -> int | None:
    return next((place for place, name in enumerate(plain) if name in known), None)


def _only_ending(plain: Sequence[str], endings: tuple[str, ...]) -> int | None:
    places = [place for place, name in enumerate(plain) if name.endswith(endings)]
    return places[0] if len(places) == 1 else None


def _column(path: Path, names: Sequence[str], asked: str) -> int:
    """The position of a column that the user names; case matters only between two that differ by it."""
    folded = [name.strip().casefold() for name in names]
    if asked in names:
        return names.index(asked)
    if (wanted := asked.strip().casefold()) in folded:
        return folded.index(wanted)
    raise NoSuchColumn(path=path, column=asked, columns=", ".join(name[:40] for name in names[:20]))


def points(xs: pa.Array, ys: pa.Array, tally: Tally) -> pa.Array:
    """WKB points of two columns, numbers or text; a row without both numbers has no geometry."""
    x, y = _numbers(xs), _numbers(ys)
    whole = np.isfinite(x) & np.isfinite(y)
    given = np.asarray(pc.or_(_given(xs), _given(ys)))
    tally.add("geometry-unread", int(np.count_nonzero(given & ~whole)))
    wkb = np.empty(int(whole.sum()), np.dtype([("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")]))
    wkb["order"], wkb["type"], wkb["x"], wkb["y"] = 1, 1, x[whole], y[whole]
    ends = np.concatenate([[0], np.cumsum(whole, dtype=np.int32) * wkb.itemsize]).astype(np.int32)
    validity = None if whole.all() else pa.array(whole).buffers()[1]
    return pa.Array.from_buffers(pa.binary(), len(whole), [validity, pa.py_buffer(ends), pa.py_buffer(wkb.tobytes())])


def _given(array: pa.Array) -> pa.Array:
    present = array.is_valid()
    if not pa.types.is_string(array.type):
        return present
    return pc.and_(present, pc.not_equal(pc.fill_null(pc.utf8_trim_whitespace(array), ""), ""))


def _numbers(array: pa.Array) -> NDArray[np.float64]:
    if pa.types.is_string(array.type):
        text = pc.utf8_trim_whitespace(array)
        text = pc.if_else(pc.equal(text, ""), None, text)
        try:
            array = text.cast(pa.float64())
        except pa.ArrowInvalid:
            array = pa.array([read_number(one) for one in array.to_pylist()], pa.float64())
    return np.asarray(array.cast(pa.float64(), safe=False).fill_null(float("nan")), dtype=np.float64)


def read_number(text: str | None) -> float | None:
    """A coordinate as people write it: 126.5, 4,867,123.5 or 126°33′12″E; None for anything else."""
    if text is None:
        return None
    if _THOUSANDS.fullmatch(plain := text.replace(",", ",").strip()):
        plain = plain.replace(",", "")
    with suppress(ValueError):
        return float(plain)
    if not (match := _DEGREES.match(text)):
        return None
    before, degrees, minutes, seconds, after = match.groups()
    value = int(degrees) + float(minutes or 0) / 60 + float(seconds or 0) / 3600
    return -value if (before or after or "").upper() in ("S", "W", "南", "西") else value


def shapes(texts: pa.Array, tally: Tally) -> pa.Array:
    """ISO WKB of a column of WKT, EWKT, hexadecimal WKB or GeoJSON geometries; what cannot be read becomes null."""
    values = [None if text is None else _SRID.sub("", text, count=1).strip() or None for text in texts.to_pylist()]
    given = [value for value in values if value is not None]
    read = iter(_read(given))
    found = [None if value is None else next(read) for value in values]
    tally.add("geometry-unread", sum(v is not None and f is None for v, f in zip(values, found, strict=True)))
    return pa.array(found, pa.binary())


def declared_srid(texts: pa.Array) -> str | None:
    """The CRS that the first EWKT of a column names."""
    first = next((text for text in texts.to_pylist() if text), "")
    return f"EPSG:{match.group(1)}" if (match := _SRID.match(first)) else None


def _read(values: Sequence[str]) -> list[bytes | None]:
    parsed = shapely.set_srid(np.concatenate([_parse(value) for value in _runs(values)] or [np.empty(0, object)]), 0)
    return list(shapely.to_wkb(parsed, flavor="iso", output_dimension=4))


def _runs(values: Sequence[str]) -> list[list[str]]:
    """Values in runs of one notation each, so that every run is parsed in one call."""
    runs: list[list[str]] = []
    before = None
    for value in values:
        notation = _notation(value)
        if notation is not before or not runs:
            runs.append([])
        runs[-1].append(value)
        before = notation
    return runs


def _notation(value: str) -> Callable[..., Any]:
    parsers: tuple[Callable[..., Any], ...] = (shapely.from_geojson, shapely.from_wkb, shapely.from_wkt)
    return parsers[0] if value.startswith("{") else parsers[1] if _HEX.fullmatch(value) else parsers[2]


def _parse(run: list[str]) -> NDArray[np.object_]:
    """GEOS recurses into collections and would run out of stack: those nested too often are not given to it."""
    safe = [value if value.upper().count("COLLECTION") < MOST_COLLECTIONS and _shallow(value) else "" for value in run]
    geometries = _notation(run[0])(safe, on_invalid="ignore")
    return np.asarray([one if text else None for one, text in zip(geometries, safe, strict=True)], dtype=object)


def _shallow(value: str) -> bool:
    return not _HEX.fullmatch(value) or value.count("07000000") < MOST_COLLECTIONS
