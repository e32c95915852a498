"""What becomes of each geometry: repaired with its reason, kept empty, sorted by family, or refused but not lost."""

import struct
from pathlib import Path

import geopandas as gpd
import numpy as np
import psycopg
import pyogrio.raw
import pytest
import shapely
from psycopg.rows import dict_row

from tests.conftest import Load

HERE = (126.5, 43.8)


def layer(path: Path, *wkt: str | None, crs: int = 4490) -> Path:
    """A GeoPackage with one feature a geometry, numbered from 1; WKT is written as it is, M and curves too."""
    geometries = [None if text is None else shapely.from_wkt(text) for text in wkt]
    frame = gpd.GeoDataFrame({"n": range(1, len(wkt) + 1)}, geometry=geometries, crs=crs)
    frame.to_file(path, driver="GPKG")
    return path


def table(dsn: str, id_: str) -> list[dict[str, object]]:
    statement = f"select n, st_asewkt(geom) as wkt, geometrytype(geom) as type from data.{id_} order by n"
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        return connection.execute(statement).fetchall()  # type: ignore[arg-type]


def type_of(dsn: str, id_: str) -> str:
    statement = (
        "select format_type(atttypid, atttypmod) from pg_attribute where attname = 'geom' and attrelid = %s::regclass"
    )
    with psycopg.connect(dsn) as connection:
        row = connection.execute(statement, [f"data.{id_}"]).fetchone()
    return str(row[0]) if row else ""


def test_invalid_polygons_are_repaired_and_told_by_reason_and_key(
    database: str, load_into: Load, tmp_path: Path
) -> None:
    bowtie = "POLYGON((126 43,127 44,127 43,126 44,126 43))"
    hole_outside = "POLYGON((126 43,127 43,127 44,126 44,126 43),(128 43,128.1 43,128.1 43.1,128 43))"
    good = "POLYGON((126 43,127 43,127 44,126 43))"
    report = load_into(layer(tmp_path / "a.gpkg", bowtie, good, hole_outside, bowtie), id="a").datasets[0]
    assert report.repaired == {"Self-intersection": 2, "Hole lies outside shell": 1}
    assert report.repaired_keys == ("1", "3", "4")
    with psycopg.connect(database) as connection:
        valid = connection.execute("select bool_and(st_isvalid(geom)), count(*) from data.a").fetchone()
    assert valid == (True, 4)


def test_nulls_and_empties_are_kept_and_counted(database: str, load_into: Load, tmp_path: Path) -> None:
    path = layer(tmp_path / "a.gpkg", None, "POLYGON EMPTY", "POLYGON((126 43,127 43,127 44,126 43))", None)
    report = load_into(path, id="a").datasets[0]
    assert (report.rows, report.null_geometries, report.empty_geometries) == (4, 2, 1)
    assert [row["wkt"] is None for row in table(database, "a")] == [True, False, False, True]


def test_a_collapsed_geometry_keeps_its_feature_and_its_bytes(database: str, load_into: Load, tmp_path: Path) -> None:
    path = layer(
        tmp_path / "a.gpkg", "POLYGON((126 43,126 43,126 43,126 43))", "POLYGON((126 43,127 43,127 44,126 43))"
    )
    report = load_into(path, id="a").datasets[0]
    assert report.refused == {"Too few points in geometry component": 1}
    assert (report.rows, report.null_geometries, report.refused_keys) == (2, 0, ("1",))
    with psycopg.connect(database) as connection:
        kept = connection.execute(
            "select key, reason, st_astext(geometry::geometry) from chengtu.refused_geometry"
        ).fetchall()
    assert kept == [("1", "Too few points in geometry component", "POLYGON((126 43,126 43,126 43,126 43))")]


