"""Replays the eleven steps in the order in which QGIS takes them, then tries its filters."""

import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from core.language import Text
from server.contract.client import Client, Limits
from server.contract.description import api, collection, conformance, landing, options, queryables, schema, writes
from server.contract.filters import filters
from server.contract.items import count, data, first_items
from server.contract.report import Filter, Finding, Found, Report, Step
from server.contract.versions import FAMILIES
from server.contract.visit import Visit


class _Part(NamedTuple):
    """A step before it is taken; without a `vital` one QGIS has no layer."""

    id: str
    title: Text
    asks: Text
    run: Callable[[Visit], Iterator[Finding]]
    possible: Callable[[Visit], bool]
    vital: bool = False


def check(url: str, wanted: str | None = None, limits: Limits | None = None, via: str | None = None) -> Report:
    """Check one collection, the first if none is wanted. `via`: where the service is reached, if not at `url`."""
    started = time.monotonic()
    with Client(url, limits, via) as client:
        visit = Visit(client, wanted)
        steps = tuple(_take(number, part, visit) for number, part in enumerate(_PARTS, start=1))
        tried: tuple[Filter, ...] = tuple(filters(visit)) if visit.description else ()
    names = tuple(one.name for one in FAMILIES)
    collection_id = visit.collection or wanted
    seconds = round(time.monotonic() - started, 1)
    return Report(url, collection_id, visit.matched, names, steps, tried, len(client.exchanges), seconds)


def _take(number: int, part: _Part, visit: Visit) -> Step:
    """Take a step, and note what went over the wire."""
    if not part.possible(visit):
        return Step(number, part.id, part.title, part.asks, None, (), (), skipped=True)
    before = len(visit.client.exchanges)
    visit.got = None
    findings: list[Finding] = []
    try:
        for one in part.run(visit):
            findings.append(one)  # noqa: PERF402 — what was found before an exception must stay
    except Found as end:
        findings.append(end.finding._replace(state="failure") if part.vital else end.finding)
    exchanges = tuple(visit.client.exchanges[before:])
    return Step(number, part.id, part.title, part.asks, visit.got, exchanges, tuple(findings))


_PARTS = (
    _Part(
        "landing",
        Text("Landing page", "首页"),
        Text("the links to the API description, the collections and the classes", "接口描述、集合与要求类的链接"),
        landing,
        lambda visit: True,
        vital=True,
    ),
    _Part(
        "api",
        Text("API description", "接口描述"),
        Text("the size of pages, and properties that may be compared", "每页大小,以及可比较的属性"),
        api,
        lambda visit: bool(visit.api_url),
        vital=True,
    ),
    _Part(
        "collection",
        Text("Collection", "集合"),
        Text("title, extent, CRSs, count, licence", "标题、范围、坐标系、数量、许可"),
        collection,
        lambda visit: bool(visit.data_url),
        vital=True,
    ),
    _Part(
        "conformance",
        Text("Conformance", "符合性"),
        Text("what the server can do, by exact names", "服务器能力,按名称逐字比较"),
        conformance,
        lambda visit: bool(visit.conformance_url),
    ),
    _Part(
        "queryables",
        Text("Queryables", "可查询字段"),
        Text("the properties that filters may use", "过滤可用的属性"),
        queryables,
        lambda visit: bool(visit.description),
    ),
    _Part(
        "first-items",
        Text("First features", "首批要素"),
        Text("ten features: fields, types, geometry", "十个要素:字段、类型、几何"),
        first_items,
        lambda visit: bool(visit.description),
        vital=True,
    ),
    _Part(
        "schema",
        Text("Schema", "字段定义"),
        Text("fields and geometry type (3.44 and later)", "字段与几何类型(3.44 及以后)"),
        schema,
        lambda visit: bool(visit.description),
    ),
    _Part(
        "options",
        Text("OPTIONS", "OPTIONS"),
        Text("which methods are allowed", "允许哪些方法"),
        options,
        lambda visit: bool(visit.description),
    ),
    _Part(
        "data",
        Text("Data pages", "数据分页"),
        Text("all features, page by page; a box in two CRSs", "全部要素,逐页读取;两种坐标系的范围查询"),
        data,
        lambda visit: bool(visit.first),
        vital=True,
    ),
    _Part(
        "count",
        Text("Count", "计数"),
        Text("how many features there are", "要素总数"),
        count,
        lambda visit: bool(visit.description),
    ),
    _Part(
        "writes",
        Text("Editing", "编辑"),
        Text(
            "whether features may be changed (read from OPTIONS; nothing is written)",
            "能否修改要素(由 OPTIONS 得知,不写入任何内容)",
        ),
        writes,
        lambda visit: bool(visit.description),
    ),
)
