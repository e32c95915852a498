"""Findings that were made outside the database, and their way into pg_temp.ct_findings."""

from collections.abc import Iterable
from typing import NamedTuple

import shapely

from core.database import Connection, query
from core.language import Text


class Finding(NamedTuple):
    """What one rule has against a feature, or against two."""

    rule: str
    note: Text
    key: str | None
    other: str | None = None
    stated: float | None = None
    measured: float | None = None
    shape: shapely.Geometry | None = None  # in the layer's CRS


class Located(NamedTuple):
    """A feature that lies in another unit than it says, or says none that there is."""

    key: str | None
    named: str | None
    unit: str


def write_findings(connection: Connection, layer: str, srid: int, findings: Iterable[Finding]) -> None:
    """Append findings of a layer."""
    with connection.cursor() as cursor, cursor.copy(query("copy_findings")) as copy:
        for one in findings:
            wkb = (
                None
                if one.shape is None
                else shapely.to_wkb(shapely.set_srid(one.shape, srid), hex=True, include_srid=True)
            )
            copy.write_row(
                (one.rule, layer, one.key, one.other, one.stated, one.measured, one.note.en, one.note.zh, wkb)
            )


def write_located(connection: Connection, layer: str, located: Iterable[Located]) -> None:
    """Append the features of a layer that count elsewhere than they say."""
    with connection.cursor() as cursor, cursor.copy(query("copy_located")) as copy:
        for one in located:
            copy.write_row((layer, one.key, one.named, one.unit))
