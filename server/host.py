"""The one place that touches pygeoapi's internals: how it is started, what it serves, and where it is mended.

Each mend names the upstream lines that make it needed (pygeoapi 0.24); tests/integration/test_host.py has a test
beside each that fails once upstream mends it, so that it can go.
"""

import importlib
import json
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from typing import Any

from jinja2 import BytecodeCache, Environment
from jinja2.bccache import Bucket
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from core.catalogue import states
from core.crs import CRS84, Srid, parse_uri
from core.database import speaking_plainly
from core.errors import ChengtuError
from core.language import spoken
from features.documents import Json, Site, collection
from features.filters import parse, parse_json
from features.provider import FilterOf, Source
from features.search import Bounds
from server.asked import FORMS
from server.conformance import CONFORMANCE
from server.manager import checked

Config = dict[str, Any]


class Host:
    """pygeoapi in this process: `routes` go into our application, `publish` changes what they serve."""

    def __init__(self, config: Config) -> None:
        self._module = _start(config)
        _mend(self._module)
        self.publish(config)

    @property
    def routes(self) -> list[BaseRoute]:
        """The host's routes, for our own application: its error handlers and middleware then hold for all."""
        routes: list[BaseRoute] = list(self._module.api_routes)
        return routes

    def publish(self, config: Config) -> None:
        """Serve `config` from now on; requests under way finish with the one they began with."""
        self._module.api_ = _pygeoapi("api").API(deepcopy(config), {})  # one rebinding: atomic for every later request
        _pygeoapi("l10n")._cfg_cache.clear()  # else pages keep the titles of before (l10n.py:338-346)


def _pygeoapi(name: str) -> Any:  # noqa: ANN401 — pygeoapi has no types
    """A module of pygeoapi: `import pygeoapi.config` would give a click group (pygeoapi/__init__.py:42-44)."""
    return importlib.import_module(f"pygeoapi.{name}")


def _start(config: Config) -> Any:  # noqa: ANN401
    """Import pygeoapi's application, which reads its configuration while it is imported (starlette_app.py:67-91)."""
    os.environ.setdefault("PYGEOAPI_OPENAPI", "in-memory")  # only its presence is checked (starlette_app.py:69)
    _pygeoapi("config").get_config = lambda raw=False: deepcopy(config)
    _pygeoapi("openapi").load_openapi_document = dict
    _pygeoapi("api").setup_logger = lambda logging_config: None  # logs are ours (api/__init__.py:550)
    return _pygeoapi("starlette_app")


class Tame:
    """ASGI middleware that gives the host no header it stumbles over.

    A language with a script, or of weight 0, is a 500 there (l10n.py:173), and so is a format of weight 0
    (util.py:750). It gets the plain tag of the language that we have understood already.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its headers, and its `lang`, rewritten."""
        if scope["type"] == "http":
            language = spoken.get().encode()
            headers = [(b"accept-language", language)]
            for name, value in scope["headers"]:
                if name == b"accept":
                    headers.append((name, b",".join(part for part in value.split(b",") if not _NO_WEIGHT.search(part))))
                elif name != b"accept-language":
                    headers.append((name, value))
            query = _LANGUAGE.sub(rb"\1lang=" + language, scope["query_string"])
            scope = {**scope, "headers": headers, "query_string": query}
        await self.app(scope, receive, send)


_NO_WEIGHT = re.compile(rb";\s*q=0(\.0*)?\s*$")
_LANGUAGE = re.compile(rb"(^|&)lang=[^&]*")


