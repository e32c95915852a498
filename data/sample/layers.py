"""The synthetic city as feature tables, with the attributes that a planner expects; every row says it is synthetic."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from data.sample.addresses import Addresses, Doors
from data.sample.buildings import FORMS, Buildings
from data.sample.files import Layer
from data.sample.ground import Ground
from data.sample.names import StreetNames
from data.sample.parcels import Parcels, number_within
from data.sample.shapes import Ints, Shapes, Texts, centres
from data.sample.streets import RANKS, Lines
from data.sample.uses import EDITION, USES

FIRST_DAY = np.datetime64("1998-01-01")
LAST_DAY = np.datetime64("2025-06-30")


def road_layer(rng: np.random.Generator, ground: Ground, lines: Lines, names: StreetNames) -> Layer:
    """Road centre lines from junction to junction."""
    count = len(lines.shapes)
    ranks = [RANKS[rank] for rank in lines.ranks]
    numbers = zip(lines.streets, number_within(lines.streets), strict=True)
    columns = {
        "road_code": pa.array([f"R{street:05d}-{segment:03d}" for street, segment in numbers]),
        "name_zh": pa.array(names.zh),
        "name_en": pa.array(names.en),
        "class_code": pa.array([rank.code for rank in ranks]),
        "class_zh": pa.array([rank.zh for rank in ranks]),
        "class_en": pa.array([rank.en for rank in ranks]),
        "lanes": pa.array([rank.lanes for rank in ranks], pa.int16()),
        "red_line_width_m": pa.array([rank.width for rank in ranks], pa.float64()),
        "speed_limit_kmh": pa.array([rank.speed for rank in ranks], pa.int16()),
        "surface": pa.array(np.where(rng.random(count) < 0.85, "沥青", "水泥混凝土")),
        "opened": _days(rng, count),
        "length_m": pa.array(shapely.length(lines.shapes).round(2)),
        **_districts(ground, ground.district_of(centres(lines.shapes))),
        **_synthetic(count),
    }
    return Layer(lines.shapes, "LineString", ground.plane.srid, columns)


def parcel_layer(rng: np.random.Generator, ground: Ground, parcels: Parcels, addresses: Addresses) -> Layer:
    """Parcels (宗地) with land-use right and planning limits; the right ends after its years, or never."""
    count, uses = len(parcels.shapes), [USES[use] for use in parcels.uses]
    registered = _days(rng, count)
    columns = {
        "parcel_code": pa.array(parcels.codes),
        "block_code": pa.array([code[:12] for code in parcels.codes]),
        **_uses(parcels.uses),
        "address": pa.array(addresses.texts),
        "right_kind": pa.array(["国有建设用地使用权"] * count),
        "right_nature": pa.array(["出让" if use.years else "划拨" for use in uses]),
        "registered": registered,
        "expires": _expiry(registered, np.array([use.years for use in uses])),
        "area_m2": pa.array(shapely.area(parcels.shapes).round(2)),
        "plot_ratio_max": pa.array([use.plot_ratio for use in uses]),
        "coverage_max": pa.array([use.coverage for use in uses]),
        "green_ratio_min": pa.array([use.green for use in uses]),
        "height_max_m": pa.array([use.height for use in uses], pa.int16()),
        **_districts(ground, parcels.districts),
        **_synthetic(count),
    }
    return Layer(parcels.shapes, "Polygon", ground.plane.srid, columns)


def land_use_layer(ground: Ground, parcels: Parcels) -> Layer:
    """Patches of one use in one block: parcels of the same use that touch, joined."""
    group = parcels.blocks * len(USES) + parcels.uses
    order = np.argsort(group, kind="stable")
    edges = np.flatnonzero(np.diff(group[order], prepend=-1, append=-1))
    joined = [shapely.coverage_union_all(parcels.shapes[order[start:end]]) for start, end in pairwise(edges)]
    shapes, index = shapely.get_parts(np.array(joined, dtype=object), return_index=True)
    sample = order[edges[:-1]][index]  # one parcel of each patch's group
    return _land_use(ground, parcels, shapes, sample)


def _land_use(ground: Ground, parcels: Parcels, shapes: Shapes, sample: Ints) -> Layer:
    blocks = [code[:12] for code in parcels.codes[sample]]
    numbers = number_within(parcels.blocks[sample])
    columns = {
        "land_use_code": pa.array([f"{block}-{number:03d}" for block, number in zip(blocks, numbers, strict=True)]),
        "block_code": pa.array(blocks),
        **_uses(parcels.uses[sample]),
        "class_edition": pa.array([EDITION] * len(shapes)),
        "area_m2": pa.array(shapely.area(shapes).round(2)),
        "plan_year": pa.array([2035] * len(shapes), pa.int16()),
        **_districts(ground, parcels.districts[sample]),
        **_synthetic(len(shapes)),
    }
    return Layer(shapes, "Polygon", ground.plane.srid, columns)


def building_layer(
    rng: np.random.Generator, ground: Ground, buildings: Buildings, parcels: Parcels, addresses: Addresses
) -> Layer:
    """Building footprints with their real-estate unit code (不动产单元号: the parcel's 19 places, F and eight more)."""
    uses, count = parcels.uses[buildings.parcels], len(buildings.shapes)
    forms = [FORMS[USES[use].code] for use in uses]
    footprint = shapely.area(buildings.shapes).round(2)
    storeys = buildings.storeys
    units = zip(parcels.codes[buildings.parcels], buildings.numbers, strict=True)
    columns = {
        "building_code": pa.array([f"{code}F{number:04d}0000" for code, number in units]),
        "parcel_code": pa.array(parcels.codes[buildings.parcels]),
        "name_zh": pa.array([f"{n}号{form.zh}" for n, form in zip(buildings.numbers, forms, strict=True)]),
        **_uses(uses),
        "address": pa.array(addresses.texts[buildings.parcels]),
        "floors_above": pa.array(storeys, pa.int16()),
        "floors_below": pa.array(np.where(storeys > 9, 2, np.where(storeys > 4, 1, 0)), pa.int16()),
        "height_m": pa.array((storeys * [form.storey_height for form in forms] + 1.2).round(1)),
        "structure": pa.array(np.where(storeys > 9, "钢筋混凝土结构", np.where(storeys > 1, "混合结构", "钢结构"))),
        "completed_year": pa.array((1975 + 50 * rng.random(count)).astype(int), pa.int16()),
        "footprint_m2": pa.array(footprint),
        "floor_area_m2": pa.array((footprint * storeys).round(2)),
        **_districts(ground, parcels.districts[buildings.parcels]),
        **_synthetic(count),
    }
    return Layer(buildings.shapes, "Polygon", ground.plane.srid, columns)


def address_layer(
    rng: np.random.Generator, ground: Ground, doors: Doors, parcels: Parcels, addresses: Addresses, names: StreetNames
) -> Layer:
    """Doors as points; the texts are joined in Arrow, since there may be a million."""
    parcel, number = pa.array(doors.parcels), pa.array(doors.numbers).cast(pa.string())
    codes = pa.array(parcels.codes).take(parcel)
    texts = pa.array(addresses.texts).take(parcel)
    columns = {
        "address_code": pc.binary_join_element_wise(codes, number, "-"),
        "address": pc.binary_join_element_wise(texts, number, pa.scalar("门"), ""),
        "street_zh": pa.array(names.zh[addresses.lines]).take(parcel),
        "house_number": pa.array(addresses.numbers, pa.int32()).take(parcel),
        "door": pa.array(doors.numbers, pa.int16()),
        "parcel_code": codes,
        "surveyed": _days(rng, len(parcel)),
        **_districts(ground, parcels.districts[doors.parcels]),
        **_synthetic(len(parcel)),
    }
    return Layer(doors.points, "Point", ground.plane.srid, columns)


def _uses(uses: Ints) -> dict[str, pa.Array]:
    return {
        "use_code": _pick([use.code for use in USES], uses),
        "use_zh": _pick([use.zh for use in USES], uses),
        "use_en": _pick([use.en for use in USES], uses),
    }


def _districts(ground: Ground, districts: Ints) -> dict[str, pa.Array]:
    return {
        "district_code": _pick(ground.district_codes, districts),
        "district_name": _pick(ground.district_names, districts),
    }


def _synthetic(count: int) -> dict[str, pa.Array]:
    return {"data_origin": pa.array(["synthetic"] * count)}


def _pick(values: Texts | list[str], index: Ints) -> pa.Array:
    return pa.array(values, pa.string()).take(pa.array(index))


def _days(rng: np.random.Generator, count: int) -> pa.Array:
    span = (LAST_DAY - FIRST_DAY).astype(int)
    return pa.array(FIRST_DAY + (rng.random(count) * span).astype("timedelta64[D]"), pa.date32())


def _expiry(registered: pa.Array, years: Ints) -> pa.Array:
    days = registered.to_numpy(zero_copy_only=False).astype("datetime64[D]")
    months = days.astype("datetime64[M]")
    ends = (
        (months + 12 * years.astype("timedelta64[M]")).astype("datetime64[D]")
        + (days - months)
        - np.timedelta64(1, "D")
    )
    return pa.array(ends, pa.date32(), mask=years == 0)
