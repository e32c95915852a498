"""Files that would do harm, or are not what they say: each ends in one clear line, and touches nothing but itself."""

import json
import shutil
import sqlite3
import struct
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import numpy as np
import openpyxl
import pytest
import shapely

from loaders.errors import (
    DamagedSource,
    EmptySource,
    LineTooLong,
    ManyLayers,
    MissingPart,
    NoCoordinates,
    NoGeometry,
    NoSuchLayer,
    NoSuchSource,
    NotALocalFile,
    SourceError,
    TooManyColumns,
    UnknownEncoding,
    UnreadableSource,
    UnsafeSource,
    UnsupportedFormat,
    WrongContent,
)
from loaders.source import list_layers, open_layer
from tests.source_files import (
    WRITERS,
    frame,
    openstreetmap,
    write,
    write_dbf,
    write_dxf,
    write_points,
    write_shapefile,
)

FEATURE = '{"type":"Feature","properties":{"a":1},"geometry":{"type":"Point","coordinates":[126,43]}}'


@pytest.fixture
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("workspace")


def read(path: Path | str, workspace: Path, **options: str) -> int:
    """Read all of a source and return how many rows it has."""
    with open_layer(path, workspace=workspace, **options) as layer:  # type: ignore[arg-type]
        return sum(batch.num_rows for batch in layer.batches())


def refusal(kind: type[SourceError], path: Path | str, workspace: Path, **options: str) -> str:
    """The one line that a source is refused with, whole in both languages."""
    with pytest.raises(kind) as refused:
        read(path, workspace, **options)
    assert type(refused.value) is kind
    lines = [refused.value.message("en"), refused.value.message("zh")]
    assert all("\n" not in line and "{why" not in line and len(line) < 500 for line in lines), lines
    assert any("\u4e00" <= letter <= "\u9fff" for letter in lines[1])
    return lines[0]


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:1/x.geojson",
        "https:/127.0.0.1/x.shp",
        "/vsicurl/http://127.0.0.1:1/x.geojson",
        "/vsizip/x.zip/x.shp",
        "PG:host=127.0.0.1",
        "MYSQL:x",
        'ZARR:"/vsicurl/http://127.0.0.1:1"',
        '{"type":"Point","coordinates":[1,2]}',
        "<OGRVRTDataSource/>",
        "/dev/zero",
    ],
)
def test_what_is_no_local_file_is_refused(text: str, workspace: Path) -> None:
    assert "not a file on this computer" in refusal(NotALocalFile, text, workspace)


@pytest.mark.parametrize("text", ["missing.shp", "a\0b.shp", "x" * 5000])
def test_what_is_not_there_is_said_to_be_missing(text: str, workspace: Path) -> None:
    refusal(NoSuchSource, text, workspace)


def test_a_file_that_cannot_be_read_is_said_to_be(tmp_path: Path, workspace: Path) -> None:
    path = tmp_path / "a.geojson"
    path.symlink_to("/proc/self/mem")  # a plain file that not even root can read from its beginning
    assert "Input/output error" in refusal(UnreadableSource, path, workspace)


@pytest.mark.parametrize("name", ["a.shp", "a.geojson", "a.csv", "a.gpkg", "a.zip", "a.xlsx"])
def test_an_empty_file_is_said_to_be_empty(tmp_path: Path, workspace: Path, name: str) -> None:
    (tmp_path / name).touch()
    refusal(EmptySource, tmp_path / name, workspace)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("a.dwg", "as .dxf"),
        ("a.mdb", "as file geodatabase"),
        ("a.vct", "Convert the VCT"),
        ("a.e00", "Export it as GeoPackage"),
        ("a.tif", "an image"),
        ("a.sld", "a style"),
        ("a.dbf", "main file"),
        ("a.rar", "Unpack it"),
        ("a.xls", ".xlsx"),
        ("a.vrt", "points to other data"),
        ("noext", "Read are .shp"),
    ],
)
def test_a_format_that_is_not_read_gets_advice(tmp_path: Path, workspace: Path, name: str, advice: str) -> None:
    (tmp_path / name).write_bytes(b"content")
    assert advice in refusal(UnsupportedFormat, tmp_path / name, workspace)


