"""CRSs as every layer needs them: an integer SRID inside, a URI and an axis order at the API's edge."""

import math
import re
import warnings
from functools import lru_cache
from typing import Any, Final, NamedTuple, NewType

from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError
from pyproj.network import set_network_enabled  # type: ignore[attr-defined]  # re-exported without saying so
from pyproj.transformer import TransformerGroup

from core.errors import ChengtuError

# PROJ must never fetch a grid, whatever PROJ_NETWORK says: every use of pyproj here passes through this module.
set_network_enabled(False)

Srid = NewType("Srid", int)
BBox = tuple[float, float, float, float]

CRS84: Final = Srid(84)  # WGS 84 in lon/lat order; only an advertised CRS: PostGIS knows it as 4326
WGS84: Final = Srid(4326)
CGCS2000: Final = Srid(4490)
WEB_MERCATOR: Final = Srid(3857)
_ONE_DATUM: Final = {WGS84, CGCS2000}  # less than 1 m apart, and no operation between them is published

_CRS84_URI = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
_CRS84_NAMES = {
    _CRS84_URI,
    "http://www.opengis.net/def/crs/OGC/0/CRS84h",  # the same plane; heights pass through untouched
    "urn:ogc:def:crs:OGC:1.3:CRS84",
    "OGC:CRS84",
}
_EPSG_NAME = re.compile(
    r"(?:http://www\.opengis\.net/def/crs/EPSG/[0-9.]{1,9}/|urn:ogc:def:crs:EPSG:[0-9.]{0,9}:|EPSG:)([1-9][0-9]{0,5})"
)
_OLD_DATUMS = ("beijing1954", "xian1980", "newbeijing")


class UnknownCrs(ChengtuError):
    """Not one of the CRS names we read, or a code that is no horizontal CRS."""

    en = "{crs!r} is not a CRS known here. Use EPSG:4490, or a URI like http://www.opengis.net/def/crs/EPSG/0/4490."
    zh = "无法识别坐标系 {crs!r}。请使用 EPSG:4490 或如 http://www.opengis.net/def/crs/EPSG/0/4490 的 URI。"
    code = "InvalidParameterValue"
    status = 400
    exit_code = 2


class UnknownOperation(ChengtuError):
    """PROJ would hand the numbers through unchanged, although the datum differs."""

    en = "No transformation from EPSG:{source} to EPSG:{target} is known. Choose a CRS that the collection lists."
    zh = "EPSG:{source} 与 EPSG:{target} 之间没有已知的转换。请选用该集合列出的坐标系。"
    code = "InvalidParameterValue"
    status = 400
    exit_code = 2


class Zone(NamedTuple):
    """A Gauss-Krüger zone of CGCS2000 and its two codes: easting without and with the zone number in front."""

    width: int
    number: int
    meridian: int
    srid: Srid
    prefixed: Srid


def uri(srid: Srid) -> str:
    """The URI under which a CRS is advertised."""
    return _CRS84_URI if srid == CRS84 else f"http://www.opengis.net/def/crs/EPSG/0/{srid}"


def parse_uri(text: str) -> Srid:
    """Read a CRS's URI, URN, shorthand (`EPSG:4490`) or any of them in brackets; nothing is ever fetched."""
    name = text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text
    if name in _CRS84_NAMES:
        return CRS84
    match = _EPSG_NAME.fullmatch(name)
    if match is None or not _is_horizontal(srid := Srid(int(match[1]))):
        raise UnknownCrs(crs=text[:100])
    return srid


def postgis_srid(srid: Srid) -> Srid:
    """The SRID that PostGIS knows an advertised CRS by."""
    return WGS84 if srid == CRS84 else srid


@lru_cache(maxsize=512)
def lookup(srid: Srid) -> CRS:
    """The definition of a CRS, from PROJ's own database."""
    try:
        return CRS.from_epsg(postgis_srid(srid))
    except CRSError:
        raise UnknownCrs(crs=f"EPSG:{srid}") from None


def crs_json(srid: Srid) -> dict[str, Any]:
    """The definition as PROJJSON, which GeoParquet carries."""
    return lookup(srid).to_json_dict()


@lru_cache(maxsize=512)
def geographic_base(srid: Srid) -> Srid:
    """The geographic CRS below a plane one; a geographic CRS itself."""
    geodetic = lookup(srid).geodetic_crs
    code = geodetic.to_epsg() if geodetic else None
    if code is None:
        raise UnknownCrs(crs=f"EPSG:{srid}")
    return Srid(code)


@lru_cache(maxsize=512)
def is_axis_swapped(srid: Srid) -> bool:
    """True where the advertised order is lat/lon or northing/easting, while PostGIS holds x = east."""
    if srid == CRS84:
        return False
    return [axis.direction for axis in lookup(srid).axis_info[:2]] == ["north", "east"]


