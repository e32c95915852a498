"""Blocks: symbols, which are points on the map, and whole maps that were inserted as one, which are taken apart."""

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Self

from core.language import Text
from loaders.cass.shapes import Drawn, Ring, at
from loaders.errors import UnsafeSource

MOST_OBJECTS = 1_000_000  # that all blocks of a drawing may become
MOST_STORED = 300_000  # records that the definitions of blocks may hold together
DEEPEST = 16  # blocks in blocks

_EXPLODE = Text(
    "Explode or purge the blocks in the program that drew them, and export the drawing again.",
    "请在原软件中炸开或清理图块后重新导出。",
)


class Affine(NamedTuple):
    """Where a block's own coordinates come to lie: a plane map, and height apart."""

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 1.0
    x: float = 0.0
    y: float = 0.0
    z: float = 0.0
    up: float = 1.0

    def ring(self, ring: Ring) -> Ring:
        """The points of a block in the drawing."""
        pairs = list(zip(ring.x, ring.y, strict=True))
        return Ring(
            [self.a * x + self.b * y + self.x for x, y in pairs],
            [self.c * x + self.d * y + self.y for x, y in pairs],
            [self.up * z + self.z for z in ring.z],
        )

    def after(self, inner: Self) -> "Affine":
        """This map after another one."""
        return Affine(
            self.a * inner.a + self.b * inner.c,
            self.a * inner.b + self.b * inner.d,
            self.c * inner.a + self.d * inner.c,
            self.c * inner.b + self.d * inner.d,
            self.a * inner.x + self.b * inner.y + self.x,
            self.c * inner.x + self.d * inner.y + self.y,
            self.up * inner.z + self.z,
            self.up * inner.up,
        )

    @property
    def turn(self) -> float:
        """By how many degrees what lay along x is turned."""
        return math.degrees(math.atan2(self.c, self.a))

    @property
    def scale(self) -> float:
        """How much longer what lay along x became."""
        return math.hypot(self.a, self.c)


class Block(NamedTuple):
    """The definition of a block: what is drawn in it, around its base point."""

    base: Ring
    drawn: list[Drawn]


class Placed(NamedTuple):
    """An object from within a block, and where it comes to lie."""

    drawn: Drawn
    by: Affine
    layer: bytes | None  # of the insertion, which what lies on layer 0 takes over


