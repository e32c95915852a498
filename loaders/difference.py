"""How a release differs from the one being served: counted for the report, and written down in the change log."""

from typing import NamedTuple

from psycopg import sql

from core.catalogue import GEOMETRY
from core.database import Connection, query
from loaders.release import Served, columns_of, relation
from loaders.report import Changes
from loaders.staging import Staging

_MOST = 20_000  # features, and a third of all: where more change, whoever follows had better read everything anew


class Difference(NamedTuple):
    """What a release changes, and whether each feature of it is in the change log."""

    changes: Changes
    told: bool
    edits: int  # of the release that it was compared with


def compare(connection: Connection, staging: Staging, served: Served | None, id_: str) -> Difference | None:
    """What changes against the release being served, written down; None when nothing does, not even the table's shape.

    The table may have been altered by hand since: only what is still as the catalogue says is compared.
    """
    if served is None or served.partition is None:
        return Difference(Changes(staging.tally.rows, 0, 0), told=False, edits=0)
    have = columns_of(connection, served.partition)
    if not _comparable(staging, served, have):
        return Difference(Changes(staging.tally.rows, _rows(connection, served.partition), 0), False, served.change)
    parts = _parts(staging, served.partition)
    changes = _changes(connection, staging, parts, have)
    whole = all(have.get(name) == type_ for name, type_ in served.fields)
    same_shape = whole and served.fields == staging.fields and served.geometry_type == staging.type_name
    if same_shape and not any(changes):
        return None
    told = same_shape and sum(changes) <= max(_MOST, staging.tally.rows / 3)
    if told:
        named = {"id": sql.Literal(id_), "release": sql.Literal(staging.place.release)}
        connection.execute(query("log_difference").format(**parts, **named))  # unbound: a name may hold a percent sign
    return Difference(changes, told, served.change)


def _comparable(staging: Staging, served: Served, have: dict[str, str]) -> bool:
    """Whether features of both releases can be told by the same key, and their places compared."""
    same_key = served.key == staging.key and have.get(staging.key) == staging.key_type
    return same_key and served.srid == staging.place.srid and GEOMETRY in have


def _rows(connection: Connection, table: str) -> int:
    row = connection.execute(sql.SQL("select count(*) as n from {}").format(relation(table))).fetchone()
    return int(row["n"]) if row else 0


def _changes(
    connection: Connection, staging: Staging, parts: dict[str, sql.Composable], have: dict[str, str]
) -> Changes:
    """Find what differs, which is kept until the load ends, and count it."""
    names = [*(name for name, type_ in staging.fields if have.get(name) == type_), GEOMETRY]
    values = {"old_values": _row("old", names), "new_values": _row("new", names)}
    connection.execute(query("find_difference").format(**parts, **values))
    row = connection.execute(query("count_difference").format(**parts)).fetchone()
    return Changes(**row) if row else Changes(0, 0, 0)


def _parts(staging: Staging, partition: str) -> dict[str, sql.Composable]:
    return {
        "difference": difference_of(staging),
        "key": sql.Identifier(staging.key),
        "old": relation(partition),
        "staging": staging.table,
    }


def difference_of(staging: Staging) -> sql.Identifier:
    """The temporary table of what differs: `key` and `op` (I, U, D); there only once two releases were compared."""
    return sql.Identifier(f"{staging.name}_difference")


def _row(alias: str, names: list[str]) -> sql.Composable:
    return sql.SQL("row({})").format(sql.SQL(", ").join(sql.Identifier(alias, name) for name in sorted(names)))


def tell_whole(connection: Connection, id_: str, release: int, difference: Difference, edits: int) -> None:
    """Write down that everything must be read anew, where the log does not tell each feature.

    It tells those against the release as it was when they were compared: edits that came in between, to be discarded,
    are not among them.
    """
    bound = {"id": id_, "release": release}
    if difference.told and difference.edits != edits:
        connection.execute(query("forget_difference"), bound)
    if not difference.told or difference.edits != edits:
        connection.execute(query("log_release"), bound)
