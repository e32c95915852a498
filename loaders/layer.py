"""What a reader hands to the loader: a layer that knows its fields and streams itself as Arrow record batches."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from core.language import Text

GEOMETRY = "geometry"  # the batch column that holds ISO WKB; no field has this name
BATCH = 16_384  # rows, fewer where features are large

type BBox = tuple[float, float, float, float]


class Field(NamedTuple):
    """One attribute: its full decoded name, unique without regard to case, and the plain type of its values."""

    name: str
    type: pa.DataType


class Note(NamedTuple):
    """Something that the report must tell; `code` is for machines."""

    code: str
    text: Text


@dataclass(frozen=True)
class Layer:
    """One layer of a source, open for reading until `open_layer` is left."""

    driver: str
    path: Path  # the file or directory that the user named
    name: str
    crs: str | None  # WKT or AUTH:CODE as declared; None where the source says nothing
    geometry_type: str  # as declared: "Polygon", "Point ZM", "Unknown"; curves may hide behind their linear type
    feature_count: int | None
    bounds: BBox | None  # xmin, ymin, xmax, ymax: from the header, else of the first features, to judge the CRS by
    fields: tuple[Field, ...]
    encoding: str | None
    encoding_reason: Text | None
    sample_text: tuple[str, ...]
    known: tuple[Note, ...]  # what opening told
    read: Callable[[int], Iterator[pa.RecordBatch]] = field(repr=False)
    fid: str | None = None  # the field that is the format's own row number: an attribute only where it is the key
    found: Callable[[], tuple[Note, ...]] = field(repr=False, default=tuple)  # what reading told so far

    @property
    def notes(self) -> tuple[Note, ...]:
        """All that the report must tell; whole once `batches` has ended."""
        return (*self.known, *self.found())

    @property
    def schema(self) -> pa.Schema:
        """The schema of every batch: the fields in order, then the geometry."""
        return schema_of(self.fields)

    def batches(self, size: int = BATCH) -> Iterator[pa.RecordBatch]:
        """Stream the features, at most `size` a batch; geometry is ISO WKB, its nulls, Z, M and curves kept.

        May be called again, and then starts anew. Raises `DamagedSource` rather than end early.
        """
        for batch in self.read(size):
            for start in range(0, batch.num_rows, size):
                yield batch.slice(start, size)


def schema_of(fields: tuple[Field, ...]) -> pa.Schema:
    """The Arrow schema of a layer with these fields."""
    return pa.schema([*((one.name, one.type) for one in fields), (GEOMETRY, pa.binary())])
