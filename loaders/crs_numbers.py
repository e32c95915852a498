"""What raw coordinates alone tell of their CRS: degrees, zone numbers, swapped axes."""

from enum import IntEnum
from typing import NamedTuple

import numpy as np

from core.crs import (
    CGCS2000,
    WEB_MERCATOR,
    WGS84,
    BBox,
    Srid,
    area_of_use,
    lookup,
    transformer,
    zone_by_number,
)
from core.language import Text

CHINA: BBox = (73.0, 3.0, 136.0, 54.0)  # degrees, sea included
WORLD: BBox = (-180.0, -90.0, 180.0, 90.0)
_NORTHINGS = (4.0e5, 6.0e6)  # metres from the equator, Nansha to the Amur
_EASTINGS = (1.0e5, 9.0e5)  # metres within a zone, its meridian at 500 000
_MERCATOR: BBox = (8.1e6, 3.3e5, 1.52e7, 7.2e6)  # CHINA in EPSG:3857


class Fit(IntEnum):
    """How much of a bounding box lies where a CRS is used."""

    NOTHING = 0
    SOME = 1
    ALL = 2


class Reading(NamedTuple):
    """One way to understand numbers: the CRSs they may be in, and if the axes are swapped."""

    srids: tuple[Srid, ...]
    swap: bool
    finding: Text  # goes on from "the numbers ..."


def described(srid: Srid) -> str:
    """A CRS's code and name, for a message."""
    return f"EPSG:{srid} ({lookup(srid).name})"


def flipped(bounds: BBox) -> BBox:
    """The same bounds with x and y exchanged."""
    return bounds[1], bounds[0], bounds[3], bounds[2]


def shown(bounds: BBox) -> str:
    """Bounds for a message."""
    west, south, east, north = (f"{number:.10g}" for number in bounds)
    return f"x {west} … {east}, y {south} … {north}"


def within(bounds: BBox, frame: BBox) -> bool:
    """True if `bounds` lie in `frame`."""
    return frame[0] <= bounds[0] and frame[1] <= bounds[1] and bounds[2] <= frame[2] and bounds[3] <= frame[3]


def apart(bounds: BBox, frame: BBox) -> bool:
    """True if `bounds` and `frame` have nothing in common."""
    return bounds[2] < frame[0] or frame[2] < bounds[0] or bounds[3] < frame[1] or frame[3] < bounds[1]


def are_degrees(bounds: BBox) -> bool:
    """True if x may be longitudes and y latitudes."""
    return within(bounds, (-180 - 1e-6, -90 - 1e-6, 180 + 1e-6, 90 + 1e-6))


def home(srid: Srid) -> BBox:
    """The area of use in degrees, east of west."""
    west, south, east, north = area_of_use(srid) or WORLD
    return west, south, east + 360 if east < west else east, north


def is_global(srid: Srid) -> bool:
    """True if a CRS is meant for all longitudes."""
    west, _, east, _ = home(srid)
    return east - west >= 360


def fit(srid: Srid, bounds: BBox, margin: float = 3) -> Fit:
    """How well bounds with x = east suit a CRS; for a plane, within `margin` degrees (east and west: twice) of its area."""
    if lookup(srid).is_geographic:
        return Fit.ALL if are_degrees(bounds) else Fit.NOTHING
    if max(map(abs, bounds)) > 1e9:  # metres: no plane of the Earth reaches further
        return Fit.NOTHING
    west, south, east, north = home(srid)
    x = np.array([bounds[0], bounds[0], bounds[2], bounds[2], (bounds[0] + bounds[2]) / 2])
    y = np.array([bounds[1], bounds[3], bounds[1], bounds[3], (bounds[1] + bounds[3]) / 2])
    lon, lat = transformer(srid, WGS84).transform(x, y)
    lon = np.where(lon < west - 2 * margin, lon + 360, lon)
    back_x, back_y = transformer(WGS84, srid).transform(lon, lat)
    real = np.hypot(back_x - x, back_y - y) < 1  # no other turn of the globe, nor the far side of the projection
    near = real & (west - 2 * margin <= lon) & (lon <= east + 2 * margin)
    near &= (south - margin <= lat) & (lat <= north + margin)
    return Fit.ALL if near.all() else Fit.SOME if near.any() else Fit.NOTHING


