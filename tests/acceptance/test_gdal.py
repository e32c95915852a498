"""GDAL's own client of OGC API - Features, as its users run it: `ogrinfo` to look, `ogr2ogr` to take data home."""

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import geopandas as gpd
import pytest
import shapely
from psycopg import sql

from core.database import connect
from tests.acceptance.conftest import EMPTY, FIELDS, ROWS, Wide

pytestmark = [
    pytest.mark.gdal,
    pytest.mark.skipif(not shutil.which("ogr2ogr"), reason="GDAL: apt-get install gdal-bin"),
]

COLLECTIONS = {
    "parcels": "Multi Polygon",
    "places": "Point",
    "roads": "Multi Line String",
    "sites_mercator": "Point",
    "sites_wgs84": "Point",
}


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "ERROR" not in done.stderr
    assert "Warning" not in done.stderr
    return done


def _requests(debug: str) -> list[dict[str, list[str]]]:
    """The queries of the pages that GDAL asked for, out of what it tells with CPL_DEBUG=HTTP."""
    found = dict.fromkeys(re.findall(r"http://[^\s)]+/items\?[^\s)]+", debug))
    return [parse_qs(urlsplit(url).query) for url in found]


def test_ogrinfo_lists_every_collection_with_its_geometry_type(live_server: str) -> None:
    shown = _run("ogrinfo", f"OAPIF:{live_server}").stdout
    assert dict(re.findall(r"^\d+: (\w+) .*\(([\w ]+)\)$", shown, re.MULTILINE)) == COLLECTIONS


def test_ogrinfo_counts_all_features_without_reading_them(live_server: str) -> None:
    done = _run("ogrinfo", "-so", "--config", "CPL_DEBUG", "HTTP", f"OAPIF:{live_server}", "parcels")
    assert "Feature Count: 2500" in done.stdout
    assert all(int(one["limit"][0]) <= 10 for one in _requests(done.stderr))


def test_whole_numbers_in_a_column_of_floats_are_real_to_gdal(live_server: str) -> None:
    shown = _run("ogrinfo", "-so", f"OAPIF:{live_server}", "parcels").stdout
    assert "area_m2: Real" in shown
    assert "parcel_no: Integer" in shown


def test_a_download_through_many_pages_equals_the_table(live_server: str, city_database: str, tmp_path: Path) -> None:
    target = tmp_path / "parcels.gpkg"
    paging = ["-oo", "PAGE_SIZE=400", "--config", "CPL_DEBUG", "HTTP"]
    done = _run("ogr2ogr", *paging, str(target), f"OAPIF:{live_server}", "parcels")
    pages = _requests(done.stderr)
    assert len({one["cursor"][0] for one in pages if "cursor" in one}) == 6

    have = gpd.read_file(target).sort_values("parcel_no")
    with connect(city_database) as connection:
        want = connection.execute(
            'select parcel_no, land_class, "名称", area_m2, surveyed, st_asbinary(st_transform(geom, 4326)) as wkb'
            " from data.parcels order by parcel_no"
        ).fetchall()
    assert len(have) == len(want) == 2500
    for name in ("parcel_no", "land_class", "名称", "area_m2"):
        assert have[name].tolist() == [row[name] for row in want]
    assert [moment.date() for moment in have["surveyed"]] == [row["surveyed"].date() for row in want]
    shapes = shapely.from_wkb([row["wkb"] for row in want])
    assert shapely.equals_exact(shapely.normalize(have.geometry.values), shapely.normalize(shapes), 1e-9).all()


def test_a_box_is_sent_to_the_server_and_only_what_it_meets_comes_back(live_server: str) -> None:
    box = ["126.545", "43.835", "126.565", "43.855"]
    command = ["ogrinfo", "-al", "--config", "CPL_DEBUG", "HTTP", "-spat", *box, f"OAPIF:{live_server}", "places"]
    done = _run(*command)
    assert re.findall(r"name \(String\) = (.*)", done.stdout) == ["市中心", "北山 <公园>"]
    sent = [one["bbox"][0].split(",") for one in _requests(done.stderr) if "bbox" in one]
    assert [float(number) for number in sent[0]] == [float(number) for number in box]


