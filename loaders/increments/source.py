"""The two layers of an increment, found in a source, staged, and told in the terms of the data set that it goes to."""

import re
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from psycopg import sql

from core.catalogue import GEOMETRY, Dataset, get_dataset
from core.database import Connection, connect, query
from core.errors import ChengtuError
from loaders.amendment import Amended
from loaders.candidate import stage
from loaders.job import Job
from loaders.options import Options
from loaders.profiles import shipped_profiles
from loaders.source import Source
from loaders.staging import Staging

_CLASS, _UNIT, _AREA = "DLBM", "ZLDWDM", "TBMJ"  # what land parcels have, where no profile says it
_DAY = re.compile(r"(\d{4})\D?(\d{2})\D?(\d{2})")


class NotAnIncrement(ChengtuError):
    """A source without the two layers."""

    en = (
        "{path} is no increment: it needs a layer of new states (such as DLTBGX) and one of the process (DLTBGXGC)."
        " Its layers: {layers}."
    )
    zh = "{path} 不是增量包:需要更新层(如 DLTBGX)与更新过程层(DLTBGXGC)。现有图层:{layers}。"
    exit_code = 2


class FieldMissing(ChengtuError):
    """A layer of an increment that lacks a field."""

    en = "The layer {layer} lacks the field {field} (TD/T 1057-2020). Its fields: {fields}."
    zh = "图层 {layer} 缺少字段 {field}(TD/T 1057-2020)。现有字段:{fields}。"
    exit_code = 2


class OtherCrs(ChengtuError):
    """An increment in another CRS than what it goes to."""

    en = "The increment is in EPSG:{given}, and {id} in EPSG:{served}. Transform it first, or name its CRS with --srs."
    zh = "增量数据为 EPSG:{given},而 {id} 为 EPSG:{served}。请先转换,或用 --srs 指定其坐标系。"
    exit_code = 2


class NoDay(ChengtuError):
    """An increment that does not say what day it leads to."""

    en = "The increment says of no day what it leads to (GXSJ holds {found}). Name it, such as --state-of 2024-12-31."
    zh = "增量未说明其更新时点(GXSJ 为 {found})。请指定,例如 --state-of 2024-12-31。"
    exit_code = 2


class Layers(NamedTuple):
    """The names of the two layers in a source."""

    new: str
    process: str


class Terms(NamedTuple):
    """What the data set calls the class, the place and the area of a feature; None where it has none."""

    class_: str | None
    unit: str | None
    area: str | None


class Prepared(NamedTuple):
    """An increment in temporary tables: ct_opening, ct_process, ct_new, ct_served; and the day that it leads to."""

    day: date
    columns: tuple[str, ...]  # of ct_opening
    terms: Terms
    stagings: tuple[Staging, ...]


def find_layers(source: Source) -> Layers:
    """The layer of new states, and that of the process; `NotAnIncrement` where they are not there, or are several."""
    names = [name for name, _ in source.layers]
    by_name = {name.upper(): name for name in names}
    pairs = [
        Layers(by_name[upper.removesuffix("GC")], name)
        for upper, name in by_name.items()
        if upper.endswith("GXGC") and upper.removesuffix("GC") in by_name
    ]
    pairs = [one for one in pairs if one.new.upper() == "DLTBGX"] or pairs
    if len(pairs) != 1:
        raise NotAnIncrement(path=source.path, layers=", ".join(names))
    return pairs[0]


def prepare(
    connection: Connection, dsn: str, source: Source, held: Amended, options: Options, day: date | None
) -> Prepared:
    """Stage both layers, and tell them in the terms of the data set."""
    layers = find_layers(source)
    with connect(dsn, purpose="chengtu-increment") as aside:
        new, process = (_staged(connection, aside, source, held, name, options) for name in layers)
    if new.place.srid != held.srid:
        raise OtherCrs(id=held.id, given=new.place.srid, served=held.srid)
    terms = _terms(get_dataset(connection, held.id))
    columns = _opening(connection, held, new, layers.new)
    _process(connection, process, layers.process, terms)
    _seen(connection, held, terms)
    return Prepared(_day(connection, (new, process), day), columns, terms, (new, process))


def _staged(
    connection: Connection, aside: Connection, source: Source, held: Amended, layer: str, options: Options
) -> Staging:
    job = Job(id=held.id, layer=layer, options=options, match=None)
    staged = stage(connection, aside, source, job, None, lambda done, total: None)
    return max((one.staging for one in staged.candidates), key=lambda one: one.tally.rows)


def _terms(dataset: Dataset) -> Terms:
    """By the profile that it was recognised by, else by the names that land parcels have."""
    names = [field.name for field in dataset.fields]
    layers = {f"{one.id}/{layer.name}": layer for one in shipped_profiles() for layer in one.layers}
    layer = layers.get(dataset.profile or "")
    class_ = layer.class_field if layer and layer.class_field else _CLASS
    return Terms(*(_find(names, name) for name in (class_, _UNIT, _AREA)))


