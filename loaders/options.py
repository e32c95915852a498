"""What a user may say about a source, and about the data set that it becomes."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Described:
    """What the catalogue shall say of a data set; None keeps what it says already."""

    title_en: str | None = None
    title_zh: str | None = None
    description_en: str | None = None
    description_zh: str | None = None
    keywords: list[str] | None = None
    owner: str | None = None
    update_period: str | None = None
    licence: str | None = None
    attribution_en: str | None = None
    attribution_zh: str | None = None
    origin: str | None = None
    editable: bool | None = None
    max_age: int | None = None  # seconds
    search: bool | None = None


@dataclass(frozen=True)
class SheetOptions:
    """What is said of the map sheet that a source is."""

    name: str | None = None  # None: as the file is called, if it is called like a sheet
    scale: int | None = None
    layout: Literal["50x50", "40x50"] = "50x50"  # of rectangular sheets, centimetres north by east
    edition: str | None = None
    producer: str | None = None


@dataclass(frozen=True)
class Options:
    """How to read a source and what to call it; the defaults find out as much as can be known."""

    id: str | None = None
    layer: str | None = None
    srs: str | None = None
    axes: Literal["auto", "xy", "yx"] = "auto"
    datum_shift: Path | None = None
    encoding: str | None = None
    key: str | None = None
    time: str | None = None
    x: str | None = None
    y: str | None = None
    wkt: str | None = None
    generic: bool = False
    curve_tolerance: float | None = None  # units of the CRS; None: 0.01 m, or 1e-7 degrees
    profile: str | None = None  # an id, the path of a TOML file, or "none"; None: the source is recognised
    accept: frozenset[str] = frozenset()  # ids of rules that may be broken, or "all"
    dry_run: bool = False  # everything but the commit
    sheet: SheetOptions = field(default_factory=SheetOptions)
    history: bool | None = None  # keep versions that hold no more; None: as before, else as the profile says
    state_of: date | None = None  # the day that the data describe
    discard_edits: bool = False  # made through the API since the last release
    batch: int = 16_384
    described: Described = field(default_factory=Described)
