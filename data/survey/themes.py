"""The layers that follow from the parcels: `PDT`, `YJJBNTTB`, `STBHHX`, `CZCDYD`."""

import numpy as np
import shapely

from data.sample.shapes import Flags, Ints, Shapes, Texts
from data.survey.areas import cents, ellipsoidal_areas
from data.survey.attributes import identifiers
from data.survey.classes import BUILT, CULTIVATED, FOREST, TOWN, VILLAGE, WOODS, is_class
from data.survey.landscape import Landscape
from data.survey.table import Table
from data.survey.units_tables import merged

SMALLEST_RED_LINE = 50_000.0  # square metres of forest
SHARE_OF_BASIC_FARMLAND = 0.7


def theme_tables(rng: np.random.Generator, land: Landscape, parcels: Table) -> dict[str, Table]:
    """The four layers; their polygons are made of whole parcels."""
    return {
        "PDT": _slopes(land),
        "YJJBNTTB": _basic_farmland(rng, land, parcels),
        "STBHHX": _red_lines(land),
        "CZCDYD": _settlements(land),
    }


def _slopes(land: Landscape) -> Table:
    slopes = land.slopes[land.plots.blocks]
    shapes, codes, slope = _parts(land, np.ones(len(slopes), dtype=bool), slopes)
    return _table(shapes, codes, "1000780000", "2310", PDJB=slope.astype(str).astype(object))


def _basic_farmland(rng: np.random.Generator, land: Landscape, parcels: Table) -> Table:
    """Most of the flat cultivated land, parcel by parcel."""
    flat = is_class(land.plots.classes, CULTIVATED) & (land.slopes[land.plots.blocks] <= 3)
    chosen = np.flatnonzero(flat & (rng.random(len(flat)) < SHARE_OF_BASIC_FARMLAND))
    own = parcels.where(chosen)
    names = "TBBH DLBM DLMC QSXZ QSDWDM QSDWMC ZLDWDM ZLDWMC TBMJ KCDLBM KCXS KCMJ"
    return _table(
        own.shapes,
        own["ZLDWDM"],
        "2005010300",
        "2510",
        YJJBNTTBBH=np.array([f"{number:08d}" for number in range(1, len(chosen) + 1)], dtype=object),
        **{name: own[name] for name in names.split()},
        YJJBNTMJ=own["TBDLMJ"],
    )


def _red_lines(land: Landscape) -> Table:
    woods = is_class(land.plots.classes, FOREST) & (land.zones[land.plots.blocks] == WOODS)
    shapes, codes, _ = _parts(land, woods, np.zeros(len(woods), dtype=np.int64))
    areas = ellipsoidal_areas(shapes)
    large = areas >= SMALLEST_RED_LINE
    shapes, codes, areas = shapes[large], codes[large], areas[large]
    return _table(
        shapes,
        codes,
        None,
        "2520",
        HXDM=identifiers(codes, "0001"),
        HXMC=np.full(len(codes), "模拟水源涵养生态保护红线", dtype=object),
        HXLX=np.full(len(codes), "11", dtype=object),
        HXMJ=cents(areas) / 100,
    )


def _settlements(land: Landscape) -> Table:
    zones = land.zones[land.plots.blocks]
    built = is_class(land.plots.classes, BUILT) & ((zones == TOWN) | (zones == VILLAGE))
    shapes, codes, zone = _parts(land, built, zones)
    return _table(
        shapes,
        codes,
        "2099030100",
        "2120",
        CZCLX=np.where(zone == TOWN, "201", "203").astype(object),
        CZCDM=np.array([f"{code}0000000000"[:19] for code in codes], dtype=object),
        CZCMC=np.array([f"模拟城镇村{number}" for number in range(1, len(codes) + 1)], dtype=object),
        CZCMJ=cents(ellipsoidal_areas(shapes)) / 100,
    )


def _parts(land: Landscape, chosen: Flags, kinds: Ints) -> tuple[Shapes, Texts, Ints]:
    """Single polygons of the chosen parcels of one township and kind, the township's code, and the kind."""
    township = land.units.townships[land.units.villages[land.plots.blocks]][chosen]
    pairs, group = np.unique(np.stack([township, kinds[chosen]]), axis=1, return_inverse=True)
    shapes = merged(land.shapes[chosen], group.ravel(), pairs.shape[1])
    single, index = shapely.get_parts(shapes, return_index=True)
    return single, land.units.township_codes[pairs[0][index]], pairs[1][index]


def _table(shapes: Shapes, codes: Texts, feature: str | None, digits: str, **columns: np.ndarray) -> Table:
    own = {"BSM": identifiers(codes, digits), "YSDM": np.full(len(codes), feature, dtype=object)}
    return Table(shapes, "Polygon", {**own, **columns})
