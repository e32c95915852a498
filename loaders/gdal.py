"""GDAL, through pyogrio, fenced in: known drivers only, no network, nothing written, and no early end unnoticed."""

import re
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

import pyarrow as pa
import pyogrio
from pyogrio._err import _ERROR_STACK, capture_errors
from pyogrio.core import _register_drivers
from pyogrio.raw import open_arrow

from core.language import Text
from loaders.errors import DamagedSource
from loaders.layer import BATCH, BBox, Note

# The drivers that remain; with any other GDAL would open VRTs, web services and files that name other files.
_DRIVERS = frozenset(
    {
        "DXF",
        "ESRI Shapefile",
        "FlatGeobuf",
        "GML",
        "GPKG",
        "GeoJSON",
        "GeoJSONSeq",
        "LIBKML",
        "MapInfo File",
        "OSM",
        "OpenFileGDB",
    }
)
_CONFIG = {
    "GDAL_HTTP_PROXY": "none://",  # a scheme that curl refuses before it opens a socket
    "GDAL_HTTP_MAX_RETRY": "0",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "PROJ_NETWORK": "OFF",
    "GML_DOWNLOAD_SCHEMA": "NO",
    "GML_SKIP_RESOLVE_ELEMS": "ALL",  # xlink:href is not followed
    "OGR_SQLITE_ALLOW_EXTERNAL_ACCESS": "NO",
    "SHAPE_RESTORE_SHX": "NO",
}
# What GDAL warns of and the loader sees to itself: M is in the WKB although pyogrio says it is not.
_EXPECTED = re.compile(r"Measured \(M\)|Non-conformant content|[Uu]nable to find driver|laundered")
_MEASURED = "Measured (M)"
_BUILD_PATH = re.compile(r"/\S*/gdal/\S*?(?=[\w.]+[, ])")


def configure(options: Mapping[str, str]) -> None:
    """Set GDAL's process-wide options."""
    pyogrio.set_gdal_config_options(dict(options))


def _fence() -> None:
    """Leave only our drivers registered; called once, as this module is loaded."""
    with _listening():
        configure(_CONFIG | {"GDAL_SKIP": ",".join(sorted(set(pyogrio.list_drivers()) - _DRIVERS))})
        _register_drivers()


@contextmanager
def _listening() -> Iterator[list[str]]:
    """Collect what GDAL warns of, which pyogrio would raise as Python warnings."""
    said: list[str] = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield said
    said += [str(one.message) for one in caught]


_fence()


def link(workspace: Path, files: Mapping[str, Path]) -> Path:
    """A new directory of links under plain names: GDAL sees no other neighbours, and writes nothing beside the source."""
    directory = Path(tempfile.mkdtemp(prefix="view-", dir=workspace))
    for name, target in files.items():
        (directory / name).symlink_to(target.resolve())
    return directory


class Dataset(NamedTuple):
    """A file as GDAL shall open it."""

    path: Path  # in the workspace
    shown: Path  # what messages call it
    driver: str
    options: Mapping[str, str] = {}
    encoding: str | None = None  # how to take text: None leaves it to GDAL
    native_times: bool = False  # date-times as GDAL has them: the format has no zones
    query: bool = False  # read a layer through a query, so that the OSM driver looks for nothing else
    tolerant: bool = False  # objects that GDAL cannot read are counted, not fatal: the file's frame was checked before


_TEXTS = frozenset({"GeoJSON", "GeoJSONSeq", "GML", "LIBKML"})
_BATCH_BYTES = 16 << 20
_FEWEST = 64  # rows a batch