def gauss_kruger_zone(lon: float, width: int = 3) -> Zone | None:
    """The 3° or 6° zone of CGCS2000 that holds a longitude; None where China has no such zone."""
    number = math.floor((lon + 1.5) / 3) if width == 3 else math.floor(lon / 6) + 1
    return zone_by_number(number, width)


def zone_by_number(number: int, width: int = 3) -> Zone | None:
    """Zone 25 to 45 of the 3° scheme or 13 to 23 of the 6° scheme; the two ranges don't overlap."""
    if width == 3 and 25 <= number <= 45:
        return Zone(3, number, 3 * number, Srid(4534 + number - 25), Srid(4513 + number - 25))
    if width == 6 and 13 <= number <= 23:
        return Zone(6, number, 6 * number - 3, Srid(4502 + number - 13), Srid(4491 + number - 13))
    return None


def area_of_use(srid: Srid) -> BBox | None:
    """West, south, east and north in degrees of where a CRS is meant to be used."""
    area = lookup(srid).area_of_use
    return area.bounds if area else None


def public_crs_list(srid: Srid, lon: float) -> tuple[Srid, ...]:
    """The CRSs that a data set stored in `srid` near longitude `lon` is offered in, CRS84 first."""
    zone = gauss_kruger_zone(lon)
    chinese = (CGCS2000, zone.srid) if zone else ()
    candidates = (CRS84, WGS84, *chinese, WEB_MERCATOR, srid)
    return tuple(dict.fromkeys(crs for crs in candidates if is_known_operation(srid, crs)))


def old_datum(crs: CRS) -> str | None:
    """The name of the pre-2000 Chinese datum that a CRS stands on, if it does."""
    name = crs.geodetic_crs.datum.name if crs.geodetic_crs and crs.geodetic_crs.datum else ""
    return name if re.sub(r"[^a-z0-9]", "", name.lower()).removeprefix("d").startswith(_OLD_DATUMS) else None


@lru_cache(maxsize=1024)
def is_known_operation(from_srid: Srid, to_srid: Srid) -> bool:
    """False where PROJ would silently treat two datums as one; CGCS2000 and WGS 84 may be (they differ by < 1 m)."""
    source, target = lookup(from_srid), lookup(to_srid)
    datums = {geographic_base(from_srid), geographic_base(to_srid)}
    if len(datums) == 1 or datums == _ONE_DATUM:
        return True
    if old_datum(source) or old_datum(target):
        return False  # regional operations are published, but which one holds for a city is not for us to choose
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # "best transformation is not available": we ask for any
        return bool(TransformerGroup(source, target, always_xy=True, allow_ballpark=False).transformers)


@lru_cache(maxsize=512)
def transformer(from_srid: Srid, to_srid: Srid) -> Transformer:
    """A shared transformer, x = east on both sides; pyproj gives each thread its own PROJ object behind it."""
    bases = geographic_base(from_srid), geographic_base(to_srid)
    if set(bases) == _ONE_DATUM and from_srid in _ONE_DATUM:
        from_srid = bases[1]
    elif set(bases) == _ONE_DATUM and to_srid in _ONE_DATUM:
        to_srid = bases[0]  # the same numbers, without PROJ's long search for an operation that doesn't exist
    return Transformer.from_crs(lookup(from_srid), lookup(to_srid), always_xy=True)


def bounds_in_degrees(bounds: BBox, srid: Srid) -> BBox | None:
    """West, south, east, north (west > east across the antimeridian) of bounds with x = east; None off the Earth."""
    west, south, east, north = transformer(srid, WGS84).transform_bounds(*bounds)
    limits = ((west, 180), (south, 90), (east, 180), (north, 90))
    if not all(abs(degrees) <= limit + 1e-6 for degrees, limit in limits):  # so said, NaN is caught too
        return None
    return west, south, east, north


def is_geographic(srid: Srid) -> bool:
    """True if the CRS counts in degrees."""
    return lookup(srid).is_geographic


def keeps_numbers(from_srid: Srid, to_srid: Srid) -> bool:
    """True where coordinates, x = east, are the same in both CRSs: in the same one, and between CGCS2000 and WGS 84."""
    pair = {postgis_srid(from_srid), postgis_srid(to_srid)}
    return len(pair) == 1 or pair == _ONE_DATUM


def _is_horizontal(srid: Srid) -> bool:
    try:
        crs = lookup(srid)
    except UnknownCrs:
        return False
    return srid != CRS84 and (crs.is_geographic or crs.is_projected) and len(crs.axis_info) == 2
