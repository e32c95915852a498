"""grid-cell-query is exact: each answer is held against plain SQL, one cell at a time."""

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import h3 as reference
import numpy as np
import psycopg
import pytest
import shapely

from core.catalogue import get_dataset
from core.crs import CRS84, Srid
from core.database import connect, open_pool
from core.door import Door
from core.errors import ChengtuError, DatabaseBusy, DatasetQuarantined
from core.settings import Settings
from core.shapes import transform_points
from features.filters.errors import FilterUnreadable, TypesDiffer
from grids import square
from grids.cells import TooManyCells
from processes.base import BadInput, NoSuchCollection, UnknownOutput, hold
from processes.cells import AreaTooFar
from processes.grid_cell_query import GridCellQuery
from tests.made_data import make_dataset

ZONE = 4551
EAST, NORTH = 544_000, 4_856_000  # a corner of kilometre squares in Jilin City
HOLED = {
    "type": "Polygon",
    "coordinates": [
        [[126.54, 43.83], [126.59, 43.835], [126.585, 43.87], [126.545, 43.865], [126.54, 43.83]],
        [[126.56, 43.845], [126.57, 43.845], [126.565, 43.855], [126.56, 43.845]],
    ],
}
AREAS: dict[str, Any] = {"everywhere": None, "box": [126.55, 43.84, 126.58, 43.86], "holed": HOLED}
GRIDS: list[dict[str, Any]] = [{"size": 1000}, {"size": 600}, {"grid": "h3", "resolution": 8}]


@pytest.fixture
def process(database: str) -> Iterator[GridCellQuery]:
    """The process over a database of this test's own."""
    with process_over(database) as process:
        yield process


@pytest.fixture(scope="module")
def city_process(city_database: str) -> Iterator[GridCellQuery]:
    """The process over the test city."""
    with process_over(city_database) as process:
        yield process


@contextmanager
def process_over(dsn: str, statement_timeout: float = 60) -> Iterator[GridCellQuery]:
    settings = Settings(database_url=dsn, statement_timeout=statement_timeout)
    pool = open_pool(dsn, settings)
    try:
        yield GridCellQuery({"name": "processes.grid_cell_query.GridCellQuery", "door": Door(pool, settings)})
    finally:
        pool.close()


def run(process: GridCellQuery, **inputs: Any) -> dict[str, Any]:
    media_type, answer = process.execute({name: value for name, value in inputs.items() if value is not None})
    assert media_type == "application/geo+json"
    return answer


