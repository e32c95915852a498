"""A small OGC API - Features server that does everything QGIS asks for, and on demand one thing wrong."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
WGS84 = "http://www.opengis.net/def/crs/EPSG/0/4326"
_OGC = "http://www.opengis.net/spec"
CLASSES = [
    f"{_OGC}/ogcapi-features-1/1.0/conf/core",
    f"{_OGC}/ogcapi-features-2/1.0/conf/crs",
    f"{_OGC}/ogcapi-features-3/1.0/conf/filter",
    f"{_OGC}/ogcapi-features-3/1.0/conf/features-filter",
    f"{_OGC}/ogcapi-features-5/1.0/conf/schemas",
    *(
        f"{_OGC}/cql2/1.0/conf/{name}"
        for name in (
            "cql2-text",
            "basic-cql2",
            "advanced-comparison-operators",
            "case-insensitive-comparison",
            "basic-spatial-functions",
            "basic-spatial-operators",
        )
    ),
]
COUNT = 2500
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"
SCHEMA_REL = "http://www.opengis.net/def/rel/ogc/1.0/schema"

Row = dict[str, Any]
ROWS: list[Row] = [
    {
        "id": number,
        "x": 126.5 + number % 50 * 0.001,
        "y": 43.8 + number // 50 * 0.001,
        "land_use": "park" if number % 50 else "O'Brien & Söhne",
        "area": number + 0.5,
        "seen": f"2024-01-{number % 28 + 1:02}T08:00:00Z",
    }
    for number in range(COUNT)
]


class Server:
    """The answers, each a method; `faults` names what is to be wrong, `elsewhere` another host's address."""

    def __init__(self, faults: set[str], elsewhere: str = "") -> None:
        self.faults = faults
        self.elsewhere = elsewhere
        self.base = ""
        self.written: list[str] = []

    def app(self) -> ASGIApp:
        """The routes, and gzip unless that is the fault."""
        methods = ["GET", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
        routes = [
            Route("/", self.landing),
            Route("/api", self.api),
            Route("/conformance", self.conformance),
            Route("/collections", self.collections),
            Route("/collections/lots", self.collection),
            Route("/collections/lots/queryables", self.queryables),
            Route("/collections/lots/schema", self.schema),
            Route("/collections/lots/items", self.items, methods=methods),
            Route("/collections/lots/items/{id}", self.item, methods=methods),
        ]
        packed = [] if "plain" in self.faults else [Middleware(GZipMiddleware)]
        return Starlette(routes=routes, middleware=packed)

    def has(self, fault: str) -> bool:
        """Whether this is to be wrong."""
        return fault in self.faults

    def link(self, request: Request, path: str, rel: str, type_: str = "application/json") -> dict[str, str]:
        """A link that keeps the query string, as behind a key."""
        query = "" if self.has("key lost") else request.url.query
        return {"rel": rel, "type": type_, "href": f"{self.base}{path}" + (f"?{query}" if query else "")}

    async def landing(self, request: Request) -> Response:
        if self.has("redirects elsewhere"):
            return RedirectResponse(f"{self.elsewhere}/")
        if self.has("gbk"):
            return Response(json.dumps({"title": "城市", "links": []}, ensure_ascii=False).encode("gbk"))
        if self.has("html"):
            return Response("<!doctype html><title>Welcome</title>", media_type="text/html")
        links = [
            self.link(request, "/api", "service-desc", OPENAPI),
            self.link(request, "/collections", "data"),
            self.link(request, "/conformance", "conformance"),
        ]
        dropped = {"service-desc", "data", "conformance"} & {fault.removeprefix("no link ") for fault in self.faults}
        if self.has("data elsewhere"):
            links[1]["href"] = f"{self.elsewhere}/collections"
        return JSONResponse({"title": "城市", "links": [one for one in links if one["rel"] not in dropped]})

    async def api(self, request: Request) -> Response:
        parameter = {"in": "query", "style": "form", "explode": False}
        schema = {"type": "integer", "default": 10, "maximum": 1000}
        shared = {} if self.has("no limit parameter") else {"limit": {"name": "limit", **parameter, "schema": schema}}
        simple = {"name": "land_use", **parameter, "schema": {"type": "string"}}
        return JSONResponse(
            {
                "info": {"contact": {"name": "Bureau"}},
                "components": {"parameters": {**shared, "use": simple}},
                "paths": {
                    "/collections/lots/items": {"get": {"parameters": [{"$ref": "#/components/parameters/use"}]}}
                },
            }
        )

    async def conformance(self, request: Request) -> Response:
        if self.has("key needed") and "key" not in request.query_params:
            return JSONResponse({"description": "no key"}, 401)
        missing = [fault.removeprefix("no class ") for fault in self.faults if fault.startswith("no class ")]
        return JSONResponse({"conformsTo": [one for one in CLASSES if not one.endswith(tuple(missing) or ("?",))]})

    async def collections(self, request: Request) -> Response:
        return JSONResponse({"links": [], "collections": [self._collection(request)]})

    async def collection(self, request: Request) -> Response:
        return JSONResponse(self._collection(request))

    def _collection(self, request: Request) -> dict[str, Any]:
        return {
            "id": "lots",
            "title": "宗地",
            "extent": {} if self.has("no extent") else {"spatial": {"bbox": [[126.5, 43.8, 126.55, 43.85]]}},
            "crs": [WGS84, CRS84] if self.has("crs order") else [CRS84, WGS84],
            "storageCrs": WGS84,
            "itemCount": COUNT + self.has("stale count"),
            "links": [
                {"rel": "license", "type": "text/html", "title": "CC BY", "href": "https://example.org/by"},
                self.link(request, "/collections/lots/schema", SCHEMA_REL, "application/schema+json"),
            ],
        }

    async def queryables(self, request: Request) -> Response:
        geometry = {"$ref": "https://geojson.org/schema/Point.json"}
        if self.has("no ref"):
            geometry = {"type": "object", "format": "geometry-point"}
        fields = {"land_use": {"type": "string"}, "seen": {"type": "string", "format": "date-time"}}
        if self.has("dates unmarked"):
            fields["seen"].pop("format")
        return JSONResponse({"properties": {"geom": geometry, **fields, "area": {"type": "number"}}})

    async def schema(self, request: Request) -> Response:
        names = {"land_use": "string", "area": "number", "seen": "string"}
        if self.has("schema short"):
            names.pop("area")
        fields = {name: {"type": one, "x-ogc-propertySeq": at} for at, (name, one) in enumerate(names.items())}
        if self.has("schema sequence"):
            fields["seen"]["x-ogc-propertySeq"] = 0
        geometry = {"x-ogc-role": "primary-geometry", "format": "geometry-point"}
        return JSONResponse({"properties": fields if self.has("schema flat") else {"geom": geometry, **fields}})

    async def item(self, request: Request) -> Response:
        if request.method != "OPTIONS":
            self.written.append(request.method)
        return Response(headers={"Allow": "GET, PUT" if self.has("no delete") else "GET, PUT, PATCH, DELETE"})

    async def items(self, request: Request) -> Response:
        if request.method == "OPTIONS":
            return Response(headers={"Allow": "GET" if self.has("read-only") else "GET, POST"})
        if request.method != "GET":
            self.written.append(request.method)
        return self._page(dict(request.query_params))

    def _page(self, asked: dict[str, str]) -> Response:
        if "S_INTERSECTS" in asked.get("filter", "") and self.has("spatial refused"):
            return JSONResponse({"description": "KeyError: 'bbox'"}, 500)
        rows = [one for one in ROWS if all(fits(one) for fits in self._conditions(asked))]
        offset, limit = int(asked.get("offset", "0")), min(int(asked.get("limit", "10")), 1000)
        if self.has("limit ignored"):
            limit = len(rows)
        first = max(0, offset - 1) if self.has("doubles") else offset
        shown = rows[first : first + limit]
        if self.has("hole") and 0 < offset < 2000:
            shown = []
        page: dict[str, Any] = {
            "type": "FeatureCollection",
            "features": [self._feature(one, asked.get("crs", CRS84), at) for at, one in enumerate(shown, offset)],
            "numberMatched": len(rows),
            "links": self._next(asked, offset, limit) if offset + limit < len(rows) else [],
        }
        if self.has("no count"):
            page.pop("numberMatched")
        return JSONResponse(page, headers={"Content-Crs": f"<{asked.get('crs', CRS84)}>"})

    def _next(self, asked: dict[str, str], offset: int, limit: int) -> list[dict[str, str]]:
        following = {**asked, "limit": str(limit), "offset": str(offset + limit)}
        for fault in ("next loses bbox", "next loses limit", "next loses crs"):
            if self.has(fault):
                following.pop(fault.split()[-1], None)
        if self.has("loop"):
            following["offset"] = str(offset)
        address = f"{self.base}/collections/lots/items?{urlencode(following)}"
        if self.has("token"):
            token = json.dumps(following).encode().hex()
            address = f"{self.base}/collections/lots/items?token={token}"
        if self.has("relative next"):
            address = address.removeprefix(self.base)
        if self.has("next elsewhere"):
            address = address.replace(self.base, self.elsewhere)
        type_ = "application/json" if self.has("next type") else "application/geo+json"
        return [] if self.has("no next") else [{"rel": "next", "type": type_, "href": address}]

    def _feature(self, row: Row, crs: str, at: int) -> dict[str, Any]:
        swapped = (crs == WGS84 and not self.has("axes")) or (crs == CRS84 and self.has("latlon"))
        point = [row["y"], row["x"]] if swapped else [row["x"], row["y"]]
        properties = {name: row[name] for name in ("land_use", "area", "seen")}
        if self.has("late numbers") and row["id"] < 10:
            properties["area"] = None
        if self.has("late decimals") and row["id"] < 10:
            properties["area"] = row["id"]
        feature = {"type": "Feature", "geometry": {"type": "Point", "coordinates": point}, "properties": properties}
        id_ = row["id"] // 2 if self.has("ids shared") else at if self.has("ids by row") else row["id"]
        return feature if self.has("no id") else feature | {"id": id_}

    def _conditions(self, asked: dict[str, str]) -> Iterator[Callable[[Row], bool]]:
        if "token" in asked:
            asked.update(json.loads(bytes.fromhex(asked.pop("token"))))
        if "bbox" in asked and not self.has("bbox ignored"):
            yield partial(self._within, asked["bbox"], CRS84 if self.has("bbox axes") else asked.get("bbox-crs", CRS84))
        if "land_use" in asked and not self.has("simple ignored"):
            yield lambda one: bool(one["land_use"] == asked["land_use"])
        if "datetime" in asked:
            yield lambda one: bool(one["seen"] >= asked["datetime"].split("/")[0])
        if "filter" in asked and not self.has("filter ignored"):
            yield self._cql2(asked["filter"], asked.get("filter-crs", CRS84))

    def _within(self, box: str, crs: str, row: Row) -> bool:
        a, b, c, d = (float(number) for number in box.split(","))
        if crs == WGS84:
            a, b, c, d = b, a, d, c
        return bool(a <= row["x"] <= c and b <= row["y"] <= d)

    def _cql2(self, text: str, crs: str) -> Callable[[Row], bool]:
        """The five sentences that a check sends, written as QGIS writes them."""
        if match := re.fullmatch(r"S_INTERSECTS\(geom,BBOX\((.*)\)\)", text):
            return partial(self._within, match[1], crs)
        if match := re.fullmatch(r"\(seen >= TIMESTAMP\('(.*)\.000Z'\)\)", text):
            return lambda one: bool(one["seen"] >= match[1])
        if match := re.fullmatch(r"\(CASEI\(\"land_use\"\) LIKE CASEI\('(.*)'\)\)", text):
            return lambda one: bool(one["land_use"].casefold() == match[1].replace("''", "'").casefold())
        match = re.fullmatch(r"\(\"land_use\" = '(.*)'\)|\"land_use\" IN \('(.*)'\)", text)
        assert match, text
        value = (match[1] or match[2]).replace("''", "'")
        return lambda one: bool(one["land_use"] == value)


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an application from a thread; its address."""
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


@contextmanager
def perfect_server(*faults: str, elsewhere: str = "") -> Iterator[Server]:
    """The server, running, with these faults."""
    server = Server(set(faults), elsewhere)
    with serving(server.app()) as server.base:
        yield server