def _mend(app: Any) -> None:  # noqa: ANN401
    """Put our functions in the place of upstream's faulty ones."""
    _pygeoapi("util").Environment = CachingEnvironment
    app._to_response = _to_response
    items = _pygeoapi("api.itemtypes")
    items.transform_bbox = _keep_bbox
    items.create_crs_transform_spec = _wanted_crs
    items.modify_pygeofilter = _keep_filter
    items.parse_cql2_text, items.parse_cql2_json = parse, parse_json
    _pygeoapi("api").CONFORMANCE_CLASSES = [*CONFORMANCE]
    _pygeoapi("api").gen_collection = _collection
    processes = _pygeoapi("api.processes")
    processes.CONFORMANCE_CLASSES = items.CONFORMANCE_CLASSES_FEATURES = []
    processes.execute_process = checked(processes.execute_process)
    for name in [name for name, module in sys.modules.items() if hasattr(module, "to_json")]:
        if name.startswith("pygeoapi."):
            _pygeoapi(name.removeprefix("pygeoapi.")).to_json = _to_json


def _collection(api: Any, request: Any, dataset: str, locale: Any) -> Json:  # noqa: ANN401
    """Upstream's page would tell other things of a data set than our document (api/collection.py:55-290)."""
    source: Source = api.config["resources"][dataset]["providers"][0]["data"]
    state = source.table.dataset.state
    if request.path_info != "collections":  # its own page, where the numbers count; it stays up without the database
        with suppress(ChengtuError), speaking_plainly(), source.door.pool.connection() as connection:
            state = states(connection, dataset).get(dataset, state)
    return collection(source.table, state, Site(api.base_url, spoken.get(), FORMS))


class _MemoryCache(BytecodeCache):
    """Compiled templates, by their key and checksum, for the life of the process."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


class CachingEnvironment(Environment):
    """Upstream makes an environment for every page and compiles each template anew (util.py:488-515)."""

    _cache = _MemoryCache()

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 — Jinja's own options
        super().__init__(**options, bytecode_cache=self._cache)


def _to_response(headers: dict[str, str], status: int, content: Any) -> Response:  # noqa: ANN401
    """Upstream fails on responses without a Content-Type, such as a deletion's (starlette_app.py:112)."""
    type_ = headers.get("Content-Type", "application/json")
    if isinstance(content, dict):
        response: Response = JSONResponse(content, status)
    elif type_.startswith("text/html"):
        response = HTMLResponse(content, status)
    else:
        response = Response(content, status)
    response.headers.update({"Content-Type": type_} | headers)
    return response


def _to_json(value: Any, pretty: bool = False) -> str:  # noqa: ANN401
    """Upstream writes every `<` and `>` as an entity, and so changes the data (util.py:270-272).

    JSON's own escapes mean the same characters, and are as harmless inside a page.
    """
    serial: Callable[[Any], Any] = _pygeoapi("util").json_serial
    layout: dict[str, Any] = {"indent": 2} if pretty else {"separators": (",", ":")}
    text = json.dumps(value, default=serial, ensure_ascii=False, **layout)
    return text.replace("<", "\\u003c").replace(">", "\\u003e")


def _keep_bbox(bbox: list[float], bbox_crs: str, storage_crs: str) -> Bounds:
    """Upstream moves two corners without regard to axis order (crs.py:355-388); our provider does it in full."""
    return Bounds(tuple(bbox), parse_uri(bbox_crs))


def _wanted_crs(provider_def: Config, query_crs_uri: str | None = None) -> Srid:
    """Upstream makes a transformation in Python for each geometry (crs.py:535-594); ours happens in SQL.

    A CRS that the collection does not list raises ValueError, which upstream answers with 400.
    """
    if not query_crs_uri:
        return CRS84
    listed = {parse_uri(one) for one in provider_def["crs"]}
    try:
        wanted = parse_uri(query_crs_uri)
    except ChengtuError as error:
        raise ValueError(str(error)) from error
    if wanted not in listed:
        raise ValueError(
            f"crs {query_crs_uri} is not offered. This collection offers: {', '.join(provider_def['crs'])}"
        )
    return wanted


def _keep_filter(node: Any, *, filter_crs_uri: str, **ignored: object) -> FilterOf:  # noqa: ANN401
    """Upstream moves a filter's geometries in Python, axes unminded (crs.py:409-490); ours move in SQL."""
    return FilterOf(node, parse_uri(filter_crs_uri))
