"""Features created, replaced, updated and deleted, each in one transaction (OGC API - Features 4)."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, LiteralString, NamedTuple

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from core.catalogue import GEOMETRY
from core.crs import Srid, keeps_numbers, postgis_srid
from core.database import AsyncPool, lost, one_line, query
from core.errors import BadRequest, ChengtuError, DatabaseBusy, NoSuchDataset
from core.language import Text
from features.asking import TableChanged, asking
from features.queries import geometry_json, named, type_name
from features.reader import NoSuchItem, naming_an_item
from features.receive import KeyFixed, Received
from features.search import Search
from features.shape import Shape
from features.table import Table
from features.values import Value

CONFORMANCE = tuple(
    f"http://www.opengis.net/spec/ogcapi-features-4/1.0/conf/{name}"
    for name in ("create-replace-delete", "update", "optimistic-locking-etags", "features")
)
_NUMBERS = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
_LONGEST_KEY = 1000  # characters
_TRIES = 3  # two edits, one of them by hand in SQL, may block each other
_OTHERS = Text("someone else is changing it", "正被其他操作修改")

_Connection = psycopg.AsyncConnection[TupleRow]
Check = Callable[[int, str], None]  # of a feature's release and version; raises where the client means another


class KeyMissing(BadRequest):
    """A new feature without what would name it."""

    en = "A new feature of {dataset} needs a value of {key}, its key, of 1 to {most} characters. Give it in properties."
    zh = "{dataset} 的新要素需要主键 {key} 的值(1 到 {most} 个字符)。请在 properties 中给出。"


class KeysUsedUp(BadRequest):
    """No higher number is left for a new feature."""

    en = "There is no number after {highest} for the key {key} of {dataset}. Give a free one in properties."
    zh = "{dataset} 的主键 {key} 已用到 {highest},没有更大的编号。请在 properties 中给出空闲编号。"
    status = 409


class AlreadyThere(BadRequest):
    """A feature whose key, or another unique value, is taken."""

    en = "{dataset} has such a feature already: {reason} Change that one, or choose another key."
    zh = "{dataset} 中已有该要素:{reason} 请修改已有要素,或改用其他主键。"
    status = 409


class AgainstARule(BadRequest):
    """What a constraint or a trigger of the city's own does not let pass."""

    en = "The database does not accept this: {reason}"
    zh = "数据库不接受该修改:{reason}"
    status = 422


class MayNotWrite(ChengtuError):
    """The service's database role lacks the right."""

    en = "The service may not change {dataset} in the database. Grant its role insert, update and delete on data.{dataset}."
    zh = "服务的数据库角色无权修改 {dataset}。请授予其对 data.{dataset} 的 insert、update、delete 权限。"


class Written(NamedTuple):
    """A feature that was written: its key, and what tells this version of it from all others."""

    id: str
    release: int
    version: str


class _Found(NamedTuple):
    """The feature that is to be changed, locked."""

    key: str
    release: int
    version: str
    geometry: str | None
    agrees: bool


async def create(pool: AsyncPool, table: Table, given: Received) -> Written:
    """Add a feature; its key is given, or the next number where numbers are its keys."""
    geometry = _new(given.shape)

    async def work(connection: _Connection) -> Written:
        release = await _hold(connection, table, "numbering_dataset")
        key = await _key_of(connection, table, given)
        cells = _cells(table, given.values | {table.dataset.key: key}, {GEOMETRY: geometry})
        statement = _on(
            table,
            "insert_feature",
            columns=sql.SQL(", ").join(named(cell.column) for cell in cells),
            values=sql.SQL(", ").join(cell.value for cell in cells),
        )
        await connection.execute(statement, _bound(cells) | {"release": release})
        return await _written(connection, table, key)

    return await _in_transaction(pool, table, work)