def cells_of(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The properties of each cell by its code."""
    return {cell["id"]: cell["properties"] for cell in answer["features"]}


def in_plane(code: str) -> shapely.Geometry:
    """A cell's polygon in the zone, by another way than the process goes."""
    if "_E" in code:
        size, rest = code.split("_E")
        unit = 1000 if size.endswith("km") else 1
        east, north = (int(part) * unit for part in rest.split("N"))
        side = int(size.removesuffix("km" if unit == 1000 else "m")) * unit
        return shapely.box(east, north, east + side, north + side)
    outline = shapely.Polygon([(lon, lat) for lat, lon in reference.cell_to_boundary(code)])
    return transform_points(outline, CRS84, Srid(ZONE))


def by_plain_sql(
    dsn: str, table: str, codes: list[str], area: Any, where: str = "true"
) -> dict[str, tuple[int, float]]:
    """Count and measure of each cell, computed one by one by the obvious query."""
    shape = None
    if isinstance(area, list):
        shape = shapely.box(*area).wkt
    elif area:
        shape = shapely.geometry.shape(area).wkt
    clipped = "st_intersection(%(cell)s::geometry, st_transform(st_segmentize(%(area)s::geometry, 0.0001), 4551))"
    statement = f"""
        select count(*) filter (where measure > 1e-4), coalesce(sum(measure), 0) from (
            select st_area(part) + st_length(part) * (st_dimension(geom) = 1)::integer as measure from (
                select geom, st_intersection(st_transform(st_force2d(geom), 4551), {clipped if shape else "%(cell)s::geometry"}) as part
                from data.{table} where geom && st_transform(%(cell)s::geometry, st_srid(geom)) and {where}
            ) as cut
        ) as measured
    """
    found = {}
    with psycopg.connect(dsn) as connection:
        for code in codes:
            facts = {"cell": f"srid=4551;{in_plane(code).wkt}", "area": shape and f"srid=4326;{shape}"}
            row = connection.execute(statement, facts).fetchone()  # type: ignore[arg-type]
            assert row
            found[code] = (row[0], row[1])
    return found


def rectangles(generator: np.random.Generator, count: int) -> Iterator[shapely.Geometry]:
    """Turned rectangles from 10 m to 3 km in the zone, and one star with a hole and a thousand corners."""
    for _ in range(count):
        box = shapely.box(0, 0, *generator.uniform(10, 10 ** generator.uniform(1.2, 3.4), 2))
        turned = shapely.affinity.rotate(box, generator.uniform(0, 360))
        yield shapely.affinity.translate(turned, *generator.uniform((EAST, NORTH), (EAST + 5000, NORTH + 5000)))
    angles = np.linspace(0, 2 * math.pi, 1000, endpoint=False)
    radii = np.where(np.arange(1000) % 2, 2000, 1500)
    star = np.column_stack([EAST + 2500 + radii * np.cos(angles), NORTH + 2500 + radii * np.sin(angles)])
    yield shapely.Polygon(star, [shapely.Point(EAST + 2500, NORTH + 2500).buffer(500).exterior.coords])


@pytest.fixture
def parcels(database: str) -> str:
    """Polygons stored in degrees, some empty, one missing."""
    shapes = [shapely.MultiPolygon([shape]) for shape in rectangles(np.random.default_rng(1), 60)]
    degrees = [transform_points(shape, Srid(ZONE), CRS84).wkt for shape in shapes]
    rows = [(n, "odd" if n % 2 else "even", wkt) for n, wkt in enumerate([*degrees, "MULTIPOLYGON EMPTY", None])]
    make_dataset(database, "parcels", "MultiPolygon", 4490, rows, {"占比%": "text"})
    return database


@pytest.fixture
def roads(database: str) -> str:
    """Lines stored in the zone, with heights."""
    generator = np.random.default_rng(2)
    rows = []
    for n in range(30):
        steps = np.cumsum(generator.normal(0, 150, (20, 2)), axis=0) + generator.uniform(0, 5000, 2)
        points = ", ".join(f"{EAST + x} {NORTH + y} {n}" for x, y in steps)
        rows.append((n, f"MULTILINESTRING Z (({points}))"))
    make_dataset(database, "roads", "MultiLineStringZ", ZONE, rows)
    return database


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("area", AREAS)
def test_polygons_are_counted_and_measured_as_plain_sql_does(
    process: GridCellQuery, parcels: str, grid: dict[str, Any], area: str
) -> None:
    answer = run(process, dataset="parcels", area=AREAS[area], **grid)
    found = {code: (cell["count"], cell["area_m2"]) for code, cell in cells_of(answer).items()}
    expected = by_plain_sql(parcels, "parcels", list(found), AREAS[area])
    assert {code: pair[0] for code, pair in found.items()} == {code: pair[0] for code, pair in expected.items()}
    assert [pair[1] for pair in found.values()] == pytest.approx([pair[1] for pair in expected.values()], abs=0.1)
    assert answer["totals"]["area_m2"] == pytest.approx(_whole(parcels, "parcels", "st_area", AREAS[area]), abs=0.1)


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("area", AREAS)
def test_lines_are_counted_and_measured_as_plain_sql_does(
    process: GridCellQuery, roads: str, grid: dict[str, Any], area: str
) -> None:
    answer = run(process, dataset="roads", area=AREAS[area], **grid)
    found = {code: (cell["count"], cell["length_m"]) for code, cell in cells_of(answer).items()}
    expected = by_plain_sql(roads, "roads", list(found), AREAS[area])
    assert {code: pair[0] for code, pair in found.items()} == {code: pair[0] for code, pair in expected.items()}
    assert [pair[1] for pair in found.values()] == pytest.approx([pair[1] for pair in expected.values()], abs=1e-3)
    assert answer["totals"]["length_m"] == pytest.approx(_whole(roads, "roads", "st_length", AREAS[area]), abs=1e-2)


def _whole(dsn: str, table: str, measure: str, area: Any) -> float:
    """The measure of all features within an area, without any cells: what the cells must add up to."""
    shape = "geom" if area is None else "st_intersection(geom, area)"
    wkt = (
        "POINT EMPTY"
        if area is None
        else (shapely.box(*area) if isinstance(area, list) else shapely.geometry.shape(area)).wkt
    )
    with psycopg.connect(dsn) as connection:
        row = connection.execute(
            f"select sum({measure}({shape})) from (select st_transform(st_force2d(geom), 4551) as geom from data.{table}) as t,"
            " st_transform(st_segmentize(st_geomfromtext(%s, 4326), 0.0001), 4551) as area",  # type: ignore[arg-type]
            [wkt],
        ).fetchone()
    assert row
    return float(row[0])


def test_a_filter_chooses_the_features(process: GridCellQuery, parcels: str) -> None:
    answer = run(
        process,
        dataset="parcels",
        size=1000,
        filter="\"占比%\" = 'odd' AND S_INTERSECTS(geom, BBOX(126.55,43.84,126.58,43.86))",
    )
    expected = by_plain_sql(
        parcels,
        "parcels",
        list(cells_of(answer)),
        None,
        "\"占比%%\" = 'odd' and st_intersects(geom, st_setsrid(st_makeenvelope(126.55,43.84,126.58,43.86), 4490))",
    )
    assert {code: cell["count"] for code, cell in cells_of(answer).items()} == {
        c: pair[0] for c, pair in expected.items()
    }
    assert 0 < answer["totals"]["count"] < 30


def test_each_point_is_counted_in_one_cell_though_it_lies_on_edges_and_corners(
    process: GridCellQuery, database: str
) -> None:
    generator = np.random.default_rng(3)
    places = [(EAST + x, NORTH + y) for x in range(0, 3001, 250) for y in range(0, 3001, 250)]
    places += [(EAST + float(x), NORTH + float(y)) for x, y in generator.uniform(0, 3000, (500, 2))]
    make_dataset(database, "trees", "Point", ZONE, [(n, f"POINT({x} {y})") for n, (x, y) in enumerate(places)])
    for size in (250, 500, 1000, 700):
        answer = run(process, dataset="trees", size=size)
        expected = Counter(square.code_of(square.cell_at(x, y, size)) for x, y in places)
        assert {code: cell["count"] for code, cell in cells_of(answer).items()} == expected
        assert answer["totals"] == {"cells": len(expected), "count": len(places)}


def test_points_on_the_corners_of_hexagons_are_counted_once(process: GridCellQuery, database: str) -> None:
    middle = reference.latlng_to_cell(43.84, 126.55, 8)
    disk = reference.grid_disk(middle, 4)
    corners = {corner[::-1] for cell in disk for corner in reference.cell_to_boundary(cell)}
    middles = {reference.cell_to_latlng(cell)[::-1] for cell in disk}
    rows = [(n, f"POINT({lon!r} {lat!r})") for n, (lon, lat) in enumerate([*corners, *middles])]
    make_dataset(database, "trees", "Point", 4490, rows)
    answer = run(process, dataset="trees", grid="h3", resolution=8)
    assert sum(cell["count"] for cell in cells_of(answer).values()) == len(rows)
    assert all(cells_of(answer)[cell]["count"] >= 1 for cell in disk)


def test_points_within_hexagons_are_where_h3_says(process: GridCellQuery, database: str) -> None:
    places = np.random.default_rng(4).uniform((126.5, 43.8), (126.6, 43.9), (2000, 2)).tolist()
    make_dataset(database, "trees", "Point", 4490, [(n, f"POINT({x!r} {y!r})") for n, (x, y) in enumerate(places)])
    answer = run(process, dataset="trees", grid="h3", resolution=9)
    expected = Counter(reference.latlng_to_cell(lat, lon, 9) for lon, lat in places)
    assert {code: cell["count"] for code, cell in cells_of(answer).items()} == expected


def test_a_multipoint_counts_once_in_each_cell_it_is_in(process: GridCellQuery, database: str) -> None:
    points = f"MULTIPOINT({EAST} {NORTH}, {EAST + 10} {NORTH + 10}, {EAST + 1000} {NORTH})"
    make_dataset(database, "trees", "MultiPoint", ZONE, [(1, points)])
    answer = run(process, dataset="trees")
    assert {code: cell["count"] for code, cell in cells_of(answer).items()} == {"1km_E544N4856": 1, "1km_E545N4856": 1}
    assert answer["totals"]["count"] == 1


def test_a_line_along_an_edge_is_measured_once(process: GridCellQuery, database: str) -> None:
    south_north = f"LINESTRING({EAST + 1000} {NORTH}, {EAST + 1000} {NORTH + 2000})"
    west_east = f"LINESTRING({EAST} {NORTH + 1000}, {EAST + 2000} {NORTH + 1000})"
    make_dataset(database, "roads", "LineString", ZONE, [(1, south_north), (2, west_east)])
    answer = run(process, dataset="roads")
    lengths = {code: (cell["count"], cell["length_m"]) for code, cell in cells_of(answer).items()}
    assert lengths == {
        "1km_E545N4856": (1, 1000),
        "1km_E544N4857": (1, 1000),
        "1km_E545N4857": (2, 2000),
    }
    assert answer["totals"] == {"cells": 3, "count": 2, "length_m": 4000}


def test_a_line_that_runs_back_on_itself_is_as_long_as_its_way(process: GridCellQuery, database: str) -> None:
    line = f"LINESTRING({EAST + 500} {NORTH + 500}, {EAST + 1500} {NORTH + 500}, {EAST + 500} {NORTH + 500})"
    make_dataset(database, "buses", "LineString", ZONE, [(1, line)])
    assert run(process, dataset="buses")["totals"] == {"cells": 2, "count": 1, "length_m": 2000}


def test_touching_a_cell_is_not_lying_in_it(process: GridCellQuery, database: str) -> None:
    parcel = f"POLYGON(({EAST} {NORTH}, {EAST + 1000} {NORTH}, {EAST + 1000} {NORTH + 1000}, {EAST} {NORTH + 1000}, {EAST} {NORTH}))"
    make_dataset(database, "parcels", "Polygon", ZONE, [(1, parcel)])
    assert cells_of(run(process, dataset="parcels")) == {
        "1km_E544N4856": {"cell": "1km_E544N4856", "count": 1, "area_m2": 1e6}
    }


def test_a_data_set_of_all_kinds_is_counted_by_what_each_feature_is(process: GridCellQuery, database: str) -> None:
    box = f"(({EAST + 900} {NORTH}, {EAST + 1100} {NORTH}, {EAST + 1100} {NORTH + 100}, {EAST + 900} {NORTH + 100}, {EAST + 900} {NORTH}))"
    rows = [
        (1, f"POLYGON{box}"),
        (2, f"LINESTRING({EAST} {NORTH + 500}, {EAST + 1500} {NORTH + 500})"),
        (3, f"POINT({EAST + 1} {NORTH + 1})"),
        (
            4,
            f"GEOMETRYCOLLECTION(POLYGON{box}, POINT({EAST + 1} {NORTH + 1}), LINESTRING({EAST} {NORTH}, {EAST} {NORTH + 7}))",
        ),
    ]
    make_dataset(database, "drawing", "Geometry", ZONE, rows)
    assert list(cells_of(run(process, dataset="drawing")).values()) == [
        {"cell": "1km_E544N4856", "count": 4, "area_m2": 20_000, "length_m": 1007},
        {"cell": "1km_E545N4856", "count": 3, "area_m2": 20_000, "length_m": 500},
    ]


def test_empty_cells_are_listed_on_request_and_nothing_else_changes(process: GridCellQuery, parcels: str) -> None:
    area = [126.54, 43.83, 126.70, 43.88]
    some, every = (run(process, dataset="parcels", area=area, empty=empty) for empty in (False, True))
    filled = {code: cell for code, cell in cells_of(every).items() if cell["count"]}
    assert filled == cells_of(some)
    assert some["totals"] | {"cells": 0} == every["totals"] | {"cells": 0}
    assert len(every["features"]) > 70 > len(some["features"])
    covered = shapely.union_all([in_plane(code) for code in cells_of(every)])
    assert covered.covers(transform_points(shapely.box(*area), CRS84, Srid(ZONE)).buffer(-1))


def test_an_area_beside_the_data_holds_nothing(process: GridCellQuery, parcels: str) -> None:
    assert run(process, dataset="parcels", area=[10, 10, 11, 11])["features"] == []
    world = run(process, dataset="parcels", area=[-180, -90, 180, 90])
    assert world["totals"] == run(process, dataset="parcels")["totals"]


def test_an_area_that_only_touches_the_data_holds_nothing(process: GridCellQuery, database: str) -> None:
    make_dataset(database, "trees", "Point", 4490, [(1, "POINT(126.5 43.8)"), (2, "POINT(126.6 43.9)")])
    with connect(database) as connection:
        extent = get_dataset(connection, "trees").extent
    assert extent
    margin = 1e-6 + 0.01 * ((extent.east - extent.west) ** 2 + (extent.north - extent.south) ** 2)
    for grid in ("square", "h3"):
        for east in (extent.east + margin, extent.east + margin - 1e-9, extent.east + 1e-9, extent.east):
            answer = run(process, dataset="trees", grid=grid, area=[east, 43, 128, 44])
            assert answer["totals"]["count"] == (0 if east > extent.east else 1)


def test_an_empty_data_set_has_empty_cells(process: GridCellQuery, database: str) -> None:
    make_dataset(database, "nothing", "Point", 4490, [])
    assert run(process, dataset="nothing")["totals"] == {"cells": 0, "count": 0}
    cells = run(process, dataset="nothing", area=[126.5, 43.8, 126.51, 43.81], empty=True)
    assert cells["totals"]["count"] == 0
    assert len(cells["features"]) >= 2


def test_cells_are_polygons_of_crs84_and_say_how_they_were_measured(process: GridCellQuery, parcels: str) -> None:
    answer = run(process, dataset="parcels")
    assert answer["grid"] == {"type": "square", "size": 1000, "crs": "http://www.opengis.net/def/crs/EPSG/0/4551"}
    assert (answer["dataset"], answer["release"]) == ("parcels", 1)
    for cell in answer["features"]:
        polygon = shapely.geometry.shape(cell["geometry"])
        assert polygon.exterior.is_ccw
        assert shapely.hausdorff_distance(transform_points(polygon, CRS84, Srid(ZONE)), in_plane(cell["id"])) < 0.002
    hexagons = run(process, dataset="parcels", grid="h3")
    assert hexagons["grid"] == {"type": "h3", "resolution": 8, "crs": "http://www.opengis.net/def/crs/EPSG/0/4551"}


def test_the_example_of_the_description_runs(process: GridCellQuery, parcels: str) -> None:
    assert run(process, **process.metadata["example"]["inputs"])["totals"]["count"] > 0


def test_areas_come_in_every_form_of_the_standard(process: GridCellQuery, parcels: str) -> None:
    box = [126.55, 43.84, 126.58, 43.86]
    polygon = shapely.geometry.mapping(shapely.box(*box))
    as_lists = {"type": "Polygon", "coordinates": [[list(point) for point in polygon["coordinates"][0]]]}
    wanted = run(process, dataset="parcels", area=box)["totals"]
    for form in (
        {"bbox": box},
        {"value": {"bbox": box}},
        as_lists,
        {"value": as_lists, "mediaType": "application/geo+json"},
    ):
        assert run(process, dataset="parcels", area=form)["totals"] == wanted


@pytest.mark.parametrize(
    ("inputs", "error", "hint"),
    [
        ([1], BadInput, "object"),
        (None, BadInput, "object"),
        ({}, BadInput, "dataset: it is required"),
        ({"dataset": 5}, BadInput, "text"),
        ({"dataset": "nowhere"}, NoSuchCollection, "/collections"),
        ({"dataset": "x' or 1=1"}, NoSuchCollection, "/collections"),
        ({"dataset": "parcels", "sizes": 5}, BadInput, "there are dataset, filter"),
        ({"dataset": "parcels", "size": "5"}, BadInput, "whole number"),
        ({"dataset": "parcels", "size": True}, BadInput, "whole number"),
        ({"dataset": "parcels", "size": 0}, BadInput, "at least 1"),
        ({"dataset": "parcels", "size": 10**30}, BadInput, "at most"),
        ({"dataset": "parcels", "size": math.nan}, BadInput, "whole number"),
        ({"dataset": "parcels", "grid": "hex"}, BadInput, "'square' or 'h3'"),
        ({"dataset": "parcels", "grid": "h3", "size": 5}, BadInput, "H3 has a resolution"),
        ({"dataset": "parcels", "resolution": 5}, BadInput, "squares have a size"),
        ({"dataset": "parcels", "grid": "h3", "resolution": 16}, BadInput, "at most 15"),
        ({"dataset": "parcels", "limit": 10**6}, BadInput, "at most 10000"),
        ({"dataset": "parcels", "area": "all"}, BadInput, "GeoJSON"),
        ({"dataset": "parcels", "area": []}, BadInput, "four finite numbers"),
        ({"dataset": "parcels", "area": [1, 2, math.nan, 4]}, BadInput, "four finite numbers"),
        ({"dataset": "parcels", "area": [1, 2, "3", 4]}, BadInput, "four finite numbers"),
        ({"dataset": "parcels", "area": [2, 2, 1, 4]}, BadInput, "west below east"),
        ({"dataset": "parcels", "area": [43.8, 126.5, 43.9, 126.6]}, BadInput, "longitude first"),
        ({"dataset": "parcels", "area": {"type": "Point", "coordinates": [1, 2]}}, BadInput, "Polygon"),
        ({"dataset": "parcels", "area": {"type": "Polygon"}}, BadInput, "coordinates"),
        ({"dataset": "parcels", "area": {"type": "Polygon", "coordinates": [[[1, 2], [3, 4]]]}}, BadInput, "coordinates"),
        ({"dataset": "parcels", "area": {"type": "Polygon", "coordinates": [[0, 1], [1, 1], [1, 0]]}}, BadInput, "coordinates"),
        ({"dataset": "parcels", "area": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}},
         BadInput, "Self-intersection"),
        ({"dataset": "parcels", "area": {"type": "Polygon", "coordinates": [[[n, n % 2] for n in range(20_000)]]}},
         BadInput, "vertices"),
        ({"dataset": "parcels", "area": [126, 43, 127, 44], "empty": True, "size": 1}, TooManyCells, "size of"),
        ({"dataset": "parcels", "grid": "h3", "resolution": 15}, TooManyCells, "resolution"),
        ({"dataset": "parcels", "limit": 3}, TooManyCells, "at most 3"),
        ({"dataset": "parcels", "area": [-180, -90, 180, 90], "empty": True, "size": 10**6}, AreaTooFar, "EPSG:4551"),
        ({"dataset": "parcels", "filter": "nonsense"}, ChengtuError, "no property"),
        ({"dataset": "parcels", "filter": "a ="}, ChengtuError, "ends too early"),
        ({"dataset": "parcels", "filter": "a = 1 2"}, FilterUnreadable, "character 7"),
        ({"dataset": "parcels", "filter": "land_class = 1"}, TypesDiffer, "Put it in quotes"),
    ],
    ids=str,
)  # fmt: skip
def test_bad_inputs_are_refused_with_advice(
    city_process: GridCellQuery, inputs: Any, error: type[ChengtuError], hint: str
) -> None:
    with pytest.raises(error) as caught:
        city_process.execute(inputs)
    assert caught.value.status == 400
    assert hint in caught.value.text.en
    assert caught.value.text.zh != caught.value.text.en