def test_coordinates_that_are_no_numbers_are_refused(load_into: Load, tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    points = [struct.pack("<BIdd", 1, 1, *xy) for xy in (HERE, (float("inf"), 43.8), HERE)]
    options = {"driver": "GPKG", "geometry_type": "Point", "crs": "EPSG:4490", "layer": "a"}
    pyogrio.raw.write(path, np.array(points, dtype=object), [np.array([1, 2, 3])], ["n"], **options)
    report = load_into(path, id="a").datasets[0]
    assert (report.rows, report.refused, report.refused_keys) == (3, {"Invalid Coordinate": 1}, ("2",))


def test_mixed_types_become_one_data_set_each(database: str, load_into: Load, tmp_path: Path) -> None:
    path = layer(
        tmp_path / "a.gpkg",
        "POINT(126 43)",
        "LINESTRING(126 43,127 44)",
        None,
        "POLYGON((126 43,127 43,127 44,126 43))",
        "MULTIPOINT((126 43),(127 44))",
        "GEOMETRYCOLLECTION(POINT(126 43),LINESTRING(126 43,127 44))",
    )
    report = load_into(path, id="a")
    assert {one.id: one.rows for one in report.datasets} == {
        "a_points": 3,  # the row without geometry goes with the first
        "a_lines": 1,
        "a_polygons": 1,
        "a_collections": 1,
    }
    assert type_of(database, "a_points") == "geometry(MultiPoint,4490)"
    assert [row["n"] for row in table(database, "a_points")] == [1, 3, 5]


def test_mixed_types_stay_together_if_asked(database: str, load_into: Load, tmp_path: Path) -> None:
    path = layer(
        tmp_path / "a.gpkg", "POINT(126 43)", "LINESTRING(126 43,127 44)", "POLYGON((126 43,127 43,127 44,126 43))"
    )
    report = load_into(path, id="a", generic=True)
    assert [one.id for one in report.datasets] == ["a"]
    assert [row["type"] for row in table(database, "a")] == ["POINT", "LINESTRING", "POLYGON"]


def test_a_layer_that_turns_mixed_keeps_the_id_of_the_family_it_had(load_into: Load, tmp_path: Path) -> None:
    polygon = "POLYGON((126 43,127 43,127 44,126 43))"
    load_into(layer(tmp_path / "1.gpkg", polygon), id="a")
    report = load_into(layer(tmp_path / "2.gpkg", "POINT(126 43)", polygon), id="a")
    assert {one.id: one.geometry_type for one in report.datasets} == {"a_points": "Point", "a": "MultiPolygon"}


@pytest.mark.parametrize(
    ("wkt", "type_"),
    [
        ("POINT Z (126 43 7)", "PointZ"),
        ("POINT M (126 43 8)", "PointM"),
        ("POINT ZM (126 43 7 8)", "PointZM"),
        ("LINESTRING M (126 43 1, 127 44 2)", "MultiLineStringM"),
        ("POLYGON ZM ((126 43 1 2,127 43 3 4,127 44 5 6,126 43 1 2))", "MultiPolygonZM"),
    ],
)
def test_heights_and_measures_survive(database: str, load_into: Load, tmp_path: Path, wkt: str, type_: str) -> None:
    load_into(written(tmp_path / "a.gpkg", iso(wkt), 4490), id="a")
    assert type_of(database, "a") == f"geometry({type_},4490)"
    with psycopg.connect(database) as connection:
        row = connection.execute("select st_astext((st_dump(geom)).geom) from data.a").fetchone()
    assert row is not None
    assert row[0].replace(" ", "") == wkt.replace(" ", "")


@pytest.mark.parametrize(
    ("wkt", "moved"),
    [
        ("POINT M (43 126 8)", "POINT M (126 43 8)"),
        ("LINESTRING ZM (43 126 1 2, 44 127 3 4)", "MULTILINESTRING ZM ((126 43 1 2,127 44 3 4))"),
        ("POLYGON ((43 126,43 127,44 127,43 126))", "MULTIPOLYGON(((126 43,127 43,127 44,126 43)))"),
    ],
)
def test_swapped_axes_are_put_right_and_carry_heights_and_measures(
    database: str, load_into: Load, tmp_path: Path, wkt: str, moved: str
) -> None:
    report = load_into(written(tmp_path / "a.gpkg", iso(wkt), 4490), id="a")
    with psycopg.connect(database) as connection:
        row = connection.execute("select st_astext(geom) from data.a").fetchone()
    assert row is not None
    assert row[0].replace(" ", "") == moved.replace(" ", "")
    assert "swapped" in report.layers[0].crs_reason.en


def test_curves_are_segmentised_within_the_tolerance(database: str, load_into: Load, tmp_path: Path) -> None:
    half_circle = [500_000.0, 4_850_000.0, 500_100.0, 4_850_100.0, 500_200.0, 4_850_000.0]
    path = written(tmp_path / "a.gpkg", struct.pack("<BII6d", 1, 8, 3, *half_circle), 4551)
    load_into(path, id="fine", curve_tolerance=0.01)
    load_into(path, id="coarse", curve_tolerance=5)
    with psycopg.connect(database) as connection:
        statement = "select st_npoints(f.geom), st_npoints(c.geom), st_length(f.geom) from data.fine f, data.coarse c"
        row = connection.execute(statement).fetchone()
    assert row is not None
    fine, coarse, length = row
    assert fine > 4 * coarse
    assert length == pytest.approx(3.14159265 * 100, abs=0.1)


def written(path: Path, wkb: bytes, crs: int) -> Path:
    """A GeoPackage with one geometry, byte for byte, in a layer that declares no type."""
    values = np.array([wkb], dtype=object)
    options = {"driver": "GPKG", "geometry_type": "Unknown", "crs": f"EPSG:{crs}", "layer": path.stem}
    pyogrio.raw.write(path, values, [np.array([1])], ["n"], **options)
    return path


def iso(wkt: str) -> bytes:
    """ISO WKB, with z and m."""
    wkb: bytes = shapely.to_wkb(shapely.from_wkt(wkt), output_dimension=4, flavor="iso")
    return wkb