async def change(
    pool: AsyncPool, table: Table, identifier: str, given: Received, check: Check, *, whole: bool
) -> Written:
    """Update a feature by what was given of it; or (whole) replace it, so that what was not given becomes null."""

    async def work(connection: _Connection) -> Written:
        await _hold(connection, table, "edited_dataset")
        found = await _lock(connection, table, identifier, given, check)
        cells = _cells(table, _changed(table, given, whole), _moved(given, found))
        if cells:
            assignments = sql.SQL(", ").join(
                sql.SQL("{} = {}").format(named(cell.column), cell.value) for cell in cells
            )
            statement = _on(table, "update_feature", assignments=assignments)
            await connection.execute(statement, _bound(cells) | {"id": found.key})
        return await _written(connection, table, found.key)

    return await _in_transaction(pool, table, work)


async def delete(pool: AsyncPool, table: Table, identifier: str, check: Check) -> None:
    """Take a feature away; its number is not given again."""

    async def work(connection: _Connection) -> None:
        await _hold(connection, table, "edited_dataset")
        found = await _lock(connection, table, identifier, Received({}), check)
        await connection.execute(_on(table, "delete_feature"), {"id": found.key})
        if table.dataset.key_type in _NUMBERS:
            await _remember(connection, table, int(found.key))

    await _in_transaction(pool, table, work)


class _Cell(NamedTuple):
    """A column and what shall be in it."""

    column: str
    value: sql.Composable
    bound: dict[str, object]


def _cells(table: Table, values: dict[str, Value], geometry: dict[str, Shape | None]) -> list[_Cell]:
    cells = []
    for n, (name, value) in enumerate(values.items()):
        cast = sql.SQL("cast({} as {})").format(sql.Placeholder(f"value{n}"), type_name(table.types[name]))
        cells.append(_Cell(name, cast, {f"value{n}": value}))
    return cells + [_geometry_cell(table, name, shape) for name, shape in geometry.items()]


def _geometry_cell(table: Table, name: str, shape: Shape | None) -> _Cell:
    """Moved to the CRS of the data set by the way that it comes back."""
    if shape is None:
        return _Cell(name, sql.SQL("null"), {})
    target = Srid(table.dataset.srid)
    same = keeps_numbers(shape.crs, target)
    srid = target if same else postgis_srid(shape.crs)
    value: sql.Composable = sql.SQL("st_geomfromwkb(%(geometry)s, {})").format(sql.Literal(int(srid)))
    if not same:
        value = sql.SQL("st_transform({}, {})").format(value, sql.Literal(int(target)))
    return _Cell(name, value, {"geometry": shape.wkb})


def _bound(cells: list[_Cell]) -> dict[str, Any]:
    return {name: value for cell in cells for name, value in cell.bound.items()}


def _new(shape: Shape | None) -> Shape | None:
    """A geometry that will be stored; its fault is raised now."""
    if shape is not None and shape.refusal is not None:
        raise shape.refusal
    return shape


def _moved(given: Received, found: _Found) -> dict[str, Shape | None]:
    """The geometry, where another was given than is there."""
    if not given.has_geometry or (given.shape is not None and given.shape.is_as_served(found.geometry)):
        return {}
    return {GEOMETRY: _new(given.shape)}


def _changed(table: Table, given: Received, whole: bool) -> dict[str, Value]:
    """The attributes that change; the key, which agrees, is none of them."""
    key = table.dataset.key
    names = [name for name, _ in table.dataset.fields] if whole else list(given.values)
    return {name: given.values.get(name) for name in names if name != key}


async def _key_of(connection: _Connection, table: Table, given: Received) -> str:
    """The key of a new feature, as PostgreSQL reads it."""
    dataset = table.dataset
    key = given.values.get(dataset.key)
    if key is None and dataset.key_type in _NUMBERS:
        return await _next_number(connection, table)
    if not isinstance(key, str) or not 1 <= len(key) <= _LONGEST_KEY:
        raise KeyMissing(dataset=dataset.id, key=dataset.key, most=_LONGEST_KEY)
    return key


async def _next_number(connection: _Connection, table: Table) -> str:
    dataset = table.dataset
    cursor = await connection.execute(_on(table, "highest_key"), {"dataset": dataset.id})
    row = await cursor.fetchone()
    highest = int(row[0]) if row else 0
    if highest >= _NUMBERS[dataset.key_type]:
        raise KeysUsedUp(dataset=dataset.id, key=dataset.key, highest=highest)
    await _remember(connection, table, highest + 1)
    return str(highest + 1)


