"""Where generalised zooms that were made anew differ from those that are served."""

from typing import Any, NamedTuple

import numpy as np
from psycopg import sql

from core.database import Connection, query
from tiles.levels import store
from tiles.levels.places import in_degrees


class Differences(NamedTuple):
    """The boxes (degrees) of each zoom that differs, None for everywhere; good for one step of the zooms."""

    step: int
    boxes: dict[int, list[list[float]] | None]

    def tell(self, connection: Connection, id_: str) -> None:
        """Write them down with the step that the zooms are at now; everywhere, should edits have come between."""
        row = connection.execute(query("level_step"), {"id": id_}).fetchone()
        expected = row is not None and row["level_step"] == self.step + 1
        for zoom, boxes in self.boxes.items():
            store.tell(connection, id_, zoom, boxes if expected else None)


def differences(connection: Connection, id_: str, name: str, levels: dict[str, Any]) -> Differences:
    """Compare tiles.<name> with what a data set has now."""
    row = connection.execute(query("level_step"), {"id": id_}).fetchone()
    if row is None:
        return Differences(0, {})
    old = {one["zoom"] for one in (row["levels"] or {}).get("zooms", ())}
    new = {one["zoom"] for one in levels["zooms"]}
    boxes: dict[int, list[list[float]] | None] = dict.fromkeys(sorted(old ^ new))
    if old & new:
        boxes |= _compared(connection, id_, name, old & new)
    return Differences(row["level_step"], boxes)


def _compared(connection: Connection, id_: str, name: str, zooms: set[int]) -> dict[int, list[list[float]] | None]:
    old, new = _columns(connection, id_), _columns(connection, name)
    if old != new:
        return dict.fromkeys(sorted(zooms))
    statement = query("level_differences").format(
        old=sql.Identifier("tiles", id_),
        new=sql.Identifier("tiles", name),
        columns=sql.SQL(", ").join(sql.SQL("{}::text").format(sql.Identifier(one)) for one in old),
    )
    rows = connection.execute(statement, {"zooms": sorted(zooms), "most": store.TOLD}).fetchall()
    return {
        row["zoom"]: in_degrees(np.array(row["boxes"], dtype=np.float64)).tolist() if row["boxes"] else None
        for row in rows
    }


def _columns(connection: Connection, name: str) -> list[str]:
    rows = connection.execute(query("relation_columns"), {"table": f'tiles."{name}"'}).fetchall()
    return sorted(row["name"] for row in rows if row["name"] not in ("zoom", "row_id", "parent", "members", "geom"))
