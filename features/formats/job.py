"""What the process that writes a file is told, and what it answers; it imports little, since it begins anew each time."""

from pathlib import Path
from typing import NamedTuple

from core.crs import Srid
from core.errors import ChengtuError
from features.paging import Cursor


class CannotWrite(ChengtuError):
    """The library that writes a format gave up."""

    en = "The features could not be written as f={form} ({reason}). Choose another format; f=gpkg holds the most."
    zh = "无法将要素写为 f={form}({reason})。请改用其他格式;f=gpkg 兼容性最好。"
    status = 500


class Layer(NamedTuple):
    """How a file shall look: its columns with their types, its geometries (no column of them: None), its CRS."""

    name: str
    form: str
    driver: str | None  # GDAL's name of the form
    columns: tuple[tuple[str, str], ...]
    geometry: str | None
    geometry_type: str
    srid: Srid
    key: str | None  # a column of whole numbers that tells features apart
    sorted: bool  # whether the order of the features means something


class Job(NamedTuple):
    """All that the process has to know."""

    dsn: str
    seconds: float  # that a statement may run
    dataset: str
    layer: Layer
    statement: str
    gaps: str  # the statement that tells whether a feature has no geometry
    parameters: dict[str, object]
    limit: int
    cursor: Cursor | None
    path: Path  # of the file to write, in a folder of its own


class Done(NamedTuple):
    """What was written: of which state of the data set, how many features, where the last is, and if others follow."""

    release: int
    change: int
    features: int
    changed: str
    last: tuple[str | None, ...]
    returned: int
    more: bool


class Failed(NamedTuple):
    """Why nothing was written: the class of an error with its facts, or the text of a `TableChanged`."""

    error: type[ChengtuError] | None
    facts: dict[str, object]
    text: str