def zone_prefix(bounds: BBox) -> int | None:
    """The zone number in front of eight-digit eastings, if these are such."""
    prefix = int(bounds[0] // 1e6)
    carried = zone_by_number(prefix, 3) or zone_by_number(prefix, 6)
    eastings = (bounds[0] - prefix * 1e6, bounds[1], bounds[2] - prefix * 1e6, bounds[3])
    return prefix if carried and _is_within_a_zone(eastings) else None


def readings(bounds: BBox) -> list[Reading]:
    """Every way to understand numbers that name no CRS, as data of China."""
    turned = flipped(bounds)
    found = [
        *_degrees(bounds, turned),
        *_prefixed(bounds, swap=False),
        *_prefixed(turned, swap=True),
        *_unprefixed(bounds, swap=False),
        *_unprefixed(turned, swap=True),
    ]
    if within(bounds, _MERCATOR):
        finding = Text("look like Web Mercator (EPSG:3857).", "像是 Web 墨卡托坐标(EPSG:3857)。")
        found.append(Reading((WEB_MERCATOR,), False, finding))
    return found


def findings(found: list[Reading]) -> Text:
    """All ways to understand the numbers as sentences."""
    if not found:
        return Text("They fit no CRS in use in China: a local grid?", "它们不符合中国常用坐标系,可能是地方独立坐标。")
    return Text(
        " ".join(f"{'Or they' if turn else 'They'} {reading.finding.en}" for turn, reading in enumerate(found)),
        "".join(f"{'或者' if turn else '它们'}{reading.finding.zh}" for turn, reading in enumerate(found)),
    )


def _degrees(bounds: BBox, turned: BBox) -> list[Reading]:
    if within(bounds, CHINA):
        finding = Text("are longitudes and latitudes in China (EPSG:4490).", "是中国境内的经纬度(EPSG:4490)。")
        return [Reading((CGCS2000,), False, finding)]
    found = []
    if within(turned, CHINA):
        finding = Text("are latitudes and longitudes in China (EPSG:4490).", "是中国境内的纬度、经度(EPSG:4490)。")
        found.append(Reading((CGCS2000,), True, finding))
    if are_degrees(bounds):
        finding = Text(
            "may be longitudes and latitudes outside China (EPSG:4326), or a local grid.",
            "可能是中国境外的经纬度(EPSG:4326),也可能是地方独立坐标。",
        )
        found.append(Reading((WGS84,), False, finding))
    return found


def _prefixed(bounds: BBox, *, swap: bool) -> list[Reading]:
    prefix = zone_prefix(bounds)
    zone = prefix and (zone_by_number(prefix, 3) or zone_by_number(prefix, 6))
    if not zone:
        return []
    finding = Text(
        f"carry the number of {zone.width}° zone {zone.number} (EPSG:{zone.prefixed}).",
        f"带有 {zone.width}° 带第 {zone.number} 带的带号(EPSG:{zone.prefixed})。",
    )
    return [Reading((zone.prefixed,), swap, finding)]


def _unprefixed(bounds: BBox, *, swap: bool) -> list[Reading]:
    if not _is_within_a_zone(bounds):
        return []
    zones = [zone for number in range(25, 46) if (zone := zone_by_number(number))]
    codes = ", ".join(f"EPSG:{zone.srid} ({zone.meridian}°E)" for zone in zones)
    finding = Text(
        f"look like Gauss-Krüger without zone number; the central meridian decides: {codes}.",
        f"像是不带带号的高斯-克吕格坐标,须由中央经线确定:{codes}。",
    )
    return [Reading(tuple(zone.srid for zone in zones), swap, finding)]


def _is_within_a_zone(bounds: BBox) -> bool:
    return within(bounds, (_EASTINGS[0], _NORTHINGS[0], _EASTINGS[1], _NORTHINGS[1]))
