"""The page /qgis: what QGIS gets from this service, tried on the spot. It asks our own port, and never another address."""

import asyncio
import threading
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from core.catalogue import Dataset, list_datasets
from core.errors import ChengtuError, NoSuchDataset
from core.language import Language, spoken
from core.settings import Settings
from server.borders import from_error
from server.contract import Limits, Report, check
from server.pages import page
from server.qgis_connections import vector_tile_connections
from tiles.layer import MAX_ZOOM

_LIMITS = Limits(whole=60)
_BUSY = threading.Lock()  # held while this process checks: a check is thirty requests that come back to us


class CheckUnderWay(ChengtuError):
    """Another check has not ended yet."""

    en = "Another check is under way. Try again in a few seconds."
    zh = "另一项检查正在进行。请几秒后重试。"
    status = 503


async def qgis_page(request: Request) -> Response:
    """The collections; with `?collection=` the check of one; as JSON where that is asked for."""
    wanted = request.query_params.get("collection")
    datasets = await asyncio.to_thread(_published, request.app.state.pool)
    problem: ChengtuError | None = None
    report: Report | None = None
    try:
        if wanted:
            report = await asyncio.to_thread(_check, request, wanted, datasets)
    except ChengtuError as error:
        problem = error
    headers = {"Cache-Control": "no-store"} | ({"Retry-After": "5"} if problem and problem.status == 503 else {})
    if _wants_json(request):
        response: Response = from_error(problem) if problem else JSONResponse(_plain(report, datasets, request))
        response.headers.update(headers)
        return response
    shown = _shown(request, datasets, report, problem)
    return page(request, "qgis.html", shown, problem.status if problem else 200, headers)


def _published(pool: Any) -> list[Dataset]:  # noqa: ANN401 — Starlette's state has no types
    with pool.connection() as connection:
        return [one for one in list_datasets(connection) if one.healthy]


def _check(request: Request, wanted: str, datasets: list[Dataset]) -> Report:
    """Check a collection of ours, one at a time."""
    if all(one.id != wanted for one in datasets):
        raise NoSuchDataset(id=wanted)
    if not _BUSY.acquire(blocking=False):
        raise CheckUnderWay
    try:
        return check(request.app.state.settings.base_url, wanted, _LIMITS, via=_own_port(request))
    finally:
        _BUSY.release()


def _own_port(request: Request) -> str:
    """Where this very process listens, by its socket and not by what the client says."""
    settings: Settings = request.app.state.settings
    host, port = request.scope.get("server") or (settings.host, settings.port)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _wants_json(request: Request) -> bool:
    accept = request.headers.get("accept", "")
    return request.query_params.get("f", "json" if accept.startswith("application/json") else "html") == "json"


def _plain(report: Report | None, datasets: list[Dataset], request: Request) -> dict[str, Any]:
    if report is not None:
        return report.as_json()
    page = f"{request.app.state.settings.base_url}/qgis?f=json&collection="
    listed = [{"id": one.id, "title": one.title.in_(spoken.get()), "href": page + one.id} for one in datasets]
    return {"collections": listed}


def _shown(
    request: Request, datasets: list[Dataset], report: Report | None, problem: ChengtuError | None
) -> dict[str, Any]:
    """What the template reads."""
    base: str = request.app.state.settings.base_url
    language = spoken.get()
    query = f"collection={report.collection}&" if report else ""
    return {
        "links": [
            {"rel": "alternate", "type": "application/json", "title": "JSON", "href": f"{base}/qgis?{query}f=json"}
        ],
        "collections": [{"id": one.id, "title": one.title.in_(language) or one.id} for one in datasets],
        "tiles": _tile_addresses(base, language, report.collection if report else None),
        "chosen": request.query_params.get("collection"),
        "language": request.query_params.get("lang"),
        "report": report.as_json() if report else None,
        "problem": problem.message(language) if problem else None,
    }


def _tile_addresses(base: str, language: Language, collection: str | None) -> dict[str, str]:
    """Vector tiles and their style: of the collection that was checked, else of the city."""
    part, style = (f"/{collection}", f"/collections/{collection}") if collection else ("", "")
    return {
        "xyz": f"{base}/xyz{part}/{{z}}/{{x}}/{{y}}.mvt",
        "style": f"{base}{style}/style.json?lang={language}",
        "most": str(MAX_ZOOM),
    }


async def connections(request: Request) -> Response:
    """The vector tiles as a file of connections, to be loaded in QGIS."""
    datasets = await asyncio.to_thread(_published, request.app.state.pool)
    title = request.app.state.service.metadata.identification.title.text.in_(spoken.get())
    body = vector_tile_connections(title, datasets, request.app.state.settings.base_url, spoken.get())
    headers = {"Content-Disposition": 'attachment; filename="chengtu-vector-tiles.xml"', "Cache-Control": "no-cache"}
    return Response(body, headers=headers, media_type="application/xml")


QGIS_ROUTES: Final = [Route("/qgis", qgis_page), Route("/qgis/vector-tiles.xml", connections)]
