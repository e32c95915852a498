"""The features of one sheet take the place of its old ones, in the tables that are served; other sheets stay as they are."""

import re
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from psycopg import sql

from core.catalogue import GEOMETRY
from core.crs import Srid, is_known_operation
from core.database import Connection, query
from core.errors import ChengtuError
from loaders.amendment import Rows, What, amend, hold
from loaders.release import columns_of, make_key, named_type
from loaders.report import Changes
from loaders.staging import Staging

KEY, SHEET = "id", "sheet"


class NewState(NamedTuple):
    """Where a sheet's new state comes from, and the day from which it holds."""

    source: str
    day: date


class NoRoomForSheets(ChengtuError):
    """A data set of the theme's name that is none of sheets."""

    en = "{id} is served already and is no theme of map sheets. Load the sheet under another name with --as."
    zh = "数据集 {id} 已存在,且不是按图幅组织的专题。请用 --as 以其他名称加载图幅。"
    exit_code = 2


class SheetNeeded(ChengtuError):
    """A topographic map that says of no sheet, where the themes hold sheets."""

    en = (
        "{id} holds map sheets, and this map is not said to be one: it would replace them all. Name its sheet with"
        " --sheet, or load it under another name with --as."
    )
    zh = "{id} 中已有分幅数据,而本图未指明图幅,加载将替换全部图幅。请用 --sheet 指明图幅,或用 --as 以其他名称加载。"
    exit_code = 2


def refuse_without_sheet(connection: Connection, id_: str) -> None:
    """Raise `SheetNeeded` where a data set holds sheets, which a release without one would sweep away."""
    if SHEET not in columns_of(connection, f"data.{id_}"):
        return
    statement = query("any_sheet").format(table=sql.Identifier("data", id_))
    if connection.execute(statement).fetchone():
        raise SheetNeeded(id=id_)


def exchange(connection: Connection, id_: str, sheet: str, staging: Staging | None, new: NewState) -> Changes:
    """Put a sheet's features into a data set that is served, in the place of those that it has of the sheet.

    Without `staging` the sheet has none any more. Features that are as they were are left alone. It is an amendment:
    written down, and to be taken back with `chengtu increment undo`.
    """
    held = hold(connection, id_)
    if held.key != KEY or SHEET not in held.columns:
        raise NoRoomForSheets(id=id_)
    opening = sql.Identifier(f"ct_sheet_{id_}"[:60])
    names = [one.name for one in staging.fields if one.name in held.columns] if staging else [KEY]
    _gather(connection, opening, names, held.columns[GEOMETRY], staging, id_)
    closing = query("keys_of_sheet").format(table=held.table, sheet=sql.Literal(sheet))
    what = What("sheet", sheet, new.source, new.day)
    return amend(connection, held, what, Rows(closing, opening, (*names, GEOMETRY)), {}).changes


def _gather(
    connection: Connection, rows: sql.Identifier, names: Sequence[str], type_: str, staging: Staging | None, id_: str
) -> None:
    """The new features in a table of their own, their geometries as the data set has them."""
    if staging is None:
        connection.execute(
            sql.SQL("create temporary table {} on commit drop as select id, geom from {} limit 0").format(
                rows, sql.Identifier("data", id_)
            )
        )
        return
    make_key(connection, staging)
    statement = query("sheet_rows").format(
        rows=rows,
        columns=sql.SQL(", ").join(sql.Identifier("s", one) for one in names),
        geometry=_geometry(type_, staging, id_),
        staging=staging.table,
    )
    connection.execute(statement)
    connection.execute(sql.SQL("create unique index on {} (id)").format(rows))


def _geometry(type_: str, staging: Staging, id_: str) -> sql.Composable:
    """A geometry brought into the CRS, the parts and the ordinates of the data set's column, such as MultiPointZ."""
    found = re.fullmatch(r"geometry\((\w+?)(Z?)(M?),(\d+)\)", type_)
    if found is None or found[3] or not is_known_operation(Srid(staging.place.srid), Srid(int(found[4]))):
        raise NoRoomForSheets(id=id_)
    shape: sql.Composable = sql.Identifier("s", GEOMETRY)
    if int(found[4]) != staging.place.srid:
        shape = sql.SQL("st_transform({}, {})").format(shape, sql.Literal(int(found[4])))
    shape = sql.SQL("st_force3dz({})" if found[2] else "st_force2d({})").format(shape)
    shape = sql.SQL("st_multi({})").format(shape) if found[1].startswith("Multi") else shape
    return sql.SQL("cast({} as {})").format(shape, named_type(type_))
