"""Whether numbers fit the CRS that is named for them, and in which axis order."""

from typing import Literal, NamedTuple, NoReturn

from core.crs import BBox, Srid, bounds_in_degrees, geographic_base, lookup, zone_by_number
from core.language import Text
from loaders.crs_declared import code_by_name, gauss_kruger
from loaders.crs_errors import AxesUnclear, DegreesInMetreCrs, FarOutside, MetresInDegreeCrs, WrongZone
from loaders.crs_numbers import (
    CHINA,
    Fit,
    apart,
    are_degrees,
    described,
    findings,
    fit,
    flipped,
    home,
    is_global,
    readings,
    shown,
    within,
    zone_prefix,
)

Axes = Literal["auto", "xy", "yx"]

_TOLD = Text("--axes says that north comes first.", "--axes 指明北坐标在前。")


class Order(NamedTuple):
    """Whether raw coordinates are north first, the reason if that was found out, and what else was noticed."""

    swap: bool
    reason: Text | None = None
    notes: tuple[Text, ...] = ()


def find_order(srid: Srid, bounds: BBox, axes: Axes, *, insisted: bool) -> Order:
    """The axis order in which raw bounds fit a CRS; `insisted` is True where the user named it.

    Raises a CrsProblem where neither order fits, or both do.
    """
    if lookup(srid).is_geographic:
        return _order_of_degrees(srid, bounds, axes)
    return _order_of_metres(srid, bounds, axes, insisted=insisted)


def _order_of_degrees(srid: Srid, bounds: BBox, axes: Axes) -> Order:
    turned = flipped(bounds)
    as_is, swapped = axes != "yx" and are_degrees(bounds), axes != "xy" and are_degrees(turned)
    elsewhere = as_is and swapped and _belongs_elsewhere(srid, bounds)
    if as_is and not elsewhere:
        return Order(False, None, _outside_notes(srid, bounds))
    if elsewhere and is_global(srid):
        finding = Text(
            "as longitudes and latitudes they lie in the Arctic, the other way round in China.",
            "按经度、纬度理解位于北极地区,反之则位于中国境内。",
        )
        raise AxesUnclear(numbers=shown(bounds), finding=finding)
    if not swapped:
        raise MetresInDegreeCrs(crs=described(srid), numbers=shown(bounds), finding=findings(readings(bounds)))
    reason = Text("Its axes are swapped: x holds latitudes.", "轴序颠倒:x 为纬度,已交换。")
    return Order(True, reason if axes == "auto" else _TOLD, _outside_notes(srid, turned))


def _belongs_elsewhere(srid: Srid, bounds: BBox) -> bool:
    """True if bounds miss the part of the world that a CRS is for, and would lie in it if they were swapped."""
    place = CHINA if is_global(srid) else home(srid)
    return apart(bounds, place) and within(flipped(bounds), place)


def _order_of_metres(srid: Srid, bounds: BBox, axes: Axes, *, insisted: bool) -> Order:
    turned = flipped(bounds)
    if _looks_like_degrees(bounds) and (is_global(srid) or fit(srid, bounds, margin=0) != Fit.ALL):
        _refuse(srid, bounds)  # some planes have their origin where they are used, and so may have small numbers
    as_is = Fit.NOTHING if axes == "yx" else fit(srid, bounds)
    swapped = Fit.NOTHING if axes == "xy" else fit(srid, turned)
    if as_is == Fit.ALL or as_is > swapped:
        return Order(False, None, _outside_notes(srid, bounds))
    if swapped == Fit.ALL or (swapped == Fit.SOME and axes == "yx"):
        reason = Text("Its axes are in surveyors' order: x holds northings.", "轴序为测量坐标系:x 为北坐标,已交换。")
        return Order(True, reason if axes == "auto" else _TOLD, _outside_notes(srid, turned))
    if swapped == Fit.SOME:
        finding = Text("in neither do all of them fit their CRS.", "两种轴序下均有坐标不符合其坐标系。")
        raise AxesUnclear(numbers=shown(bounds), finding=finding)
    if axes != "auto" and fit(srid, turned if axes == "xy" else bounds) == Fit.ALL:
        finding = Text("they fit their CRS only the other way round.", "仅在交换轴序后才符合其坐标系。")
        raise AxesUnclear(numbers=shown(bounds), finding=finding)
    if not insisted or _would_fit_better(srid, bounds) or bounds_in_degrees(bounds, srid) is None:
        _refuse(srid, bounds)
    note = Text(
        f"All coordinates lie far outside where EPSG:{srid} is used.", f"全部坐标远在 EPSG:{srid} 的适用范围之外。"
    )
    return Order(axes == "yx", _TOLD if axes == "yx" else None, (note,))


def _would_fit_better(srid: Srid, bounds: BBox) -> bool:
    return _looks_like_degrees(bounds) or _right_zone(srid, bounds) is not None


def _looks_like_degrees(bounds: BBox) -> bool:
    return are_degrees(bounds) or are_degrees(flipped(bounds))


def _refuse(srid: Srid, bounds: BBox) -> NoReturn:
    """Say why numbers don't fit a plane CRS in either order, and what would."""
    crs, numbers = described(srid), shown(bounds)
    if _looks_like_degrees(bounds):
        raise DegreesInMetreCrs(crs=crs, numbers=numbers, option=f"--srs EPSG:{geographic_base(srid)}")
    if right := _right_zone(srid, bounds):
        raise WrongZone(crs=crs, numbers=numbers, right=described(right), option=f"--srs EPSG:{right}")
    raise FarOutside(crs=crs, numbers=numbers, finding=findings(readings(bounds)))


def _right_zone(srid: Srid, bounds: BBox) -> Srid | None:
    """The CRS of the same datum whose zone number the eastings carry, or that has none if they carry none."""
    declared = gauss_kruger(lookup(srid))
    if declared is None:
        return None
    turned = flipped(bounds)
    prefix = zone_prefix(bounds) or zone_prefix(turned)
    zone = declared.zone if prefix is None else zone_by_number(prefix, 3) or zone_by_number(prefix, 6)
    if zone is None:
        return None
    datum = lookup(srid).name.split(" / ")[0]
    width = "3-degree " if zone.width == 3 else ""
    place = f"CM {zone.meridian}E" if prefix is None else f"zone {zone.number}"
    right = code_by_name(f"{datum} / {width}Gauss-Kruger {place}")
    return right if right not in (None, srid) and max(fit(right, bounds), fit(right, turned)) > Fit.NOTHING else None


def _outside_notes(srid: Srid, bounds: BBox) -> tuple[Text, ...]:
    """A note where coordinates with x = east leave the CRS's area of use."""
    degrees = bounds_in_degrees(bounds, srid)
    west, south, east, north = place = home(srid)
    if degrees is not None and is_global(srid) and apart(degrees, CHINA):
        return (Text("All coordinates lie outside China.", "全部坐标位于中国境外。"),)
    if degrees is not None and within(degrees, place):
        return ()
    area = f"{west:g} … {east:g}°E, {south:g} … {north:g}°N"
    return (
        Text(
            f"Some coordinates lie outside the area that EPSG:{srid} is for ({area}).",
            f"部分坐标超出 EPSG:{srid} 的适用范围({area})。",
        ),
    )
