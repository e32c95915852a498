"""Features in every format, read back with other programs' libraries and held against SQL."""

import asyncio
import json
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import geopandas as gpd
import httpx
import pandas as pd
import psycopg
import pyarrow.parquet as pq
import pyogrio
import pyproj
import pytest
import shapely

from tests.conftest import Load, _database, service
from tests.integration.test_releases import parcels
from tests.made_data import make_dataset

FILES = {"gpkg": "gpkg", "fgb": "fgb", "parquet": "parquet", "shp": "zip", "gml": "gml", "dxf": "dxf"}
LINES = {"csv": "csv", "ndjson": "ndjson"}
MEDIA = {
    "gpkg": "application/geopackage+sqlite3",
    "fgb": "application/flatgeobuf",
    "parquet": "application/vnd.apache.parquet",
    "shp": "application/zip",
    "gml": "application/gml+xml;version=3.2",
    "dxf": "image/vnd.dxf",
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
}
TABLES = ["gpkg", "fgb", "parquet", "shp", "gml"]  # files with attributes
WITH_CRS = [4490, 4551, 3857, 4326]

ODD_FIELDS = {
    "name": "text",
    "比例%": "double precision",
    'say "hi", it\'s': "text",
    "big": "bigint",
    "small": "smallint",
    "ratio": "real",
    "flag": "boolean",
    "day": "date",
    "moment": "timestamp without time zone",
    "moment_tz": "timestamp with time zone",
    "clock": "time without time zone",
    "raw": "bytea",
    "tags": "text[]",
    "amount": "numeric",
    "WKT": "text",
    "geometry": "text",
}
MOMENT = datetime(2024, 2, 29, 12, 30, 15, 250000)
ODD_ROWS: list[tuple[Any, ...]] = [
    (
        7, "市中心", 0.1, "=1+1", 2**62 + 1, -5, 0.5, True, MOMENT.date(), MOMENT, MOMENT.replace(tzinfo=UTC),
        MOMENT.time(), b"\x00\xff", ["a", "乙,\"丙\""], "12345.678", "w", "g", "POINT(126.5 43.8)",
    ),
    (
        9, "O'Brien\n& \"Söhne\"", float("nan"), "", -(2**40), 32767, None, False, None, None, None, None, None, [],
        None, None, None, None,
    ),
    (
        11, None, -1e300, " a,b ", None, None, None, None, datetime(1899, 1, 1).date(), None, None, None, None, None,
        None, None, None, "POINT(126.6 43.9)",
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def odd_database(server_dsn: str, template: str) -> Iterator[str]:
    """Data sets that are each a trap for some format."""
    with _database(server_dsn, f"{template}_formats", template) as dsn:
        make_dataset(dsn, "odd", "Point", 4490, ODD_ROWS, ODD_FIELDS)
        mixed = [
            "POINT(126.5 43.8)",
            "LINESTRING(126 43, 127 44)",
            "POLYGON((126 43,127 43,127 44,126 43))",
            None,
            "POINT EMPTY",
        ]
        make_dataset(dsn, "mixed", "Geometry", 4490, list(enumerate(mixed, 1)))
        make_dataset(dsn, "empty", "MultiLineStringZ", 4551, [], {"name": "text", "n": "integer"})
        make_dataset(dsn, "heights", "PolygonZ", 4551, [(1, "POLYGON Z((0 0 1,9 0 2,9 9 3,0 0 1))")])
        make_dataset(dsn, "measured", "MultiLineStringM", 4551, [(1, "MULTILINESTRING M((0 0 1,9 0 2))")])
        make_dataset(dsn, "both", "PointZM", 4551, [(1, "POINT ZM(1 2 3 4)")])
        long = {f"很长的字段名称第{n}号": "text" for n in range(12)}
        make_dataset(dsn, "long_names", "Point", 4490, [(1, *["长" * 100] * 12, "POINT(126.5 43.8)")], long)
        yield dsn


@pytest.fixture(scope="module")
def odd(odd_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a service over `odd_database`."""
    var = str(tmp_path_factory.mktemp("var"))
    with service(odd_database, var=var) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def got(client: httpx.Client, path: str, form: str, folder: Path, **parameters: str) -> Path:
    """Download a collection into a file of the right name."""
    answer = client.get(f"/collections/{path}", params={"f": form, **parameters})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == MEDIA[form]
    name = f"{path.split('/', maxsplit=1)[0]}.{(FILES | LINES)[form]}"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    if form in FILES:
        assert int(answer.headers["content-length"]) > 0
    target = folder / name
    target.write_bytes(answer.content)
    return target


def frame_of(path: Path, **options: Any) -> gpd.GeoDataFrame:
    """Read a file as geopandas does."""
    if path.suffix == ".parquet":
        return gpd.read_parquet(path)
    return gpd.read_file(f"/vsizip/{path}" if path.suffix == ".zip" else path, **options)


def in_order(frame: gpd.GeoDataFrame, key: str) -> gpd.GeoDataFrame:
    return frame.sort_values(key).reset_index(drop=True)


@pytest.mark.parametrize("form", TABLES)
@pytest.mark.parametrize("crs", WITH_CRS)
def test_a_file_equals_the_table_in_attributes_geometries_and_crs(
    api: httpx.Client, city_database: str, tmp_path: Path, form: str, crs: int
) -> None:
    uri = f"http://www.opengis.net/def/crs/EPSG/0/{crs}"
    path = got(api, "parcels/items", form, tmp_path, crs=uri)
    have = in_order(frame_of(path), "parcel_no")
    with psycopg.connect(city_database) as connection:
        want = connection.execute(
            'select parcel_no, land_class, "名称", area_m2, surveyed, st_asbinary(st_transform(geom, %s))'
            " from data.parcels order by parcel_no",
            [crs],
        ).fetchall()
    numbers, classes, names, areas, moments, shapes = zip(*want, strict=True)
    assert have["parcel_no"].tolist() == list(numbers)
    assert have["名称"].tolist() == list(names)
    assert have["area_m2"].tolist() == list(areas)
    if form != "gml":  # without a schema readers guess the types of GML
        assert have["land_class"].tolist() == list(classes)
    assert [str(one)[:10] for one in have["surveyed"]] == [one.date().isoformat() for one in moments]
    have_parts, want_parts = (
        shapely.normalize(shapely.get_parts(g)) for g in (have.geometry, shapely.from_wkb(shapes))
    )
    assert shapely.equals_exact(have_parts, want_parts, 1e-7).all()  # a shapefile tells one part from many by no type
    assert pyproj.CRS(have.crs).equals(pyproj.CRS.from_epsg(crs), ignore_axis_order=True) or (
        form == "shp" and have.crs.to_epsg(min_confidence=20) == crs
    )


@pytest.mark.parametrize("form", TABLES)
def test_without_a_crs_the_axes_are_longitude_and_latitude(api: httpx.Client, tmp_path: Path, form: str) -> None:
    frame = frame_of(got(api, "places/items", form, tmp_path))
    point = frame.geometry[frame["name"].tolist().index("市中心")]
    assert (round(point.x, 6), round(point.y, 6)) == (126.55, 43.84)
    assert frame.crs.is_geographic


@pytest.mark.parametrize("form", [*TABLES, "dxf"])
def test_all_parameters_of_a_query_hold(api: httpx.Client, tmp_path: Path, form: str) -> None:
    query = {"filter": "land_class = '0303'", "sortby": "-parcel_no", "limit": "5", "datetime": "../2024-06-30"}
    page = api.get("/collections/parcels/items", params={"f": "json", **query}).json()
    frame = frame_of(got(api, "parcels/items", form, tmp_path, properties="parcel_no", **query))
    assert len(frame) == 5
    if form != "dxf":
        assert frame["parcel_no"].tolist() == [one["id"] for one in page["features"]]
        assert "land_class" not in frame.columns


@pytest.mark.parametrize("form", ["gpkg", "fgb", "parquet", "gml"])
def test_geometry_can_be_left_out(api: httpx.Client, tmp_path: Path, form: str) -> None:
    path = got(api, "parcels/items", form, tmp_path, skipGeometry="true", limit="3", sortby="parcel_no")
    frame = pd.read_parquet(path) if form == "parquet" else pyogrio.read_dataframe(path)
    assert "geometry" not in frame or frame.geometry.isna().all()  # FlatGeobuf cannot say that it has no geometries
    assert frame["parcel_no"].tolist() == [1, 2, 3]


@pytest.mark.parametrize("form", ["shp", "dxf"])
def test_a_form_that_needs_geometry_says_so(api: httpx.Client, form: str) -> None:
    answer = api.get("/collections/parcels/items", params={"f": form, "skipGeometry": "true"})
    assert answer.status_code == 400
    assert "skipGeometry" in answer.json()["description"]


@pytest.mark.parametrize("form", TABLES)
def test_values_of_every_type_arrive(odd: httpx.Client, tmp_path: Path, form: str) -> None:
    path = got(odd, "odd/items", form, tmp_path, sortby="fid")
    frame = frame_of(path, fid_as_index=True).reset_index() if form == "gpkg" else frame_of(path)
    frame = frame.drop(columns="gml_id", errors="ignore")
    # dBASE cuts names to ten bytes, XML has no percent sign: order is what stays
    order = ["fid", *ODD_FIELDS]
    values = {name: frame.iloc[:, place] for place, name in enumerate(order)}
    assert values["fid"].tolist() == [7, 9, 11]
    assert values["name"].tolist()[:2] == ["市中心", 'O\'Brien\n& "Söhne"']
    assert pd.isna(values["name"][2])
    assert values["比例%"][0] == 0.1
    assert pd.isna(values["比例%"][1])
    assert values['say "hi", it\'s'][0] == "=1+1"
    assert values["small"].tolist()[:2] == [-5, 32767]
    assert values["ratio"][0] == 0.5
    assert [bool(flag) for flag in values["flag"][:2]] == [True, False]
    assert [str(day)[:10] for day in values["day"]][::2] == ["2024-02-29", "1899-01-01"]
    for name in ("moment", "moment_tz"):
        assert str(pd.Timestamp(values[name][0]).tz_localize(None)) == "2024-02-29 12:30:15.250000"
    assert str(values["clock"][0]).startswith("12:30:15.25")
    assert values["amount"][0] == 12345.678
    assert list(frame.geometry.is_empty | frame.geometry.isna()) == [False, True, False]
    assert (frame.geometry[0].x, frame.geometry[0].y) == (126.5, 43.8)


def test_whole_numbers_keep_every_digit(odd: httpx.Client, tmp_path: Path) -> None:
    for form in ("gpkg", "fgb", "gml", "parquet"):
        path = got(odd, "odd/items", form, tmp_path, sortby="fid")
        table = pq.read_table(path) if form == "parquet" else pyogrio.read_arrow(path)[1]
        assert table.column("big").to_pylist() == [2**62 + 1, -(2**40), None], form


def test_bytes_and_lists_are_kept_where_a_format_has_them(odd: httpx.Client, tmp_path: Path) -> None:
    for form in ("gpkg", "fgb", "parquet"):
        path = got(odd, "odd/items", form, tmp_path, sortby="fid")
        table = pq.read_table(path) if form == "parquet" else pyogrio.read_arrow(path)[1]
        assert table.column("raw").to_pylist() == [b"\x00\xff", None, None], form
        tags = table.column("tags").to_pylist()
        if form != "parquet":
            tags = [tag and json.loads(tag) for tag in tags]
        assert tags == [["a", '乙,"丙"'], [], None], form


def test_names_in_a_geopackage_are_those_of_the_table(odd: httpx.Client, tmp_path: Path) -> None:
    for form in ("gpkg", "fgb"):
        info = pyogrio.read_info(got(odd, "odd/items", form, tmp_path))
        assert [name for name in info["fields"] if name != "fid"] == list(ODD_FIELDS)
    schema = pq.read_schema(tmp_path / got(odd, "odd/items", "parquet", tmp_path).name)
    assert schema.names == ["fid", *ODD_FIELDS, "geom"]


def test_names_of_a_shapefile_are_cut_between_characters_and_are_unique(odd: httpx.Client, tmp_path: Path) -> None:
    path = got(odd, "long_names/items", "shp", tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert archive.read("long_names.cpg").decode().strip() == "UTF-8"
        assert {Path(name).suffix for name in archive.namelist()} == {".shp", ".shx", ".dbf", ".prj", ".cpg"}
    names = list(pyogrio.read_info(f"/vsizip/{path}")["fields"])
    assert names[:3] == ["fid", "很长的", "很长_2"]
    assert len(set(names)) == 13
    assert all(len(name.encode()) <= 10 for name in names)
    assert set(frame_of(path)["很长的"][0]) == {"长"}  # cut to 254 bytes, but not within a character


@pytest.mark.parametrize("form", ["gpkg", "fgb", "parquet", "gml", "dxf"])
def test_geometries_of_several_kinds_go_together(odd: httpx.Client, tmp_path: Path, form: str) -> None:
    frame = frame_of(got(odd, "mixed/items", form, tmp_path))
    kinds = {one.removeprefix("Multi") for one in frame.geometry.geom_type.dropna()}
    assert kinds >= ({"Point", "LineString"} if form == "dxf" else {"Point", "LineString", "Polygon"})
    assert len(frame) == (3 if form == "dxf" else 5)


def test_a_shapefile_of_several_kinds_is_refused_with_advice(odd: httpx.Client) -> None:
    answer = odd.get("/collections/mixed/items", params={"f": "shp"})
    assert answer.status_code == 400
    assert "f=gpkg" in answer.json()["description"]
    assert "f=gpkg" in odd.get("/collections/mixed/items", params={"f": "shp", "lang": "zh"}).json()["description"]


@pytest.mark.parametrize("form", [*TABLES, "dxf"])
def test_heights_are_kept(odd: httpx.Client, tmp_path: Path, form: str) -> None:
    uri = "http://www.opengis.net/def/crs/EPSG/0/4551"
    frame = frame_of(got(odd, "heights/items", form, tmp_path, crs=uri))
    assert sorted({z for _, _, z in shapely.get_coordinates(frame.geometry.values, include_z=True)}) == [1, 2, 3]


@pytest.mark.parametrize(("id_", "kind"), [("measured", "MultiLineString"), ("both", "Point")])
@pytest.mark.parametrize("form", ["gpkg", "fgb", "shp"])
@pytest.mark.gdal
def test_measures_are_kept(odd: httpx.Client, tmp_path: Path, form: str, id_: str, kind: str) -> None:
    path = got(odd, f"{id_}/items", form, tmp_path, crs="http://www.opengis.net/def/crs/EPSG/0/4551")
    shown = ogrinfo("-al", f"/vsizip/{path}" if form == "shp" else str(path))
    assert ("POINT ZM (1 2 3 4)" if id_ == "both" else "M ((0 0 1,9 0 2))" if form != "shp" else "0 0 1,9 0 2") in shown


@pytest.mark.filterwarnings("ignore:Measured:UserWarning")  # GDAL knows no shapefile with heights alone
@pytest.mark.parametrize("form", [*TABLES, "dxf"])
def test_nothing_found_is_a_valid_file_with_its_columns(odd: httpx.Client, tmp_path: Path, form: str) -> None:
    path = got(odd, "empty/items", form, tmp_path)
    if form == "gml":
        assert ElementTree.parse(path).getroot().tag.endswith("FeatureCollection")
        return
    frame = frame_of(path)
    assert len(frame) == 0
    if form != "dxf":
        assert {"name", "n"} <= set(frame.columns)
        assert frame.crs is not None


def test_a_parquet_file_tells_its_crs_kinds_and_bounds(api: httpx.Client, tmp_path: Path) -> None:
    uri = "http://www.opengis.net/def/crs/EPSG/0/4551"
    path = got(api, "parcels/items", "parquet", tmp_path, crs=uri, limit="50", sortby="parcel_no")
    geo = json.loads(pq.read_metadata(path).metadata[b"geo"])
    column = geo["columns"][geo["primary_column"]]
    assert geo["version"] == "1.1.0"
    assert (column["encoding"], column["geometry_types"]) == ("WKB", ["MultiPolygon"])
    assert column["crs"]["id"] == {"authority": "EPSG", "code": 4551}
    assert column["bbox"] == [540_000, 4_850_000, 544_990, 4_850_090]
    assert (
        "crs"
        not in json.loads(pq.read_metadata(got(api, "places/items", "parquet", tmp_path)).metadata[b"geo"])["columns"][
            "geom"
        ]
    )


def test_gml_has_the_axes_of_the_crs_that_it_names(api: httpx.Client, tmp_path: Path) -> None:
    for crs, first in ((4490, "43.84 126.55"), (None, "126.55 43.84")):
        uri = {"crs": f"http://www.opengis.net/def/crs/EPSG/0/{crs}"} if crs else {}
        text = got(api, "places/items", "gml", tmp_path, **uri).read_text()
        assert f"<gml:pos>{first}" in text
        assert (f"urn:ogc:def:crs:EPSG::{crs}" if crs else "CRS84") in text


def test_csv_is_what_sql_says_with_the_geometry_last(odd: httpx.Client, tmp_path: Path) -> None:
    path = got(odd, "odd/items", "csv", tmp_path)
    raw = path.read_bytes()
    frame = pd.read_csv(path, keep_default_na=False, dtype=str)
    assert list(frame.columns) == ["fid", *ODD_FIELDS, "WKT_2"]
    first = frame.iloc[0].to_dict()
    assert first == {
        "fid": "7", "name": "市中心", "比例%": "0.1", 'say "hi", it\'s': "=1+1", "big": str(2**62 + 1), "small": "-5",
        "ratio": "0.5", "flag": "true", "day": "2024-02-29", "moment": "2024-02-29T12:30:15.25",
        "moment_tz": "2024-02-29T12:30:15.25+00:00", "clock": "12:30:15.25", "raw": "\\x00ff",
        "tags": '["a","乙,\\"丙\\""]', "amount": "12345.678", "WKT": "w", "geometry": "g", "WKT_2": "POINT(126.5 43.8)",
    }  # fmt: skip
    assert frame["name"].tolist() == ["市中心", 'O\'Brien\n& "Söhne"', ""]
    assert b'"",-1099511627776' in raw  # the empty text is not nothing
    assert raw.count(b"\r\n") == 4
    assert frame["WKT_2"].tolist() == ["POINT(126.5 43.8)", "", "POINT(126.6 43.9)"]


def test_csv_begins_with_a_mark_for_excel_where_that_is_asked_for(api: httpx.Client) -> None:
    plain = api.get("/collections/places/items", params={"f": "csv"}).content
    marked = api.get("/collections/places/items", params={"f": "csv", "bom": "true"}).content
    assert marked == b"\xef\xbb\xbf" + plain
    for wrong in ("f=csv&bom=maybe", "f=csv&bom=true&bom=true", "f=gpkg&bom=true", "f=json&bom=true"):
        assert api.get(f"/collections/places/items?{wrong}").status_code == 400


def test_lines_of_json_are_the_features_of_the_page(api: httpx.Client, tmp_path: Path) -> None:
    query = {"limit": "2345", "sortby": "-area_m2,land_class", "crs": "http://www.opengis.net/def/crs/EPSG/0/4490"}
    page = api.get("/collections/parcels/items", params={"f": "json", **query})
    path = got(api, "parcels/items", "ndjson", tmp_path, **query)
    assert [json.loads(line) for line in path.read_text().splitlines()] == page.json()["features"]
    assert len(gpd.read_file(f"GeoJSONSeq:{path}")) == 2345


@pytest.mark.parametrize("form", [*LINES, *TABLES])
def test_next_links_lead_through_everything(api: httpx.Client, tmp_path: Path, form: str) -> None:
    url: str | None = (
        f"/collections/parcels/items?f={form}&limit=1100&sortby=land_class&properties=parcel_no,land_class"
    )
    seen: list[int] = []
    returned = []
    while url:
        answer = api.get(url)
        assert answer.headers["ogc-numbermatched"] == "2500"
        returned.append(int(answer.headers["ogc-numberreturned"]))
        target = tmp_path / f"page.{(FILES | LINES)[form]}"
        target.write_bytes(answer.content)
        seen += (
            [json.loads(line)["properties"]["parcel_no"] for line in target.read_text().splitlines()]
            if form == "ndjson"
            else (pd.read_csv(target) if form == "csv" else frame_of(target))["parcel_no"].tolist()
        )
        link = answer.links.get("next")
        assert link is None or link["type"].partition(";")[0] == MEDIA[form].partition(";")[0]
        url = link["url"] if link else None
    assert returned == [1100, 1100, 300]
    assert len(seen) == len(set(seen)) == 2500


@pytest.mark.parametrize("form", ["csv", "gpkg"])
def test_the_page_before_is_in_the_usual_order(api: httpx.Client, tmp_path: Path, form: str) -> None:
    second = api.get("/collections/parcels/items?f=json&limit=5&offset=100").json()
    href = next(link["href"] for link in second["links"] if link["rel"] == "prev")
    answer = api.get(href, params={**dict(httpx.URL(href).params), "f": form})
    (path := tmp_path / f"page.{form}").write_bytes(answer.content)
    frame = pd.read_csv(path) if form == "csv" else frame_of(path)
    assert frame["parcel_no"].tolist() == [96, 97, 98, 99, 100]
    assert "next" in answer.links


@pytest.mark.parametrize("form", [*LINES, *FILES])
def test_one_feature_in_every_form(api: httpx.Client, tmp_path: Path, form: str) -> None:
    path = got(api, "parcels/items/7", form, tmp_path)
    if form == "csv":
        assert pd.read_csv(path)["parcel_no"].tolist() == [7]
    elif form != "dxf":
        assert frame_of(path)["parcel_no"].tolist() == [7]
    else:
        assert len(frame_of(path)) == 1
    assert api.get("/collections/parcels/items/nix", params={"f": form}).status_code == 404


@pytest.mark.parametrize("form", [*LINES, *FILES])
@pytest.mark.parametrize("which", ["items", "items/2"])
def test_who_has_the_answer_is_told_so_and_the_same_state_makes_the_same_bytes(
    api: httpx.Client, form: str, which: str
) -> None:
    url = f"/collections/places/{which}?f={form}"
    first, second = api.get(url, headers={"Accept-Encoding": "identity"}), api.get(url)
    assert first.headers["etag"].strip('"') == second.headers["etag"].strip('"').removesuffix("-gz")
    assert first.content == second.content
    again = api.get(url, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "Accept" in first.headers["vary"]


@pytest.mark.parametrize("form", [*LINES, *FILES])
def test_accept_chooses_as_f_does(api: httpx.Client, form: str) -> None:
    answer = api.head("/collections/places/items", headers={"Accept": MEDIA[form]})
    assert answer.headers["content-type"] == MEDIA[form]


def test_every_other_form_is_linked_from_the_page(api: httpx.Client) -> None:
    page = api.get("/collections/parcels/items?f=json&land_class=0303&limit=2").json()
    links = {link["type"]: link["href"] for link in page["links"] if link["rel"] == "alternate"}
    assert set(links) >= set(MEDIA.values())
    answer = api.get(links["application/flatgeobuf"])
    assert (answer.status_code, answer.headers["ogc-numbermatched"]) == (200, "833")


def test_counting_alone_costs_no_file(api: httpx.Client) -> None:
    for form in ("csv", "gpkg"):
        answer = api.get("/collections/parcels/items", params={"f": form, "resulttype": "hits", "land_class": "0303"})
        assert (answer.headers["ogc-numbermatched"], answer.content) == ("833", b"")


def ogrinfo(*arguments: str) -> str:
    if shutil.which("ogrinfo") is None:
        pytest.skip("ogrinfo is not installed")
    return subprocess.run(["ogrinfo", *arguments], capture_output=True, text=True, check=True).stdout


@pytest.mark.gdal
@pytest.mark.parametrize("form", ["gpkg", "fgb", "shp", "gml", "dxf", "csv", "ndjson"])
def test_gdal_of_the_distribution_reads_every_file(api: httpx.Client, tmp_path: Path, form: str) -> None:
    path = got(api, "parcels/items", form, tmp_path, limit="1000")
    prefix = {"shp": "/vsizip/", "ndjson": "GeoJSONSeq:"}.get(form, "")
    shown = ogrinfo("-so", "-al", f"{prefix}{path}")
    assert "Feature Count: 1000" in shown
    assert "Extent: (126.4" in shown


def left(folder: Path) -> list[Path]:
    return [path for path in folder.glob("tmp/downloads-*/*") if path.name != "lock"]


def eventually_empty(var: Path) -> None:
    deadline = time.monotonic() + 20
    while left(var) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left(var) == []


def test_a_client_that_leaves_takes_its_file_with_it(database: str, load_into: Load, tmp_path: Path) -> None:
    load_into(parcels(tmp_path / "1.gpkg", dict.fromkeys(range(20000), "甲")), id="parcels")
    var = tmp_path / "var"
    with service(database, var=str(var), workers="1") as url:
        for wait in (0.0, 0.1, 0.5, 1.0):
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(f"{url}/collections/parcels/items?f=gml", timeout=httpx.Timeout(10, read=wait + 0.01))
        eventually_empty(var)
        assert httpx.get(f"{url}/collections/parcels/items?f=gpkg", timeout=60).status_code == 200
        eventually_empty(var)
    assert list(var.glob("tmp/downloads-*")) == []


def test_two_files_are_written_at_once_and_more_are_told_to_come_back(
    database: str, load_into: Load, tmp_path: Path
) -> None:
    load_into(parcels(tmp_path / "1.gpkg", dict.fromkeys(range(20000), "甲")), id="parcels")

    async def ask(url: str) -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=url, timeout=120) as client:
            return await asyncio.gather(*(client.get("/collections/parcels/items?f=fgb") for _ in range(6)))

    with service(database, var=str(tmp_path / "var"), workers="1", pool_wait="0.2") as url:
        answers = asyncio.run(ask(url))
    good = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert len(good) >= 2
    assert len({answer.content for answer in good}) == 1
    assert len(good) + len(refused) == 6
    assert refused
    assert all(answer.headers["retry-after"] and "f=csv" in answer.json()["description"] for answer in refused)


def test_files_of_a_server_that_was_killed_are_swept(database: str, tmp_path: Path) -> None:
    dead = tmp_path / "var" / "tmp" / "downloads-dead"
    dead.mkdir(parents=True)
    (dead / "lock").touch()
    (dead / "parcels.gpkg").touch()
    with service(database, var=str(tmp_path / "var")):
        assert not dead.exists()
        assert len(list((tmp_path / "var" / "tmp").glob("downloads-*/lock"))) == 2


def test_a_file_holds_as_many_features_as_the_configuration_allows(
    database: str, load_into: Load, tmp_path: Path
) -> None:
    load_into(parcels(tmp_path / "1.gpkg", dict.fromkeys(range(30), "甲")), id="parcels")
    config = tmp_path / "config.yml"
    shipped = (Path(__file__).parents[2] / "pygeoapi-config.yml").read_text("utf-8")
    config.write_text(shipped.replace("download_items: 500000", "download_items: 20"), "utf-8")
    with service(database, config=str(config), var=str(tmp_path / "var")) as url:
        answer = httpx.get(f"{url}/collections/parcels/items?f=gpkg&limit=1000", timeout=60)
        assert (answer.headers["ogc-numbermatched"], answer.headers["ogc-numberreturned"]) == ("30", "20")
        rest = httpx.get(answer.links["next"]["url"], timeout=60)
        assert (rest.headers["ogc-numberreturned"], "next" in rest.links) == ("10", False)
