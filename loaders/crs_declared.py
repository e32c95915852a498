"""From what a source declares (WKT, PROJJSON, a code) to an EPSG code, by PROJ's list and else by parameters."""

import math
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from pyproj import CRS
from pyproj.database import query_crs_info
from pyproj.enums import PJType
from pyproj.exceptions import CRSError

from core.crs import CGCS2000, WEB_MERCATOR, WGS84, Srid, Zone, old_datum, zone_by_number
from core.language import Text
from loaders.crs_errors import NoEpsgCode, OldDatum, UnreadableCrs

_CGCS2000_NAME = re.compile(r"c(hina)?(geodeticcoordinatesystem|gcs)?2000")
_UNNAMED = re.compile(r"d?(unknown|unnamed|notspecified|unspecified)|$")


_OLD_ELLIPSOIDS = {(6378245.0, 298.3): "Beijing 1954", (6378140.0, 298.257): "Xian 1980"}
_SIX_DEGREES = re.compile(r"CGCS2000 / Gauss-Kruger CM")  # 3° zones on the same meridians have the same parameters
_DEGREE = math.pi / 180
_LONGEST = 100_000  # characters; PROJ takes seconds over a megabyte of nonsense
_ORIGIN, _MERIDIAN = "Latitude of natural origin", "Longitude of natural origin"
_SCALE, _EASTING, _NORTHING = "Scale factor at natural origin", "False easting", "False northing"


class Declared(NamedTuple):
    """What a source says its CRS is; `certain` is False where a part of it had to be concluded."""

    srid: Srid
    certain: bool
    notes: tuple[Text, ...]


class GaussKruger(NamedTuple):
    """A zone, and if its eastings carry the zone's number."""

    zone: Zone
    prefixed: bool


class _Match(NamedTuple):
    srid: Srid
    certain: bool = True


def read_declared(text: str) -> Declared:
    """The EPSG code of a declared CRS; heights, embedded datum shifts and axis order are left aside."""
    crs, notes = _horizontal(_parse(text))
    match = _match(crs)
    if match is None:
        if datum := _old_datum(crs):
            raise OldDatum(crs=crs.name, datum=datum)
        raise NoEpsgCode(name=crs.name, hint=_hint(crs))
    if not match.certain:
        notes = (*notes, _concluded(match.srid))
    if "Gauss-Kruger" in crs.name and code_by_name(crs.name) not in (None, match.srid):
        notes = (*notes, _contradicted(crs.name, match.srid))
    return Declared(match.srid, match.certain, notes)


def _parse(text: str) -> CRS:
    if len(text) > _LONGEST:
        raise UnreadableCrs(shown=" ".join(text[:200].split())[:80])
    init = re.fullmatch(r"\s*\+init=(epsg:\d+)(\s.*)?", text, re.IGNORECASE)  # pyproj warns of this old spelling
    try:
        return CRS.from_user_input(init[1] if init else text)
    except CRSError:
        raise UnreadableCrs(shown=" ".join(text.split())[:80]) from None


def _horizontal(crs: CRS) -> tuple[CRS, tuple[Text, ...]]:
    """The horizontal CRS within bound, compound and three-dimensional ones, and what was set aside."""
    if crs.is_bound and crs.source_crs:
        inner, notes = _horizontal(crs.source_crs)
        return inner, (
            *notes,
            Text("A datum shift in its CRS is not used.", "未采用坐标系中自带的基准转换参数。"),
        )
    if crs.is_compound:
        inner, notes = _horizontal(crs.sub_crs_list[0])
        heights = crs.sub_crs_list[1].name
        return inner, (*notes, Text(f"Heights ({heights}) are kept as they are.", f"高程({heights})保持原值。"))
    if crs.is_geographic and len(crs.axis_info) == 3:
        return crs.to_2d(), (Text("Ellipsoidal heights are kept as they are.", "椭球高保持原值。"),)
    return crs, ()


def _match(crs: CRS) -> _Match | None:
    if not (crs.is_geographic or crs.is_projected):
        return None
    if crs.to_json_dict().get("id") in ({"authority": "OGC", "code": "CRS84"}, {"authority": "OGC", "code": "CRS84h"}):
        return _Match(WGS84)
    match = _geographic_match(crs) if crs.is_geographic else _plane_match(crs)
    if match is not None and match.certain:
        return match
    code = crs.to_epsg()  # at PROJ's own 70 % confidence: it compares parameters, and doesn't trust names alone
    return match if code is None else _Match(Srid(code))


def _geographic_match(crs: CRS) -> _Match | None:
    """CGCS2000 by its datum's name; an unnamed datum on the ellipsoid of WGS 84 or CGCS2000 with less certainty."""
    kind = _datum(crs)
    if kind is None or not crs.prime_meridian or crs.prime_meridian.longitude != 0:
        return None
    return kind if all(abs(axis.unit_conversion_factor - _DEGREE) < 1e-10 for axis in crs.axis_info) else None


