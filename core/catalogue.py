"""The catalogue of data sets: what the city publishes, read from the database and held against its tables."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from psycopg import sql
from psycopg.rows import DictRow

from core.database import Connection, query, rows
from core.errors import BadDatasetId, NoSuchDataset
from core.language import Text

CHANNEL = "chengtu_catalogue"  # NOTIFY on every change of chengtu.dataset
GEOMETRY = "geom"
RELEASE = "ct_release"
CLEARANCE = "ct_clear"  # how far the parts of a polygon are from each other; null where it is not known
VALID_FROM = "valid_from"  # of data sets with history: the day that a version of a feature holds from
VALID_TO = "valid_to"  # the day that it holds no more from; null while it does


class BBox(NamedTuple):
    """West, south, east, north, in degrees of CRS84."""

    west: float
    south: float
    east: float
    north: float


def joined(extents: Sequence[BBox]) -> BBox | None:
    """One box around all; those across the antimeridian reach around the world."""
    if not extents:
        return None
    west, south, east, north = zip(*extents, strict=True)
    if any(one.west > one.east for one in extents):
        return BBox(-180, min(south), 180, max(north))
    return BBox(min(west), min(south), max(east), max(north))


class Field(NamedTuple):
    """An attribute as served: its name, and its type as PostgreSQL writes it."""

    name: str
    type: str


class AboutField(NamedTuple):
    """What is known of an attribute: what it is called, the id of its code list, its unit (UCUM), and whether it colours the map."""

    title: Text
    codelist: str | None = None
    unit: str | None = None
    is_class: bool = False


LIFETIME = (Field(VALID_FROM, "date"), Field(VALID_TO, "date"))


class History(NamedTuple):
    """Of a data set that keeps versions which hold no more: the day of the first known state, and of the one served."""

    since: date
    state_of: date


class State(NamedTuple):
    """What edits move in a data set, without its being published anew."""

    feature_count: int
    extent: BBox | None
    interval: tuple[datetime, datetime] | None
    changed: datetime


class Dataset(NamedTuple):
    """One data set as the catalogue describes it; its features are the rows of table data.<id>."""

    id: str
    title: Text
    description: Text
    keywords: tuple[str, ...]
    geometry_type: str
    srid: int
    key: str
    time: str | None
    fields: tuple[Field, ...]
    extent: BBox | None
    feature_count: int
    owner: str | None
    update_period: str | None
    licence: str | None
    attribution: Text | None
    sensitivity: str
    origin: str | None
    source: str
    release: int
    updated: datetime
    editable: bool
    max_age: int
    change: int
    changed: datetime
    interval: tuple[datetime, datetime] | None
    problem: Text | None
    style: dict[str, Any] | None = None  # its own, as MapLibre writes it
    portrayal: dict[str, Any] | None = None  # what `tiles.portrayal` kept of it
    levels: dict[str, Any] | None = None  # what `tiles.levels` tells of its generalised features
    knows_clearance: bool = False  # whether its table tells how far the parts of a polygon are apart
    profile: str | None = None  # what it was recognised as, such as land-survey/DLTB
    about_fields: Mapping[str, AboutField] = MappingProxyType({})
    judged: bool = False  # whether rules were checked when it was loaded
    history: History | None = None

    @property
    def key_type(self) -> str:
        """The key's type as PostgreSQL writes it."""
        return dict(self.fields).get(self.key, "bigint")

    @property
    def class_field(self) -> str | None:
        """The attribute that its profile says it is coloured by."""
        return next((name for name, one in self.about_fields.items() if one.is_class), None)

    @property
    def attributes(self) -> tuple[Field, ...]:
        """What goes out with a feature: the fields, and of a data set with history the days between which each version holds."""
        return self.fields + (LIFETIME if self.history else ())

    @property
    def state(self) -> State:
        """How it stood when the catalogue was read."""
        return State(self.feature_count, self.extent, self.interval, self.changed)

    @property
    def healthy(self) -> bool:
        """Whether the table is as the catalogue says."""
        return self.problem is None


def all_text(fields: Iterable[Field], column: Callable[[str], sql.Composable]) -> sql.Composable | None:
    """All texts of a feature in one, to look for words in; None where it has none. Its index is over the same SQL."""
    texts = [query("search_column").format(column=column(field.name)) for field in fields if field.type == "text"]
    return query("search_text").format(texts=sql.SQL(" || ' ' || ").join(texts)) if texts else None


