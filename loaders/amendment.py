"""A release changed in place, as a whole: rows closed and rows opened in one transaction, written down, and taken back.

The table is changed by plain statements, so that its triggers write the change log: tiles, generalised zooms and the feed
follow as after any edit.
"""

from datetime import date, datetime
from typing import Any, Literal, NamedTuple

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from core.catalogue import CLEARANCE, RELEASE, VALID_FROM, VALID_TO
from core.database import Connection, query
from core.errors import ChengtuError, NoSuchDataset
from loaders.release import TableHeld, columns_of, named_type
from loaders.report import Changes

Kind = Literal["increment", "sheet"]

_PATIENCE = "10000"  # milliseconds: edits take some
_OURS = (RELEASE, CLEARANCE, VALID_FROM, VALID_TO)  # columns that no source fills


class Running(ChengtuError):
    """A load, or another amendment, of the same data set is under way."""

    en = "{id} is being loaded or amended by another process. Wait until that has ended."
    zh = "数据集 {id} 正在被另一个加载或变更任务写入,请等待其结束。"
    status = 409
    exit_code = 3


class KeysTaken(ChengtuError):
    """Features to be added whose keys others have that stay."""

    en = "{number} features to be added to {id} are there already, such as {examples}, and nothing says that those end."
    zh = "要加入 {id} 的要素中有 {number} 个已存在且未被注销,例如 {examples}。"
    exit_code = 2


class NothingToUndo(ChengtuError):
    """A data set without any amendment."""

    en = "Nothing was changed in {id} by an increment or a sheet since its release was loaded."
    zh = "数据集 {id} 自发布以来没有应用过增量或图幅更新。"
    exit_code = 2


class ChangedSince(ChengtuError):
    """Features of an amendment that are no longer as it left them."""

    en = "{label} cannot be taken back from {id}: {number} of its features have changed since, such as {examples}."
    zh = "无法从 {id} 撤销 {label}:其中 {number} 个要素此后已被修改,例如 {examples}。"
    exit_code = 2


class Amended(NamedTuple):
    """A data set that is being amended: what was of it before, and its table, which nobody else writes to meanwhile."""

    id: str
    key: str
    columns: dict[str, str]  # of its table, with their types
    release: int
    change: int
    history: bool
    state_of: date | None
    fields: tuple[str, ...]
    srid: int

    @property
    def table(self) -> sql.Identifier:
        """The table that is served."""
        return sql.Identifier("data", self.id)

    @property
    def closed(self) -> sql.Identifier:
        """The table of versions that hold no more."""
        return sql.Identifier("history", self.id)

    @property
    def key_type(self) -> sql.SQL:
        """The key's type."""
        type_: sql.SQL = named_type(self.columns[self.key])
        return type_


class Rows(NamedTuple):
    """What ends and what begins."""

    closing: sql.Composable  # a query of one column: the keys of the features that end
    opening: sql.Identifier  # a table of features, its columns called as those of the data set; missing ones stay empty
    columns: tuple[str, ...]  # those that it has, the key and `geom` among them
    pairs: sql.Composable | None = None  # a query of three columns: the key before, the key after, the area


class What(NamedTuple):
    """What an amendment is: of which year or sheet, from what file, and from which day its features hold."""

    kind: Kind
    label: str
    source: str
    day: date


class Applied(NamedTuple):
    """An amendment that was made, or had been made before (`again`)."""

    id: int
    changes: Changes
    again: datetime | None = None


class Undone(NamedTuple):
    """An amendment that was taken back."""

    id: int
    label: str
    changes: Changes


def hold(connection: Connection, id_: str) -> Amended:
    """Keep loads, other amendments and editors out of a data set until the transaction ends; readers go on."""
    row = connection.execute(query("lock_load"), {"id": id_}).fetchone()
    if not (row and row["ours"]):
        raise Running(id=id_)
    if connection.execute(query("current_release"), {"id": id_}).fetchone() is None:
        raise NoSuchDataset(id=id_)
    try:
        connection.execute(query("amendment_patience"), {"milliseconds": _PATIENCE})
        connection.execute(query("hold_table").format(table=sql.Identifier("data", id_)))
        found = connection.execute(query("amended_dataset"), {"id": id_}).fetchone()
    except psycopg.errors.LockNotAvailable as error:
        raise TableHeld(id=id_) from error
    if found is None:
        raise NoSuchDataset(id=id_)
    return Amended(
        id_,
        found["key_column"],
        columns_of(connection, f"data.{id_}"),
        found["release"],
        found["change"],
        found["history"],
        found["state_of"],
        tuple(field["name"] for field in found["fields"]),
        found["srid"],
    )


