"""From a filled staging table to the release that everybody sees: checks, comparison, and the swap."""

import math
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from core.catalogue import CLEARANCE, GEOMETRY, RELEASE, BBox, Field, all_text
from core.crs import WGS84, Srid, transformer
from core.database import Connection, one_line, query
from core.errors import ChengtuError, NoSuchDataset
from loaders.report import Changes
from loaders.staging import Staging, clearance_column

_BEYOND = 540  # degrees: more than a turn past the antimeridian is no longitude
LOCK_TRIES = 600  # of 100 ms: readers hold a table for seconds at most, since statements time out


class KeyNotUnique(ChengtuError):
    """The field named by --key does not tell features apart."""

    en = "{key} cannot be the key: {rows} rows share it or lack it, such as {examples}. Choose another --key, or none."
    zh = "{key} 不能作为主键:有 {rows} 条记录重复或缺失,例如 {examples}。请换用其他 --key,或不指定。"
    exit_code = 2


class TableHeld(ChengtuError):
    """Readers or a long transaction keep the swap from happening."""

    en = "The table of {id} stayed in use for a minute; its old release is still served. Load again when it is free."
    zh = "数据集 {id} 的数据表持续被占用一分钟,仍提供旧版本。请稍后重新加载。"
    exit_code = 3


class DependentView(ChengtuError):
    """A view of the user's own needs a column that the new release lacks."""

    en = "{id} cannot change its columns: {reason}. Drop or change what depends on it, then load again."
    zh = "数据集 {id} 的字段无法变更:{reason}。请先删除或修改依赖对象,再重新加载。"
    exit_code = 3


class EditsWouldBeLost(ChengtuError):
    """Features were edited since the release that is served was loaded."""

    en = (
        "{id} was edited {edits} times since its last release, and this load would undo that."
        " Export it first, or load with --discard-edits."
    )
    zh = "数据集 {id} 自上次发布后被编辑过 {edits} 次,本次加载会覆盖这些修改。请先导出,或使用 --discard-edits。"
    exit_code = 2


class OutsideTheWorld(ChengtuError):
    """Coordinates that have no place in the CRS that was decided on."""

    en = "The coordinates {extent} have no place on Earth in EPSG:{srid}. Name the right CRS with --srs EPSG:n."
    zh = "坐标 {extent} 在 EPSG:{srid} 下没有对应的地理位置。请用 --srs EPSG:n 指定正确的坐标系。"
    exit_code = 2


class Served(NamedTuple):
    """The release being served, as the catalogue has it."""

    release: int
    key: str
    fields: tuple[Field, ...]
    srid: int
    geometry_type: str
    search: bool
    partition: str | None
    change: int


def served_release(connection: Connection, id_: str) -> Served | None:
    """What is being served under an id, or None when the id is new."""
    row = connection.execute(query("current_release"), {"id": id_}).fetchone()
    if row is None:
        return None
    fields = tuple(Field(field["name"], field["type"]) for field in row["fields"])
    return Served(
        row["release"],
        row["key_column"],
        fields,
        row["srid"],
        row["geometry_type"],
        row["search"],
        row["partition"],
        row["change"],
    )


def check(connection: Connection, staging: Staging) -> BBox | None:
    """See that each key names one row of a filled staging table, and return its extent in degrees."""
    make_key(connection, staging)
    row = connection.execute(query("staged_extent").format(staging=staging.table)).fetchone()
    if row is None or row["xmin"] is None:
        return None
    corners = (row["xmin"], row["ymin"], row["xmax"], row["ymax"])
    extent = transformer(Srid(staging.place.srid), WGS84).transform_bounds(*corners, densify_pts=21)
    if not all(map(math.isfinite, extent)) or max(map(abs, extent)) > _BEYOND:
        raise OutsideTheWorld(extent=", ".join(f"{number:g}" for number in corners), srid=staging.place.srid)
    return BBox(*extent)


def interval(connection: Connection, staging: Staging, time_column: str | None) -> list[datetime] | None:
    """The first and the last moment of a filled staging table's time column."""
    kinds = ("date", "timestamp without time zone", "timestamp with time zone")
    if time_column is None or dict(staging.fields)[time_column] not in kinds:
        return None
    statement = query("staged_times").format(staging=staging.table, time=sql.Identifier(time_column))
    row = connection.execute(statement).fetchone()
    times: list[datetime] | None = row["times"] if row else None
    return times


