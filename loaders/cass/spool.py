"""The features of a drawing on disk, a file for each layer to come, so that one pass fills all of them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

from loaders.layer import Field

THEMES: Final[dict[str, str]] = {
    "control": "points",
    "water": "lines",
    "settlement": "polygons",
    "transport": "lines",
    "pipelines": "lines",
    "boundaries": "lines",
    "relief": "lines",
    "vegetation": "polygons",
    "text": "points",
    "unmapped": "points",
}  # the themes, and the family of geometries whose layer has the theme's plain name
RAISED: Final = frozenset({"control", "relief", "pipelines"})  # themes whose geometries have heights, in every drawing
FAMILIES: Final = {1: "points", 2: "lines", 3: "polygons", 6: "polygons"}  # by the code of WKB

FIELDS: Final = (
    Field("id", pa.string()),
    Field("gb_code", pa.string()),
    Field("gb_edition", pa.string()),
    Field("source_code", pa.string()),
    Field("source_name", pa.string()),
    Field("source_layer", pa.string()),
    Field("mapped", pa.string()),
    Field("elevation", pa.float64()),
    Field("text", pa.string()),
    Field("angle", pa.float64()),
    Field("height", pa.float64()),
    Field("block", pa.string()),
    Field("scale", pa.float64()),
    Field("details", pa.string()),
    Field("object", pa.string()),
    Field("handle", pa.string()),
)
_SCHEMA = pa.schema([*((one.name, one.type) for one in FIELDS), ("geometry", pa.binary())])
_ROWS = 4096  # of a batch on disk


class Feature(NamedTuple):
    """One feature as it goes to disk."""

    id: str
    gb_code: str | None
    gb_edition: str | None
    source_code: str | None
    source_name: str | None
    source_layer: str
    mapped: str
    elevation: float | None
    text: str | None
    angle: float | None
    height: float | None
    block: str | None
    scale: float | None
    details: str | None
    object: str
    handle: str | None
    geometry: bytes


def layer_of(theme: str, wkb: bytes) -> str:
    """The layer of a feature: its theme's, or for other families of geometries one beside it, like `relief_points`."""
    family = FAMILIES[wkb[1] + 256 * wkb[2] - 1000]
    return theme if family == THEMES[theme] else f"{theme}_{family}"


class Spool:
    """Takes features and keeps them by layer; `finish` before reading."""

    def __init__(self, folder: Path) -> None:
        self.counts: dict[str, int] = {}
        self._folder = folder
        self._waiting: dict[str, list[Feature]] = {}
        self._files: dict[str, pa.ipc.RecordBatchFileWriter] = {}

    def add(self, theme: str, feature: Feature) -> None:
        """Take one feature."""
        layer = layer_of(theme, feature.geometry)
        waiting = self._waiting.setdefault(layer, [])
        waiting.append(feature)
        if len(waiting) == _ROWS:
            self._write(layer, waiting)

    def finish(self) -> None:
        """Write what waits, and close the files."""
        for layer, waiting in self._waiting.items():
            self._write(layer, waiting)
        for file in self._files.values():
            file.close()

    def batches(self, layer: str) -> Iterator[pa.RecordBatch]:
        """The features of a layer, in the order of the drawing."""
        with pa.memory_map(str(self._path(layer))) as file, pa.ipc.open_file(file) as reader:
            for number in range(reader.num_record_batches):
                yield reader.get_batch(number)

    def _write(self, layer: str, waiting: list[Feature]) -> None:
        if not waiting:
            return
        if layer not in self._files:
            self._files[layer] = pa.ipc.new_file(str(self._path(layer)), _SCHEMA)
        self._files[layer].write_batch(_batch(waiting))
        self.counts[layer] = self.counts.get(layer, 0) + len(waiting)
        waiting.clear()

    def _path(self, layer: str) -> Path:
        return self._folder / f"{layer}.arrow"


def _batch(features: Sequence[Feature]) -> pa.RecordBatch:
    columns = zip(*features, strict=True)
    return pa.record_batch([pa.array(one, field.type) for one, field in zip(columns, _SCHEMA, strict=True)], _SCHEMA)
