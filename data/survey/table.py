"""What a made-up survey is made of: layers of rows with geometry, by the standard's names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy.typing as npt
import pyarrow as pa

from data.sample.files import Layer
from data.sample.shapes import Flags, Ints, Shapes

Column = npt.NDArray[Any]  # texts, numbers or dates


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one layer: geometries in EPSG:4490, longitude first, and columns of the same length."""

    shapes: Shapes
    geometry_type: str
    columns: Mapping[str, Column]

    def __getitem__(self, name: str) -> Column:
        """A column by its name."""
        return self.columns[name]

    def where(self, keep: Ints | Flags) -> "Table":
        """The chosen rows."""
        columns = {name: column[keep] for name, column in self.columns.items()}
        return Table(self.shapes[keep], self.geometry_type, columns)

    def having(self, shapes: Shapes | None = None, **columns: Column) -> "Table":
        """The same rows with other values."""
        return Table(self.shapes if shapes is None else shapes, self.geometry_type, {**self.columns, **columns})

    def copy(self) -> "Table":
        """Rows of their own, to change in place."""
        return Table(self.shapes.copy(), self.geometry_type, {name: one.copy() for name, one in self.columns.items()})

    def layer(self, srid: int, shapes: Shapes) -> Layer:
        """The table as it is written: `shapes` are those of the CRS, and every row says that it is synthetic."""
        columns = {name: _array(column) for name, column in self.columns.items()}
        return Layer(shapes, self.geometry_type, srid, {**columns, ORIGIN: pa.array(["synthetic"] * len(shapes))})


ORIGIN = "DATA_ORIGIN"


class Survey(NamedTuple):
    """A survey database: the layers by name, the year, and the codes and names of its counties."""

    layers: dict[str, Table]
    year: int
    seed: int
    city: str
    counties: Mapping[str, str]
    plane: int  # EPSG of the Gauss-Krüger plane, without zone prefix

    @property
    def parcels(self) -> Table:
        """`DLTB`."""
        return self.layers["DLTB"]

    @property
    def villages(self) -> Table:
        """`CJDCQ`."""
        return self.layers["CJDCQ"]

    @property
    def townships(self) -> Table:
        """`XZQ`."""
        return self.layers["XZQ"]


def _array(column: Column) -> pa.Array:
    """NaN and None are missing; a column of nothing else is one of texts."""
    made = pa.array(column, from_pandas=True)
    if pa.types.is_null(made.type):
        return made.cast(pa.string())
    return made.cast(pa.int32()) if pa.types.is_integer(made.type) else made  # FileGDB has no longer ones