def digest_of(connection: Connection, what: What, rows: Rows) -> str:
    """A text by which the same amendment is known when it comes again."""
    columns = sql.SQL(", ").join(sql.Identifier("s", name) for name in sorted(rows.columns))
    statement = query("content_digest").format(columns=columns, opening=rows.opening, closing=rows.closing)
    row = connection.execute(statement, {"label": what.label, "day": what.day}).fetchone()
    return str(row["digest"]) if row else ""


def applied_before(connection: Connection, id_: str, digest: str) -> Applied | None:
    """The amendment of the same content that is in force already."""
    row = connection.execute(query("applied_already"), {"id": id_, "digest": digest}).fetchone()
    return Applied(row["id"], Changes(0, 0, 0), row["applied_at"]) if row else None


def amend(connection: Connection, held: Amended, what: What, rows: Rows, report: dict[str, Any]) -> Applied:
    """Close and open rows of a data set that is held, and write it down; nothing where that was done before.

    Rows that would come back as they were are left alone. Raises `KeysTaken` where an opened row's key is another's.
    """
    digest = digest_of(connection, what, rows)
    if before := applied_before(connection, held.id, digest):
        return before
    connection.execute(query("keep_history"), {"id": held.id, "key": held.key})
    changes = _find_steps(connection, held, rows)
    id_ = _record(connection, held, what, digest, changes, report)
    _close(connection, held, what, id_)
    day = {VALID_FROM: sql.Literal(what.day)} if held.history else {}
    opened = {name: _cast(held, name, "s") for name in rows.columns}
    _write(connection, held, rows.opening, opened | day, sql.SQL("true"))
    _tell_opened(connection, held, what, id_, rows)
    reached = max(held.state_of or what.day, what.day)
    bound = {"dataset": held.id, "amendment": id_, "change": held.change, "day": reached, "undone": False}
    connection.execute(query("end_amendment"), bound)
    return Applied(id_, changes)


def undo(connection: Connection, held: Amended) -> Undone:
    """Take the newest amendment of a data set back, all of it; later changes of its own features prevent that."""
    last = connection.execute(query("newest_amendment"), {"id": held.id}).fetchone()
    if last is None or last["release"] != held.release:
        raise NothingToUndo(id=held.id)
    parts = _parts(held) | {"amendment": sql.Literal(last["id"])}
    found = connection.execute(query("changed_since").format(**parts)).fetchone()
    if found and found["number"]:
        examples = ", ".join(found["examples"])
        raise ChangedSince(id=held.id, label=last["label"], number=found["number"], examples=examples)
    connection.execute("drop table if exists pg_temp.ct_step")
    connection.execute(query("find_steps_back").format(**parts))
    changes = _counted(connection)
    columns = [name for name in held.columns if name not in (CLEARANCE, RELEASE, VALID_TO)]
    restored: dict[str, sql.Composable] = {name: sql.Identifier("s", name) for name in columns}
    mine = sql.SQL("s.ct_amendment = {}").format(sql.Literal(last["id"]))
    _write(connection, held, held.closed, restored, mine)
    connection.execute(query("forget_closed").format(**parts))
    for name in ("forget_opened", "forget_succession"):
        connection.execute(query(name), {"amendment": last["id"]})
    bound = {"dataset": held.id, "amendment": last["id"], "change": held.change, "day": last["day_before"]}
    connection.execute(query("end_amendment"), bound | {"undone": True})
    return Undone(last["id"], last["label"], changes)


def _parts(held: Amended) -> dict[str, sql.Composable]:
    key = sql.Identifier(held.key)
    return {"table": held.table, "history": held.closed, "key": key, "key_type": held.key_type}


