"""Releases of a data set with history: what stays goes on living, and what changes or goes is kept as it was."""

from datetime import date
from typing import Final, NamedTuple

from psycopg import sql

from core.catalogue import VALID_FROM, VALID_TO
from core.database import Connection, query
from core.errors import ChengtuError
from loaders.difference import difference_of
from loaders.release import Served, columns_of, relation
from loaders.staging import Staging

YEAR: Final = "SJNF"  # 数据年份, of land parcels


class DayMissing(ChengtuError):
    """A release of a data set with history that says of no day what it is the state of."""

    en = "{id} keeps its history: say what day these data are the state of, such as --state-of 2024-12-31."
    zh = "数据集 {id} 保留历史:请指明数据反映哪一天的状态,例如 --state-of 2024-12-31。"
    exit_code = 2


class OlderState(ChengtuError):
    """A release that is older than what is served."""

    en = "{id} is served as of {served}; these data are of {given}, which is earlier. Load a later state."
    zh = "数据集 {id} 当前反映 {served} 的状态,而本次数据为 {given},早于现有状态。请加载更新的数据。"
    exit_code = 2


class AnotherShape(ChengtuError):
    """A release whose features cannot be told by the same key, or kept in the same table, as those before."""

    en = "{id} keeps its history, but {what} is another than before: load it under another id, or with --no-history."
    zh = "数据集 {id} 保留历史,但{what}与之前不同:请使用其他编号加载,或使用 --no-history。"
    exit_code = 2


class Wish(NamedTuple):
    """What shall be of the history of a data set: as the user says, else as before, else as the profile says."""

    history: bool | None = None
    day: date | None = None
    by_profile: bool = False


class Life(NamedTuple):
    """Whether a data set keeps history, and the day that it is the state of."""

    history: bool
    state_of: date | None


class Begun(NamedTuple):
    """A release whose features know since when they hold, and what was served before."""

    day: date
    served: Served | None  # None where nothing before has a history


def life_of(connection: Connection, id_: str) -> Life:
    """What the catalogue says."""
    row = connection.execute(query("life_of"), {"id": id_}).fetchone()
    return Life(row["history"], row["state_of"]) if row else Life(False, None)


def has_history(connection: Connection, id_: str, wish: Wish) -> bool:
    """Whether it shall keep one."""
    return wish.history if wish.history is not None else life_of(connection, id_).history or wish.by_profile


def decide(connection: Connection, id_: str, wish: Wish, day: date | None) -> Life:
    """What shall be from now on; `day` is what the data themselves say.

    Where nobody but the profile asks for history, and no day is known, there is none. Raises `DayMissing`, `OlderState`.
    """
    before, day = life_of(connection, id_), wish.day or day
    history = has_history(connection, id_, wish)
    if history and day is None:
        if before.history or wish.history:
            raise DayMissing(id=id_)
        history = False
    if history and before.history and before.state_of is not None and day is not None and day < before.state_of:
        raise OlderState(id=id_, served=before.state_of, given=day)
    return Life(history, day)


def day_of(connection: Connection, staging: Staging) -> date | None:
    """The end of the year that land parcels say they are of (SJNF); None where they say none."""
    if dict(staging.fields).get(YEAR) not in ("smallint", "integer", "bigint"):
        return None
    row = connection.execute(query("year_of").format(staging=staging.table, year=sql.Identifier(YEAR))).fetchone()
    year = row["year"] if row else None
    return date(year, 12, 31) if year is not None and 1900 <= year <= 9998 else None


def begin(connection: Connection, staging: Staging, id_: str, served: Served | None, life: Life) -> Begun:
    """Give the features of a compared release their first day; to be called before it is indexed.

    Raises `AnotherShape` where what is served cannot be gone on with.
    """
    day = life.state_of or date.min
    parts: dict[str, sql.Composable] = {
        "staging": staging.table,
        "key": sql.Identifier(staging.key),
        "day": sql.Literal(day),
    }
    old = _table_before(connection, id_, served)
    if served is None or old is None:
        connection.execute(query("add_lifetime").format(**parts))
        return Begun(day, None)
    _require_same_shape(staging, id_, served, columns_of(connection, str(served.partition)))
    row = connection.execute(query("common_start").format(old=old)).fetchone()
    parts |= {"old": old, "difference": difference_of(staging), "start": sql.Literal(row["day"] if row else day)}
    connection.execute(query("add_lifetime").format(staging=staging.table, day=parts["start"]))
    connection.execute(query("begin_lives").format(**parts))
    connection.execute(query("go_on_living").format(**parts | {"day": parts["start"]}))
    return Begun(day, served)


def _table_before(connection: Connection, id_: str, served: Served | None) -> sql.Identifier | None:
    """The release that is served, where its features know since when they hold."""
    if served is None or served.partition is None or not life_of(connection, id_).history:
        return None
    return relation(served.partition)


def _require_same_shape(staging: Staging, id_: str, served: Served, have: dict[str, str]) -> None:
    types = dict(staging.fields) | {staging.key: staging.key_type}
    differing = [
        f"{name} ({have[name]}, {type_})" for name, type_ in types.items() if name in have and have[name] != type_
    ]
    if served.key != staging.key:
        differing.append(f"{served.key}, {staging.key}")
    if served.srid != staging.place.srid:
        differing.append(f"EPSG:{served.srid}, EPSG:{staging.place.srid}")
    if served.geometry_type != staging.type_name:
        differing.append(f"{served.geometry_type}, {staging.type_name}")
    if differing:
        raise AnotherShape(id=id_, what="; ".join(differing))


def end(connection: Connection, staging: Staging, id_: str, begun: Begun) -> None:
    """Keep what the release removes or changes; to be called right before the swap."""
    if begun.served is None or begun.served.partition is None:
        return
    connection.execute(query("keep_history"), {"id": id_, "key": staging.key})
    kept = [name for name in columns_of(connection, begun.served.partition) if name not in (VALID_FROM, VALID_TO)]
    connection.execute(
        query("end_lives").format(
            history=sql.Identifier("history", id_),
            columns=sql.SQL(", ").join(map(sql.Identifier, kept)),
            values=sql.SQL(", ").join(sql.Identifier("t", name) for name in kept),
            old=relation(begun.served.partition),
            difference=difference_of(staging),
            key=sql.Identifier(staging.key),
            day=sql.Literal(begun.day),
        )
    )


def settle(connection: Connection, staging: Staging, id_: str, life: Life) -> None:
    """Write down what a release is, once it is in the catalogue and its table in place."""
    if life.history:
        connection.execute(query("keep_history"), {"id": id_, "key": staging.key})
        table = sql.Identifier("data", id_)
        connection.execute(query("default_start").format(table=table, id=sql.Literal(id_)))
    else:
        connection.execute(query("forget_history").format(history=sql.Identifier("history", id_)))
    connection.execute(query("settle_history"), {"id": id_, "history": life.history, "day": life.state_of})


def move_on(connection: Connection, id_: str, life: Life) -> None:
    """Write down that what is served is the state of a later day, too."""
    if life.history:
        connection.execute(query("settle_history"), {"id": id_, "history": True, "day": life.state_of})
