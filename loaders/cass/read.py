"""One pass over a drawing: every object becomes a feature on the spool, or is counted with the reason why not."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

from core.language import Text
from loaders.cass.blocks import Affine, Blocks, repeated
from loaders.cass.codes import layer_named
from loaders.cass.features import READ, Made, make
from loaders.cass.objects import Records, objects
from loaders.cass.shapes import Drawn, Unread
from loaders.cass.spool import RAISED, Spool
from loaders.cass.spots import Spots
from loaders.cass.tags import Frame, Record, records
from loaders.cass.words import Words

_PAPER = Text("on a paper layout", "位于图纸空间")
_NO_FEATURE = Text("no kind of map object", "不是地图要素类型")
UNREADABLE = Text("its numbers cannot be read", "坐标数值无法解析")
_MAP_LAYERS = frozenset({b"KZD", b"JMD", b"DLDW", b"DLSS", b"SXSS", b"GXYZ", b"DMTZ", b"DGX", b"GCD", b"ZBTZ", b"JJ"})


class Reading:
    """What one pass finds: how many objects there are, and what became of those that are no features."""

    def __init__(self, shown: Path, words: Words, spool: Spool) -> None:
        self.frame = Frame()
        self.objects = 0
        self.features = 0
        self.aside: Counter[tuple[str, Text]] = Counter()  # by kind, and why
        self.unmapped: Counter[tuple[str, str]] = Counter()  # by feature code and layer
        self.by_layer = 0
        self.flat_contours = 0
        self.slopes = 0  # features of flat themes whose heights change along them
        self.taken_apart = 0
        self._words = words
        self._spool = spool
        self._blocks = Blocks(shown, _MAP_LAYERS)
        self._spots = Spots()
        self._ids = _Ids()
        self._layers: dict[bytes, str] = {}

    def run(self, path: Path) -> None:
        """Read the drawing; raises `BadTag` where its lines are no tags."""
        with path.open("rb") as file:
            stream = Records(records(file, self.frame))
            for record in stream:
                name = record.get(2) if record.kind == b"SECTION" else b""
                if name == b"BLOCKS":
                    self._read_blocks(stream)
                elif name == b"ENTITIES":
                    for drawn in objects(stream):
                        self._take(drawn)
                    self._end(stream)
        for theme, feature in self._spots.settle():
            self._spool.add(theme, feature)
        self._spool.finish()

    def _read_blocks(self, stream: Records) -> None:
        for record in stream:
            if record.kind == b"BLOCK":
                self._blocks.define(Drawn(record, []), list(objects(stream)))
            elif record.kind in (b"ENDSEC", b"SECTION"):
                stream.hand_back(record)
                self._end(stream)
                return

    def _end(self, stream: Records) -> None:
        """A section ends by its mark; one that ends by the next one, or by the file's end, was left open."""
        record = next(stream, None)
        if record is None or record.kind != b"ENDSEC":
            self.frame.left_open = True
        if record is not None and record.kind == b"SECTION":
            stream.hand_back(record)

    def _take(self, drawn: Drawn) -> None:
        record, layer = drawn.record, drawn.record.get(8) or b"0"
        if record.kind != b"INSERT":
            self._keep(drawn, layer, record.get(5), None)
            return
        self._blocks.check(drawn)
        if not self._blocks.is_map(drawn):
            for by in repeated(drawn):
                self._keep(drawn, layer, record.get(5), by)
            return
        self.taken_apart += 1
        for number, placed in enumerate(self._blocks.take_apart(drawn), start=1):
            inner = placed.drawn.record.get(8) or b"0"
            on = placed.layer if inner == b"0" and placed.layer is not None else inner
            self._keep(placed.drawn, on, b"%b.%d" % (record.get(5) or b"", number), placed.by)

    def _keep(self, drawn: Drawn, raw_layer: bytes, handle: bytes | None, by: Affine | None) -> None:
        """Make a feature of an object, or count it."""
        self.objects += 1
        layer = self._layer(raw_layer)
        why = _why_not(drawn.record, layer)
        if why is None:
            try:
                made = make(drawn, layer, self._ids.take(handle), self._words, by)
            except Unread as error:
                why = error.why
            except (ValueError, OverflowError):
                why = UNREADABLE
            else:
                self._tally(made)
                if not self._spots.hold(made):
                    self._spool.add(made.meaning.theme, made.feature)
                return
        self.aside[drawn.record.kind.decode("ascii", "replace")[:40], why] += 1

    def _tally(self, made: Made) -> None:
        self.features += 1
        feature, meaning = made.feature, made.meaning
        if meaning.mapped == "none":
            self.unmapped[feature.source_code or "", feature.source_layer] += 1
        elif meaning.mapped == "layer" and meaning.gb_code:
            self.by_layer += 1
        if (meaning.gb_code or "").startswith("7101") and not made.raised:
            self.flat_contours += 1
        if made.raised and feature.elevation is None and meaning.theme not in RAISED:
            self.slopes += 1

    def _layer(self, raw: bytes) -> str:
        """A layer's name, decoded once."""
        if raw not in self._layers:
            self._layers[raw] = self._words(raw).strip()
        return self._layers[raw]


@cache
def _aside_layer(layer: str) -> Text | None:
    """Why what lies on a layer is no map content, if it is none."""
    found = layer_named(layer)
    if found is None or found.theme:
        return None
    return Text(f"layer {layer}, {found.name.en.lower()}", f"图层 {layer},{found.name.zh}")


def _why_not(record: Record, layer: str) -> Text | None:
    """Why an object can be no feature, if it cannot."""
    if 67 in record.codes and record.flags(67):
        return _PAPER
    if (aside := _aside_layer(layer)) is not None:
        return aside
    return None if record.kind in READ else _NO_FEATURE


class _Ids:
    """The handles of objects, each given out once; they are numbers, so that a bit tells of each."""

    _HIGHEST = 1 << 28

    def __init__(self) -> None:
        self._bits = bytearray()
        self._others: set[str] = set()
        self._count = 0

    def take(self, handle: bytes | None) -> str:
        """The handle, or a made-up one where it is missing or was there before."""
        self._count += 1
        text = (handle or b"").decode("ascii", "replace").strip().upper()[:40]
        return text if text and self._is_new(text) else f"{text}~{self._count}"

    def _is_new(self, text: str) -> bool:
        number = int(text, 16) if _HEX.fullmatch(text) else self._HIGHEST
        if number >= self._HIGHEST:
            known = text in self._others
            self._others.add(text)
            return not known
        at, bit = number >> 3, 1 << (number & 7)
        if at >= len(self._bits):
            self._bits.extend(bytes(max(at + 1 - len(self._bits), 65_536)))
        known = bool(self._bits[at] & bit)
        self._bits[at] |= bit
        return not known


_HEX = re.compile(r"[1-9A-F][0-9A-F]{0,7}")