def _cast(held: Amended, name: str, alias: str) -> sql.Composable:
    return sql.SQL("cast({} as {})").format(sql.Identifier(alias, name), named_type(held.columns[name]))


def _find_steps(connection: Connection, held: Amended, rows: Rows) -> Changes:
    compared = [name for name in sorted(rows.columns) if name not in _OURS]
    old = sql.SQL(", ").join(sql.Identifier("t", name) for name in compared)
    new = sql.SQL(", ").join(_cast(held, name, "s") for name in compared)
    connection.execute("drop table if exists pg_temp.ct_step")
    connection.execute(
        query("find_steps").format(
            **_parts(held),
            opening=rows.opening,
            closing=rows.closing,
            old_values=sql.SQL("row({})").format(old),
            new_values=sql.SQL("row({})").format(new),
        )
    )
    taken = connection.execute(query("taken_keys").format(**_parts(held))).fetchone()
    if taken and taken["number"]:
        raise KeysTaken(id=held.id, number=taken["number"], examples=", ".join(taken["examples"]))
    return _counted(connection)


def _counted(connection: Connection) -> Changes:
    connection.execute("analyze pg_temp.ct_step")
    row = connection.execute(query("count_steps")).fetchone()
    return Changes(**row) if row else Changes(0, 0, 0)


def _record(
    connection: Connection, held: Amended, what: What, digest: str, changes: Changes, report: dict[str, Any]
) -> int:
    bound = {
        "dataset": held.id,
        "release": held.release,
        "digest": digest,
        "day_before": held.state_of,
        "change": held.change,
        "report": Jsonb(report),
    }
    row = connection.execute(query("record_amendment"), bound | what._asdict() | changes._asdict()).fetchone()
    return int(row["id"]) if row else 0


def _close(connection: Connection, held: Amended, what: What, amendment: int) -> None:
    """Put aside what ends; a version that begins on the day it ends held on no day, and is kept to be taken back alone."""
    kept = [name for name in held.columns if name not in (VALID_FROM, VALID_TO)]
    ended = sql.SQL("greatest({}, t.valid_from)").format(sql.Literal(what.day))
    nothing = sql.SQL("null::date")
    statement = query("close_rows").format(
        **_parts(held),
        columns=sql.SQL(", ").join(map(sql.Identifier, kept)),
        values=sql.SQL(", ").join(sql.Identifier("t", name) for name in kept),
        valid_from=sql.Identifier("t", VALID_FROM) if held.history else nothing,
        valid_to=ended if held.history else nothing,
        amendment=sql.Literal(amendment),
    )
    connection.execute(statement)


def _write(
    connection: Connection,
    held: Amended,
    source: sql.Identifier,
    values: dict[str, sql.Composable],
    condition: sql.Composable,
) -> None:
    """Delete, update and insert, as the steps say, features out of a table; three changes at most are told."""
    parts = _parts(held) | {"source": source, "condition": condition}
    assigned = [sql.SQL("{} = {}").format(sql.Identifier(name), value) for name, value in values.items()]
    inserted: dict[str, sql.Composable] = values | {RELEASE: sql.Literal(held.release)}
    connection.execute(query("step_delete").format(**parts))
    connection.execute(query("step_update").format(**parts, assignments=sql.SQL(", ").join(assigned)))
    connection.execute(
        query("step_insert").format(
            **parts,
            columns=sql.SQL(", ").join(map(sql.Identifier, inserted)),
            values=sql.SQL(", ").join(inserted.values()),
        )
    )


def _tell_opened(connection: Connection, held: Amended, what: What, amendment: int, rows: Rows) -> None:
    """Remember what was written, and what became what."""
    connection.execute(query("record_opened").format(**_parts(held), amendment=sql.Literal(amendment)))
    if rows.pairs is not None:
        connection.execute(
            query("record_succession").format(
                id=sql.Literal(held.id), amendment=sql.Literal(amendment), day=sql.Literal(what.day), pairs=rows.pairs
            )
        )


__all__ = [
    "Amended",
    "Applied",
    "Rows",
    "Undone",
    "What",
    "amend",
    "applied_before",
    "digest_of",
    "hold",
    "undo",
]