def test_fields_that_are_empty_at_first_have_their_types_by_the_schema(wide: Wide) -> None:
    shown = _run("ogrinfo", "-so", f"OAPIF:{wide.url}", "buildings").stdout
    types = {found[0]: found[1] for found in re.findall(r"^(\w+): ([\w()]+) \(\d", shown, re.MULTILINE)}
    assert types == {
        "name": "String",
        "land_use": "String",
        "storeys": "Integer",
        "height": "Real",
        "listed": "Integer(Boolean)",
        "built": "Date",
        "seen": "DateTime",
    }


def test_twenty_thousand_features_come_home_without_doubles_or_gaps(wide: Wide, tmp_path: Path) -> None:
    target = tmp_path / "buildings.gpkg"
    paging = ["-oo", "PAGE_SIZE=1000", "--config", "CPL_DEBUG", "HTTP"]
    done = _run("ogr2ogr", *paging, str(target), f"OAPIF:{wide.url}", "buildings")
    assert len({one["cursor"][0] for one in _requests(done.stderr) if "cursor" in one}) == ROWS // 1000 - 1
    have = gpd.read_file(target)
    assert have["name"].tolist() == [f"n°{n}" for n in range(1, ROWS + 1)]
    assert have["storeys"].isna().sum() == EMPTY
    assert have["storeys"].dropna().tolist() == [n % 30 for n in range(EMPTY + 1, ROWS + 1)]


@pytest.mark.parametrize(
    ("where", "sent"),
    [
        ("storeys = 7", {"storeys": "7"}),
        ("land_use = 'O''Brien & Söhne'", {"land_use": "O'Brien & Söhne"}),
        ("land_use = '商业用地' AND storeys = 11", {"land_use": "商业用地", "storeys": "11"}),
        ("seen >= '2026/03/01 00:00:00+00'", {"datetime": "2026-03-01T00:00:00Z/.."}),
    ],
)
def test_what_gdal_can_push_down_is_pushed_down(wide: Wide, where: str, sent: dict[str, str]) -> None:
    found, queries = _found(wide, where)
    last = queries[-1]
    assert {name: last[name][0] for name in last if name in FIELDS or name == "datetime"} == sent
    untimed = " or seen is null" if "datetime" in sent else ""  # what has no time belongs to every time
    assert found == _counted(wide, where.replace("/", "-") + untimed)
    assert all("filter" not in one for one in queries)  # GDAL knows drafts of CQL only


@pytest.mark.parametrize(
    "where", ["storeys > 27", "height = 7.5", "storeys IN (1, 2)", "land_use IS NULL", "name LIKE 'n°1999%'"]
)
def test_what_gdal_cannot_push_down_it_filters_itself(wide: Wide, where: str) -> None:
    found, queries = _found(wide, where)
    assert found == _counted(wide, where)
    assert sum("cursor" in one for one in queries) == ROWS // 10_000 - 1


def _found(wide: Wide, where: str) -> tuple[int, list[dict[str, list[str]]]]:
    """How many features GDAL finds, and by which queries."""
    options = ["-oo", "PAGE_SIZE=10000", "--config", "CPL_DEBUG", "HTTP", "-where", where]
    done = _run("ogrinfo", "-al", "-q", *options, f"OAPIF:{wide.url}", "buildings")
    return done.stdout.count("OGRFeature("), _requests(done.stderr)


def _counted(wide: Wide, where: str) -> int:
    with connect(wide.dsn) as connection:
        row = connection.execute(sql.SQL("select count(*) as n from data.buildings where " + where)).fetchone()  # type: ignore[arg-type,operator]
    assert row is not None
    return int(row["n"])


def test_data_of_every_crs_come_out_at_the_same_true_place(live_server: str, tmp_path: Path) -> None:
    found = {}
    for name in ("places", "sites_wgs84", "sites_mercator"):
        target = tmp_path / f"{name}.gpkg"
        _run("ogr2ogr", str(target), f"OAPIF:{live_server}", name)
        frame = gpd.read_file(target)
        found[name] = {row["name"]: (round(row.geometry.x, 7), round(row.geometry.y, 7)) for _, row in frame.iterrows()}
    assert found["places"]["O'Brien & Söhne"] == (126.5, 43.8)
    assert found["places"] == found["sites_wgs84"] == found["sites_mercator"]
