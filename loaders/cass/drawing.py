"""A CASS drawing as a source of layers: one for each theme, and one more for each further family of its geometries."""

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import pyarrow as pa
import shapely

from core.language import Text
from loaders.cass.notes import notes_of
from loaders.cass.read import Reading
from loaders.cass.recognise import reason_of
from loaders.cass.repair import mended
from loaders.cass.spool import FIELDS, RAISED, THEMES, Spool
from loaders.cass.tags import BadTag
from loaders.cass.words import Words
from loaders.errors import DamagedSource
from loaders.formats.dxf import declared_text, header_of
from loaders.layer import BBox, Layer, Note, schema_of
from loaders.text import Guess, sample_file, settle
from loaders.wkb import bounds_of

_TYPES = {"points": "Point", "lines": "LineString", "polygons": "Polygon"}


@dataclass(frozen=True)
class Drawing:
    """A drawing that was read: its layers lie in the spool."""

    shown: Path
    spool: Spool
    guess: Guess
    bounds: BBox | None
    notes: tuple[Note, ...]

    def layers(self) -> list[tuple[str, bool]]:
        """The layers that have features, in the order of the themes."""
        order = list(THEMES)
        names = sorted(self.spool.counts, key=lambda name: (order.index(name.split("_")[0]), name))
        return [(name, True) for name in names]

    def open(self, name: str) -> AbstractContextManager[Layer]:
        """Open one of them."""
        theme, _, family = name.partition("_")
        raised = theme in RAISED
        layer = Layer(
            driver="DXF (CASS)",
            path=self.shown,
            name=name,
            crs=None,
            geometry_type=_TYPES[family or THEMES[theme]] + (" Z" if raised else ""),
            feature_count=self.spool.counts[name],
            bounds=self.bounds,
            fields=FIELDS,
            encoding=self.guess.label,
            encoding_reason=self.guess.reason,
            sample_text=self.guess.sample,
            known=(*self.guess.notes, *self.notes),
            read=lambda size: _batches(self.spool, name, raised=raised),
        )
        return nullcontext(layer)


def read_drawing(path: Path, shown: Path, workspace: Path, encoding: str | None) -> Drawing | None:
    """Read a drawing if it is a map of CASS; else None. What is broken inside is mended first, and the notes say so."""
    reason = reason_of(path)
    if reason is None:
        return None
    folder = Path(mkdtemp(prefix="cass-", dir=workspace))
    try:
        return _read(path, shown, folder, encoding, reason, ())
    except BadTag as error:
        shutil.rmtree(folder)
        folder.mkdir()
        whole = folder / "mended.dxf"
        note = mended(path, shown, whole, error.why)
    try:
        return _read(whole, shown, folder, encoding, reason, (note,))
    except BadTag as error:
        raise DamagedSource(path=shown, why=error.why) from error


def _read(
    path: Path, shown: Path, folder: Path, encoding: str | None, reason: Text, notes: tuple[Note, ...]
) -> Drawing:
    guess = settle(sample_file(path), declared_text(header_of(path)), encoding)
    words, spool = Words(guess.codec), Spool(folder)
    reading = Reading(shown, words, spool)
    reading.run(path)
    if not reading.objects:
        why = Text("it breaks off before its first object", "文件在第一个对象之前中断")
        raise DamagedSource(path=shown, why=why if not reading.frame.ended else _NOTHING)
    return Drawing(shown, spool, guess, _bounds(spool), (*notes, *notes_of(reading, reason), *words.notes()))


_NOTHING = Text("it holds no objects", "其中没有任何对象")


def _bounds(spool: Spool) -> BBox | None:
    """The box of the first features of each layer: enough to judge the CRS by, the same for all layers."""
    firsts = (next(spool.batches(name), None) for name in spool.counts)
    boxes = [box for one in firsts if one is not None and (box := bounds_of(one.column("geometry"))) is not None]
    if not boxes:
        return None
    west, south, east, north = zip(*boxes, strict=True)
    return min(west), min(south), max(east), max(north)


def _batches(spool: Spool, name: str, *, raised: bool) -> Iterator[pa.RecordBatch]:
    """The features of a layer, without heights where none of them has any."""
    schema = schema_of(FIELDS)
    for batch in spool.batches(name):
        if raised:
            yield batch
            continue
        shapes = shapely.from_wkb(batch.column(batch.num_columns - 1).to_pylist())
        flat = shapely.to_wkb(shapes, output_dimension=2, byte_order=1, flavor="iso")
        yield pa.record_batch([*batch.columns[:-1], pa.array(flat, pa.binary())], schema)
