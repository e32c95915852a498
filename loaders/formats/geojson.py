"""GeoJSON and its forms of one feature a line: UTF-8 by the standard, but not always by the file."""

import json
import os
import re
from dataclasses import replace
from pathlib import Path

from core.language import Text
from loaders import gdal
from loaders.errors import DamagedSource, UnsafeSource
from loaders.text import in_utf8, sample_file, settle
from loaders.vector import Opening

_EDGE = 1 << 16  # bytes at each end of a file among which a crs member stands
_LAST_LINE = 64 << 20  # bytes that the last feature of a sequence may have
_KNOWN_AS_WGS84 = re.compile(r"CRS:?84|4326|WGS ?84", re.IGNORECASE)


def prepare(path: Path, shown: Path, workspace: Path, encoding: str | None) -> Opening:
    """Settle the encoding of a feature collection; GDAL itself checks the JSON to its end."""
    opening = _prepare(path, shown, workspace, encoding, "GeoJSON", "source.geojson")
    name = _crs_name(opening.dataset.path, shown)
    if name is None or _KNOWN_AS_WGS84.search(name):
        return opening
    return replace(opening, wgs84_unless=name)


def prepare_sequence(path: Path, shown: Path, workspace: Path, encoding: str | None) -> Opening:
    """Settle the encoding of a sequence of features, and see that the last one is whole: GDAL takes half a one."""
    opening = _prepare(path, shown, workspace, encoding, "GeoJSONSeq", "source.geojsonl")
    _check_last(opening.dataset.path, shown)
    return opening


def _prepare(path: Path, shown: Path, workspace: Path, encoding: str | None, driver: str, name: str) -> Opening:
    guess = settle(sample_file(path), None, encoding)
    view = gdal.link(workspace, {name: path})
    text, notes = in_utf8(view / name, view / f"utf8-{name}", guess)
    dataset = gdal.Dataset(text, shown, driver)
    return Opening(dataset, layer_name=path.stem, guess=guess, lon_lat=True, notes=notes)


def _crs_name(path: Path, shown: Path) -> str | None:
    """What the crs member of GeoJSON 2008 says; None without one, "" for null.

    It could also be a web address, which GDAL would fetch.
    """
    with path.open("rb") as file:
        head = file.read(_EDGE).split(b'"features"')[0]
        file.seek(max(path.stat().st_size - _EDGE, 0))
        tail = file.read(_EDGE).rpartition(b"]")[2]
    member = _member(head) or _member(tail)
    if member is None:
        return None
    crs = member[0]
    if not isinstance(crs, dict):
        return ""
    if crs.get("type") in ("link", "url"):
        raise UnsafeSource(
            path=shown,
            why=Text("its crs member is a web link", "其 crs 成员是网络链接"),
            advice=Text("Remove the member and give the CRS with --srs.", "请删除该成员,并用 --srs 指定坐标系。"),
        )
    properties = crs.get("properties")
    return str(properties.get("name", "")) if isinstance(properties, dict) else ""


def _member(text: bytes) -> tuple[object] | None:
    """The value of the member "crs" in a part of a JSON text."""
    match = re.search(rb'"crs"\s*:\s*', text)
    if not match:
        return None
    try:
        return (json.JSONDecoder().raw_decode(text[match.end() :].decode("utf-8", "replace"))[0],)
    except (ValueError, RecursionError):
        return None


def _check_last(path: Path, shown: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(size - _LAST_LINE, 0), os.SEEK_SET)
        last = re.split(rb"[\n\r\x1e]", file.read().rstrip(b" \t\r\n\x1e"))[-1]
    try:
        json.loads(last)
    except (ValueError, RecursionError) as error:
        why = Text("its last feature is not whole", "最后一个要素不完整")
        raise DamagedSource(path=shown, why=why) from error
