"""What a file really is: its suffix says what it should be, its first bytes whether it is that."""

import re
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple
from xml.parsers import expat

from core.language import Text
from loaders.errors import (
    EmptySource,
    NoSuchSource,
    NotALocalFile,
    UnreadableSource,
    UnsupportedFormat,
    WrongContent,
)

type Kind = Literal[
    "csv", "dxf", "filegdb", "flatgeobuf", "geojson", "geojson-seq", "geopackage", "gml", "kml", "kmz", "mif",
    "osm", "parquet", "shapefile", "tab", "xlsx", "zip",
]  # fmt: skip

SUFFIXES: dict[str, Kind] = {
    ".csv": "csv",
    ".dxf": "dxf",
    ".fgb": "flatgeobuf",
    ".gdb": "filegdb",
    ".geojson": "geojson",
    ".geojsonl": "geojson-seq",
    ".geojsons": "geojson-seq",
    ".geojsonseq": "geojson-seq",
    ".geoparquet": "parquet",
    ".gml": "gml",
    ".gpkg": "geopackage",
    ".json": "geojson",
    ".jsonl": "geojson-seq",
    ".kml": "kml",
    ".kmz": "kmz",
    ".mif": "mif",
    ".ndjson": "geojson-seq",
    ".parquet": "parquet",
    ".pbf": "osm",
    ".shp": "shapefile",
    ".tab": "tab",
    ".tsv": "csv",
    ".txt": "csv",
    ".xlsx": "xlsx",
    ".zip": "zip",
}
_HEAD = 1 << 16


class _Look(NamedTuple):
    """How the right content begins, and its name for messages."""

    name: Text
    is_right: Callable[[bytes], bool]


