"""What the sample hands to the loader."""

from pathlib import Path
from typing import Literal, NamedTuple

from core.language import Text


class SampleSource(NamedTuple):
    """One data set to load: `srs` and `key` are the loader's options, `update_period` is an ISO 8601 duration."""

    id: str
    path: Path
    layer: str | None
    title: Text
    description: Text
    srs: str | None
    key: str | None
    licence: str
    attribution: Text
    origin: Literal["real", "synthetic"]
    update_period: str | None
