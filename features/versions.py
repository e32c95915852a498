"""The versions of a data set's features: what held on a day, as SQL. Without `datetime`, only what holds now is asked."""

import re
from datetime import date
from typing import NamedTuple

from psycopg import sql

from core.catalogue import CLEARANCE, GEOMETRY, VALID_FROM
from core.database import query
from features import temporal
from features.search import Search
from features.table import Table

_VERSION = re.compile(r"(.+)@(\d{4}-\d{2}-\d{2})", re.DOTALL)


class VersionId(NamedTuple):
    """What the id of a version says: the key of the feature, and the day that the version began."""

    key: str
    began: date


def wanted(table: Table, search: Search) -> bool:
    """Whether versions that hold no more are asked for as well."""
    return search.datetime is not None and table.dataset.history is not None


def several(table: Table, search: Search) -> bool:
    """Whether a feature may come in several versions: an instant shows one of them."""
    return wanted(table, search) and "/" in (search.datetime or "")


def source(table: Table, search: Search) -> sql.Composable:
    """What features are read from: the table of those that hold, or that with all versions."""
    if not wanted(table, search):
        return sql.Identifier("data", table.dataset.id)
    return every(table)


def every(table: Table) -> sql.Composable:
    """All versions."""
    return table.remember("versions", lambda: _every(table))


def _every(table: Table) -> sql.Composable:
    dataset = table.dataset
    own = [dataset.key, *(name for name, _ in dataset.fields if name != dataset.key), GEOMETRY]
    own += [CLEARANCE] if dataset.knows_clearance else []
    return query("all_versions").format(
        columns=sql.SQL(", ").join(sql.Identifier("t", name.replace("%", "%%")) for name in own),
        table=sql.Identifier("data", dataset.id),
        history=sql.Identifier("history", dataset.id),
    )


def shown(table: Table, alias: str = "f") -> sql.Composable:
    """The condition that a version may be shown, which a query calls by an alias."""
    return query("version_shown").format(
        version=sql.Identifier(alias),
        table=sql.Literal(f"data.{table.dataset.id}"),
        history=sql.Literal(f"history.{table.dataset.id}"),
    )


def held(table: Table, search: Search) -> tuple[sql.Composable, dict[str, object]] | None:
    """The condition that a version held at the time that is asked for; None where all that is asked holds now."""
    if search.datetime is None or not wanted(table, search):
        return None
    first, last = temporal.days(search.datetime)
    condition = sql.SQL("{} and {}").format(query("held_between"), shown(table))
    return condition, {"first_day": first, "last_day": last}


def began(table: Table, day: date) -> tuple[sql.Composable, dict[str, object]]:
    """The condition that a version began on a day."""
    return sql.SQL("{} and {}").format(query("began_on"), shown(table)), {"began": day}


def id_of(table: Table, search: Search) -> sql.Composable:
    """The id of a feature, as JSON."""
    if wanted(table, search):
        return version_id(table, "f")
    return query("feature_id").format(key=sql.Identifier(table.dataset.key.replace("%", "%%")))


def version_id(table: Table, alias: str) -> sql.Composable:
    """The id of a version that a query calls by an alias, as JSON."""
    key = sql.Identifier(table.dataset.key.replace("%", "%%"))
    return query("version_id").format(version=sql.Identifier(alias), key=key)


def read_id(table: Table, identifier: str) -> VersionId | None:
    """What an id says, if it is that of a version which holds no more."""
    found = _VERSION.fullmatch(identifier) if table.dataset.history else None
    if found is None:
        return None
    try:
        return VersionId(found[1], date.fromisoformat(found[2]))
    except ValueError:
        return None


def one_version(table: Table, identifier: str, datetime: str | None = None) -> Search:
    """The search that finds the one feature, or version of one, that an id is of."""
    version = read_id(table, identifier)
    if version is None or datetime is not None:
        return Search(equals=[(table.dataset.key, identifier)], datetime=datetime)
    began = str(version.began)
    return Search(equals=[(table.dataset.key, version.key), (VALID_FROM, began)], datetime=began)
