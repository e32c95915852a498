"""Answers zipped for those who can read that."""

import asyncio
import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from server.zipping import Zipping

TEXT = '{"名称":"吉林市"}' * 500


async def whole(request: Request) -> Response:
    type_ = request.query_params.get("type", "application/geo+json")
    size = int(request.query_params.get("size", len(TEXT)))
    return Response(TEXT[:size], media_type=type_, headers={"ETag": '"1.0-ab"'})


async def pieces(request: Request) -> Response:
    async def body() -> AsyncIterator[bytes]:
        for start in range(0, len(TEXT), 1000):
            yield TEXT[start : start + 1000].encode()

    return StreamingResponse(body(), media_type="application/geo+json")


def ask(path: str, accepted: str) -> tuple[httpx.Response, bytes]:
    """The answer, and its body as it was sent."""
    app = Starlette(routes=[Route("/whole", whole), Route("/pieces", pieces)], middleware=[Middleware(Zipping)])
    raw = b""

    async def run() -> httpx.Response:
        nonlocal raw
        transport = httpx.ASGITransport(app)
        async with (
            httpx.AsyncClient(transport=transport, base_url="http://x") as client,
            client.stream("GET", path, headers={"Accept-Encoding": accepted}) as answer,
        ):
            raw = b"".join([part async for part in answer.aiter_raw()])
        return answer

    return asyncio.run(run()), raw


@pytest.mark.parametrize("path", ["/whole", "/pieces"])
@pytest.mark.parametrize("accepted", ["gzip", "br, gzip;q=0.5", "*", "deflate,GZIP ; q=1"])
def test_who_can_read_it_gets_it_zipped(path: str, accepted: str) -> None:
    answer, raw = ask(path, accepted)
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw).decode() == TEXT
    assert "Accept-Encoding" in answer.headers["vary"]
    assert answer.headers.get("content-length", str(len(raw))) == str(len(raw))


@pytest.mark.parametrize("path", ["/whole", "/pieces"])
@pytest.mark.parametrize("accepted", ["", "identity", "br", "gzip;q=0", "gzip;q=0.000, br"])
def test_who_cannot_gets_it_plain_and_caches_know(path: str, accepted: str) -> None:
    answer, raw = ask(path, accepted)
    assert "content-encoding" not in answer.headers
    assert raw.decode() == TEXT
    assert "Accept-Encoding" in answer.headers["vary"]


@pytest.mark.parametrize(
    "path", ["/whole?type=image/png", "/whole?type=application/geopackage%2Bsqlite3", "/whole?size=40"]
)
def test_what_does_not_gain_by_it_stays_as_it_is(path: str) -> None:
    answer, _ = ask(path, "gzip")
    assert "content-encoding" not in answer.headers


def test_the_tag_of_the_zipped_answer_is_another() -> None:
    assert ask("/whole", "gzip")[0].headers["etag"] == '"1.0-ab-gz"'
    assert ask("/whole", "br")[0].headers["etag"] == '"1.0-ab"'
