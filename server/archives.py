"""Archives of tiles that the service is given: as tiles, as TileJSON, and as the files that they are."""

import asyncio
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import BaseRoute, Route

from core.errors import ChengtuError
from core.language import spoken
from server.caching import mark_zipped, not_modified
from server.zipping import wants_gzip
from tiles.archive.given import Archive

_NAME = re.compile(r"[a-z0-9_-]{1,60}")
_ENDING: Final = ".pmtiles"
_PMTILES: Final = "application/vnd.pmtiles"
_BEYOND: Final = 2**40
_TEXTS: Final = ("name", "description", "attribution", "version")

type Json = dict[str, Any]


class NoSuchArchive(ChengtuError):
    """No file of this name, or a name that none may have."""

    en = "There is no archive {name!r}. /archives lists those there are; names are of a-z, 0-9, _ and -."
    zh = "没有归档 {name!r}。可用归档见 /archives;名称只能用 a-z、0-9、_ 和 -。"
    code = "NotFound"
    status = 404


class OnlyPmtiles(ChengtuError):
    """MBTiles, which are an SQLite database and no file to read ranges of."""

    en = "{name}.mbtiles is not served: convert it once with `pmtiles-convert {name}.mbtiles {name}.pmtiles`."
    zh = "不直接提供 {name}.mbtiles:请先用 `pmtiles-convert {name}.mbtiles {name}.pmtiles` 转换。"
    code = "NotFound"
    status = 404


class NoSuchForm(ChengtuError):
    """Tiles of another kind than the archive holds."""

    en = "The tiles of {name} are .{ending}."
    zh = "{name} 的瓦片为 .{ending} 格式。"
    code = "NotFound"
    status = 404


class NotInArchive(ChengtuError):
    """A tile that the archive does not have."""

    en = "{name} has no tile {z}/{x}/{y}."
    zh = "{name} 中没有瓦片 {z}/{x}/{y}。"
    code = "NotFound"
    status = 404


async def archives(request: Request) -> JSONResponse:
    """Those there are; what is wrong with one is told in its place."""
    listed = await asyncio.to_thread(_listed, request)
    return JSONResponse({"archives": listed}, headers=_KEPT_FOR_NOW)


_KEPT_FOR_NOW = {"Cache-Control": "no-cache"}


def _listed(request: Request) -> list[Json]:
    folder, base = _folder(request), request.app.state.settings.base_url
    files = sorted(folder.glob("*.*")) if folder.is_dir() else []
    return [_told(one, base) for one in files if one.suffix in (_ENDING, ".mbtiles") and _NAME.fullmatch(one.stem)]


def _told(path: Path, base: str) -> Json:
    try:
        if path.suffix != _ENDING:
            raise OnlyPmtiles(name=path.stem)
        archive = _opened(path)
        title = archive.metadata().get("name")
    except ChengtuError as error:
        return {"id": path.stem, "file": path.name, "problem": error.message(spoken.get())}
    here = f"{base}/archives/{path.stem}"
    links = [
        {"rel": "describedby", "type": "application/json", "href": f"{here}.json"},
        {"rel": "enclosure", "type": _PMTILES, "href": f"{here}{_ENDING}", "length": archive.size},
    ]
    return {"id": path.stem, "title": title if isinstance(title, str) else path.stem, "links": links}


async def tile_json(request: Request) -> Response:
    """What web maps read before they ask for tiles (TileJSON 3.0.0)."""
    archive, metadata = await asyncio.to_thread(_with_metadata, request)
    headers = _headers(archive, "json")
    document = _tile_json(archive, metadata, request.app.state.settings.base_url)
    return not_modified(request.headers, headers) or JSONResponse(document, headers=headers)


def _with_metadata(request: Request) -> tuple[Archive, Json]:
    archive = _archive(request)
    return archive, archive.metadata()