def _plane_match(crs: CRS) -> _Match | None:
    base = _datum(crs)
    if _is_web_mercator(crs):
        return _Match(WEB_MERCATOR)
    found = gauss_kruger(crs)
    if base is None or base.srid != CGCS2000 or found is None:
        return None
    zone = (_SIX_DEGREES.match(crs.name) and zone_by_number(int(found.zone.meridian + 3) // 6, 6)) or found.zone
    return _Match(zone.prefixed if found.prefixed else zone.srid, base.certain)


def _datum(crs: CRS) -> _Match | None:
    """CGCS2000 or WGS 84, by the datum's name and ellipsoid."""
    geodetic = crs.geodetic_crs
    if geodetic is None or geodetic.datum is None or geodetic.ellipsoid is None or old_datum(crs):
        return None
    ellipsoid, name = geodetic.ellipsoid, re.sub(r"[^a-z0-9]", "", geodetic.datum.name.lower())
    if abs(ellipsoid.semi_major_metre - 6378137) > 1e-3:
        return None
    unnamed = bool(_UNNAMED.match(name))
    if abs(ellipsoid.inverse_flattening - 298.257222101) < 1e-8 and (unnamed or _CGCS2000_NAME.search(name)):
        return _Match(CGCS2000, not unnamed)
    if abs(ellipsoid.inverse_flattening - 298.257223563) < 1e-8 and unnamed:
        return _Match(WGS84, certain=False)
    return None


def gauss_kruger(crs: CRS) -> GaussKruger | None:
    """The zone whose parameters a Transverse Mercator CRS has, whatever its datum."""
    operation = crs.coordinate_operation
    metres = all(axis.unit_conversion_factor == 1 for axis in crs.axis_info)
    if operation is None or operation.method_name != "Transverse Mercator" or not metres:
        return None
    value = {parameter.name: float(parameter.value) for parameter in operation.params}
    if (value[_ORIGIN], value[_SCALE], value[_NORTHING]) != (0, 1, 0):
        return None
    prefix, easting = divmod(value[_EASTING], 1e6)
    if easting != 500_000:
        return None
    meridian = value[_MERIDIAN]
    zone = zone_by_number(int(prefix or meridian // 3), 3 if prefix == 0 or prefix >= 25 else 6)
    return GaussKruger(zone, prefix > 0) if zone and zone.meridian == meridian else None


def code_by_name(name: str) -> Srid | None:
    """The EPSG code of a plane CRS by its full name; zones are named alike on all Chinese datums."""
    return _codes_by_name().get(name)


@lru_cache(maxsize=1)
def _codes_by_name() -> Mapping[str, Srid]:
    return {info.name: Srid(int(info.code)) for info in query_crs_info("EPSG", PJType.PROJECTED_CRS)}


def _is_web_mercator(crs: CRS) -> bool:
    """A Mercator of the sphere, as older software writes 3857."""
    operation, ellipsoid = crs.coordinate_operation, crs.ellipsoid
    if operation is None or ellipsoid is None or "Mercator" not in operation.method_name:
        return False
    sphere = ellipsoid.semi_major_metre == ellipsoid.semi_minor_metre == 6378137
    plain = all(float(parameter.value) == (1 if parameter.name == _SCALE else 0) for parameter in operation.params)
    return sphere and plain and "Transverse" not in operation.method_name


def _old_datum(crs: CRS) -> str | None:
    """The old Chinese datum of a CRS, by name or, where that says nothing, by its ellipsoid."""
    ellipsoid = crs.ellipsoid
    if ellipsoid is None:
        return None
    shape = (ellipsoid.semi_major_metre, round(ellipsoid.inverse_flattening, 3))
    return old_datum(crs) or _OLD_ELLIPSOIDS.get(shape)


def _hint(crs: CRS) -> Text:
    """The CRS of CGCS2000 with the same projection, if there is one."""
    found = gauss_kruger(crs)
    if found is None:
        return Text("", "")
    code = found.zone.prefixed if found.prefixed else found.zone.srid
    return Text(f" Its projection is that of EPSG:{code} on CGCS2000.", f"其投影与 CGCS2000 的 EPSG:{code} 相同。")


def _contradicted(name: str, srid: Srid) -> Text:
    return Text(
        f"The declared CRS is called {name}, but its parameters are those of EPSG:{srid}, and these count.",
        f"声明的坐标系名为 {name},但其参数为 EPSG:{srid} 的参数,以参数为准。",
    )


def _concluded(srid: Srid) -> Text:
    return Text(
        f"The declared CRS names no known datum; by its ellipsoid and parameters it was taken for EPSG:{srid}.",
        f"声明的坐标系未注明已知基准,按椭球和参数判定为 EPSG:{srid}。",
    )
