"""The generalised zooms of a release: made of its staging table in the load, and put in place with it."""

from collections.abc import Callable
from typing import Any, NamedTuple

from psycopg import sql
from psycopg.types.json import Jsonb

from core.catalogue import Field
from core.database import Connection, query
from core.language import Text
from tiles.levels import store
from tiles.levels.budget import Budget
from tiles.levels.build import Levels, Tell, build
from tiles.levels.differences import Differences, differences
from tiles.levels.source import Table
from tiles.portrayal import Portrayal

Portray = Callable[[Connection, sql.Identifier, tuple[Field, ...], str], Portrayal]


class Generalised(NamedTuple):
    """What a load made: to be put in the place of the old with the release, then noted in the catalogue."""

    name: str
    levels: dict[str, Any]
    note: Text | None
    differs: Differences

    def swap(self, connection: Connection, id_: str) -> None:
        """Put the new zooms in the place of the old, under the lock of the release."""
        connection.execute(query("drop_levels"), {"id": id_})
        if self.levels["zooms"]:
            store.swap(connection, self.name, id_)

    def record(self, connection: Connection, id_: str) -> None:
        """Write into the catalogue what there is, and where it differs from what was."""
        connection.execute(query("record_levels"), {"id": id_, "levels": Jsonb(self.levels)})
        self.differs.tell(connection, id_)


def generalise(connection: Connection, id_: str, name: str, table: Table, budget: Budget, tell: Tell) -> Generalised:
    """Make the generalised zooms of a data set's table as tiles.<name>, which nobody sees yet."""
    levels = build(connection, table, budget, tell)
    if levels.zooms:
        store.write(connection, levels, table, name)
    return Generalised(name, levels.as_json(), _note(levels), differences(connection, id_, name, levels.as_json()))


def _note(levels: Levels) -> Text | None:
    """What they are and what they cost, for the report of the load."""
    if not levels.zooms:
        return None
    rows = sum(len(step.level.shapes) for zoom in levels.zooms for step in zoom.steps)
    most = max(zoom.measured.raw for zoom in levels.zooms) / 1000
    return Text(
        f"generalised below zoom {levels.whole_zoom}: {rows} rows, fullest tile {most:.0f} kB, {levels.seconds:.1f} s of CPU",
        f"{levels.whole_zoom} 级以下已综合:{rows} 行,最大瓦片 {most:.0f} kB,CPU 用时 {levels.seconds:.1f} 秒",
    )