def _tile_json(archive: Archive, metadata: Json, base: str) -> Json:
    """The archive's own words, as far as they are texts; its layers, as far as they are layers."""
    header = archive.header
    words = {name: metadata[name] for name in _TEXTS if isinstance(metadata.get(name), str)}
    layers = metadata.get("vector_layers")
    known = [one for one in layers if isinstance(one, dict) and "id" in one] if isinstance(layers, list) else []
    box = [header[f"{end}_e7"] / 1e7 for end in ("min_lon", "min_lat", "max_lon", "max_lat")]
    centre = [header["center_lon_e7"] / 1e7, header["center_lat_e7"] / 1e7, header["center_zoom"]]
    return {
        "tilejson": "3.0.0",
        "name": archive.name,
        **words,
        "scheme": "xyz",
        "tiles": [f"{base}/archives/{archive.name}/{{z}}/{{x}}/{{y}}.{archive.ending}"],
        "minzoom": header["min_zoom"],
        "maxzoom": header["max_zoom"],
        "bounds": box,
        "center": centre,
        **({"vector_layers": known} if archive.ending == "mvt" else {}),
    }


async def tile(request: Request) -> Response:
    """A tile; where there is none, an empty vector tile, which is what web maps expect, or 404 for a picture."""
    given = request.path_params
    z, x, y = (_whole(given[name]) for name in "zxy")
    archive, found = await asyncio.to_thread(_tile, request, z, x, y)
    if given["ending"] not in (archive.ending, {"mvt": "pbf", "jpg": "jpeg"}.get(archive.ending)):
        raise NoSuchForm(name=archive.name, ending=archive.ending)
    if found is None and (archive.ending != "mvt" or z > 30 or max(x, y) >= 2**z):
        raise NotInArchive(name=archive.name, z=z, x=x, y=y)
    headers = _headers(archive, f"{z}.{x}.{y}") | {"Vary": "Accept-Encoding"}
    if response := not_modified(request.headers, headers):
        return response
    if not found or not archive.zipped:
        return Response(found or b"", headers=headers, media_type=archive.media)
    if wants_gzip(request.headers):
        headers |= {"ETag": mark_zipped(headers["ETag"]), "Content-Encoding": "gzip"}
        return Response(found, headers=headers, media_type=archive.media)
    return Response(await asyncio.to_thread(archive.unpacked, found), headers=headers, media_type=archive.media)


def _whole(text: str) -> int:
    """A number of an address; what is none is beyond all archives."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 else _BEYOND


def _tile(request: Request, z: int, x: int, y: int) -> tuple[Archive, bytes | None]:
    archive = _archive(request)
    place = archive.place(z, x, y)
    return archive, archive.read(place) if place is not None else None


async def file(request: Request) -> Response:
    """The archive itself, whole or in ranges, for clients that read PMTiles themselves; never zipped."""
    archive = await asyncio.to_thread(_archive, request)
    headers = _headers(archive, "file") | {"Accept-Ranges": "bytes"}
    if "range" not in request.headers and (response := not_modified(request.headers, headers)):
        return response
    return _File(archive, headers)


class _File(FileResponse):
    """An archive on its way, which stays open until it has gone out."""

    def __init__(self, archive: Archive, headers: dict[str, str]) -> None:
        super().__init__(archive.opened, headers=headers, media_type=_PMTILES)
        self.archive = archive


def _headers(archive: Archive, what: str) -> dict[str, str]:
    return {"ETag": f'"{archive.tag}-{what}"', **_KEPT_FOR_NOW}


def _archive(request: Request) -> Archive:
    return _opened(_path(request))


def _path(request: Request) -> Path:
    """The file of an archive; its name is checked before anything is looked for."""
    name = request.path_params["name"]
    if not _NAME.fullmatch(name):
        raise NoSuchArchive(name=name[:60])
    path = _folder(request) / f"{name}{_ENDING}"
    if not path.exists():
        raise (OnlyPmtiles if path.with_suffix(".mbtiles").exists() else NoSuchArchive)(name=name)
    return path


def _folder(request: Request) -> Path:
    folder: Path = request.app.state.settings.tile_archives
    return folder


def _opened(path: Path) -> Archive:
    """An archive; opened once, as long as its file stays the same."""
    try:
        found = path.stat()
        return _open(path, found.st_ino, found.st_mtime_ns, found.st_size)
    except OSError as error:
        raise NoSuchArchive(name=path.stem) from error


@lru_cache(maxsize=32)
def _open(path: Path, *_same: int) -> Archive:
    return Archive(path)


_TILE = "/archives/{name}/{z}/{x}/{y}.{ending}"
ARCHIVE_ROUTES: list[BaseRoute] = [
    Route("/archives", archives),
    Route("/archives/{name}.json", tile_json),
    Route(f"/archives/{{name}}{_ENDING}", file),
    Route(_TILE, tile),
]
