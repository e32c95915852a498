"""What a user may say about a table, about the places that it speaks of, and about the data set that it becomes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from loaders.options import Described
from loaders.tables.matching import Method


class Pair(NamedTuple):
    """A column of the table, and the field of the places that it is matched with; None: to be found by the values."""

    column: str
    field: str | None = None


@dataclass(frozen=True)
class JoinOptions:
    """How to read a table and what to join it to; the defaults find out as much as can be known."""

    to: str | None = None  # the data set of places; None: the one that fits
    id: str | None = None
    layer: str | None = None
    encoding: str | None = None
    method: Method | None = None
    on: Pair | None = None
    within: Pair | None = None  # the parent of a place, where names occur twice
    by: tuple[str, ...] = ()  # columns that tell rows of one place apart
    year: int | None = None
    year_field: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)  # by column
    divisions: tuple[Path, ...] = ()  # files with changes of divisions
    accept_unmatched: bool = False
    unmatched: Path | None = None  # where to write the rows without a place
    dry_run: bool = False
    discard_edits: bool = False
    described: Described = field(default_factory=Described)