async def _remember(connection: _Connection, table: Table, key: int) -> None:
    await connection.execute(query("remember_key"), {"dataset": table.dataset.id, "key": key})


async def _hold(connection: _Connection, table: Table, statement: LiteralString) -> int:
    """The release that is being served, which stays so until the transaction ends.

    The table is locked before the row of the catalogue, in the order that a load takes them: else the two would wait
    for each other.
    """
    await connection.execute(query("edit_patience"))
    await connection.execute(_on(table, "enter_table"))
    row = await (await connection.execute(query(statement), {"dataset": table.dataset.id})).fetchone()
    if row is None:
        raise NoSuchDataset(id=table.dataset.id)
    release, editable = row
    if release != table.dataset.release or not editable:
        raise TableChanged("it was loaded or described anew at this moment; try again")
    return int(release)


async def _lock(connection: _Connection, table: Table, identifier: str, given: Received, check: Check) -> _Found:
    """The feature to be changed, once it is known to be the version that the client means."""
    dataset = table.dataset
    bound: dict[str, Any] = {"id": identifier}
    agrees: sql.Composable = sql.SQL("true")
    if dataset.key in given.values:
        agrees = sql.SQL("coalesce(f.{} = cast(%(key)s as {}), false)").format(
            named(dataset.key), type_name(dataset.key_type)
        )
        bound["key"] = given.values[dataset.key]
    shown = Search(crs=given.crs, geometry=given.shape is not None)
    statement = _on(table, "lock_feature", geometry=geometry_json(table, shown), agrees=agrees)
    with naming_an_item(table, identifier):
        row = await (await connection.execute(statement, bound)).fetchone()
    if row is None:
        raise NoSuchItem(dataset=dataset.id, id=identifier[:40])
    found = _Found(*row)
    check(found.release, found.version)
    if not found.agrees:
        raise KeyFixed(id=identifier[:40], given=str(bound["key"])[:40])
    return found


async def _written(connection: _Connection, table: Table, key: str) -> Written:
    row = await (await connection.execute(_on(table, "written_feature"), {"id": key})).fetchone()
    if row is None:
        raise AgainstARule(reason=Text("it is not there after it was written.", "写入后要素不存在。"))
    return Written(*row)


def _on(table: Table, name: LiteralString, **parts: sql.Composable) -> sql.Composed:
    """A query on the data set's table."""
    dataset = table.dataset
    return query(name).format(
        table=sql.Identifier("data", dataset.id), key=named(dataset.key), key_type=type_name(dataset.key_type), **parts
    )


async def _in_transaction[T](pool: AsyncPool, table: Table, work: Callable[[_Connection], Awaitable[T]]) -> T:
    """Do all of it or nothing; again, where that it failed was the fault of no one."""
    with asking(table.dataset.id), _in_words_of_editing(table):
        for _ in range(_TRIES):
            begun = False
            try:
                async with pool.connection() as connection, connection.transaction():
                    begun = True
                    return await work(connection)
            except psycopg.errors.DeadlockDetected:
                continue
            except psycopg.OperationalError as error:
                if begun or not lost(error):
                    raise
                await pool.check()
    raise DatabaseBusy(reason=_OTHERS)


@contextmanager
def _in_words_of_editing(table: Table) -> Iterator[None]:
    """What PostgreSQL says of a change that cannot be made, as errors of ours."""
    id_ = table.dataset.id
    try:
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise DatabaseBusy(reason=_OTHERS) from error
    except psycopg.errors.UniqueViolation as error:
        raise AlreadyThere(dataset=id_, reason=error.diag.message_detail or one_line(error)) from error
    except (psycopg.IntegrityError, psycopg.errors.RaiseException) as error:
        raise AgainstARule(reason=one_line(error)) from error
    except psycopg.errors.InsufficientPrivilege as error:
        raise MayNotWrite(dataset=id_) from error
    except psycopg.errors.InternalError_ as error:  # how PostGIS speaks of a geometry
        raise BadRequest(reason=one_line(error)) from error
