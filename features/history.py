"""The life of a feature, or of a place: all versions in the order of time, what each came from and what it became."""

import math
from collections.abc import Mapping
from typing import Final, NamedTuple

from psycopg import sql

from core.crs import WGS84, Srid, transformer
from core.database import AsyncPool, ask, query
from core.errors import BadRequest, ChengtuError
from features import queries
from features.asking import asking
from features.queries import Statement, named, type_name
from features.reader import naming_an_item
from features.search import Search
from features.table import Table
from features.versions import every, shown, version_id

ALWAYS: Final = "0001-01-01/.."  # the `datetime` of all that ever was


class NoHistory(ChengtuError):
    """A data set of which only the present is kept."""

    en = "{dataset} keeps no history. Load it with --history and --state-of to begin one."
    zh = "{dataset} 未保留历史。可用 --history 与 --state-of 加载以开始记录。"
    code = "NotFound"
    status = 404


class HistoryOfWhat(BadRequest):
    """A request that names no feature and no place, or several."""

    en = "Give one of key, point (longitude,latitude) and bbox: whose history is asked for?"
    zh = "请给出 key、point(经度,纬度)、bbox 三者之一:查询谁的历史?"


class BadPoint(BadRequest):
    """A point that is none."""

    en = "point={value!r} is not longitude,latitude in degrees, such as 126.55,43.84."
    zh = "point={value!r} 应为以度表示的 经度,纬度,例如 126.55,43.84。"


class Point(NamedTuple):
    """A place in degrees."""

    longitude: float
    latitude: float


class Version(NamedTuple):
    """A version as GeoJSON text, and the ids, with areas, of those before and after it, as JSON text."""

    feature: str
    came_from: str
    became: str


class Life(NamedTuple):
    """Versions in the order of time, and whether there are more."""

    versions: list[Version]
    more: bool


def read_point(given: Mapping[str, str]) -> Point | None:
    """The place that is asked for."""
    value = given.get("point")
    if value is None:
        return None
    try:
        longitude, latitude = map(float, value.split(","))
    except ValueError as error:
        raise BadPoint(value=value[:40]) from error
    if not (math.isfinite(longitude) and abs(longitude) <= 180 and abs(latitude) <= 90):
        raise BadPoint(value=value[:40])
    return Point(longitude, latitude)


async def read_life(pool: AsyncPool, table: Table, search: Search, *, key: str | None, point: Point | None) -> Life:
    """At most `search.limit` versions: of a feature and all that it came from or became, of a place, or of a box."""
    if table.dataset.history is None:
        raise NoHistory(dataset=table.dataset.id)
    if [key, point, search.bounds].count(None) != 2:
        raise HistoryOfWhat
    statement = _statement(table, search, key, point)
    with asking(table.dataset.id), naming_an_item(table, key or ""):
        rows = await ask(pool, statement.text, statement.parameters)
    found = [Version(str(feature), str(before), str(after)) for feature, before, after, *_ in rows]
    return Life(found[: search.limit], len(found) > search.limit)


def _statement(table: Table, search: Search, key: str | None, point: Point | None) -> Statement:
    conditions, parameters = queries.conditions(table, search)
    parts: dict[str, sql.Composable] = {
        "key": named(table.dataset.key),
        "key_type": type_name(table.dataset.key_type),
        "versions": every(table),
        "version": version_id(table, "v"),
        "shown": shown(table, "v"),
    }
    source = every(table)
    if key is not None:
        source, parameters = query("lineage").format(**parts), parameters | {"key": key}
    if point is not None:
        x, y = transformer(WGS84, Srid(table.dataset.srid)).transform(*point)
        at = query("at_point").format(srid=sql.Literal(table.dataset.srid))
        conditions, parameters = sql.SQL("{} and {}").format(at, conditions), parameters | {"x": x, "y": y}
    text = query("life_page").format(
        feature=queries.feature(table, search),
        came_from=query("came_from").format(**parts),
        became=query("became").format(**parts),
        source=source,
        conditions=conditions,
        key=parts["key"],
        limit=sql.Literal(search.limit + 1),
    )
    return Statement(text, parameters | {"dataset": table.dataset.id})