def _find(names: Iterable[str], *wanted: str) -> str | None:
    """The first that has one of the wanted names, in whatever case."""
    by_name = {name.upper(): name for name in names}
    return next((by_name[name.upper()] for name in wanted if name.upper() in by_name), None)


def _opening(connection: Connection, held: Amended, staging: Staging, layer: str) -> tuple[str, ...]:
    """The new features under the names of the data set; fields that it does not have are left aside."""
    names = [field.name for field in staging.fields]
    found = {name: own for name in held.fields if (own := _find(names, name)) is not None}
    if held.key not in found:
        raise FieldMissing(layer=layer, field=held.key, fields=", ".join(names))
    parts = [sql.SQL("{} as {}").format(sql.Identifier("s", own), sql.Identifier(name)) for name, own in found.items()]
    parts.append(sql.SQL("{} as {}").format(_shape(held, staging), sql.Identifier(GEOMETRY)))
    connection.execute(query("increment_opening").format(columns=sql.SQL(", ").join(parts), staging=staging.table))
    return (*found, GEOMETRY)


def _shape(held: Amended, staging: Staging) -> sql.Composable:
    """The geometry with the ordinates that the data set has."""
    wanted = re.sub(r"^geometry\(\w+?(Z|M|ZM)?,\d+\)$", r"\1", held.columns[GEOMETRY])
    if wanted == staging.ordinates:
        return sql.SQL("s.geom")
    force = {"": "st_force2d", "Z": "st_force3dz", "M": "st_force3dm", "ZM": "st_force4d"}[wanted]
    return sql.SQL("{}(s.geom)").format(sql.Identifier(force))


def _process(connection: Connection, staging: Staging, layer: str, terms: Terms) -> None:
    names = [field.name for field in staging.fields]

    def column(*wanted: str, needed: bool = False) -> sql.Composable:
        found = _find(names, *wanted)
        if found is None and needed:
            raise FieldMissing(layer=layer, field=wanted[0], fields=", ".join(names))
        return sql.SQL("null") if found is None else sql.Identifier("s", found)

    connection.execute(
        query("increment_process").format(
            staging=staging.table,
            before=column("BGQTBBSM", "BGQBSM", needed=True),
            after=column("BGHTBBSM", "BGHBSM", needed=True),
            class_before=column(f"BGQ{terms.class_}"),
            class_after=column(f"BGH{terms.class_}"),
            unit_before=column(f"BGQ{terms.unit}"),
            unit_after=column(f"BGH{terms.unit}"),
            area=column("TBBGMJ", "BGMJ", needed=terms.area is not None),
        )
    )


def _seen(connection: Connection, held: Amended, terms: Terms) -> None:
    """What ends, as it is served, and what begins: in the same terms."""
    parts: dict[str, sql.Composable] = {
        "key": sql.SQL("chengtu.key_text(t.{})").format(sql.Identifier(held.key)),
        "class": _text(terms.class_),
        "unit": _text(terms.unit),
        "area": cents(terms.area),
        "table": held.table,
        "key_column": sql.Identifier(held.key),
        "key_type": held.key_type,
    }
    for name in ("increment_served", "increment_new"):
        connection.execute(query(name).format(**parts))
    for table, key in (("ct_process", "before"), ("ct_process", "after"), ("ct_served", "key"), ("ct_new", "key")):
        connection.execute(sql.SQL("create index on {} ({})").format(sql.Identifier(table), sql.Identifier(key)))
        connection.execute(sql.SQL("analyze {}").format(sql.Identifier(table)))


def _text(name: str | None) -> sql.Composable:
    return sql.SQL("null::text") if name is None else sql.SQL("{}::text").format(sql.Identifier("t", name))


def cents(name: str | None) -> sql.Composable:
    """An area in whole cents of a square metre, which add up without rounding."""
    if name is None:
        return sql.SQL("null::bigint")
    return sql.SQL("round({}::double precision * 100)::bigint").format(sql.Identifier("t", name))


def _day(connection: Connection, stagings: Iterable[Staging], asked: date | None) -> date:
    """The day that the increment leads to: as asked, else as both layers say, else the end of the year of its data."""
    if asked is not None:
        return asked
    found: set[str] = set()
    for staging in stagings:
        names = [field.name for field in staging.fields]
        for name in filter(None, (_find(names, "GXSJ"),)):
            statement = query("increment_dates").format(date=sql.Identifier("s", name), staging=staging.table)
            found |= {row["day"] for row in connection.execute(statement)}
    days = {_read_day(text) for text in found}
    if len(days) != 1 or (day := days.pop()) is None:
        raise NoDay(found=", ".join(sorted(found)[:5]) or "-")
    return day


def _read_day(text: str) -> date | None:
    """2024-12-31, 20241231, 2024/12/31 or the year alone, which ends on its last day."""
    if re.fullmatch(r"\d{4}", text.strip()):
        return date(int(text), 12, 31)
    match = _DAY.match(text.strip())
    try:
        return date(*map(int, match.groups())) if match else None
    except ValueError:
        return None