def test_a_directory_that_is_no_geodatabase_is_refused(tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "a.gdb").mkdir()
    refusal(EmptySource, tmp_path / "a.gdb", workspace)
    (tmp_path / "a.gdb" / "readme.txt").touch()
    assert ".gdb" in refusal(UnsupportedFormat, tmp_path / "a.gdb", workspace)


SUFFIXES = [
    "shp",
    "gpkg",
    "geojson",
    "json",
    "geojsonl",
    "kml",
    "gml",
    "fgb",
    "parquet",
    "tab",
    "mif",
    "dxf",
    "pbf",
    "csv",
    "xlsx",
    "zip",
    "kmz",
]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_vrt_by_any_other_name_is_a_vrt(tmp_path: Path, workspace: Path, suffix: str) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("name,lon,lat\nsecret,1,2\n")
    path = tmp_path / f"upload.{suffix}"
    path.write_text(
        f'<OGRVRTDataSource><OGRVRTLayer name="secret"><SrcDataSource>{secret}</SrcDataSource>'
        "</OGRVRTLayer></OGRVRTDataSource>"
    )
    assert "OGRVRTDataSource" in refusal(WrongContent, path, workspace)


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.shp", b"II*\0" + bytes(200), "a TIFF image"),
        ("a.geojson", b"<!DOCTYPE html><html><body>404</body></html>", "a web page"),
        (
            "a.geojson",
            b'{"type":"gdal_streamed_alg","command_line":"gdal vector pipeline ! read x"}',
            "JSON of another",
        ),
        ("a.json", b'{"geometryType":"esriGeometryPoint","features":[]}', "JSON of another"),
        ("a.csv", b"\x00\x01\x02", "binary data"),
        ("a.dxf", b"AutoCAD Binary DXF\r\n\x1a\0", "a binary DXF drawing"),
        ("a.dxf", b"AC1032" + bytes(100), "a DWG drawing"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0" + bytes(100), "one with a password"),
        ("a.gml", b"<root/>", "an XML document <root>"),
        ("a.gpkg", b"PK\3\4", "a zip archive"),
        ("a.tab", b"no table", "plain text"),
    ],
)
def test_content_that_belies_its_suffix_is_named(
    tmp_path: Path, workspace: Path, name: str, content: bytes, found: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert found in refusal(WrongContent, tmp_path / name, workspace)


def test_an_archive_called_a_workbook_is_no_workbook(tmp_path: Path, workspace: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("x.geojson", FEATURE)
    assert "a zip archive" in refusal(WrongContent, tmp_path / "a.xlsx", workspace)


GML = (
    '<?xml version="1.0" encoding="UTF-8"?>{dtd}<ogr:FeatureCollection '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://ogr.maptools.org/ {schema}" '
    'xmlns:ogr="http://ogr.maptools.org/" xmlns:gml="http://www.opengis.net/gml" '
    'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:xi="http://www.w3.org/2001/XInclude">{more}'
    '<gml:featureMember><ogr:a fid="a.0"><ogr:geometryProperty><gml:Point srsName="{srs}"><gml:coordinates>126,43'
    "</gml:coordinates></gml:Point></ogr:geometryProperty><ogr:code>{code}</ogr:code></ogr:a></gml:featureMember>"
    "</ogr:FeatureCollection>"
)
PLAIN = {"dtd": "", "schema": "", "more": "", "srs": "EPSG:4490", "code": "0303"}


@pytest.mark.parametrize(
    ("dtd", "code"),
    [
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hostname">]>', "&e;"),
        ('<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>', "&c;"),
        ('<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">', ""),
    ],
)
def test_xml_with_a_dtd_is_refused(tmp_path: Path, workspace: Path, dtd: str, code: str) -> None:
    path = tmp_path / "a.gml"
    path.write_text(GML.format_map(PLAIN | {"dtd": dtd, "code": code}))
    assert "DTD" in refusal(UnsafeSource, path, workspace)
    (tmp_path / "a.kml").write_text(f'{dtd}<kml xmlns="http://www.opengis.net/kml/2.2"><name>{code}</name></kml>')
    assert "DTD" in refusal(UnsafeSource, tmp_path / "a.kml", workspace)


def test_a_schema_beside_a_gml_is_held_to_the_same(tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "a.gml").write_text(GML.format_map(PLAIN))
    (tmp_path / "a.xsd").write_text('<!DOCTYPE x [<!ENTITY e "x">]><xs:schema/>')
    assert "DTD" in refusal(UnsafeSource, tmp_path / "a.gml", workspace)


def test_a_workbook_with_a_dtd_inside_is_refused(tmp_path: Path, workspace: Path) -> None:
    path = tmp_path / "a.xlsx"
    openpyxl.Workbook().save(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/extra.xml", '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e "x">]><x>&e;</x>')
    assert "DTD" in refusal(UnsafeSource, path, workspace)


@pytest.fixture
def visits() -> Iterator[tuple[str, list[str]]]:
    """A web server of this test: its address, and the paths that were asked of it."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", seen
        server.shutdown()
        thread.join()


def _kml(url: str) -> str:
    return (
        '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><Style id="s"><IconStyle><Icon>'
        f"<href>{url}/icon.png</href></Icon></IconStyle></Style>"
        f"<NetworkLink><Link><href>{url}/more.kml</href></Link></NetworkLink>"
        "<NetworkLink><Link><href>secret.kml</href></Link></NetworkLink>"
        f"<Placemark><styleUrl>{url}/style.kml#x</styleUrl><ExtendedData><SchemaData schemaUrl='{url}/s.kml#a'>"
        "<SimpleData name='a'>1</SimpleData></SchemaData></ExtendedData><name>q</name>"
        "<Point><coordinates>126,43</coordinates></Point></Placemark></Document></kml>"
    )


def _crs_name(url: str) -> str:
    crs = {"type": "name", "properties": {"name": f"{url}/crs"}}
    return json.dumps({"type": "FeatureCollection", "crs": crs, "features": [json.loads(FEATURE)]})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.gml", lambda url: GML.format_map(PLAIN | {"schema": f"{url}/a.xsd"})),
        ("a.gml", lambda url: GML.format_map(PLAIN | {"srs": f"{url}/crs/4490"})),
        ("a.gml", lambda url: GML.format_map(PLAIN | {"more": f'<gml:featureMember xlink:href="{url}/x.gml#a"/>'})),
        ("a.gml", lambda url: GML.format_map(PLAIN | {"more": f'<xi:include href="{url}/x.xml"/>'})),
        ("a.kml", _kml),
        ("a.geojson", _crs_name),
    ],
)
def test_addresses_inside_a_file_are_never_visited(
    tmp_path: Path, workspace: Path, visits: tuple[str, list[str]], name: str, content: Callable[[str], str]
) -> None:
    url, seen = visits
    (tmp_path / "secret.kml").write_text(_kml(url).replace("<name>q</name>", "<name>secret</name>"))
    (tmp_path / name).write_text(content(url))
    with open_layer(tmp_path / name, workspace=workspace) as layer:
        rows = [row for batch in layer.batches() for row in batch.to_pylist()]
    assert len(rows) == 1
    assert "secret" not in str(rows)
    assert seen == []


@pytest.mark.parametrize("order", [("type", "properties"), ("properties", "type")])
@pytest.mark.parametrize("place", ["before", "after"])
def test_a_crs_by_web_link_is_refused(
    tmp_path: Path, workspace: Path, visits: tuple[str, list[str]], order: tuple[str, str], place: str
) -> None:
    url, seen = visits
    members = {"type": "link", "properties": {"href": f"{url}/crs", "type": "esriwkt"}}
    crs = {"crs": {name: members[name] for name in order}}
    features = {"features": [json.loads(FEATURE)]}
    collection = {"type": "FeatureCollection"} | (crs | features if place == "before" else features | crs)
    (tmp_path / "a.geojson").write_text(json.dumps(collection))
    assert "web link" in refusal(UnsafeSource, tmp_path / "a.geojson", workspace)
    assert seen == []


def test_a_crs_that_nobody_knows_is_not_taken_for_wgs84(tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "a.geojson").write_text(_crs_name("urn:city:local"))
    with open_layer(tmp_path / "a.geojson", workspace=workspace) as layer:
        assert layer.crs is None
        assert "crs-unknown" in [note.code for note in layer.notes]


@pytest.mark.parametrize(
    "content",
    [
        b"!table\n!version 300\n\ncreate view x as\nselect * from y\n",
        b'!table\n!version 300\n!charset WindowsLatin1\n\nDefinition Table\n  File "/etc/passwd"\n  Type "RASTER"\n',
        b'!table\nDefinition Table\n Type NATIVE\n Fields 1\n  Table Char (100) ;\nbegin_metadata\n"\\IsSeamless" = "TRUE"\n',
        b"!table\n!version 300\nDefinition Table\n  Type LINKED\n",
    ],
)
def test_a_mapinfo_table_that_refers_to_others_is_refused(tmp_path: Path, workspace: Path, content: bytes) -> None:
    (tmp_path / "a.tab").write_bytes(content)
    assert "other files" in refusal(UnsafeSource, tmp_path / "a.tab", workspace)


@pytest.mark.parametrize(
    "geometry",
    [
        '{"type":"GeometryCollection","geometries":[' * 50_000 + '{"type":"Point","coordinates":[1,2]}' + "]}" * 50_000,
        '{"type":"MultiPolygon","coordinates":' + "[" * 100_000 + "]" * 100_000 + "}",
    ],
)
def test_geojson_nested_a_hundred_thousand_deep_is_refused(tmp_path: Path, workspace: Path, geometry: str) -> None:
    feature = '{"type":"Feature","properties":{"a":%s},"geometry":%s}'
    (tmp_path / "a.geojson").write_text(feature % (1, geometry))
    refusal(DamagedSource, tmp_path / "a.geojson", workspace)
    (tmp_path / "b.geojson").write_text(feature % ("[" * 100_000 + "]" * 100_000, "null"))
    refusal(DamagedSource, tmp_path / "b.geojson", workspace)
    (tmp_path / "c.geojsonl").write_text(feature % (1, geometry))
    refusal(DamagedSource, tmp_path / "c.geojsonl", workspace)


def test_kml_nested_a_hundred_thousand_deep_is_refused(tmp_path: Path, workspace: Path) -> None:
    nested = "<Folder>" * 100_000 + "</Folder>" * 100_000
    (tmp_path / "a.kml").write_text(f'<kml xmlns="http://www.opengis.net/kml/2.2">{nested}</kml>')
    refusal(DamagedSource, tmp_path / "a.kml", workspace)


def test_text_that_postgresql_cannot_hold_is_made_good_and_counted(tmp_path: Path, workspace: Path) -> None:
    properties = '{"a":"x\\u0000y","b":"\\ud800 z","c":{"k":"\\udfff"},"a":"last"}'
    (tmp_path / "a.geojson").write_text(FEATURE.replace('{"a":1}', properties))
    with open_layer(tmp_path / "a.geojson", workspace=workspace) as layer:
        (batch,) = layer.batches()
    batch.validate(full=True)
    assert "\0" not in str(batch.to_pylist())


def test_a_table_of_a_hundred_thousand_columns_is_refused(tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "a.csv").write_text(",".join(f"c{n}" for n in range(100_000)) + "\n" + ",".join("1" * 100_000) + "\n")
    assert "100000 columns" in refusal(TooManyColumns, tmp_path / "a.csv", workspace)


def test_a_file_of_one_endless_line_is_refused_after_a_bounded_look(tmp_path: Path, workspace: Path) -> None:
    for name, start in (("a.csv", b""), ("b.csv", b"lon,lat\n1,2\n")):
        with (tmp_path / name).open("wb") as file:
            file.write(start + b"x")
            file.truncate(64 << 20)
        (tmp_path / name).write_bytes((tmp_path / name).read_bytes().replace(b"\0", b"x"))
        refusal(LineTooLong, tmp_path / name, workspace)


def test_a_quotation_mark_that_is_never_closed_does_not_swallow_rows(tmp_path: Path, workspace: Path) -> None:
    for text in ('lon,lat,n\n1,2,a\n3,4,"b\n5,6,c\n', 'lon,lat,n\n1,"2,a\n3,4,b\n'):
        (tmp_path / "a.csv").write_text(text)
        assert "never closed" in refusal(DamagedSource, tmp_path / "a.csv", workspace)
    (tmp_path / "a.csv").write_text('lon,lat,n\n1,2,"a\nb"\n')
    assert read(tmp_path / "a.csv", workspace) == 1


def test_a_value_beyond_the_header_is_not_dropped_in_silence(tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "a.csv").write_text("lon,lat\n1,2\n3,4,5\n")
    assert "line 3 has 3 values" in refusal(DamagedSource, tmp_path / "a.csv", workspace)


def test_tables_without_coordinates_say_what_to_name(tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    assert "--x and --y" in refusal(NoCoordinates, tmp_path / "a.csv", workspace)
    book = openpyxl.Workbook()
    book.active.append(["a", "b"])
    book.active.append([1, 2])
    book.save(tmp_path / "a.xlsx")
    assert "--x and --y" in refusal(NoCoordinates, tmp_path / "a.xlsx", workspace)


def test_an_unknown_encoding_is_refused_before_anything_is_read(tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "a.geojson").write_text(FEATURE)
    refusal(UnknownEncoding, tmp_path / "a.geojson", workspace, encoding="klingon")


@pytest.mark.parametrize("missing", [".shx", ".dbf"])
def test_a_shapefile_without_all_of_its_parts_says_which(tmp_path: Path, workspace: Path, missing: str) -> None:
    path = write_shapefile(tmp_path / "a.shp", [(b"n", "C", 5, 0)], [[b"x"]])
    path.with_suffix(missing).unlink()
    assert f"a{missing}" in refusal(MissingPart, path, workspace)


def test_a_dbf_that_lies_about_its_records_is_noticed(tmp_path: Path, workspace: Path) -> None:
    path = write_shapefile(tmp_path / "a.shp", [(b"n", "C", 5, 0)], [[b"x"], [b"y"]])
    content = bytearray(path.with_suffix(".dbf").read_bytes())
    content[4:8] = struct.pack("<I", 2_000_000_000)
    path.with_suffix(".dbf").write_bytes(content)
    assert "of 12000000065 bytes" in refusal(DamagedSource, path, workspace)
    write_dbf(path.with_suffix(".dbf"), [(b"n", "C", 5, 0)], [[b"x"]])
    assert "2 shapes, the .dbf 1 records" in refusal(DamagedSource, path, workspace)


CUT = {
    "shapefile": ("districts.shp", "districts.shx", "districts.dbf"),
    "geopackage": ("districts.gpkg",),
    "geojson": ("districts.geojson",),
    "geojson a line": ("districts.geojsonl",),
    "kml": ("districts.kml",),
    "kmz": ("districts.kmz",),
    "gml": ("districts.gml",),
    "flatgeobuf": ("districts.fgb",),
    "geoparquet": ("districts.parquet",),
    "mapinfo tab": ("districts.dat", "districts.map", "districts.id"),
    "mapinfo mif": ("districts.mif", "districts.mid"),
    "xlsx": ("districts.xlsx",),
    "shapefile in a zip": ("upload.zip",),
}


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9, 0.97])
@pytest.mark.parametrize(("format_", "part"), [(name, part) for name, parts in CUT.items() for part in parts])
def test_a_file_that_was_cut_off_is_never_taken_for_whole(
    tmp_path: Path, workspace: Path, format_: str, part: str, share: float
) -> None:
    path = WRITERS[format_](tmp_path)
    assert read(path, workspace) == 3
    content = (tmp_path / part).read_bytes()
    (tmp_path / part).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(SourceError):
        read(path, workspace)


@pytest.mark.parametrize("share", [0.3, 0.7, 0.99])
def test_a_drawing_or_street_map_that_was_cut_off_is_noticed(tmp_path: Path, workspace: Path, share: float) -> None:
    drawing = write_dxf(tmp_path / "a.dxf")
    streets = Path(shutil.copy(openstreetmap(), tmp_path / "a.osm.pbf"))
    for path, options in ((drawing, {}), (streets, {"layer": "lines"})):
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
        refusal(DamagedSource, path, workspace, **options)


@pytest.mark.parametrize("suffix", ["gdbtable", "gdbtablx"])
def test_a_geodatabase_of_which_a_table_was_cut_off_is_noticed(tmp_path: Path, workspace: Path, suffix: str) -> None:
    path = WRITERS["geodatabase"](tmp_path)
    table = max(path.glob(f"*.{suffix}"), key=lambda one: one.name)
    content = table.read_bytes()
    table.write_bytes(content[: len(content) // 2])
    assert table.name in refusal(DamagedSource, path, workspace)


def test_a_drawing_with_a_line_out_of_place_is_damaged(tmp_path: Path, workspace: Path) -> None:
    path = write_dxf(tmp_path / "a.dxf")
    lines = path.read_bytes().split(b"\n")
    lines.insert(len(lines) // 4 * 2, b"garbage")
    path.write_bytes(b"\n".join(lines))
    assert "should be a group code" in refusal(DamagedSource, path, workspace)


def test_a_feature_in_the_middle_that_is_no_json_is_not_skipped(tmp_path: Path, workspace: Path) -> None:
    (tmp_path / "a.geojsonl").write_text(f"{FEATURE}\n{FEATURE[:-4]}\n{FEATURE}\n")
    refusal(DamagedSource, tmp_path / "a.geojsonl", workspace)


@pytest.fixture
def geopackage(tmp_path: Path) -> Path:
    return write(frame(), tmp_path / "a.gpkg", "GPKG", layer="districts")


def change(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        for statement in statements:
            database.execute(statement)
        database.commit()


def test_triggers_and_views_of_a_geopackage_change_nothing(geopackage: Path, workspace: Path) -> None:
    change(
        geopackage,
        "CREATE TABLE log (x)",
        "CREATE TRIGGER t INSERT ON districts BEGIN INSERT INTO log VALUES (1); END",
        "CREATE VIEW v AS SELECT load_extension('/tmp/evil.so') AS fid, geom FROM districts",
        "INSERT INTO gpkg_contents (table_name, data_type, identifier, srs_id) VALUES ('v', 'features', 'v', 4490)",
        "INSERT INTO gpkg_geometry_columns VALUES ('v', 'geom', 'POLYGON', 4490, 0, 0)",
    )
    before = geopackage.read_bytes()
    assert read(geopackage, workspace, layer="districts") == 3
    refusal(DamagedSource, geopackage, workspace, layer="v")
    assert geopackage.read_bytes() == before
    assert [one.name for one in geopackage.parent.iterdir()] == ["a.gpkg"]


def test_rows_that_wait_in_a_write_ahead_log_are_read_without_touching_it(geopackage: Path, workspace: Path) -> None:
    writer = sqlite3.connect(geopackage)
    try:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        triggers = [row[0] for row in writer.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in triggers:
            writer.execute(f'DROP TRIGGER "{name}"')
        writer.execute("INSERT INTO districts (geom, 代码) SELECT geom, '0306' FROM districts LIMIT 1")
        writer.commit()
        before = {one.name: one.read_bytes() for one in geopackage.parent.iterdir() if not one.name.endswith("-shm")}
        assert read(geopackage, workspace) == 4
        after = {one.name: one.read_bytes() for one in geopackage.parent.iterdir() if not one.name.endswith("-shm")}
        assert after == before
    finally:
        writer.close()


def test_a_geopackage_in_wal_mode_gets_no_company(geopackage: Path, workspace: Path) -> None:
    change(geopackage, "PRAGMA journal_mode = WAL")
    assert read(geopackage, workspace) == 3
    assert [one.name for one in geopackage.parent.iterdir()] == ["a.gpkg"]


def test_a_journal_that_waits_to_be_played_back_is_left_to_its_owner(geopackage: Path, workspace: Path) -> None:
    geopackage.with_name("a.gpkg-journal").write_bytes(b"\xd9\xd5\x05\xf9" + bytes(508) + b"/etc/passwd")
    assert "a.gpkg-journal" in refusal(UnsafeSource, geopackage, workspace)


def test_a_count_that_other_software_left_behind_is_no_damage(geopackage: Path, workspace: Path) -> None:
    change(geopackage, "UPDATE gpkg_ogr_contents SET feature_count = 99")
    assert read(geopackage, workspace) == 3


def test_wkb_that_would_crash_a_parser_is_stopped(geopackage: Path, workspace: Path) -> None:
    deep = b"\x01\x07\0\0\0\x01\0\0\0" * 30_000 + shapely.to_wkb(shapely.Point(1, 2))
    with closing(sqlite3.connect(geopackage)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f'DROP TRIGGER "{name}"')
        blob = b"GP\0\x01" + struct.pack("<i", 4490) + deep
        database.execute("UPDATE districts SET geom = ? WHERE fid = 2", [blob])
        database.commit()
    assert "too many collections" in refusal(UnsafeSource, geopackage, workspace)


def test_a_database_that_is_no_geopackage_is_refused(tmp_path: Path, workspace: Path) -> None:
    change(tmp_path / "a.gpkg", "CREATE TABLE x (y)")
    refusal(DamagedSource, tmp_path / "a.gpkg", workspace)


def test_a_geopackage_of_tables_only_has_no_geometry(tmp_path: Path, workspace: Path) -> None:
    write(frame().drop(columns="geometry"), tmp_path / "a.gpkg", "GPKG", layer="owners")
    assert "owners" in refusal(NoGeometry, tmp_path / "a.gpkg", workspace)


def test_several_layers_are_listed_and_one_must_be_chosen(geopackage: Path, workspace: Path) -> None:
    write(frame(), geopackage, "GPKG", layer="街道")
    write(frame().drop(columns="geometry"), geopackage, "GPKG", layer="owners")
    assert "districts, 街道" in refusal(ManyLayers, geopackage, workspace)
    assert read(geopackage, workspace, layer="街道") == 3
    assert read(geopackage, workspace, layer="Districts") == 3
    assert "Layers: districts, 街道" in refusal(NoSuchLayer, geopackage, workspace, layer="owners")
    assert list_layers(geopackage, workspace=workspace) == ["districts", "街道"]


def test_an_archive_of_several_sources_lists_them(tmp_path: Path, workspace: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("roads.geojson", FEATURE)
        archive.writestr("old/parcels.geojson", FEATURE)
        archive.writestr("fields.csv", "name,meaning\n")
    assert "parcels, roads" in refusal(ManyLayers, tmp_path / "a.zip", workspace)
    assert read(tmp_path / "a.zip", workspace, layer="roads") == 1
    assert list_layers(tmp_path / "a.zip", workspace=workspace) == ["parcels", "roads"]


def test_an_archive_in_an_archive_must_be_unpacked_by_hand(tmp_path: Path, workspace: Path) -> None:
    with zipfile.ZipFile(tmp_path / "inner.zip", "w") as archive:
        archive.writestr("roads.geojson", FEATURE)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "inner.zip", "inner.zip")
    assert "unpacked first" in refusal(UnsupportedFormat, tmp_path / "a.zip", workspace)


def test_points_that_are_no_numbers_stay_as_rows(tmp_path: Path, workspace: Path) -> None:
    path = write_points(tmp_path / "a.shp", [(np.nan, np.inf), (1.0, 2.0)])
    write_dbf(path.with_suffix(".dbf"), [(b"n", "C", 5, 0)], [[b"x"], [b"y"]])
    assert read(path, workspace) == 2
