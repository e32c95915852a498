"""Topographic databases by layer (HYDA, HYDL, RESA, LRRL, …) as the same themes that drawings become."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from core.errors import ChengtuError
from core.language import Text
from core.settings import ROOT
from loaders.cass.spool import THEMES
from loaders.layer import BBox, Field, Layer, Note, schema_of
from loaders.source import Source

_NAMES: Final = ROOT / "data" / "cass" / "database-layers.csv"
_FAMILIES: Final = {"P": "points", "L": "lines", "A": "polygons", "点": "points", "线": "lines", "面": "polygons"}
_FIELDS: Final = {
    "gb_code": ("GB", "GB_CODE", "GBCODE", "CODE", "YSDM", "分类代码", "要素代码", "国标码"),
    "name": ("NAME", "MC", "名称"),
    "elevation": ("ELEV", "ELE", "ELEVATION", "GC", "高程"),
    "text": ("TEXT", "注记", "注记内容"),
    "angle": ("ANGLE", "角度"),
}
_NUMBERS: Final = ("elevation", "angle")


class DifferentCrs(ChengtuError):
    """Layers of one database that are in several CRSs."""

    en = "The layers of {path} are in different CRSs ({crs}). Load them one by one with --layer and --profile none."
    zh = "{path} 的各图层坐标系不同({crs})。请用 --layer 和 --profile none 逐层加载。"
    exit_code = 2


@dataclass(frozen=True)
class _Themes:
    """The layers of a source, by the layer of the theme that they go into."""

    source: Source
    parts: Mapping[str, Sequence[str]]

    def layers(self) -> list[tuple[str, bool]]:
        """The layers of themes."""
        return [(name, True) for name in self.parts]

    def open(self, name: str) -> AbstractContextManager[Layer]:
        """The layers of a theme, one after the other."""
        return _opened(self.source, name, self.parts[name], self._left() if name == next(iter(self.parts)) else ())

    def _left(self) -> tuple[Note, ...]:
        """What is told with the first theme: the layers that go into none."""
        taken = {part for parts in self.parts.values() for part in parts}
        left = ", ".join(name for name, _ in self.source.layers if name not in taken)
        text = Text(f"Layers that belong to no theme were left aside: {left}.", f"未加载不属于任何专题的图层:{left}。")
        return (Note("layers-left-aside", text),) if left else ()


def by_theme(source: Source) -> Source:
    """A topographic database as themes; another source as it is.

    It is one if layers have the usual names, and each of these a field with the class (GB, CODE or the like).
    """
    parts: dict[str, list[str]] = {}
    for name in source.spatial:
        theme = theme_of(name)
        if theme is not None and _has_class(source, name):
            parts.setdefault(theme, []).append(name)
    if not parts:
        return source
    reader = _Themes(source, parts)
    return Source(source.path, tuple(reader.layers()), reader)


def theme_of(name: str) -> str | None:
    """The theme's layer that a layer goes into: HYDA and 水系面 into `water_polygons`; None where its name says nothing."""
    last = Path(name.replace("\\", "/")).name.upper()
    theme, family = _names().get(last[:-1]), _FAMILIES.get(last[-1:])
    if theme is None or family is None:
        return None
    return theme if THEMES[theme] == family else f"{theme}_{family}"


@cache
def _names() -> Mapping[str, str]:
    with _NAMES.open(encoding="utf-8", newline="") as file:
        return {row[column]: row["theme"] for row in csv.DictReader(file) for column in ("name", "name_zh")}


def _has_class(source: Source, name: str) -> bool:
    with source.open(name) as layer:
        return "gb_code" in _columns(layer)


def _columns(layer: Layer) -> dict[str, str]:
    """For each field of a theme that a layer has, the layer's own name of it."""
    found: dict[str, str] = {}
    for ours, spelt in _FIELDS.items():
        theirs = next((one.name for word in spelt for one in layer.fields if one.name.upper() == word), None)
        if theirs is not None:
            found[ours] = theirs
    return found


@contextmanager
def _opened(source: Source, name: str, parts: Sequence[str], told: tuple[Note, ...]) -> Iterator[Layer]:
    with ExitStack() as stack:
        layers = [stack.enter_context(source.open(part)) for part in parts]
        crs = {one.crs for one in layers}
        if len(crs) > 1:
            raise DifferentCrs(path=source.path, crs=", ".join(str(one)[:40] for one in crs))
        fields = (
            *(Field(ours, pa.float64() if ours in _NUMBERS else pa.string()) for ours in _FIELDS),
            *(Field(one, pa.string()) for one in ("source_layer", "mapped", "details")),
        )
        counts = [one.feature_count for one in layers]
        yield replace(
            layers[0],
            name=name,
            feature_count=None if None in counts else sum(filter(None, counts)),
            bounds=_around([one.bounds for one in layers]),
            fields=fields,
            known=(*told, *dict.fromkeys(chain.from_iterable(one.known for one in layers))),
            read=lambda size: chain.from_iterable(_read(one, fields, size) for one in layers),
            fid=None,
            found=lambda: tuple(dict.fromkeys(chain.from_iterable(one.found() for one in layers))),
        )


def _around(boxes: Sequence[BBox | None]) -> BBox | None:
    known = [box for box in boxes if box is not None]
    if not known:
        return None
    west, south, east, north = zip(*known, strict=True)
    return min(west), min(south), max(east), max(north)


def _read(layer: Layer, fields: tuple[Field, ...], size: int) -> Iterator[pa.RecordBatch]:
    columns, schema = _columns(layer), schema_of(fields)
    for batch in layer.batches(size):
        count = batch.num_rows
        values = {ours: _cast(batch.column(theirs), ours) for ours, theirs in columns.items()}
        values["source_layer"] = pa.array([layer.name] * count, pa.string())
        values["mapped"] = pa.array(["code"] * count, pa.string())
        values["details"] = _details(batch, _further(layer, columns))
        arrays = [values.get(one.name, pa.nulls(count, one.type)) for one in fields]
        yield pa.record_batch([*arrays, batch.column(batch.num_columns - 1)], schema)


def _further(layer: Layer, columns: Mapping[str, str]) -> list[str]:
    return [one.name for one in layer.fields if one.name not in columns.values() and one.name != layer.fid]


def _cast(array: pa.Array, ours: str) -> pa.Array:
    """Codes kept as numbers become text without a point; heights that are no numbers become none."""
    if ours in _NUMBERS:
        if not pa.types.is_string(array.type):
            return array.cast(pa.float64(), safe=False)
        number = pc.match_substring_regex(array, r"^\s*-?\d+(\.\d+)?\s*$")
        return pc.if_else(pc.fill_null(number, False), pc.utf8_trim_whitespace(array), None).cast(pa.float64())
    if pa.types.is_floating(array.type) and ours == "gb_code":
        return array.cast(pa.int64(), safe=False).cast(pa.string())
    return array.cast(pa.string())


def _details(batch: pa.RecordBatch, names: Sequence[str]) -> pa.Array:
    """All further attributes, as `name=value; …`."""
    written = [
        pc.binary_join_element_wise(pa.scalar(f"{name}="), batch.column(name).cast(pa.string()), pa.scalar(""))
        for name in names
    ]
    if not written:
        return pa.nulls(batch.num_rows, pa.string())
    joined = pc.binary_join_element_wise(*written, pa.scalar("; "), null_handling="skip")
    return pc.if_else(pc.equal(joined, ""), None, joined)
