"""From an object of the drawing to a feature: its codes, its texts, and where it lies."""

from typing import NamedTuple

from loaders.cass import curves, shapes
from loaders.cass.blocks import Affine
from loaders.cass.codes import GB_EDITION, UNMAPPED, Meaning, meaning_of
from loaders.cass.curves import CURVES
from loaders.cass.shapes import SHAPES, Drawn, Shape
from loaders.cass.spool import Feature
from loaders.cass.tags import Record
from loaders.cass.words import Words

READ = frozenset(SHAPES) | CURVES
_TEXTS = frozenset({b"TEXT", b"MTEXT"})
_HEIGHTS = frozenset({"relief", "control"})  # themes in which 0 is a height


class Told(NamedTuple):
    """What the extended data of CASS say: the feature code, and the values behind it."""

    code: str
    details: str | None


class Made(NamedTuple):
    """A feature, what it means, and whether its heights say something."""

    feature: Feature
    meaning: Meaning
    raised: bool


def make(drawn: Drawn, layer: str, id_: str, words: Words, by: Affine | None) -> Made:
    """The feature of an object of a kind in `READ`; `by` places what comes out of a block. Raises `shapes.Unread`."""
    record = drawn.record
    told = told_by(record, words)
    is_text = record.kind in _TEXTS
    meaning = meaning_of(layer, told.code, is_text=is_text)
    shape = _shape(drawn, by)
    text = _text(drawn, words)
    shape, elevation, raised = _raised(shape, meaning.theme, text)
    symbol = record.kind == b"INSERT"
    grown = by.scale if by else 1.0
    feature = Feature(
        id=id_,
        gb_code=meaning.gb_code,
        gb_edition=None if meaning.gb_code in (None, UNMAPPED) else GB_EDITION,
        source_code=told.code or None,
        source_name=meaning.source_name,
        source_layer=layer,
        mapped=meaning.mapped,
        elevation=elevation,
        text=text,
        angle=_angle(record, by) if symbol or is_text else None,
        height=record.number(40) * grown if is_text else None,
        block=words(record.get(2)) if symbol else None,
        scale=record.number(41, 1.0) * grown if symbol else None,
        details=told.details,
        object=record.kind.decode("ascii", "replace"),
        handle=words(record.get(5)) or None,
        geometry=shapes.as_wkb(shape, area=meaning.area),
    )
    return Made(feature, meaning, raised)


def told_by(record: Record, words: Words) -> Told:
    """The feature code in an object's extended data: the first string of the application SOUTH."""
    if record.codes[-2:] == [1001, 1000] and record.values[-2] == b"SOUTH":  # nearly all
        return Told(words(record.values[-1]).strip(), None)
    if 1001 not in record.codes:
        return Told("", None)
    values, ours = [], False
    start = record.codes.index(1001)
    for code, value in zip(record.codes[start:], record.values[start:], strict=True):
        if code == 1001:
            ours = value.strip().upper() == b"SOUTH"
        elif ours and code >= 1000:
            values.append((code, value))
    at = next((place for place, (code, _) in enumerate(values) if code == 1000), None)
    if at is None:
        return Told("", None)
    rest = [words(value).strip() for _, value in values[:at] + values[at + 1 :]]
    return Told(words(values[at][1]).strip(), "; ".join(filter(None, rest)) or None)


def _shape(drawn: Drawn, by: Affine | None) -> Shape:
    shape = curves.shape_of(drawn) if drawn.record.kind in CURVES else shapes.shape_of(drawn)
    return shape._replace(rings=[by.ring(one) for one in shape.rings]) if by else shape


def _text(drawn: Drawn, words: Words) -> str | None:
    """What is written: by a text, or by a symbol's attributes."""
    record = drawn.record
    match record.kind:
        case b"TEXT":
            return words.line(record.get(1)) or None
        case b"MTEXT":
            return words.paragraph([*record.all(3), *record.all(1)[:1]]) or None
        case b"INSERT" if drawn.parts:
            return " ".join(filter(None, (words.line(one.get(1)) for one in drawn.parts))) or None
        case _:
            return None


def _angle(record: Record, by: Affine | None) -> float:
    """The direction of a text or symbol, in degrees counter-clockwise from east."""
    angle = record.number(50)
    if record.kind == b"MTEXT" and 50 not in record.codes and 11 in record.codes:
        angle = Affine(a=record.number(11), c=record.number(21)).turn
    if 230 in record.codes and record.number(230) < 0:
        angle = 180 - angle
    return round((angle + (by.turn if by else 0.0)) % 360, 6)


def _raised(shape: Shape, theme: str, text: str | None) -> tuple[Shape, float | None, bool]:
    """The one height of an object, and whether it is told: by its coordinates, else by what is written at a spot."""
    heights = shape.rings[0].z
    if heights[0] != heights[-1] or heights.count(heights[0]) != len(heights):
        return shape, None, True
    if heights[0]:
        return shape, heights[0], True
    written = number_in(text) if theme in _HEIGHTS and shape.is_point else None
    if written is not None:
        return Shape([shape.rings[0]._replace(z=[written])]), written, True
    return shape, (heights[0] if theme in _HEIGHTS else None), False


def number_in(text: str | None) -> float | None:
    """The number that a text is, such as 203.45."""
    try:
        return float(text) if text and len(text) < 12 and text[-1].isdecimal() else None
    except ValueError:
        return None