def test_coordinates_nested_without_end_are_refused(city_process: GridCellQuery) -> None:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(BadInput):
        city_process.execute({"dataset": "parcels", "area": {"type": "Polygon", "coordinates": nested}})


def test_unknown_outputs_are_refused(city_process: GridCellQuery) -> None:
    with pytest.raises(UnknownOutput, match="cells"):
        city_process.execute({"dataset": "parcels"}, outputs={"map": {}})


def test_work_that_takes_too_long_is_stopped(city_database: str) -> None:
    with process_over(city_database, statement_timeout=0.02) as slow, pytest.raises(DatabaseBusy) as caught:
        run(slow, dataset="parcels", size=51)
    assert caught.value.status == 503


def test_a_broken_data_set_says_so(process: GridCellQuery, parcels: str) -> None:
    with psycopg.connect(parcels) as connection:
        connection.execute("drop table data.parcels")
    with pytest.raises(DatasetQuarantined, match="its table is gone"):
        run(process, dataset="parcels")


def test_no_release_comes_in_while_cells_are_filled(parcels: str) -> None:
    with connect(parcels) as reader, psycopg.connect(parcels) as loader:
        hold(reader, "parcels")
        loader.execute("set lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            loader.execute("alter table data.parcels detach partition data.parcels__1")


def test_everyone_is_told_everything_in_two_languages() -> None:
    described = GridCellQuery.metadata_of()
    assert set(described["inputs"]) == {"dataset", "filter", "area", "grid", "size", "resolution", "empty", "limit"}
    for part in (described, *described["inputs"].values(), *described["outputs"].values()):
        for text in (part["title"], part["description"]):
            assert set(text) == {"en", "zh"}
            assert text["en"].isascii()
            assert not text["zh"].isascii()
    required = [name for name, one in described["inputs"].items() if one["minOccurs"]]
    assert required == ["dataset"]
