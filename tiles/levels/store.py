"""Generalised zooms as a table: written beside the one that is served, and put in its place with the release."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import shapely
from psycopg import sql

from core.database import Connection, query
from tiles.levels.build import Levels, Zoom
from tiles.levels.cells import Cells, coarsened
from tiles.levels.districts import districts
from tiles.levels.level import Step
from tiles.levels.makers import MOSAIC_STEPS, AreaMaker
from tiles.levels.source import Table, type_of
from tiles.levels.units import WEB_MERCATOR_SRID, Ints, in_metres, spatial_order
from tiles.levels.words import said

TOLD = 200  # boxes
_AT_ONCE = 20_000  # rows


def write(connection: Connection, levels: Levels, table: Table, name: str) -> None:
    """Write all zooms into table tiles.<name>, its features' rows into tiles.<name>.member, and index them."""
    target, members = sql.Identifier("tiles", name), sql.Identifier("tiles", f"{name}.member")
    typed = [sql.SQL("{} {},").format(sql.Identifier(one), type_of(table.types[one])) for one in table.carried]
    key = sql.SQL("{} {},").format(sql.Identifier(table.key), type_of(table.key_type))
    connection.execute(query("create_levels").format(table=target, columns=sql.SQL(" ").join([key, *typed])))
    connection.execute(query("create_members").format(table=members, type=type_of(table.key_type)))
    numbers = _numbered(levels)
    columns = sql.SQL(", ").join(map(sql.Identifier, _columns(table)))
    with connection.cursor() as cursor, cursor.copy(query("copy_levels").format(table=target, columns=columns)) as copy:
        for place, zoom in enumerate(levels.zooms):
            above = numbers[place + 1] if place + 1 < len(numbers) else None
            for row in _rows(levels, place, zoom, numbers[place], above):
                copy.write_row(row)
    _write_members(connection, levels, numbers, members)
    _write_cells(connection, levels, sql.Identifier("tiles", f"{name}.cells"))
    _index(connection, levels, target, members)


def _columns(table: Table) -> tuple[str, ...]:
    return ("zoom", "row_id", table.key, *table.carried, "members", "parent", "geom")


def _numbered(levels: Levels) -> list[list[Ints]]:
    """The row_id of each row, by zoom and kind: along the Hilbert curve, the finest zoom first."""
    numbers, start = [], 1
    for zoom in levels.zooms:
        sizes = [len(step.level.shapes) for step in zoom.steps]
        shapes = np.concatenate([step.level.shapes for step in zoom.steps])
        number = np.empty(len(shapes), dtype=np.int64)
        number[spatial_order(shapes, zoom.zoom)] = np.arange(start, start + len(shapes))
        start += len(shapes)
        numbers.append(np.split(number, np.cumsum(sizes)[:-1]))
    return numbers


def _rows(
    levels: Levels, place: int, zoom: Zoom, numbers: list[Ints], above: list[Ints] | None
) -> Iterator[tuple[Any, ...]]:
    """The rows of a zoom, kind by kind, in the order of their numbers."""
    for kind, step in enumerate(zoom.steps):
        parents = _parents(levels.zooms[place + 1].steps[kind], above[kind], len(step.level.shapes)) if above else None
        order = np.argsort(numbers[kind])
        for start in range(0, len(order), _AT_ONCE):
            which = order[start : start + _AT_ONCE]
            yield from _some_rows(levels, zoom.zoom, step, which, numbers[kind][which], parents)


def _some_rows(
    levels: Levels, zoom: int, step: Step, which: Ints, numbers: Ints, parents: Ints | None
) -> Iterator[tuple[Any, ...]]:
    words = said(levels.features, step.level.traits, which)
    shapes = shapely.set_srid(in_metres(step.level.shapes[which], zoom), WEB_MERCATOR_SRID)
    return zip(
        [zoom] * len(which),
        numbers.tolist(),
        words.keys,
        *words.columns,
        step.level.traits.members[which].tolist(),
        [None] * len(which) if parents is None else [one if one >= 0 else None for one in parents[which].tolist()],
        shapely.to_wkb(shapes, hex=True, include_srid=True).tolist(),
        strict=True,
    )


def _parents(step: Step, numbers: Ints, count: int) -> Ints | None:
    """The row_id that each row went into at the zoom above, -1 for none; nothing where that is a mosaic."""
    if len(step.parent) != count:
        return None
    return np.where(step.parent >= 0, numbers[step.parent] if len(numbers) else -1, -1)


def _write_members(connection: Connection, levels: Levels, numbers: list[list[Ints]], members: sql.Identifier) -> None:
    """Which row of the finest zoom each feature went into."""
    if not levels.zooms:
        return
    with connection.cursor() as cursor, cursor.copy(query("copy_members").format(table=members)) as copy:
        for maker, step, number in zip(levels.makers, levels.zooms[0].steps, numbers[0], strict=True):
            if len(step.parent) != len(maker.which):
                continue
            shown = step.parent >= 0
            keys = levels.features.keys.take(maker.which[shown]).to_pylist()
            for key, row in zip(keys, number[step.parent[shown]].tolist(), strict=True):
                copy.write_row((key, row))


def _write_cells(connection: Connection, levels: Levels, target: sql.Identifier) -> None:
    """What lies in the cells of the mosaics, from the finest to the coarsest that one is made of."""
    connection.execute(query("create_cells").format(table=target))
    for maker in levels.makers:
        if isinstance(maker, AreaMaker) and maker.cells is not None:
            zoom, cells = maker.cells
            for at in range(zoom, -MOSAIC_STEPS[-1].bit_length(), -1):
                write_cells(connection, target, at, cells)
                cells = coarsened(cells, 1)


def write_cells(connection: Connection, target: sql.Identifier, zoom: int, cells: Cells) -> None:
    """Put the cells of whole districts in the place of what is known of them."""
    rows = [(zoom, x, y, packed) for x, y, packed in districts(cells)]
    with connection.cursor() as cursor:
        cursor.executemany(query("put_cells").format(table=target), rows)


def _index(connection: Connection, levels: Levels, target: sql.Identifier, members: sql.Identifier) -> None:
    for zoom in levels.zooms:
        connection.execute(query("index_level").format(table=target, zoom=sql.Literal(zoom.zoom)))
    connection.execute(query("index_levels").format(table=target))
    connection.execute(query("index_members").format(table=members))
    connection.execute(sql.SQL("analyze {}, {}").format(target, members))


def tell(connection: Connection, id_: str, zoom: int, boxes: list[list[float]] | None) -> None:
    """Write down where a zoom changed, in degrees; many places are told as everywhere (None)."""
    where = boxes if boxes is not None and len(boxes) <= TOLD else [None]
    with connection.cursor() as cursor:
        cursor.executemany(query("tell_level"), [{"id": id_, "zoom": zoom, "box": box} for box in where])


def swap(connection: Connection, name: str, id_: str) -> None:
    """Give the levels written as `name` the name of their data set, which has none now."""
    for suffix in ("", ".member", ".cells"):
        connection.execute(
            sql.SQL("alter table {} rename to {}").format(
                sql.Identifier("tiles", name + suffix), sql.Identifier(id_ + suffix)
            )
        )
