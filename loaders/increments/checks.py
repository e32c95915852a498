"""Whether an increment fits what is served: the right year, the right county, all ids accounted for, and no area lost."""

from collections.abc import Iterator

from psycopg import sql

from core.crs import Srid, is_geographic
from core.database import Connection, query
from loaders.amendment import Amended
from loaders.increments.report import Finding, finding
from loaders.increments.source import Prepared
from loaders.increments.union import groups

_WIDTHS = {False: 0.001, True: 1e-8}  # metres, degrees: how far borders may lie apart

ALWAYS = frozenset({"increment-year", "increment-county", "increment-ids"})  # what cannot be accepted


def check(connection: Connection, held: Amended, prepared: Prepared) -> tuple[Finding, ...]:
    """All that does not fit. An increment of another year or county is told as that, and not parcel by parcel."""
    wrong = (*_year(held, prepared), *_county(connection, held, prepared))
    if any(one.rule in ALWAYS for one in wrong):
        return wrong
    return (*wrong, *_ids(connection, held), *_values(connection), *_balance(connection), *_coverage(connection, held))


def _year(held: Amended, prepared: Prepared) -> Iterator[Finding]:
    served, day = held.state_of, prepared.day
    if served is None:
        return
    facts = {"n": 1, "day": day, "served": served, "id": held.id}
    if day <= served:
        en = "It leads to {day}, but {id} is served as of {served}: another year's increment is needed."
        yield finding(
            "increment-year", [], en, "增量更新到 {day},而 {id} 已是 {served} 的状态:应使用其他年度的增量。", **facts
        )
    elif day.year > served.year + 1:
        en = "It leads to {day}, but {id} is served as of {served}: the years between are missing."
        yield finding("increment-gap", [], en, "增量更新到 {day},而 {id} 为 {served} 的状态:缺少中间年度。", **facts)


def _county(connection: Connection, held: Amended, prepared: Prepared) -> Iterator[Finding]:
    if prepared.terms.unit is None:
        return
    unit = sql.Identifier("t", prepared.terms.unit)
    row = connection.execute(query("increment_counties").format(unit=unit, table=held.table)).fetchone()
    if row and row["number"]:
        yield finding(
            "increment-county",
            [],
            "It is of the county {codes}, which {id} holds nothing of; that holds {own}.",
            "增量属于 {codes},不在 {id} 的范围({own})内。",
            n=row["number"],
            codes=", ".join(row["ids"][:5]),
            own=", ".join(row["own"][:5]),
            id=held.id,
        )


def _ids(connection: Connection, held: Amended) -> Iterator[Finding]:
    parts = {"table": held.table, "key_column": sql.Identifier(held.key), "key_type": held.key_type}
    for name, en, zh in _ID_QUERIES:
        rows = connection.execute(query(name).format(**parts)).fetchall()
        if rows:
            yield finding("increment-ids", sorted(row["id"] for row in rows), en, zh)


_ID_QUERIES = (
    (
        "increment_unknown",
        "{n} parcels are said to end that are not served.",
        "有 {n} 个变更前图斑不在现有数据中。",
    ),
    (
        "increment_undescribed",
        "{n} parcels are said to begin that are not among the new ones.",
        "有 {n} 个变更后图斑未出现在更新层中。",
    ),
    (
        "increment_unexplained",
        "{n} new parcels are in no row of the process.",
        "有 {n} 个更新图斑未出现在过程层中。",
    ),
    (
        "increment_halves",
        "{n} rows of the process lack one of their sides.",
        "过程层有 {n} 条记录缺少变更前或变更后标识码。",
    ),
    ("increment_doubles", "{n} new parcels share an identifier, or lack it.", "有 {n} 个更新图斑的标识码重复或缺失。"),
    (
        "increment_taken",
        "{n} new parcels have the identifier of one that stays.",
        "有 {n} 个更新图斑的标识码与未变更的图斑相同。",
    ),
)


def _values(connection: Connection) -> Iterator[Finding]:
    rows = connection.execute(query("increment_values")).fetchall()
    if rows:
        en = "{n} parcels have another class or village than the process says."
        yield finding(
            "increment-values", sorted(row["id"] for row in rows), en, "有 {n} 个图斑的地类或坐落与过程层不一致。"
        )


def _balance(connection: Connection) -> Iterator[Finding]:
    rows = connection.execute(query("increment_balance")).fetchall()
    if rows:
        worst = max(abs(row["cents"]) for row in rows) / 100
        yield finding(
            "increment-balance",
            sorted(row["id"] for row in rows),
            "The shares of {n} parcels do not add up to their area, by up to {worst:.2f} m².",
            "有 {n} 个图斑的变更面积之和与图斑面积不符,最大相差 {worst:.2f} 平方米。",
            worst=worst,
        )


def _coverage(connection: Connection, held: Amended) -> Iterator[Finding]:
    pairs = [(row["before"], row["after"]) for row in connection.execute(query("increment_pairs"))]
    connection.execute(query("increment_groups"))
    with connection.cursor() as cursor, cursor.copy(query("fill_groups")) as copy:
        for row in groups(pairs):
            copy.write_row(row)
    connection.execute("create index on ct_group (key)")
    connection.execute("analyze ct_group")
    width = _WIDTHS[is_geographic(Srid(held.srid))]
    rows = connection.execute(query("increment_coverage"), {"width": width}).fetchall()
    if rows:
        en = "In {n} changes the new parcels do not cover the ground of the old ones, or cover it twice."
        yield finding(
            "increment-coverage", [row["id"] for row in rows], en, "有 {n} 处变更的新图斑与旧图斑范围不一致或自身重叠。"
        )