def batch_rows(dataset: Dataset, features: int | None) -> int:
    """How many rows a batch may have so that memory stays flat: few where features are large.

    GDAL's own limit is not used: with it, the FlatGeobuf driver of 3.12 ends after the first full batch.
    """
    if features:
        row = sum(_bytes_of(one) for one in dataset.path.parent.iterdir()) // features
    elif dataset.driver in _TEXTS:
        row = _bytes_of_first(dataset.path)
    else:
        return BATCH
    return max(_FEWEST, min(_BATCH_BYTES // max(row, 1), BATCH))


def _bytes_of(path: Path) -> int:
    return sum(one.stat().st_size for one in (path.iterdir() if path.is_dir() else [path]))


def _bytes_of_first(path: Path) -> int:
    """About the length of a feature in a text format, by the marks in its first megabyte."""
    with path.open("rb") as file:
        head = file.read(1 << 20)
    marks = (b'"geometry"', b"<Placemark", b"ember>")
    return len(head) // max(1, *(head.count(mark) for mark in marks))


class LayerInfo(NamedTuple):
    """What GDAL tells of a layer without reading it."""

    features: int | None
    bounds: BBox | None
    fid: str | None  # the name of the primary key, where the format has one


def list_layers(dataset: Dataset) -> list[tuple[str, bool]]:
    """The names of all layers, and whether each has geometry."""
    with _listening(), _translating(dataset):
        return [(str(name), geometry is not None) for name, geometry in pyogrio.list_layers(dataset.path)]


def describe(dataset: Dataset, layer: str | None) -> LayerInfo:
    """Read the header of a layer; for formats where that is cheap."""
    options = {"encoding": dataset.encoding, **dataset.options}
    with _listening(), _translating(dataset):
        info = pyogrio.read_info(dataset.path, layer=layer, **options)
    bounds = info["total_bounds"]
    return LayerInfo(
        info["features"] if info["features"] >= 0 else None,
        tuple(float(number) for number in bounds) if bounds is not None else None,  # type: ignore[arg-type]
        info["fid_column"] or None,
    )


class Stream:
    """One reading of a layer as Arrow batches, the geometry as WKB in the column `geometry_index`."""

    def __init__(self, dataset: Dataset, layer: str | None, *, batch: int = BATCH, fid: bool = False) -> None:
        self._dataset = dataset
        self._layer = layer
        self._batch = batch
        self._fid = fid
        self._stack = ExitStack()
        self._ahead: pa.RecordBatch | None = None
        self.warnings: list[str] = []
        self.unread = 0  # objects that a tolerant reading left out

    def __enter__(self) -> Self:
        what: dict[str, Any] = {"layer": self._layer}
        if self._dataset.query:
            what = {"sql": " ".join(("SELECT * FROM", self._layer or ""))}
        with _listening() as said, _translating(self._dataset):
            self.meta, self._reader = self._stack.enter_context(
                open_arrow(
                    self._dataset.path,
                    **what,
                    encoding=self._dataset.encoding,
                    return_fids=self._fid,
                    batch_size=self._batch,
                    use_pyarrow=True,
                    datetime_as_string=not self._dataset.native_times,
                    **self._dataset.options,
                )
            )
            self.schema: pa.Schema = self._reader.schema
        self.warnings += said
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with _listening():
            self._stack.close()

    @property
    def geometry_index(self) -> int:
        """The position of the geometry, which GDAL marks as GeoArrow."""
        marks = [(field.metadata or {}).get(b"ARROW:extension:name", b"") for field in self.schema]
        return marks.index(b"geoarrow.wkb") if b"geoarrow.wkb" in marks else len(marks) - 1

    @property
    def geometry_type(self) -> str:
        """The declared type; pyogrio forgets M and only warns of it."""
        declared = str(self.meta["geometry_type"] or "Unknown")
        if not any(_MEASURED in warning for warning in self.warnings):
            return declared
        return f"{declared}M" if declared.endswith(" Z") else f"{declared} M"

    def notes(self) -> tuple[Note, ...]:
        """What GDAL warned of so far."""
        told = dict.fromkeys(_tidy(text, self._dataset) for text in self.warnings if not _EXPECTED.search(text))
        return tuple(Note("gdal-warning", Text(f"GDAL: {text}", f"GDAL:{text}")) for text in list(told)[:5])

    def peek(self) -> pa.RecordBatch | None:
        """The first batch, which iteration will still give."""
        self._ahead = self._next()
        return self._ahead

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """All batches; a failure inside GDAL raises `DamagedSource`, where GDAL itself would just end."""
        batch, self._ahead = self._ahead, None
        batch = self._next() if batch is None else batch
        while batch is not None:
            yield batch
            batch = self._next()

    def _next(self) -> pa.RecordBatch | None:
        batch = problem = None
        with _listening() as said, capture_errors():
            try:
                batch = self._reader.read_next_batch()
            except StopIteration:
                pass
            except (pa.ArrowException, OSError) as error:  # raised below: capture_errors must see its end
                problem = error
            failures = [str(error) for error in _ERROR_STACK.get()]
        self.warnings += said
        if problem or (failures and not self._dataset.tolerant):
            raise _damaged(self._dataset, (failures or [str(problem)])[-1]) from problem
        self.unread += len(failures)
        return batch


@contextmanager
def _translating(dataset: Dataset) -> Iterator[None]:
    """Whatever GDAL cannot open is a damaged source to the user."""
    try:
        yield
    except IndexError as error:  # pyogrio's way to say that there is no layer
        no_layer = Text("GDAL finds no layer in it", "GDAL 未在其中找到图层")
        raise DamagedSource(path=dataset.shown, why=no_layer) from error
    except (RuntimeError, ValueError, OSError, pa.ArrowException) as error:
        raise _damaged(dataset, str(error)) from error


def _damaged(dataset: Dataset, message: str) -> DamagedSource:
    if "supported file format" in message:
        unknown = Text("GDAL does not recognise its content", "GDAL 无法识别其内容")
        return DamagedSource(path=dataset.shown, why=unknown)
    text = _tidy(message, dataset)
    return DamagedSource(path=dataset.shown, why=Text(f"GDAL says {text!r}", f"GDAL 报告“{text}”"))


def _tidy(message: str, dataset: Dataset) -> str:
    """One line without our own paths or those of GDAL's build machine."""
    text = message.replace(str(dataset.path), dataset.shown.name).replace(str(dataset.path.parent), "")
    return _BUILD_PATH.sub("", " ".join(text.split()))[:200].rstrip(". ")


def check_count(dataset: Dataset, delivered: int, declared: int | None) -> None:
    """Raise `DamagedSource` if fewer features came than the source says it has."""
    if declared is not None and delivered < declared:
        raise DamagedSource(
            path=dataset.shown,
            why=Text(
                f"it declares {declared} features, but only {delivered} can be read",
                f"声明有 {declared} 个要素,却只能读出 {delivered} 个",
            ),
        )
