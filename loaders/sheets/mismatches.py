"""The edges of a sheet held against the neighbours that are loaded, and the collection of what does not match."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import shapely
from psycopg import sql
from psycopg.types.json import Jsonb

from core.catalogue import Field
from core.crs import CGCS2000, Srid, lookup
from core.database import Connection, query
from core.language import Text
from core.shapes import transform_points
from grids.cells import plane_of
from grids.sheets import Bounds
from loaders.candidate import Candidate, next_release
from loaders.geometry import POINT
from loaders.options import Described
from loaders.release import served_release
from loaders.sheets.edges import REACH, Bordering, match, tolerance_of
from loaders.sheets.naming import Sheet
from loaders.staging import Place, Staging

SUFFIX: Final = "_edges"  # behind the id of the index of sheets

_FIELDS: tuple[tuple[str, str, Text], ...] = (
    ("id", "text", Text("Identifier", "编号")),
    ("rule", "text", Text("Rule", "规则")),
    ("theme", "text", Text("Theme", "专题")),
    ("sheet", "text", Text("Map sheet", "图幅")),
    ("other_sheet", "text", Text("Neighbouring sheet", "邻幅")),
    ("feature", "text", Text("Feature", "要素")),
    ("other", "text", Text("Feature beyond the border", "邻幅要素")),
    ("gap", "double precision", Text("Gap in metres", "端点间距(米)")),
    ("note_en", "text", Text("Finding (English)", "问题说明(英文)")),
    ("note_zh", "text", Text("Finding (Chinese)", "问题说明(中文)")),
)


class Placed(NamedTuple):
    """Where the features of a sheet lie: their CRS and bounds."""

    srid: Srid
    bounds: Bounds | None


class Mismatch(NamedTuple):
    """A finding at the border of two sheets, as the collection has it; `x` and `y` are in `plane`."""

    rule: str
    theme: str
    sheet: str
    other_sheet: str
    feature: str | None
    other: str | None
    gap: float | None
    note_en: str
    note_zh: str
    plane: int
    x: float
    y: float


def mismatches(
    connection: Connection, index: str, sheet: Sheet, placed: Placed, tables: Mapping[str, sql.Identifier]
) -> list[Mismatch]:
    """All mismatches between a sheet and those around it that the index has; `tables` are the themes', by name."""
    if served_release(connection, index) is None:
        return []
    around = sheet.neighbours()
    statement = query("indexed_sheets").format(index=sql.Identifier("data", index))
    known = {row["id"] for row in connection.execute(statement, {"sheets": list(around.values())})}
    borders = _borders(sheet, placed)
    return [
        one
        for way, other in around.items()
        if other in known
        for theme, table in sorted(tables.items())
        for one in _between(connection, sheet, other, borders[way], theme, table)
    ]


class _Border(NamedTuple):
    """A border as a line in a plane whose unit is the metre."""

    line: shapely.LineString
    plane: Srid


def _borders(sheet: Sheet, placed: Placed) -> dict[str, _Border]:
    edges = sheet.edges(placed.srid, placed.bounds)
    plane = placed.srid
    if lookup(placed.srid).is_geographic:
        middle = edges["s"].centroid
        plane = plane_of(placed.srid, middle.x, middle.y)
    return {way: _Border(transform_points(line, placed.srid, plane), plane) for way, line in edges.items()}


def _between(
    connection: Connection, sheet: Sheet, other: str, border: _Border, theme: str, table: sql.Identifier
) -> Iterator[Mismatch]:
    tolerance = tolerance_of(sheet.scale)
    first, second = sorted((sheet.key, other))  # so that it is told alike whichever of the two is loaded
    ours, theirs = (_near(connection, table, one, border, tolerance) for one in (first, second))
    for found in match(border.line, ours, theirs, tolerance):
        yield Mismatch(
            found.rule,
            theme,
            first,
            second,
            found.feature,
            found.other,
            found.gap,
            found.note.en,
            found.note.zh,
            int(border.plane),
            found.x,
            found.y,
        )


def _near(
    connection: Connection, table: sql.Identifier, sheet: str, border: _Border, tolerance: float
) -> list[Bordering]:
    bound = {
        "sheet": sheet,
        "border": shapely.to_wkb(border.line),
        "plane": int(border.plane),
        "reach": REACH * tolerance,
    }
    rows = connection.execute(query("near_border").format(table=table), bound)
    return [
        Bordering(row["id"], (row["gb_code"], row["name"], row["elevation"]), shapely.from_wkb(row["wkb"]))
        for row in rows
    ]


def mismatch_collection(
    connection: Connection, index: str, sheet: Sheet, found: Sequence[Mismatch], source: str
) -> list[Candidate]:
    """The collection of mismatches with those of a sheet anew; none as long as there never were any."""
    id_ = index + SUFFIX
    served = served_release(connection, id_)
    if served is None and not found:
        return []
    fields = tuple(Field(name, type_) for name, type_, _ in _FIELDS)
    place = Place(next_release(connection), CGCS2000, generic=False)
    staging = Staging(connection, place, POINT, key="id", fields=fields, ordinates="")
    if served is not None:
        kept = query("other_edges").format(staging=staging.table, edges=sql.Identifier("data", id_))
        staging.tally.rows += connection.execute(kept, {"sheet": sheet.key}).rowcount
    rows = Jsonb([one._asdict() for one in found])
    staging.tally.rows += connection.execute(query("add_edges").format(staging=staging.table), {"edges": rows}).rowcount
    title = Text("Map sheets: mismatches at edges", "图幅接边检查结果")
    about: dict[str, dict[str, object]] = {name: {"title": title._asdict()} for name, _, title in _FIELDS}
    about["rule"] |= {"codelist": "edge-rules", "class": True}
    staging.class_field = "rule"
    return [Candidate(id_, staging, title, Described(), source, about_fields=about)]
