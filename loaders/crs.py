"""Where a source's coordinates are: declared, or detected with reasons, or asked for; never guessed silently."""

import math
import re
from typing import NamedTuple

from core.crs import WEB_MERCATOR, WGS84, BBox, Srid, is_known_operation, lookup, old_datum, parse_uri, postgis_srid
from core.errors import ChengtuError
from core.language import Text
from loaders.crs_declared import read_declared
from loaders.crs_errors import CrsNeeded, NoWayToWgs84, OldDatum, ShiftForOtherCrs
from loaders.crs_numbers import Reading, described, findings, readings, shown
from loaders.crs_order import Axes, Order, find_order
from loaders.datum_shift import DatumShift, Numbers, read_datum_shift

__all__ = ["Axes", "CrsDecision", "DatumShift", "decide", "read_datum_shift"]


class CrsDecision(NamedTuple):
    """The SRID to store under, what must happen to raw coordinates on the way, and why."""

    srid: Srid
    swap_axes: bool
    reason: Text
    certain: bool  # False where the numbers had to speak, since the source did not
    notes: tuple[Text, ...]
    shift: DatumShift | None = None  # to be applied after the axes are swapped

    @property
    def moves(self) -> bool:
        """Whether coordinates change at all."""
        return self.swap_axes or self.shift is not None

    def move(self, x: Numbers, y: Numbers) -> tuple[Numbers, Numbers]:
        """Raw coordinates to x = east and y = north in `srid`."""
        if self.swap_axes:
            x, y = y, x
        return self.shift.apply(x, y) if self.shift else (x, y)


class _Source(NamedTuple):
    """The CRS that someone names for the raw coordinates."""

    srid: Srid
    reason: Text
    certain: bool
    notes: tuple[Text, ...]
    insisted: bool  # by --srs


def decide(
    declared: str | None,
    bounds: BBox | None,
    *,
    asked: str | None = None,
    axes: Axes = "auto",
    datum_shift: DatumShift | None = None,
) -> CrsDecision:
    """Decide on a source's CRS from what it declares, the bounds of its raw coordinates, and what the user says.

    `asked` (--srs) wins over `declared`, but the numbers must fit either. Raises a CrsProblem that says what to do.
    """
    numbers = bounds if bounds and all(map(math.isfinite, bounds)) else None
    source = _named(declared, asked, datum_shift)
    if source is None:
        return _detected(numbers, axes)
    shift = _shift(datum_shift, source.srid)
    if not is_known_operation(shift.target if shift else source.srid, WGS84):
        raise NoWayToWgs84(crs=described(source.srid))
    order = Order(axes == "yx")
    if numbers:
        order = find_order(source.srid, numbers, axes, insisted=source.insisted)
    return CrsDecision(
        shift.target if shift else source.srid,
        order.swap,
        _joined(source.reason, order.reason),
        source.certain,
        (*source.notes, *order.notes, *(_shift_notes(shift) if shift else ())),
        shift,
    )


def _named(declared: str | None, asked: str | None, datum_shift: DatumShift | None) -> _Source | None:
    if asked is not None:
        return _asked(asked, declared)
    if declared:
        srid, certain, notes = read_declared(declared)
        name = described(srid)
        return _Source(srid, Text(f"The source declares {name}.", f"数据源声明为 {name}。"), certain, notes, False)
    if datum_shift is not None:
        name = described(datum_shift.source)
        reason = Text(f"The parameters of --datum-shift are for {name}.", f"--datum-shift 的参数适用于 {name}。")
        return _Source(datum_shift.source, reason, True, (), False)
    return None


def _asked(asked: str, declared: str | None) -> _Source:
    code = re.fullmatch(r"(?i:epsg:)?([0-9]{1,6})", asked.strip())
    srid = postgis_srid(parse_uri(f"EPSG:{code[1]}" if code else asked.strip()))
    name = described(srid)
    notes: tuple[Text, ...] = ()
    if declared and (other := _declared_otherwise(declared, srid)):
        notes = (Text(f"The source declares {other}; --srs wins.", f"数据源声明为 {other},以 --srs 为准。"),)
    return _Source(srid, Text(f"--srs says {name}.", f"--srs 指定为 {name}。"), True, notes, True)


def _declared_otherwise(declared: str, srid: Srid) -> str | None:
    """What the source declares, where that isn't what --srs says."""
    try:
        other = read_declared(declared).srid
    except ChengtuError:
        return " ".join(declared.split())[:60]
    return None if other == srid else described(other)


def _shift(datum_shift: DatumShift | None, srid: Srid) -> DatumShift | None:
    datum = old_datum(lookup(srid))
    if datum_shift is None:
        if datum:
            raise OldDatum(crs=described(srid), datum=datum)
        return None
    if not datum:
        raise ShiftForOtherCrs(theirs=described(datum_shift.source), crs=described(srid))
    return datum_shift.between(srid)


def _shift_notes(shift: DatumShift) -> tuple[Text, ...]:
    target = described(shift.target)
    moved = Text(f"Coordinates are moved to {target} by --datum-shift.", f"坐标已按 --datum-shift 转换到 {target}。")
    return (moved, *shift.notes)


def _detected(numbers: BBox | None, axes: Axes) -> CrsDecision:
    """What the numbers alone say, if they say one thing only."""
    found = readings(numbers) if numbers else []
    if axes != "auto":
        found = [reading for reading in found if reading.swap == (axes == "yx")]
    only = found[0].srids if len(found) == 1 else ()
    if numbers is None or len(only) != 1 or only[0] in (WGS84, WEB_MERCATOR):
        candidates = tuple(srid for reading in found for srid in reading.srids)
        raise CrsNeeded(finding=_told(numbers, found), candidates=candidates)
    srid, told = only[0], _told(numbers, found)
    reason = Text(f"The source declares no CRS. {told.en}", f"数据源未声明坐标系。{told.zh}")
    return CrsDecision(srid, found[0].swap, reason, False, (_lookalikes(srid),))


def _told(numbers: BBox | None, found: list[Reading]) -> Text:
    """The numbers and all that they may mean."""
    if numbers is None:
        return Text("It has no coordinates that could tell.", "其中也没有可供判断的坐标。")
    meanings = findings(found)
    return Text(f"Its numbers are {shown(numbers)}. {meanings.en}", f"其坐标为 {shown(numbers)}。{meanings.zh}")


def _lookalikes(srid: Srid) -> Text:
    """The caveat of a detected CRS: numbers don't show their datum."""
    if lookup(srid).is_geographic:
        return Text(
            "Degrees look alike in CGCS2000, WGS 84 (under 1 m away), Beijing 1954 and Xian 1980 (up to 100 m and"
            " more) and GCJ-02 (hundreds of metres). If these aren't CGCS2000, name their CRS with --srs.",
            "CGCS2000、WGS 84(相差不足 1 m)、北京 54 与西安 80(可达百米以上)及 GCJ-02(数百米)的经纬度形式相同;"
            "若并非 CGCS2000,请用 --srs 指定。",
        )
    return Text(
        "Eastings look alike on CGCS2000, Beijing 1954 and Xian 1980, up to 100 m and more apart. If these aren't"
        " CGCS2000, name their CRS with --srs.",
        "CGCS2000、北京 54、西安 80 的高斯坐标形式相同,相差可达百米以上;若并非 CGCS2000,请用 --srs 指定。",
    )


def _joined(first: Text, second: Text | None) -> Text:
    return Text(f"{first.en} {second.en}", f"{first.zh}{second.zh}") if second else first
