"""The layers of units and their boundary lines: `XZQ`, `XZQJX`, `CJDCQ`, `CJDCQJX`."""

from itertools import pairwise

import numpy as np
import shapely

from data.sample.shapes import Ints, Shapes, Texts
from data.survey.attributes import identifiers
from data.survey.faces import OUTSIDE, lines
from data.survey.landscape import Landscape
from data.survey.table import Table

COUNTY, TOWNSHIP, VILLAGE = "650200", "660200", "670500"  # JXLX


def unit_tables(land: Landscape, villages: Ints, townships: Ints) -> dict[str, Table]:
    """The four layers; areas are given in cents."""
    units = land.units
    shapes = merged(land.shapes, units.villages[land.plots.blocks], len(units.village_codes))
    codes = np.array([f"{code}0000000" for code in units.village_codes], dtype=object)
    return {
        "XZQ": _units(
            "XZQDM", "XZQMC", "1000600100", "1010", units.township_codes, units.township_names,
            merged(shapes, units.townships, len(townships)), townships,
        ),
        "CJDCQ": _units("ZLDWDM", "ZLDWMC", "1000600400", "1030", codes, units.village_names, shapes, villages),
        **_boundaries(land, codes),
    }  # fmt: skip


def merged(shapes: Shapes, groups: Ints, count: int) -> Shapes:
    """The union of each group 0 … `count` - 1 of a coverage, with all vertices kept."""
    order = np.argsort(groups, kind="stable")
    edges = np.searchsorted(groups[order], np.arange(count + 1))
    made = np.empty(count, dtype=object)
    made[:] = [shapely.coverage_union_all(shapes[order[start:end]]) for start, end in pairwise(edges.tolist())]
    return made


def _units(
    code: str, name: str, feature: str, digits: str, codes: Texts, names: Texts, shapes: Shapes, areas: Ints
) -> Table:
    columns = {
        "BSM": identifiers(codes, digits),
        "YSDM": np.full(len(codes), feature, dtype=object),
        code: codes,
        name: names,
        "DCMJ": areas / 100,
        "JSMJ": areas / 100,
        "MSSM": np.full(len(codes), "00", dtype=object),
        "HDMC": np.full(len(codes), None, dtype=object),
        "BZ": np.full(len(codes), None, dtype=object),
    }
    parts, index = shapely.get_parts(shapes, return_index=True)
    return Table(shapely.multipolygons(parts, indices=index), "MultiPolygon", columns)


def _boundaries(land: Landscape, codes: Texts) -> dict[str, Table]:
    """A line for each stretch between the same two villages, by the highest unit that it bounds."""
    units = land.units
    village = np.append(units.villages[land.plots.blocks], OUTSIDE)  # the last, -1, is outside
    left, right = village[land.edges.left], village[land.edges.right]
    once = (left > right) | (right == OUTSIDE)
    once &= left != right
    pairs = left[once] * (len(codes) + 1) + right[once] + 1
    shapes, pair = lines(land.edges.where(once), land.points, land.middles, pairs)
    left, right = np.divmod(pair, len(codes) + 1)
    right -= 1
    township = np.append(units.townships, OUTSIDE)
    district = np.append(units.districts, OUTSIDE)
    kinds = np.where(township[left] == township[right], VILLAGE, TOWNSHIP).astype(object)
    kinds[(district[township[left]] != district[township[right]]) & (right != OUTSIDE)] = COUNTY
    table = _lines(shapes, kinds, codes[left], "1000600500", "1040")
    high = kinds != VILLAGE
    return {"XZQJX": _lines(shapes[high], kinds[high], codes[left][high], "1000600200", "1020"), "CJDCQJX": table}


def _lines(shapes: Shapes, kinds: Texts, codes: Texts, feature: str, digits: str) -> Table:
    columns = {
        "BSM": identifiers(codes, digits),
        "YSDM": np.full(len(kinds), feature, dtype=object),
        "JXLX": kinds,
        "JXXZ": np.full(len(kinds), "600001", dtype=object),  # settled
        "JXSM": np.full(len(kinds), None, dtype=object),
    }
    return Table(shapes, "LineString", columns)