def check_id(candidate: str) -> str:
    """Return `candidate` when it can be a data set's id, else raise `BadDatasetId`."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,47}", candidate):
        raise BadDatasetId(id=candidate)
    return candidate


def list_datasets(connection: Connection) -> list[Dataset]:
    """All data sets by id, the broken ones with their problem."""
    return [_dataset(row) for row in rows(connection, "list_datasets")]


def get_dataset(connection: Connection, id_: str) -> Dataset:
    """One data set, or `NoSuchDataset`."""
    for dataset in list_datasets(connection):
        if dataset.id == id_:
            return dataset
    raise NoSuchDataset(id=id_)


def states(connection: Connection, id_: str | None = None) -> dict[str, State]:
    """How the data sets, or one of them, stand now."""
    return {row["id"]: _state(row) for row in rows(connection, "dataset_states", id=id_)}


def style_of(connection: Connection, id_: str) -> dict[str, Any] | None:
    """A data set's own style, where it has one."""
    row = connection.execute(query("own_style"), {"id": id_}).fetchone()
    style: dict[str, Any] | None = row["style"] if row else None
    return style


def fingerprint(connection: Connection) -> str:
    """A text that changes whenever the catalogue, or a table behind it, does."""
    row = connection.execute(query("catalogue_fingerprint")).fetchone()
    return str(row["fingerprint"]) if row else ""


def _state(row: DictRow) -> State:
    return State(
        feature_count=row["feature_count"],
        extent=BBox(*row["extent"]) if row["extent"] else None,
        interval=(row["time_extent"][0], row["time_extent"][1]) if row["time_extent"] else None,
        changed=row["changed_at"],
    )


def _dataset(row: DictRow) -> Dataset:
    fields = tuple(Field(field["name"], field["type"]) for field in row["fields"])
    state = _state(row)
    has_attribution = row["attribution_en"] or row["attribution_zh"]
    return Dataset(
        id=row["id"],
        title=Text(row["title_en"], row["title_zh"]),
        description=Text(row["description_en"], row["description_zh"]),
        keywords=tuple(row["keywords"]),
        geometry_type=row["geometry_type"],
        srid=row["srid"],
        key=row["key_column"],
        time=row["time_column"],
        fields=fields,
        extent=state.extent,
        feature_count=state.feature_count,
        owner=row["owner"],
        update_period=row["update_period"],
        licence=row["licence"],
        attribution=Text(row["attribution_en"] or "", row["attribution_zh"] or "") if has_attribution else None,
        sensitivity=row["sensitivity"],
        origin=row["origin"],
        source=row["source"],
        release=row["release"],
        updated=row["updated_at"],
        editable=row["editable"],
        max_age=row["max_age"],
        change=row["change"],
        changed=state.changed,
        interval=state.interval,
        problem=_problem(row, fields),
        style=row["style"],
        portrayal=row["portrayal"],
        levels=row["levels"],
        knows_clearance=CLEARANCE in row["columns"],
        profile=row["profile"],
        judged=row["judged"],
        about_fields={name: _about(one) for name, one in row["about_fields"].items()},
        history=History(row["history_from"], row["state_of"]) if row["history"] else None,
    )


def _about(known: dict[str, Any]) -> AboutField:
    return AboutField(Text(**known["title"]), known.get("codelist"), known.get("unit"), known.get("class", False))


def _problem(row: DictRow, fields: tuple[Field, ...]) -> Text | None:
    """Say how the table differs from what the catalogue promises, if it does."""
    if not row["table_exists"]:
        return Text("its table is gone", "数据表不存在")
    if not row["readable"]:
        return Text("its table may not be read", "没有读取数据表的权限")
    if not row["has_release"]:
        return Text("its table holds no release", "数据表中没有任何发布版本")
    columns: dict[str, Any] = row["columns"]
    if GEOMETRY not in columns:
        return Text("its geometry column is gone", "几何列不存在")
    if not columns[GEOMETRY].endswith(f",{row['srid']})"):
        return Text(f"its geometry is no longer EPSG:{row['srid']}", f"几何坐标系已不是 EPSG:{row['srid']}")
    if row["history"] and not row["history_exists"]:
        return Text("its history may not be read, or is gone", "历史版本表不存在或没有读取权限")
    expected = dict(fields) | {row["key_column"]: dict(fields).get(row["key_column"], "bigint")}
    expected |= dict(LIFETIME) if row["history"] else {}
    for name, type_ in expected.items():
        if name not in columns:
            return Text(f"its column {name} is gone", f"字段 {name} 不存在")
        if columns[name] != type_:
            return Text(
                f"its column {name} is {columns[name]}, not {type_}",
                f"字段 {name} 的类型是 {columns[name]},不是 {type_}",
            )
    return None
