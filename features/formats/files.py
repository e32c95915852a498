"""Forms that are files: what each is called, what it can hold, and the job of writing one."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from core.catalogue import GEOMETRY
from core.errors import ChengtuError
from features import queries, versions
from features.formats.columns import chosen, columns
from features.formats.job import Job, Layer
from features.formats.names import free_name, short, unchanged, xml
from features.search import Search
from features.table import Table

_NUMBERS = frozenset({"boolean", "smallint", "integer", "bigint", "real", "double precision"})
_PLAIN = _NUMBERS | {"text", "date"}
_MOMENTS = frozenset({"timestamp without time zone", "timestamp with time zone"})
_ALL = _PLAIN | _MOMENTS | {"bytea"}


class OneKindOnly(ChengtuError):
    """A shapefile of a data set whose geometries are of several kinds."""

    en = "A shapefile holds one kind of geometry, and {dataset} has several. Choose f=gpkg, f=fgb or f=parquet."
    zh = "一个 Shapefile 只能保存一种几何类型,而 {dataset} 含有多种。请改用 f=gpkg、f=fgb 或 f=parquet。"
    code = "InvalidParameterValue"
    status = 400


class NeedsGeometry(ChengtuError):
    """A drawing or a shapefile without geometries."""

    en = "f={form} cannot do without geometries. Leave out skipGeometry, or choose f=csv, f=gpkg or f=parquet."
    zh = "f={form} 不能省略几何。请去掉 skipGeometry,或改用 f=csv、f=gpkg、f=parquet。"
    code = "InvalidParameterValue"
    status = 400


class FileForm(NamedTuple):
    """A form that is a file: GDAL's name of it (None where GDAL does not write it), and what it can hold."""

    media: str
    suffix: str
    driver: str | None
    holds: frozenset[str]
    names: Callable[[Sequence[str]], list[str]] = unchanged
    must_have_geometry: bool = False
    nan: bool = True  # whether a number may be none


FILES: dict[str, FileForm] = {
    "gpkg": FileForm("application/geopackage+sqlite3", "gpkg", "GPKG", _ALL),
    "fgb": FileForm("application/flatgeobuf", "fgb", "FlatGeobuf", _ALL),
    "parquet": FileForm("application/vnd.apache.parquet", "parquet", None, _ALL | {"time without time zone", "text[]"}),
    "shp": FileForm("application/zip", "zip", "ESRI Shapefile", _PLAIN, short, must_have_geometry=True, nan=False),
    "gml": FileForm("application/gml+xml;version=3.2", "gml", "GML", _PLAIN | _MOMENTS, xml, nan=False),
    "dxf": FileForm("image/vnd.dxf", "dxf", "DXF", frozenset(), must_have_geometry=True),
}


def job(form: str, table: Table, search: Search, dsn: str, seconds: float, folder: Path) -> Job:
    """The job of writing what a search finds; errors where the form cannot hold it."""
    kind, dataset = FILES[form], table.dataset
    if kind.must_have_geometry and not search.geometry:
        raise NeedsGeometry(form=form)
    if form == "shp" and dataset.geometry_type.lower().startswith("geometry"):
        raise OneKindOnly(dataset=dataset.id)
    fields = () if form == "dxf" else chosen(table, search)
    ours = columns(fields, kind.holds, kind.names, nan=kind.nan)
    values = [one.value for one in ours]
    if search.geometry:
        values.append(queries.wkb(table, search.crs, empty=form != "dxf"))
    statement = queries.rows(table, search, values)
    key = next((one.name for one, field in zip(ours, fields, strict=True) if field.name == dataset.key), None)
    layer = Layer(
        name=dataset.id,
        form=form,
        driver=kind.driver,
        columns=tuple((one.name, one.type) for one in ours),
        geometry=free_name(GEOMETRY, (one.name for one in ours)) if search.geometry else None,
        geometry_type=dataset.geometry_type,
        srid=search.crs,
        key=key if dataset.key_type in ("integer", "bigint") and not versions.several(table, search) else None,
        sorted=bool(search.sort),
    )
    return Job(
        dsn=dsn,
        seconds=seconds,
        dataset=dataset.id,
        layer=layer,
        statement=statement.text.as_string(None),
        gaps=queries.gaps(table, search).text.as_string(None),
        parameters=statement.parameters,
        limit=search.limit,
        cursor=search.cursor,
        path=folder / f"{dataset.id}.{kind.suffix}",
    )
