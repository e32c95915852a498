"""A finished tile as an HTTP answer: validators, and how long it may be kept."""

from email.utils import formatdate
from functools import lru_cache
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response

from server.caching import mark_zipped, not_modified
from server.zipping import wants_gzip
from tiles.cache import Kept
from tiles.layer import TileLayer
from tiles.reader import unzip, zip_

MVT: Final = "application/vnd.mapbox-vector-tile"


def answer(asked: Headers, kept: Kept, *, max_age: int, left_out: str | None = None, empty: int = 200) -> Response:
    """The answer to a request for a tile; `empty` is the status of one with nothing in it.

    A cached tile was compared with the database at this very request: its age (RFC 9111, 5.1) is nought.
    """
    tag = f'"{kept.etag}"'
    headers = {
        "ETag": tag,
        "Cache-Control": f"public, max-age={max_age}" if max_age else "no-cache",
        "Age": "0",
        "Cache-Status": "chengtu; hit" if kept.hit else "chengtu; fwd=miss",  # RFC 9211
        "Last-Modified": _date(int(kept.made)),
        "Vary": "Accept-Encoding",
    }
    if left_out or kept.left_out:
        headers["Chengtu-Left-Out"] = ", ".join(filter(None, (left_out, "budget" if kept.left_out else None)))
    if response := not_modified(asked, headers):
        return response
    if kept.is_empty:
        return Response(status_code=empty, headers=headers, media_type=MVT if empty == 200 else None)
    if wants_gzip(asked):
        headers |= {"ETag": mark_zipped(tag), "Content-Encoding": "gzip"}
        return Response(kept.zipped or zip_(kept.raw), headers=headers, media_type=MVT)
    return Response(kept.raw or unzip(kept.zipped), headers=headers, media_type=MVT)


@lru_cache(maxsize=10_000)
def _date(seconds: int) -> str:
    return formatdate(seconds, usegmt=True)


def left_out_at(layer: TileLayer, zoom: int) -> str | None:
    """What the generalised features of a zoom leave out, as a dictionary of RFC 8941; None where they leave out nothing."""
    told = layer.left_out.get(zoom)
    return f"features={told['features']}, area-share={told['area_share']:.4f}" if told and told["features"] else None
