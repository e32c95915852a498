"""The fields of `DLTB` (TD/T 1057-2020), so that areas add up to the cent and every rule of the survey holds."""

import numpy as np

from data.sample.parcels import number_within
from data.sample.shapes import Flags, Floats, Ints, Texts
from data.survey.areas import cents, ellipsoidal_areas, share_out
from data.survey.classes import BUILT, CODES, CULTIVATED, NAMES, NUMBER, STATE_OWNED, SUBURB, TOWN, is_class
from data.survey.landscape import Landscape
from data.survey.lattice import WIDTHS
from data.survey.table import Table

RIDGES = "1203"  # the class that field ridges are, which are deducted from cultivated land
COEFFICIENTS = {"PD": (0.0, 0.0614, 0.0835, 0.1128, 0.1462), "TT": (0.0, 0.0727, 0.1013, 0.1386, 0.1721)}
YSDM = "2001010100"
LAYER_DIGITS = "2110"  # what stands for DLTB in its identifiers
PLANTED = (("LS", "种植粮食作物"), ("FLS", "种植非粮食作物"), ("LYFL", "粮与非粮轮作"))


def parcel_table(rng: np.random.Generator, land: Landscape, year: int) -> tuple[Table, Ints, Ints]:
    """`DLTB`, and the areas of villages and of townships in cents."""
    units, plots = land.units, land.plots
    village = units.villages[plots.blocks]
    areas, villages, townships = _areas(ellipsoidal_areas(land.shapes), village, units.townships)
    code = np.array([f"{one}0000000" for one in units.village_codes], dtype=object)[village]
    columns = {
        "BSM": identifiers(code, LAYER_DIGITS),
        "YSDM": _constant(YSDM, len(code)),
        **_numbers(village),
        "DLBM": np.array(CODES, dtype=object)[plots.classes],
        "DLMC": np.array([*NAMES.values()], dtype=object)[plots.classes],
        "QSXZ": _ownership(plots.classes),
        "QSDWDM": code,
        "QSDWMC": units.village_names[village],
        "ZLDWDM": code,
        "ZLDWMC": units.village_names[village],
        "TBMJ": areas / 100,
        **_farmland(rng, plots.classes, land.slopes[plots.blocks], areas),
        **_others(plots.strips, plots.classes, land.zones[plots.blocks], year),
    }
    return Table(land.shapes, "Polygon", columns), villages, townships


def identifiers(codes: Texts, layer: str) -> Texts:
    """18 digits: 6 of the county, 4 of the layer, and a running number in the county."""
    counties = np.array([code[:6] for code in codes], dtype=object)
    numbers = number_within(np.unique(counties.astype(str), return_inverse=True)[1])
    return np.array([f"{county}{layer}{n:08d}" for county, n in zip(counties, numbers, strict=True)], dtype=object)


def deducted(areas: Ints, coefficients: Floats) -> Ints:
    """Cents that are deducted of `areas` cents."""
    return np.rint(areas * coefficients).astype(np.int64)


def _areas(exact: Floats, village: Ints, township: Ints) -> tuple[Ints, Ints, Ints]:
    """Cents of parcels, villages, townships: what rounding leaves over is given out from above."""
    by_village = np.bincount(village, weights=exact)
    townships = cents(np.bincount(township, weights=by_village))
    villages = share_out(by_village, township, townships)
    return share_out(exact, village, villages), villages, townships


def _constant(value: str | None, count: int) -> Texts:
    return np.full(count, value, dtype=object)


def _numbers(village: Ints) -> dict[str, Texts]:
    """`TBYBH` and `TBBH`: numbers within the village."""
    numbers = np.array([f"{number:04d}" for number in number_within(village)], dtype=object)
    return {"TBYBH": numbers, "TBBH": numbers.copy()}


def _ownership(classes: Ints) -> Texts:
    return np.where(is_class(classes, STATE_OWNED), "20", "30").astype(object)


def _farmland(rng: np.random.Generator, classes: Ints, slopes: Ints, areas: Ints) -> dict[str, np.ndarray]:
    """Slope class and kind of cultivated land, and the deduction of ridges on slopes above 2 degrees."""
    farmed = is_class(classes, CULTIVATED)
    kind = np.where((slopes > 2) & (rng.random(len(classes)) < 0.4), "TT", "PD").astype(object)
    table = np.array([COEFFICIENTS["PD"], COEFFICIENTS["TT"]])
    ratio = np.where(farmed, table[(kind == "TT").astype(int), slopes - 1], 0.0)
    sloping = farmed & (slopes > 1)
    taken = deducted(areas, ratio)
    return {
        "KCDLBM": _only(sloping, _constant(RIDGES, len(classes))),
        "KCXS": ratio,
        "KCMJ": taken / 100,
        "TBDLMJ": (areas - taken) / 100,
        "GDLX": _only(sloping, kind),
        "GDPDJB": _only(farmed, slopes.astype(str).astype(object)),
    }


def _others(strips: Ints, classes: Ints, zones: Ints, year: int) -> dict[str, np.ndarray]:
    count, farmed = len(classes), is_class(classes, CULTIVATED)
    widths = np.array([*WIDTHS.values(), np.nan])[strips]  # -1 takes the last
    plain = _constant(None, count)
    return {
        "XZDWKD": widths,
        "TBXHDM": plain,
        "TBXHMC": plain.copy(),
        "ZZSXDM": _only(farmed, _constant(PLANTED[0][0], count)),
        "ZZSXMC": _only(farmed, _constant(PLANTED[0][1], count)),
        "GDDB": np.array([9 if one else None for one in farmed], dtype=object),
        "FRDBS": _constant("0", count),
        "CZCSXM": _settlements(classes, zones),
        "SJNF": np.full(count, year),
        "MSSM": _constant("00", count),
        "HDMC": plain.copy(),
        "BZ": plain.copy(),
    }


def _settlements(classes: Ints, zones: Ints) -> Texts:
    """`CZCSXM` of built land: 201 in a city, 202 in a town, 203 in a village; works that stand apart have an A."""
    marks = np.where(zones == TOWN, "201", np.where(zones == SUBURB, "202", "203")).astype(object)
    apart = (classes == NUMBER["0601"]) & (zones > SUBURB)
    marks[apart] += "A"
    marks[classes == NUMBER["0602"]] = "204"
    return _only(is_class(classes, (*BUILT, "0602")), marks)


def _only(where: Flags, values: Texts) -> Texts:
    """The values where they belong, and none elsewhere."""
    chosen = values.copy()
    chosen[~where] = None
    return chosen