class Blocks:
    """The blocks of one drawing, by name in lower case."""

    def __init__(self, shown: Path, map_layers: frozenset[bytes]) -> None:
        self._shown = shown
        self._map_layers = map_layers
        self._blocks: dict[bytes, Block] = {}
        self._stored = 0
        self._sizes: dict[bytes, int] = {}
        self._maps: dict[bytes, bool] = {}
        self._left = MOST_OBJECTS

    def define(self, head: Drawn, drawn: list[Drawn]) -> None:
        """Keep a definition; only so many that memory stays bounded."""
        self._stored += sum(1 + len(one.parts) for one in drawn)
        if self._stored > MOST_STORED:
            why = Text(f"its blocks define more than {MOST_STORED} objects", f"图块定义超过 {MOST_STORED} 个对象")
            raise UnsafeSource(path=self._shown, why=why, advice=_EXPLODE)
        self._blocks[_name(head)] = Block(at(head.record), drawn)

    def is_map(self, insert: Drawn) -> bool:
        """Whether a block holds mapped objects, by their feature codes or several map layers, and not a symbol."""
        return self._holds_map(_name(insert))

    def take_apart(self, insert: Drawn) -> Iterator[Placed]:
        """The objects in a block and the blocks in it, down to symbols."""
        self.check(insert)
        yield from self._taken(insert, Affine(), None, 0)

    def check(self, insert: Drawn) -> int:
        """How many objects an insertion stands for; blocks that hold themselves or would flood memory are refused."""
        size = self._size(_name(insert), ()) * _times(insert)
        self._left -= size if self.is_map(insert) else 0
        if size > MOST_OBJECTS or self._left < 0:
            why = Text(
                f"its blocks stand for more than {MOST_OBJECTS} objects", f"图块展开后超过 {MOST_OBJECTS} 个对象"
            )
            raise UnsafeSource(path=self._shown, why=why, advice=_EXPLODE)
        return size

    def _taken(self, insert: Drawn, outer: Affine, layer: bytes | None, depth: int) -> Iterator[Placed]:
        block = self._blocks[_name(insert)]
        layer = _layer(insert, layer)
        for place in _places(insert, block.base):
            by = outer.after(place)
            for one in block.drawn:
                if one.record.kind == b"INSERT" and self.is_map(one):
                    yield from self._taken(one, by, layer, depth + 1)
                else:
                    yield Placed(one, by, layer)

    def _size(self, name: bytes, above: tuple[bytes, ...]) -> int:
        """The objects of a block, those of blocks in it among them, worked out once for each block."""
        if name in above or len(above) > DEEPEST:
            why = Text(
                f"a block holds itself, or blocks lie more than {DEEPEST} deep in each other",
                f"图块包含自身,或嵌套超过 {DEEPEST} 层",
            )
            raise UnsafeSource(path=self._shown, why=why, advice=_EXPLODE)
        if name not in self._sizes:
            drawn = self._blocks[name].drawn if name in self._blocks else []
            inner = (one for one in drawn if one.record.kind == b"INSERT")
            nested = sum(self._size(_name(one), (*above, name)) * _times(one) for one in inner)
            self._sizes[name] = len(drawn) + nested
        return self._sizes[name]

    def _holds_map(self, name: bytes) -> bool:
        if name not in self._maps:
            self._maps[name] = False  # of a block in itself, until `check` refuses it
            drawn = self._blocks[name].drawn if name in self._blocks else []
            self._maps[name] = _is_map(drawn, self._map_layers) or any(
                self._holds_map(_name(one)) for one in drawn if one.record.kind == b"INSERT"
            )
        return self._maps[name]


def repeated(symbol: Drawn) -> Iterator[Affine | None]:
    """By how much each of the symbols that one insertion puts in rows and columns is moved."""
    if _times(symbol) == 1:
        yield None
        return
    first, *others = _places(symbol, Ring([0.0], [0.0], [0.0]))
    yield None
    for one in others:
        yield Affine(x=one.x - first.x, y=one.y - first.y)


def _name(drawn: Drawn) -> bytes:
    return (drawn.record.get(2) or b"").strip().lower()


def _layer(insert: Drawn, above: bytes | None) -> bytes | None:
    own = insert.record.get(8)
    return above if own in (None, b"0") and above is not None else own


def _is_map(drawn: Iterable[Drawn], map_layers: frozenset[bytes]) -> bool:
    layers = set()
    for one in drawn:
        if b"SOUTH" in one.record.values:
            return True
        layers.add((one.record.get(8) or b"").strip().upper())
    return len(layers & map_layers) > 1


def _times(insert: Drawn) -> int:
    """How often an insertion repeats its block, in rows and columns."""
    record = insert.record
    columns, rows = (max(1, record.flags(code)) if code in record.codes else 1 for code in (70, 71))
    return columns * rows


def _places(insert: Drawn, base: Ring) -> Iterator[Affine]:
    """Where an insertion puts its block, once for each row and column."""
    record = insert.record
    east, north, up = record.number(41, 1.0), record.number(42, 1.0), record.number(43, 1.0)
    turn = math.radians(record.number(50))
    cos, sin = math.cos(turn), math.sin(turn)
    flip = -1.0 if record.number(230, 1.0) < 0 else 1.0
    x, y, z = flip * record.number(10), record.number(20), flip * record.number(30)
    columns = max(1, record.flags(70))
    a, b, c, d = flip * cos * east, -flip * sin * north, sin * east, cos * north
    for number in range(_times(insert)):
        row, column = divmod(number, columns)
        along, across = column * record.number(44), row * record.number(45)
        bx, by = base.x[0], base.y[0]
        yield Affine(
            a, b, c, d,
            x + flip * (cos * along - sin * across) - a * bx - b * by,
            y + sin * along + cos * across - c * bx - d * by,
            z - flip * up * base.z[0],
            flip * up,
        )  # fmt: skip
