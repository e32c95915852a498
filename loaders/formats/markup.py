"""GML and KML: read once by expat first, which refuses DTDs and finds the end missing, before GDAL may see them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from core.language import Text
from loaders import gdal
from loaders.errors import DamagedSource, UnsafeSource
from loaders.text import find_codec, in_utf8, sample_file, settle
from loaders.vector import Opening

_BLOCK = 1 << 20
_DECLARED = re.compile(rb"""^(?:\xef\xbb\xbf)?\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]{1,40})["']""")

# Fields that the KML driver adds to every layer: how a globe shows a placemark, not what it is.
_DISPLAY = frozenset({"altitudeMode", "tessellate", "extrude", "visibility", "drawOrder", "icon", "snippet"})


def prepare_gml(path: Path, shown: Path, workspace: Path, encoding: str | None) -> Opening:
    """Types come from an .xsd beside the file; without one GDAL would make numbers of codes, so that we look ourselves."""
    schema = path.with_suffix(".xsd")
    companions = {"source.xsd": schema} if schema.is_file() else {}
    if companions:
        check(schema, shown)
    opening = _prepare(path, shown, workspace, encoding, "GML", "source.gml", companions)
    gdal.configure({"GML_FIELDTYPES": "" if companions else "ALWAYS_STRING"})
    return opening


def prepare_kml(path: Path, shown: Path, workspace: Path, encoding: str | None) -> Opening:
    """KML is always longitude, latitude on WGS 84."""
    name = re.sub(r"[^\w.-]", "_", path.stem)  # GDAL names a document without a name after its file
    return _prepare(path, shown, workspace, encoding, "LIBKML", f"{name}.kml", {})


def _prepare(
    path: Path,
    shown: Path,
    workspace: Path,
    encoding: str | None,
    driver: str,
    name: str,
    companions: dict[str, Path],
) -> Opening:
    declared = _declared(path)
    guess = settle(sample_file(path), (declared, "the XML declaration") if declared else None, encoding)
    view = gdal.link(workspace, {name: path, **companions})
    text, notes = in_utf8(view / name, view / f"utf8-{name}", guess)
    if text.name != name:
        _redeclare(text)
    check(text, shown)
    is_kml = driver == "LIBKML"
    return Opening(
        gdal.Dataset(text, shown, driver),
        guess=guess,
        lon_lat=is_kml,
        folders=is_kml,
        infer=not is_kml and not companions,
        drop=_DISPLAY if is_kml else frozenset(),
        notes=notes,
    )


def _declared(path: Path) -> str | None:
    with path.open("rb") as file:
        match = _DECLARED.search(file.read(400))
    name = match.group(1).decode("ascii") if match else None
    return name if name and find_codec(name) else None


def _redeclare(path: Path) -> None:
    """Blank the encoding out of a copy's XML declaration: it is UTF-8 now."""
    with path.open("r+b") as file:
        head = file.read(400)
        if match := _DECLARED.search(head):
            start = head.rindex(b"encoding", 0, match.start(1))
            file.seek(start)
            file.write(b" " * (match.end() - start))


def check(path: Path, shown: Path) -> None:
    """Parse the whole document: `UnsafeSource` for a DTD, `DamagedSource` for what is not well formed."""

    def refuse(*_: object) -> None:
        raise UnsafeSource(
            path=shown,
            why=Text(
                "it has a DTD, whose entities can read other files or fill the memory",
                "含有 DTD,其中的实体可读取其他文件或耗尽内存",
            ),
            advice=Text("Remove the <!DOCTYPE ...> part.", "请删除 <!DOCTYPE ...> 部分。"),
        )

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = refuse
    try:
        with path.open("rb") as file:
            for block in _blocks(file):
                parser.Parse(block, False)
            parser.Parse(b"", True)
    except expat.ExpatError as error:
        why = Text(f"the XML breaks at line {error.lineno}", f"XML 在第 {error.lineno} 行出错")
        raise DamagedSource(path=shown, why=why) from error


def _blocks(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block


def has_placemarks(path: Path) -> bool:
    """Whether a KML document has features of its own; the main one of a KMZ may only point to others."""
    before = b""
    with path.open("rb") as file:
        for block in _blocks(file):
            if b"Placemark" in before + block:
                return True
            before = block[-16:]
    return False
