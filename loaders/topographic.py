"""What a feature of a topographic theme needs beyond its source: a key, its edition of the classes, and its sheet."""

import itertools
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from core.codelists import codelist
from loaders.layer import Layer

PROFILE: Final = "topographic"
_EDITIONS: Final = ("2022", "2006")  # of GB/T 13923, the newest first


def completed(layer: Layer, sheet: str | None) -> Layer:
    """A layer of the profile `topographic` whose features all have an id, and belong to a sheet where there is one.

    Ids of a sheet begin with its name, so that those of several sheets never meet. A seventh digit of a class, which
    some producers add for the geometry, goes; the code as it was stays in `source_code`.
    """
    names = [one.name for one in layer.fields]

    def read(size: int) -> Iterator[pa.RecordBatch]:
        rows = itertools.count(1)
        for batch in layer.batches(size):
            columns = dict(zip([*names, "geometry"], batch.columns, strict=True))
            yield pa.record_batch(list(_filled(columns, sheet, rows).values()), schema=batch.schema)

    return replace(layer, read=read)


def _known(codes: pa.Array) -> tuple[pa.Array, pa.Array]:
    """What codes are called, and the newest edition that has them."""
    names, editions = pa.nulls(len(codes), pa.string()), pa.nulls(len(codes), pa.string())
    for edition in _EDITIONS:
        known, called = _names(edition)
        found = called.take(pc.index_in(codes, known))
        editions = pc.if_else(pc.and_(pc.is_null(names), pc.is_valid(found)), edition, editions)
        names = pc.coalesce(names, found)
    return names, editions


@cache
def _names(edition: str) -> tuple[pa.Array, pa.Array]:
    codes = codelist(f"gb13923-{edition}").codes
    return pa.array([one.code for one in codes]), pa.array([one.name.zh for one in codes])


def _filled(columns: dict[str, pa.Array], sheet: str | None, rows: Iterator[int]) -> dict[str, pa.Array]:
    numbers = pa.array([f"r{number}" for _, number in zip(range(len(columns["id"])), rows, strict=False)], pa.string())
    ids = pc.coalesce(columns["id"], numbers)
    given = columns["gb_code"]
    if sheet is not None:
        ids = pc.binary_join_element_wise(pa.scalar(sheet), ids, pa.scalar("/"))
        columns["sheet"] = pa.array([sheet] * len(ids), pa.string())
    coded = pc.match_substring_regex(given, r"^[1-8]\d{5}[123]?$")
    code = pc.if_else(pc.fill_null(coded, False), pc.utf8_slice_codeunits(given, 0, 6), given)
    name, edition = _known(code)
    changed = pc.if_else(pc.equal(code, given), columns["source_code"], pc.coalesce(columns["source_code"], given))
    return columns | {
        "id": ids,
        "gb_code": code,
        "gb_name": name,
        "gb_edition": edition,
        "source_code": changed,
    }
