"""The index of sheets: an ordinary collection of areas, with scale, edition, day of survey, producer and age of each."""

from datetime import date
from typing import Final

import shapely
from psycopg import sql

from core.catalogue import Field
from core.crs import CGCS2000
from core.database import Connection, query
from core.language import Text
from loaders.candidate import Candidate, next_release
from loaders.geometry import POLYGON
from loaders.options import Described, Options
from loaders.release import served_release
from loaders.sheets.naming import Sheet
from loaders.staging import Place, Staging

ID: Final = "map_sheets"

_FIELDS: tuple[tuple[str, str, Text], ...] = (
    ("id", "text", Text("Identifier", "编号")),
    ("sheet", "text", Text("Map sheet", "图幅号")),
    ("scale", "bigint", Text("Scale 1:", "比例尺 1:")),
    ("system", "text", Text("System of sheets", "分幅体系")),
    ("edition", "text", Text("Edition", "版次")),
    ("surveyed", "date", Text("State of", "现势性日期")),
    ("producer", "text", Text("Producer", "生产单位")),
    ("source", "text", Text("File", "来源文件")),
    ("features", "bigint", Text("Features", "要素数")),
    ("loaded", "date", Text("Loaded on", "入库日期")),
    ("age_years", "integer", Text("Age in years", "距今年数")),
    ("age", "text", Text("Age", "新旧")),
)


def index_with(
    connection: Connection,
    id_: str,
    sheet: Sheet,
    outline: shapely.Polygon,
    options: Options,
    source: str,
    features: int,
) -> Candidate:
    """The index with this sheet in its newest state, as a candidate; `outline` is in CGCS2000.

    What is not said of the sheet this time is as it was said before; its day is that of its edition, where that is a year.
    """
    fields = tuple(Field(name, type_) for name, type_, _ in _FIELDS)
    place = Place(next_release(connection), CGCS2000, generic=False)
    staging = Staging(connection, place, POLYGON, key="id", fields=fields, ordinates="")
    served = served_release(connection, id_)
    table = sql.Identifier("data", id_)
    before = query("other_sheets").format(index=table, sheet=sql.Literal(sheet.key)) if served else sql.SQL("")
    known = connection.execute(query("sheet_described").format(index=table), {"sheet": sheet.key}) if served else None
    old = (known.fetchone() if known else None) or {"edition": None, "surveyed": None, "producer": None}
    asked = options.sheet
    surveyed = state_of(options) or (None if asked.edition else old["surveyed"])
    bound = {
        "id": sheet.key,
        "sheet": sheet.name,
        "scale": sheet.scale,
        "system": sheet.system,
        "edition": asked.edition or old["edition"],
        "surveyed": surveyed,
        "producer": asked.producer or old["producer"],
        "source": source,
        "features": features,
        "outline": shapely.to_wkb(outline, output_dimension=2),
    }
    filled = connection.execute(query("fill_sheets").format(staging=staging.table, before=before), bound)
    staging.tally.rows = filled.rowcount
    title = Text("Map sheets", "图幅索引")
    about: dict[str, dict[str, object]] = {name: {"title": title._asdict()} for name, _, title in _FIELDS}
    about["age"]["codelist"] = "sheet-ages"
    staging.class_field = "age"
    return Candidate(id_, staging, title, Described(), source, time="surveyed", about_fields=about)


def state_of(options: Options) -> date | None:
    """The day whose state a sheet shows: as said, else the first of the year that its edition is called after."""
    return options.state_of or _year(options.sheet.edition)


def _year(edition: str | None) -> date | None:
    """The first day of the year that an edition is called after."""
    return date(int(edition), 1, 1) if edition and edition.isdecimal() and len(edition) == 4 else None
