"""Defects of single rows: one field is wrong, and everything that follows from it agrees with it."""

from collections.abc import Callable

import numpy as np

from data.survey.areas import cents
from data.survey.classes import CULTIVATED, NAMES
from data.survey.planting import Entry, Planter

_OFF = 5_000  # cents that a wrong area is off by
_ONE_IN = 100  # of the area, by which a stated one is off


def _taken(planter: Planter, parcel: int) -> Entry:
    planter.picker.take(parcel, neighbours=False)
    return planter.key(parcel)


def _is_farmed(planter: Planter, parcel: int) -> bool:
    return planter.value(parcel, "DLBM") in CULTIVATED


def _slope(planter: Planter, parcel: int) -> str:
    return str(planter.value(parcel, "GDPDJB") or "")


def _area(planter: Planter, parcel: int, name: str) -> int:
    return int(cents(planter.parcels[name][[parcel]])[0])


def _same_identifier(planter: Planter, parcel: int) -> Entry | None:
    key = _taken(planter, parcel)
    other = next(planter.picker.offers(), None)
    if other is None:
        return None
    planter.put(other, BSM=key)
    planter.picker.take(other, neighbours=False)
    return key


def _unknown_class(planter: Planter, parcel: int) -> Entry | None:
    if _is_farmed(planter, parcel):
        return None
    planter.put(parcel, DLBM="9999", DLMC="未知地类")
    return _taken(planter, parcel)


def _wrong_name(planter: Planter, parcel: int) -> Entry | None:
    planter.put(parcel, DLMC=NAMES["0201" if planter.value(parcel, "DLBM") != "0201" else "0204"])
    return _taken(planter, parcel)


def _no_slope(planter: Planter, parcel: int) -> Entry | None:
    if _slope(planter, parcel) != "1":
        return None
    planter.put(parcel, GDPDJB=None)
    return _taken(planter, parcel)


def _no_type(planter: Planter, parcel: int) -> Entry | None:
    if _slope(planter, parcel) < "2":
        return None
    planter.put(parcel, GDLX=None)
    return _taken(planter, parcel)


def _wrong_coefficient(planter: Planter, parcel: int) -> Entry | None:
    """More is deducted than there is."""
    if _slope(planter, parcel) < "2":
        return None
    planter.put(parcel, KCXS=1.2)
    planter.state(parcel, _area(planter, parcel, "TBMJ"))
    return _taken(planter, parcel)


def _wrong_deduction(planter: Planter, parcel: int) -> Entry | None:
    if _slope(planter, parcel) < "2":
        return None
    deducted = _area(planter, parcel, "KCMJ") + _OFF
    planter.put(parcel, KCMJ=deducted / 100, TBDLMJ=(_area(planter, parcel, "TBMJ") - deducted) / 100)
    return _taken(planter, parcel)


def _wrong_class_area(planter: Planter, parcel: int) -> Entry | None:
    planter.put(parcel, TBDLMJ=(_area(planter, parcel, "TBDLMJ") + _OFF) / 100)
    return _taken(planter, parcel)


def _deduction_elsewhere(planter: Planter, parcel: int) -> Entry | None:
    if _is_farmed(planter, parcel):
        return None
    planter.put(parcel, KCDLBM="1203", KCXS=0.1)
    planter.state(parcel, _area(planter, parcel, "TBMJ"))
    return _taken(planter, parcel)


def _unknown_unit(planter: Planter, parcel: int) -> Entry | None:
    code = str(planter.value(parcel, "ZLDWDM"))
    planter.put(parcel, ZLDWDM=f"{code[:6]}9999990000000", ZLDWMC="不存在的村")
    return _taken(planter, parcel)


def _other_unit(planter: Planter, parcel: int) -> Entry | None:
    """Another village's code and name."""
    villages = planter.villages
    others = np.flatnonzero(villages["ZLDWDM"] != planter.value(parcel, "ZLDWDM"))
    other = int(planter.picker.rng.choice(others))
    planter.put(parcel, ZLDWDM=villages["ZLDWDM"][other], ZLDWMC=villages["ZLDWMC"][other])
    return _taken(planter, parcel)


def _wrong_area(planter: Planter, parcel: int) -> Entry | None:
    area = _area(planter, parcel, "TBMJ")
    planter.state(parcel, area + area // _ONE_IN + _OFF)
    return _taken(planter, parcel)


def _no_owner(planter: Planter, parcel: int) -> Entry | None:
    planter.put(parcel, QSDWDM=None)
    return _taken(planter, parcel)


def _unknown_ownership(planter: Planter, parcel: int) -> Entry | None:
    planter.put(parcel, QSXZ="99")
    return _taken(planter, parcel)


# Those that few parcels can have come first.
ROWS: dict[str, Callable[[Planter, int], Entry | None]] = {
    "cultivated-type-required": _no_type,
    "deduction-coefficient": _wrong_coefficient,
    "deduction-area": _wrong_deduction,
    "slope-class-required": _no_slope,
    "class-known": _unknown_class,
    "deduction-only-for-farmland": _deduction_elsewhere,
    "bsm-unique": _same_identifier,
    "class-name": _wrong_name,
    "class-area": _wrong_class_area,
    "unit-known": _unknown_unit,
    "unit-inside": _other_unit,
    "area-ellipsoidal": _wrong_area,
    "required-fields": _no_owner,
    "ownership-known": _unknown_ownership,
}
