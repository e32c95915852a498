"""The door of the loader's front half: a path goes in, a layer that streams itself comes out."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import NamedTuple, Protocol

from core.language import Text
from loaders import archive, sniff, vector
from loaders.coordinates import Asked, find_place
from loaders.errors import DamagedSource, ManyLayers, NoGeometry, NoSuchLayer, UnreadableSource, UnsupportedFormat
from loaders.formats import (
    delimited,
    dxf,
    filegdb,
    flatgeobuf,
    geojson,
    geopackage,
    mapinfo,
    markup,
    osm,
    parquet,
    shapefile,
    workbook,
)
from loaders.layer import Field, Layer, Note
from loaders.table import Table, open_table
from loaders.text import require_codec
from loaders.vector import Opening

__all__ = ["ARCHIVE_LIMIT", "Field", "Layer", "Note", "Source", "list_layers", "open_layer", "open_source"]

ARCHIVE_LIMIT = 20_000_000_000  # bytes that an archive may unpack to
_ONE_LAYER = frozenset({"flatgeobuf", "geojson", "geojson-seq", "mif", "parquet", "shapefile", "tab"})
_SHOWN = 20  # layers that a message lists

type Prepare = Callable[[Path, Path, Path, str | None], Opening]

_VECTOR: dict[sniff.Kind, Prepare] = {
    "dxf": dxf.prepare,
    "filegdb": filegdb.prepare,
    "flatgeobuf": flatgeobuf.prepare,
    "geojson": geojson.prepare,
    "geojson-seq": geojson.prepare_sequence,
    "geopackage": geopackage.prepare,
    "gml": markup.prepare_gml,
    "kml": markup.prepare_kml,
    "mif": mapinfo.prepare_mif,
    "osm": osm.prepare,
    "shapefile": shapefile.prepare,
    "tab": mapinfo.prepare_tab,
}


class _Ask(NamedTuple):
    """What the user says about a source, and what it may take."""

    workspace: Path
    encoding: str | None
    columns: Asked
    limit: int


class _Reader(Protocol):
    """A source that was found to be what it should be."""

    def layers(self) -> list[tuple[str, bool]]:
        """The names of the layers, and whether each has geometry."""

    def open(self, name: str) -> AbstractContextManager[Layer]:
        """Open one of them."""


@dataclass(frozen=True)
class Source:
    """A source that was opened: it lists its layers, and opens each."""

    path: Path
    layers: tuple[tuple[str, bool], ...]  # the name of each, and whether it has geometry
    _reader: _Reader = field(repr=False)

    @property
    def spatial(self) -> tuple[str, ...]:
        """The names of the layers with geometry."""
        return tuple(name for name, has_geometry in self.layers if has_geometry)

    def choose(self, asked: str | None) -> tuple[str, tuple[Note, ...]]:
        """The layer asked for, or the only one with geometry, with a note of the tables left aside."""
        return _choose(self.path, list(self.layers), asked)

    @contextmanager
    def open(self, name: str) -> Iterator[Layer]:
        """Open one of the layers; raises a `SourceError` that says what to do."""
        with _readable(self.path):
            opened = self._reader.open(name)
        with opened as found:
            yield replace(found, path=self.path)


def open_source(
    source: Path | str,
    *,
    workspace: Path,
    encoding: str | None = None,
    x: str | None = None,
    y: str | None = None,
    wkt: str | None = None,
    archive_limit: int = ARCHIVE_LIMIT,
) -> Source:
    """Find out what `source` is, and what layers it has.

    `workspace` is an empty directory that the caller removes; nothing is written elsewhere, and nothing is read but
    `source` and its companions. `encoding` overrules what the source says, `x`, `y` and `wkt` name columns of a table.
    Raises a `SourceError` that says what to do.
    """
    with _readable(source):
        path, reader = _find(source, _Ask(workspace, encoding, Asked(x, y, wkt), archive_limit))
        return Source(path, tuple(reader.layers()), reader)


@contextmanager
def open_layer(
    source: Path | str,
    *,
    workspace: Path,
    layer: str | None = None,
    encoding: str | None = None,
    x: str | None = None,
    y: str | None = None,
    wkt: str | None = None,
    archive_limit: int = ARCHIVE_LIMIT,
) -> Iterator[Layer]:
    """Open the one layer with geometry in `source`, or the one called `layer`; the rest is as for `open_source`."""
    opened = open_source(source, workspace=workspace, encoding=encoding, x=x, y=y, wkt=wkt, archive_limit=archive_limit)
    name, notes = opened.choose(layer)
    with opened.open(name) as found:
        yield replace(found, known=(*found.known, *notes))


def list_layers(
    source: Path | str,
    *,
    workspace: Path,
    x: str | None = None,
    y: str | None = None,
    wkt: str | None = None,
    archive_limit: int = ARCHIVE_LIMIT,
) -> list[str]:
    """The names of the layers with geometry in `source`."""
    opened = open_source(source, workspace=workspace, x=x, y=y, wkt=wkt, archive_limit=archive_limit)
    return list(opened.spatial)


@contextmanager
def _readable(source: Path | str) -> Iterator[None]:
    """What the operating system refuses is one plain error."""
    try:
        yield
    except OSError as error:
        raise UnreadableSource(path=source, reason=error.strerror or str(error)) from error


def _find(source: Path | str, ask: _Ask) -> tuple[Path, _Reader]:
    if ask.encoding is not None:
        ask = ask._replace(encoding=require_codec(ask.encoding))
    path = sniff.local_file(source)
    return path, _reader(path.absolute(), path, ask)


def _reader(path: Path, shown: Path, ask: _Ask) -> _Reader:
    """The reader of a file by its kind; `shown` is what messages call it."""
    kind = sniff.identify(path, shown)
    match kind:
        case "zip" | "kmz":
            return _unpacked(path, shown, ask, kind)
        case "csv":
            return _Sheet(delimited.prepare(path, shown, ask.workspace, ask.encoding), ask)
        case "xlsx":
            return _Workbook(workbook.prepare(path, shown, ask.workspace, ask.limit), ask)
        case "parquet":
            prepared = parquet.prepare(path, shown)
            return _Sheet(prepared, ask) if isinstance(prepared, Table) else _Parquet(path, shown, prepared)
        case "dxf":
            return _drawing(path, shown, ask)
        case _:
            return _Vector(_VECTOR[kind](path, shown, ask.workspace, ask.encoding))


def _drawing(path: Path, shown: Path, ask: _Ask) -> _Reader:
    """A drawing of CASS as its themes, any other as GDAL has it."""
    from loaders.cass.drawing import read_drawing  # noqa: PLC0415 — ezdxf takes a second, for which no other load waits

    drawing = read_drawing(path, shown, ask.workspace, ask.encoding)
    return drawing or _Vector(dxf.prepare(path, shown, ask.workspace, ask.encoding))


@dataclass(frozen=True)
class _Vector:
    opening: Opening

    def layers(self) -> list[tuple[str, bool]]:
        return vector.list_layers(self.opening)

    def open(self, name: str) -> AbstractContextManager[Layer]:
        return vector.open_layer(self.opening, name)


@dataclass(frozen=True)
class _Parquet:
    path: Path
    shown: Path
    geometry: parquet.Geometry

    def layers(self) -> list[tuple[str, bool]]:
        return [(self.shown.stem, True)]

    def open(self, name: str) -> AbstractContextManager[Layer]:
        return nullcontext(parquet.open_layer(self.path, self.shown, self.geometry))


@dataclass(frozen=True)
class _Sheet:
    table: Table
    ask: _Ask

    def layers(self) -> list[tuple[str, bool]]:
        find_place(self.table.shown, self.table.schema.names, self.ask.columns)
        return [(self.table.name, True)]

    def open(self, name: str) -> AbstractContextManager[Layer]:
        place = find_place(self.table.shown, self.table.schema.names, self.ask.columns)
        return nullcontext(open_table(self.table, place))


@dataclass(frozen=True)
class _Workbook:
    book: workbook.Workbook
    ask: _Ask

    def layers(self) -> list[tuple[str, bool]]:
        sheets = workbook.list_sheets(self.book, self.ask.columns)
        return sheets if len(sheets) > 1 else [(name, True) for name, _ in sheets]  # `open` says what is amiss

    def open(self, name: str) -> AbstractContextManager[Layer]:
        return _Sheet(workbook.read_sheet(self.book, name, self.ask.columns), self.ask).open(name)


@dataclass(frozen=True)
class _Folder:
    """Several sources from one archive, by the label that chooses each."""

    members: dict[str, tuple[Path, Path]]
    ask: _Ask
    known: dict[str, _Reader] = field(default_factory=dict)  # readers that were made: some read all of their file

    def layers(self) -> list[tuple[str, bool]]:
        return [one for label in self.members for one in self._labelled(label)]

    def open(self, name: str) -> AbstractContextManager[Layer]:
        label = next(label for label in self.members if name == label or name.startswith(f"{label}/"))
        reader = self._reader(label)
        inner = name.removeprefix(label).removeprefix("/")
        return reader.open(inner or reader.layers()[0][0])

    def _reader(self, label: str) -> _Reader:
        if label not in self.known:
            self.known[label] = _reader(*self.members[label], self.ask)
        return self.known[label]

    def _labelled(self, label: str) -> list[tuple[str, bool]]:
        """A source of one layer goes by its label, the layers of others by label/layer."""
        kind = sniff.identify(*self.members[label])
        if kind in _ONE_LAYER:
            return [(label, True)]
        reader = self._reader(label)
        inner = reader.layers()
        themes = kind == "dxf" and not isinstance(reader, _Vector)  # which are known by their names
        if len(inner) == 1 and not themes:
            return [(label, inner[0][1])]
        return [(f"{label}/{name}", has_geometry) for name, has_geometry in inner]


def _unpacked(path: Path, shown: Path, ask: _Ask, kind: sniff.Kind) -> _Reader:
    """The reader of what an archive holds."""
    into = Path(mkdtemp(prefix="zip-", dir=ask.workspace))
    archive.unpack(path, shown, into, ask.limit)
    found = _sources(into)
    if kind == "kmz":
        found = [one for one in found if one.suffix.lower() == ".kml" and markup.has_placemarks(one)]
    if not found:
        raise UnsupportedFormat(path=shown, advice=_NOTHING)
    members = {label: (one, shown / one.relative_to(into)) for label, one in _labels(found, into).items()}
    return _reader(*next(iter(members.values())), ask) if len(members) == 1 else _Folder(members, ask)


_NOTHING = Text(
    "The archive holds no source that can be loaded; an archive inside an archive must be unpacked first.",
    "压缩包内没有可加载的数据;嵌套的压缩包请先解压。",
)


def _sources(folder: Path) -> list[Path]:
    """The sources below a directory; tables only if there is nothing else, for they are often lists of fields."""
    geodatabases = {one.parent for one in folder.rglob("a00000001.gdbtable")}
    files = [
        one
        for one in sorted(folder.rglob("*"))
        if one.is_file() and one.suffix.lower() != ".txt" and not geodatabases.intersection(one.parents)
    ]
    kinds = {one: sniff.SUFFIXES.get(one.suffix.lower()) for one in files}
    spatial = [*sorted(geodatabases), *(one for one in files if kinds[one] not in (None, "zip", "kmz", "csv", "xlsx"))]
    return spatial or [one for one in files if kinds[one] in ("csv", "xlsx")]


def _labels(found: list[Path], folder: Path) -> dict[str, Path]:
    """A short name for each source: its stem if no other has it, else its path."""
    stems = [one.stem for one in found]
    return {one.stem if stems.count(one.stem) == 1 else one.relative_to(folder).as_posix(): one for one in found}


def _choose(path: Path, layers: list[tuple[str, bool]], asked: str | None) -> tuple[str, tuple[Note, ...]]:
    """The layer asked for, or the only one with geometry, with a note of the tables left aside."""
    spatial = [name for name, has_geometry in layers if has_geometry]
    tables = [name for name, has_geometry in layers if not has_geometry]
    if not layers:
        raise DamagedSource(path=path, why=Text("it holds no layers", "其中没有图层"))
    if asked is not None:
        return _asked(path, spatial, asked), ()
    if not spatial:
        raise NoGeometry(path=path, tables=f" ({_listed(tables)})")
    if len(spatial) > 1:
        raise ManyLayers(path=path, count=len(spatial), layers=_listed(spatial))
    if not tables:
        return spatial[0], ()
    text = Text(
        f"Layers without geometry were left aside: {_listed(tables)}.",
        f"未加载无几何的图层:{_listed(tables)}。",
    )
    return spatial[0], (Note("layers-left-aside", text),)


def _asked(path: Path, spatial: list[str], asked: str) -> str:
    """The layer asked for; case matters only between two that differ by it."""
    if asked in spatial:
        return asked
    alike = [name for name in spatial if name.casefold() == asked.strip().casefold()]
    if len(alike) != 1:
        raise NoSuchLayer(path=path, layer=asked, layers=_listed(spatial))
    return alike[0]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" … (+{len(names) - _SHOWN})" if len(names) > _SHOWN else "")