def _begins(*marks: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(marks)


def _text(head: bytes) -> bytes:
    """The beginning of a text without byte order mark, record separators and white space."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        head = head.decode("utf-16", "ignore").encode()
    return head.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n\x1e\0")


def _is_table(head: bytes) -> bool:
    is_text = head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" not in head
    return is_text and not _text(head).startswith((b"<", b"{", b"PK\3\4", b"%PDF"))


def _root(head: bytes) -> tuple[str, str]:
    """The local name of an XML text's first element, and all of its namespaces; empty if it is no XML."""
    found: list[tuple[str, str]] = []

    def enter(name: str, attributes: dict[str, str]) -> None:
        if not found:
            namespaces = " ".join(value for key, value in attributes.items() if key.startswith("xmlns"))
            found.append((name.rsplit(":", maxsplit=1)[-1], namespaces))

    parser = expat.ParserCreate()
    parser.StartElementHandler = enter
    with suppress(expat.ExpatError):
        parser.Parse(_without_declaration(_text(head)), False)
    return found[0] if found else ("", "")


def _without_declaration(text: bytes) -> bytes:
    """The root's name is ASCII in any encoding that a declaration may name, and expat knows only a few of them."""
    return re.sub(rb"^<\?xml.*?\?>", b"", text, count=1, flags=re.DOTALL).decode("utf-8", "replace").encode()


def _is_gml(head: bytes) -> bool:
    return any(word in _root(head)[1].lower() for word in ("/gml", "/wfs", "citygml", "inspire"))


def _is_json(head: bytes) -> bool:
    text = _text(head)
    return text.startswith(b"{") and b"gdal_streamed_alg" not in text and b"esriGeometry" not in text


_LOOKS: dict[Kind, _Look] = {
    "csv": _Look(Text("a table in text form", "文本表格"), _is_table),
    "dxf": _Look(
        Text("a text DXF drawing", "文本格式 DXF"),
        lambda head: bool(re.match(rb"\s*(?:999\s*\n.*\n\s*)*0\s*\n\s*SECTION", head)),
    ),
    "flatgeobuf": _Look(Text("FlatGeobuf", "FlatGeobuf"), lambda head: head[:3] == b"fgb" and head[4:7] == b"fgb"),
    "geojson": _Look(Text("GeoJSON", "GeoJSON"), _is_json),
    "geojson-seq": _Look(Text("GeoJSON with a feature a line", "每行一个要素的 GeoJSON"), _is_json),
    "geopackage": _Look(Text("a GeoPackage", "GeoPackage"), _begins(b"SQLite format 3\0")),
    "gml": _Look(Text("GML", "GML"), _is_gml),
    "kml": _Look(Text("KML", "KML"), lambda head: _root(head)[0] == "kml"),
    "kmz": _Look(Text("a KMZ archive", "KMZ 压缩包"), _begins(b"PK\3\4")),
    "mif": _Look(Text("MapInfo MIF", "MapInfo MIF"), lambda head: _text(head)[:7].lower() == b"version"),
    "osm": _Look(
        Text("OpenStreetMap PBF", "OpenStreetMap PBF"),
        lambda head: head[:2] == b"\0\0" and head[4:15] == b"\n\tOSMHeader",
    ),
    "parquet": _Look(Text("Parquet", "Parquet"), _begins(b"PAR1")),
    "shapefile": _Look(Text("a shapefile", "Shapefile"), _begins(b"\x00\x00\x27\x0a")),
    "tab": _Look(Text("a MapInfo table", "MapInfo 表"), lambda head: _text(head)[:6].lower() == b"!table"),
    "xlsx": _Look(Text("an Excel workbook", "Excel 工作簿"), _begins(b"PK\3\4")),
    "zip": _Look(Text("a zip archive", "zip 压缩包"), _begins(b"PK\3\4", b"PK\5\6")),
}

_ARCHIVE = Text("Unpack it first, or pack it as .zip.", "请先解压,或改为 .zip 压缩包。")
_COMPANION = Text(
    "Give the main file of the set, such as the .shp, .tab or .mif.", "请给出主文件,如 .shp、.tab 或 .mif。"
)
_DRAWING = Text(
    "Save the drawing as .dxf (text, AutoCAD 2000 or later) in CASS or AutoCAD.",
    "请在 CASS 或 AutoCAD 中将图形另存为 .dxf(文本格式,AutoCAD 2000 或更高版本)。",
)
_ACCESS = Text(
    "Export the personal geodatabase or Access file as file geodatabase (.gdb) or GeoPackage, in ArcGIS or QGIS.",
    "请在 ArcGIS 或 QGIS 中将个人地理数据库(Access)导出为文件地理数据库(.gdb)或 GeoPackage。",
)
_EXCHANGE = Text(
    "Convert the VCT exchange file to file geodatabase (.gdb), Shapefile or GeoPackage, in the software it comes from.",
    "请在原软件中将 VCT 交换文件转换为文件地理数据库(.gdb)、Shapefile 或 GeoPackage。",
)
_RASTER = Text("It is an image, not features.", "这是影像,不是矢量要素。")
_STYLE = Text("It is a style or a project; give the data it draws.", "这是样式或工程文件,请给出其引用的数据。")
_EXPORT = Text(
    "Export it as GeoPackage, Shapefile, GeoJSON or FileGDB in the software it comes from.",
    "请在原软件中导出为 GeoPackage、Shapefile、GeoJSON 或 FileGDB。",
)
_EXCEL = Text("Save it as .xlsx or .csv.", "请另存为 .xlsx 或 .csv。")
_POINTER = Text("It only points to other data; give that data itself.", "它只是指向其他数据,请直接给出该数据。")
_ADVICE: dict[str, Text] = {
    **dict.fromkeys((".rar", ".7z", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst"), _ARCHIVE),
    **dict.fromkeys((".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".mid", ".dat", ".map", ".id"), _COMPANION),
    **dict.fromkeys((".dwg", ".dgn", ".dwt"), _DRAWING),
    **dict.fromkeys((".mdb", ".accdb"), _ACCESS),
    **dict.fromkeys((".vct",), _EXCHANGE),
    **dict.fromkeys((".tif", ".tiff", ".img", ".jpg", ".jpeg", ".png", ".jp2", ".ecw", ".sid", ".asc"), _RASTER),
    **dict.fromkeys((".sld", ".qml", ".lyr", ".lyrx", ".mxd", ".aprx", ".qgs", ".qgz", ".mapx", ".stylx"), _STYLE),
    **dict.fromkeys((".xls", ".xlsb", ".et", ".ods"), _EXCEL),
    **dict.fromkeys((".vrt", ".gdalg", ".gti", ".url", ".lnk"), _POINTER),
}  # fmt: skip
_SUPPORTED = Text(
    "Read are .shp, .zip, .gpkg, .geojson, .geojsonl, .kml, .kmz, .gml, .fgb, .parquet, .gdb, .tab, .mif, .dxf, "
    ".osm.pbf, .csv and .xlsx.",
    "支持 .shp、.zip、.gpkg、.geojson、.geojsonl、.kml、.kmz、.gml、.fgb、.parquet、.gdb、.tab、.mif、.dxf、"
    ".osm.pbf、.csv 和 .xlsx。",
)

# What else a file may turn out to be, for the message.
_FOUND: tuple[tuple[bytes, Text], ...] = (
    (b"PK\3\4", Text("a zip archive", "zip 压缩包")),
    (b"SQLite format 3", Text("an SQLite database", "SQLite 数据库")),
    (b"II*\0", Text("a TIFF image", "TIFF 影像")),
    (b"MM\0*", Text("a TIFF image", "TIFF 影像")),
    (b"\x89PNG", Text("a PNG image", "PNG 图片")),
    (b"\xff\xd8\xff", Text("a JPEG image", "JPEG 图片")),
    (b"%PDF", Text("a PDF document", "PDF 文档")),
    (b"AutoCAD Binary DXF", Text("a binary DXF drawing", "二进制 DXF")),
    (b"AC10", Text("a DWG drawing (save it as .dxf)", "DWG 图形(请另存为 .dxf)")),
    (
        b"\0\1\0\0Standard ",
        Text("an Access database (export it as .gdb or .gpkg)", "Access 数据库(请导出为 .gdb 或 .gpkg)"),
    ),
    (
        b"HeadBegin",
        Text("a VCT exchange file (convert it to .gdb, .shp or .gpkg)", "VCT 交换文件(请转换为 .gdb、.shp 或 .gpkg)"),
    ),
    (b"\xd0\xcf\x11\xe0", Text("an old Office document, or one with a password", "旧版 Office 文档或加密文档")),
    (b"\x1f\x8b", Text("a gzip archive", "gzip 压缩包")),
    (b"Rar!", Text("a RAR archive", "RAR 压缩包")),
    (b"7z\xbc\xaf", Text("a 7z archive", "7z 压缩包")),
    (b"PAR1", Text("Parquet", "Parquet")),
    (b"\x00\x00\x27\x0a", Text("a shapefile", "Shapefile")),
)


def local_file(source: Path | str) -> Path:
    """The path of a plain file or directory; anything else that GDAL would take for a source is refused."""
    path = Path(source)
    try:
        if path.is_dir() or path.is_file():
            return path
        exists = path.exists()
    except (OSError, ValueError) as error:
        raise NoSuchSource(path=str(source)[:200]) from error
    text = str(source).strip()
    if exists or re.match(r"/vsi|[{<\[]|[\w+.-]{2,}:", text):
        raise NotALocalFile(path=text[:200])
    raise NoSuchSource(path=path)


def identify(path: Path, shown: Path) -> Kind:
    """The kind of a file that exists, by its suffix and checked against its first bytes.

    Raises `EmptySource`, `UnsupportedFormat` or `WrongContent`.
    """
    suffix = path.suffix.lower()
    if path.is_dir():
        return _identify_directory(path, shown)
    kind = SUFFIXES.get(suffix)
    if kind is None or kind == "filegdb":
        advice = _ADVICE.get(suffix, _SUPPORTED if suffix in ("", ".gdb") else _EXPORT)
        raise UnsupportedFormat(path=shown, advice=advice)
    head = _read_head(path, shown)
    look = _LOOKS[kind]
    if not look.is_right(head):
        raise WrongContent(path=shown, suffix=suffix, found=describe(head), expected=look.name)
    if kind == "xlsx" and not _has_member(path, "xl/workbook.xml"):
        raise WrongContent(path=shown, suffix=suffix, found=describe(head), expected=look.name)
    return kind


def _identify_directory(path: Path, shown: Path) -> Kind:
    if (path / "a00000001.gdbtable").is_file():
        return "filegdb"
    if not any(path.iterdir()):
        raise EmptySource(path=shown)
    advice = Text(
        "A directory must be an Esri file geodatabase (.gdb); else give one of its files.",
        "目录必须是 Esri 文件地理数据库(.gdb);否则请给出其中的某个文件。",
    )
    raise UnsupportedFormat(path=shown, advice=advice)


def _read_head(path: Path, shown: Path) -> bytes:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        raise UnreadableSource(path=shown, reason=error.strerror or str(error)) from error
    if not head:
        raise EmptySource(path=shown)
    return head


def _has_member(path: Path, name: str) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return name in archive.namelist()
    except (zipfile.BadZipFile, OSError):
        return True  # the archive's own check will say what is wrong


def describe(head: bytes) -> Text:
    """A name for what a file holds, by its first bytes."""
    if (known := next((name for mark, name in _FOUND if head.startswith(mark)), None)) is not None:
        return known
    text = _text(head)
    if text[:200].lower().startswith((b"<!doctype html", b"<html")):
        return Text("a web page", "网页")
    if text.startswith(b"<"):
        root = _root(head)[0] or "?"
        return Text(f"an XML document <{root[:40]}>", f"XML 文档 <{root[:40]}>")
    if text.startswith(b"{"):
        return Text("JSON of another kind", "其他类型的 JSON")
    return Text("binary data", "二进制数据") if b"\0" in head else Text("plain text", "普通文本")