def make_key(connection: Connection, staging: Staging) -> None:
    """Make the primary key where it is not made yet; only if that fails, look for what is wrong."""
    if staging.keyed:
        return
    connection.execute("set local maintenance_work_mem = '256MB'")
    names = {"staging": staging.table, "key": sql.Identifier(staging.key)}
    try:
        with connection.transaction():
            connection.execute(sql.SQL("alter table {staging} add primary key ({key})").format(**names))
    except (psycopg.errors.UniqueViolation, psycopg.errors.NotNullViolation) as error:
        row = connection.execute(query("duplicate_keys").format(**names)).fetchone() or {"rows": 0, "examples": []}
        examples = ", ".join("null" if value is None else value for value in row["examples"])
        raise KeyNotUnique(key=staging.key, rows=row["rows"], examples=examples) from error
    staging.keyed = True


def index(connection: Connection, staging: Staging, *, search: bool) -> None:
    """Make a checked release fit to be served; before any swap, since that locks readers out until the end."""
    if search:
        index_words(connection, f"data.{staging.name}", staging.fields)
    connection.execute(sql.SQL("create index on {} using gist ({})").format(staging.table, sql.Identifier(GEOMETRY)))
    names = {"release": staging.table, "key": sql.Identifier(staging.key), "geometry": sql.Identifier(GEOMETRY)}
    connection.execute(query("placeless_index").format(**names))
    connection.execute(sql.SQL("analyze {}").format(staging.table))


def index_words(connection: Connection, release: str, fields: tuple[Field, ...]) -> None:
    """Make the index of words anywhere in the texts of a release, where it has any and has it not already."""
    text = all_text(fields, sql.Identifier)
    if text is not None:
        table = relation(release)
        name = sql.Identifier(f"{release.rsplit('.', maxsplit=1)[-1]}_words")
        connection.execute(query("allow_search"))
        connection.execute(query("search_index").format(name=name, release=table, text=text))


def relation(name: str) -> sql.Identifier:
    """The name of a table, from what `regclass::text` wrote: ours are plain lower-case names."""
    return sql.Identifier(*name.split("."))


class Swap(NamedTuple):
    """A filled staging table, the data set that it becomes, and what else is put in place under the same lock."""

    staging: Staging
    id: str
    also: Callable[[Connection, str], None] | None = None


def swap(connection: Connection, swaps: Sequence[Swap], *, discard_edits: bool) -> dict[str, int]:
    """Put new releases in the old ones' places, all at once: views, policies and readers of the parent tables live on.

    Readers are never kept waiting for long: each try for the locks gives up after 100 ms and lets them pass.
    Raises `EditsWouldBeLost` where features were edited since the last release, up to the moment of the lock; the
    number of the last change comes back, by data set, where that is nothing to mind. Amendments are no edits.
    """
    for one in swaps:
        _make_parent(connection, one)
    held = ", ".join(one.id for one in swaps)
    for _ in range(LOCK_TRIES):
        try:
            with connection.transaction():
                connection.execute("set local lock_timeout = '100ms'")
                edits = {one.id: _lock(connection, one.id, discard_edits) for one in swaps}
                for one in swaps:
                    held = one.id
                    _exchange(connection, one.staging, one.id)
                    (one.also or _drop_levels)(connection, one.id)
        except psycopg.errors.LockNotAvailable:
            time.sleep(0.1)
        except (psycopg.errors.DependentObjectsStillExist, psycopg.errors.FeatureNotSupported) as error:
            raise DependentView(id=held, reason=error.diag.message_detail or one_line(error)) from error
        else:
            return edits
    raise TableHeld(id=held)


def _make_parent(connection: Connection, one: Swap) -> None:
    """The table that a new data set is asked by."""
    if not connection.execute(query("relation_columns"), {"table": f"data.{one.id}"}).fetchall():
        columns = one.staging.column_definitions()
        connection.execute(query("create_parent").format(table=sql.Identifier("data", one.id), columns=columns))
        connection.execute(query("watch"), {"table": f"data.{one.id}"})


def _drop_levels(connection: Connection, id_: str) -> None:
    """A release that was loaded without generalised zooms has none: never those of the release before."""
    connection.execute(query("drop_levels"), {"id": id_})


def _lock(connection: Connection, id_: str, discard_edits: bool) -> int:
    """Keep readers and editors out; only now is it certain that no edit comes between."""
    connection.execute(sql.SQL("lock table {} in access exclusive mode").format(sql.Identifier("data", id_)))
    row = connection.execute(query("change_number"), {"id": id_}).fetchone()
    if row is None:
        return 0
    if row["edits"] and not discard_edits:
        raise EditsWouldBeLost(id=id_, edits=row["edits"])
    return int(row["change"])


