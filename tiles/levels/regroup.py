"""Generalised zooms after edits: what the change log tells is brought into them, where it is, or they are made anew."""

import time
from typing import Any, Literal, NamedTuple

import numpy as np
import psycopg
from psycopg import sql

from core.catalogue import Dataset, get_dataset
from core.database import Connection, query
from core.errors import ChengtuError
from tiles.levels import areas, store
from tiles.levels.budget import Budget
from tiles.levels.build import VERSION
from tiles.levels.makers import MOSAIC_STEPS
from tiles.levels.patch_groups import Touched, patch_areas, patch_lines
from tiles.levels.patch_mosaic import recount, recount_coarser, show
from tiles.levels.patch_points import patch_points
from tiles.levels.places import in_degrees, to_units
from tiles.levels.release import generalise
from tiles.levels.shelf import Shelf
from tiles.levels.source import table_of
from tiles.levels.units import Floats
from tiles.portrayal import Portrayal, portrayal_of

type Wanted = Literal["nothing", "patch", "rebuild"]

MOST = 2000  # features: more are not brought in one by one
_TRIES = 600  # of 100 ms
_DIMENSIONS = {"point": 0, "line": 1, "area": 2}


class LevelsHeld(ChengtuError):
    """Readers keep new generalised zooms from being put in place."""

    en = (
        "The generalised tiles of {id} stayed in use for a minute and are still those before the last edits. Ask again."
    )
    zh = "数据集 {id} 的综合瓦片持续被占用一分钟,仍为最近编辑之前的内容。请稍后重试。"
    status = 503


class _Log(NamedTuple):
    """What changed since the levels were made: the keys, and where they were and are."""

    keys: list[str]
    boxes: Floats  # degrees


def catch_up(connection: Connection, id_: str) -> None:
    """Bring the generalised zooms of a data set up to its features; does nothing when they are.

    Two callers at once do it once: the second waits for the first. Whatever is served meanwhile is served as it was.
    """
    with connection.transaction():
        connection.execute(query("lock_levels"), {"id": id_})
        if _behind(connection, id_) is None:
            return
        connection.execute(query("hold_release").format(table=sql.Identifier("data", id_)))
        row = _behind(connection, id_)
        if row is None:
            return
        dataset = get_dataset(connection, id_)
        portrayal = portrayal_of(dataset)
        log = _read_log(connection, id_, row) if _as_made(row["levels"], portrayal) else None
        if log is None:
            _rebuild(connection, dataset, portrayal, row["levels"])
        else:
            _patch(connection, dataset, portrayal, row, log)


def wants(connection: Connection, id_: str) -> Wanted:
    """What `catch_up` would do: a rebuild takes as long as in a load, a patch is done at once."""
    row = _behind(connection, id_)
    if row is None:
        return "nothing"
    made_so = _as_made(row["levels"], portrayal_of(get_dataset(connection, id_)))
    return "patch" if made_so and _read_log(connection, id_, row) is not None else "rebuild"


def _behind(connection: Connection, id_: str) -> dict[str, Any] | None:
    return connection.execute(query("levels_behind"), {"id": id_}).fetchone()


def _as_made(levels: dict[str, Any], portrayal: Portrayal) -> bool:
    """Whether the zooms were made in a way that can be patched, and carry what tiles want now."""
    want = {name: _plain(value) for name, value in portrayal._asdict().items()}
    return levels.get("version") == VERSION and levels["patched"] and levels.get("portrayal") == want


def _plain(value: Any) -> Any:  # noqa: ANN401 — any JSON value
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _read_log(connection: Connection, id_: str, row: dict[str, Any]) -> _Log | None:
    """The features that changed, or None where that is not known or too much."""
    if row["lost"]:
        return None
    given = {"id": id_, "release": row["release"], "since": row["levels_change"], "most": MOST + 1}
    rows = connection.execute(query("levels_log"), given).fetchall()
    if len(rows) > MOST or any(one["op"] == "R" for one in rows):
        return None
    boxes = [box for one in rows for box in (one["old_box"], one["new_box"]) if box]
    return _Log(list(dict.fromkeys(one["key"] for one in rows)), np.array(boxes, dtype=np.float64).reshape(-1, 4))


def _rebuild(connection: Connection, dataset: Dataset, portrayal: Portrayal, levels: dict[str, Any]) -> None:
    """Make all zooms anew; readers are kept waiting for no longer than a tenth of a second at a time."""
    budget = Budget(levels["budget"]["raw"], levels["budget"]["gzip"])
    name = f"{dataset.id}.new"
    table = table_of(dataset, portrayal)
    made = generalise(connection, dataset.id, name, table, budget, lambda done, total: None)
    for _ in range(_TRIES):
        try:
            with connection.transaction():
                connection.execute("set local lock_timeout = '100ms'")
                made.swap(connection, dataset.id)
        except psycopg.errors.LockNotAvailable:
            time.sleep(0.1)
        else:
            break
    else:
        raise LevelsHeld(id=dataset.id)
    made.record(connection, dataset.id)


def _patch(connection: Connection, dataset: Dataset, portrayal: Portrayal, row: dict[str, Any], log: _Log) -> None:
    """Bring some changed features into the zooms, one kind of geometry after the other."""
    levels = row["levels"]
    shelf = Shelf(connection, dataset, levels, portrayal)
    lost = shelf.parents_of(log.keys)
    shelf.forget(log.keys)
    for place, kind in enumerate(levels["kinds"]):
        shelf.dimension = _DIMENSIONS[kind]
        steps = {one["zoom"]: one["coarseness"][place] for one in levels["zooms"]}
        if kind == "point":
            _patch_points(shelf, steps, log)
        else:
            _patch_groups(shelf, kind, steps, lost, log)
    connection.execute(query("record_patch"), {"id": dataset.id, "change": row["change"]})
    _tell(connection, dataset.id, shelf)


def _patch_points(shelf: Shelf, steps: dict[int, int], log: _Log) -> None:
    places = to_units(log.boxes, shelf.whole_zoom - 1)
    for zoom, step in steps.items():
        if not len(places):
            return
        places = patch_points(shelf, zoom, places, step) / 2


def _patch_groups(shelf: Shelf, kind: str, steps: dict[int, int], lost: list[int], log: _Log) -> None:
    """Groups are made of the finer zoom's; the mosaics above them of the features themselves."""
    touched = Touched(lost, shelf.features(log.keys, shelf.whole_zoom - 1))
    mosaics = {}
    for zoom, step in steps.items():
        if kind == "area" and step >= len(areas.STEPS):
            mosaics[zoom] = MOSAIC_STEPS[step - len(areas.STEPS)]
        elif touched.lost or touched.fresh.names:
            patch = patch_areas if kind == "area" else patch_lines
            touched = patch(shelf, zoom, touched, step)
    if mosaics:
        _patch_mosaics(shelf, mosaics, log)


def _patch_mosaics(shelf: Shelf, sides: dict[int, int], log: _Log) -> None:
    at = max(zoom - side.bit_length() + 1 for zoom, side in sides.items())
    cells, more = recount(shelf, at, to_units(log.boxes, max(at, 0)))
    for zoom, side in sides.items():
        while cells and at > zoom - side.bit_length() + 1:
            at -= 1
            cells = recount_coarser(shelf, at, cells)
        if cells:
            show(shelf, zoom, side, cells, more)


def _tell(connection: Connection, id_: str, shelf: Shelf) -> None:
    """Write down which areas of which zooms changed."""
    for zoom, boxes in shelf.boxes.items():
        store.tell(connection, id_, zoom, in_degrees(np.concatenate(boxes)).tolist())