def _exchange(connection: Connection, staging: Staging, id_: str) -> None:
    parent = sql.Identifier("data", id_)
    partitions = connection.execute(query("partitions"), {"table": f"data.{id_}"}).fetchall()
    for partition in partitions:
        old = relation(partition["name"])
        connection.execute(sql.SQL("alter table {} detach partition {}").format(parent, old))
        connection.execute(sql.SQL("drop table {}").format(old))
    _reshape(connection, staging, id_)
    release = sql.Literal(staging.place.release)
    connection.execute(
        sql.SQL("alter table {} attach partition {} for values in ({})").format(parent, staging.table, release)
    )
    connection.execute(query("watch"), {"table": f"data.{staging.name}"})


def _reshape(connection: Connection, staging: Staging, id_: str) -> None:
    """Give the parent the columns of the new release; it holds no rows, so this takes no time."""
    parent = sql.Identifier("data", id_)
    have = columns_of(connection, f"data.{id_}")
    want = columns_of(connection, f"data.{staging.name}")
    computed = want.pop(CLEARANCE, None)
    if CLEARANCE in have and (computed is None or have[GEOMETRY] != want[GEOMETRY]):
        connection.execute(query("drop_clearance").format(table=parent))
        del have[CLEARANCE]
    for name in have.keys() - want.keys() - {CLEARANCE}:
        connection.execute(sql.SQL("alter table {} drop column {}").format(parent, sql.Identifier(name)))
    for name, type_ in want.items():
        column = sql.SQL("{} {}").format(sql.Identifier(name), named_type(type_))
        if name not in have:
            connection.execute(sql.SQL("alter table {} add column {}").format(parent, column))
        elif have[name] != type_ and name != RELEASE:
            retype = sql.SQL("alter table {} alter column {} type {} using null").format(
                parent, sql.Identifier(name), named_type(type_)
            )
            connection.execute(retype)
    if computed is not None and CLEARANCE not in have:
        connection.execute(query("add_clearance").format(table=parent, column=clearance_column()))


def columns_of(connection: Connection, table: str) -> dict[str, str]:
    """The columns of a table with their types, as PostgreSQL writes them."""
    rows = connection.execute(query("relation_columns"), {"table": table}).fetchall()
    return {row["name"]: row["type"] for row in rows}


def named_type(name: str) -> Any:  # noqa: ANN401 — sql.SQL wants LiteralString
    """A type as `format_type` wrote it: PostgreSQL's words, not a user's."""
    ours: Any = name
    return sql.SQL(ours)


def record(
    connection: Connection, staging: Staging, described: dict[str, Any], changes: Changes, report: dict[str, Any]
) -> None:
    """Write the catalogue entry, the release's history, and the geometries that were refused."""
    id_, release = described["id"], staging.place.release
    connection.execute(query("upsert_dataset"), described)
    history = {"id": release, "dataset": id_, "source": described["source"], "report": Jsonb(report)}
    connection.execute(query("insert_release"), history | changes._asdict())
    connection.execute(query("forget_refused"), {"id": id_})
    with connection.cursor() as cursor:
        refused = [{"id": id_, "key": key, "reason": reason, "geometry": wkb} for key, reason, wkb in staging.refusals]
        cursor.executemany(query("keep_refused"), refused)


def remove(connection: Connection, id_: str) -> None:
    """Take a data set out of the catalogue and drop its table, in one transaction, with the findings of its checks.

    Raises `NoSuchDataset` if there is none.
    """
    findings = connection.execute(query("findings_of"), {"id": id_}).fetchone()
    deleted = connection.execute(query("delete_dataset"), {"id": id_})
    if deleted.rowcount == 0:
        raise NoSuchDataset(id=id_)
    try:
        connection.execute("set local lock_timeout = '10s'")
        for schema in ("data", "history"):
            connection.execute(sql.SQL("drop table if exists {}").format(sql.Identifier(schema, id_)))
        _drop_levels(connection, id_)
    except psycopg.errors.LockNotAvailable as error:
        raise TableHeld(id=id_) from error
    except psycopg.errors.DependentObjectsStillExist as error:
        raise DependentView(id=id_, reason=error.diag.message_detail or one_line(error)) from error
    if findings is not None:
        remove(connection, findings["id"])
