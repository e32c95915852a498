"""Ellipses, splines and hatches: the shapes that ezdxf works out."""

from collections.abc import Sequence

from ezdxf import path
from ezdxf.entities import Hatch, factory
from ezdxf.entities.ellipse import Ellipse
from ezdxf.entities.mpolygon import MPolygon
from ezdxf.entities.spline import Spline
from ezdxf.lldxf.const import DXFError
from ezdxf.lldxf.extendedtags import ExtendedTags
from ezdxf.lldxf.tagger import tag_compiler
from ezdxf.lldxf.tags import Tags
from ezdxf.lldxf.types import DXFTag
from ezdxf.math import Vec3

from core.language import Text
from loaders.cass.arcs import CHORD_ERROR
from loaders.cass.shapes import Drawn, Ring, Shape, Unread
from loaders.cass.splines import points_of
from loaders.cass.tags import Record

CURVES = frozenset({b"ELLIPSE", b"SPLINE", b"HATCH", b"MPOLYGON"})
_XDATA = 1000  # group codes from here on belong to applications
_MOST = 100_000  # points of one curve

_BROKEN = Text("its curve cannot be worked out", "曲线无法解算")
_EMPTY = Text("it encloses nothing", "没有围成面")


def shape_of(drawn: Drawn) -> Shape:
    """The shape of a curve or a hatch, as chords within `CHORD_ERROR`; raises `Unread`."""
    try:
        if drawn.record.kind == b"SPLINE" and (points := points_of(drawn.record)) is not None:
            x, y, z = points.T.tolist()
            return Shape([Ring(x, y, z)], closed=bool(drawn.record.flags(70) & 1))
        entity = factory.load(_tags(drawn.record))
        if isinstance(entity, Ellipse | Spline):
            return _curve(entity)
        if isinstance(entity, Hatch | MPolygon):
            return _hatch(entity)
    except (DXFError, ValueError, ArithmeticError, IndexError, TypeError, AttributeError) as error:
        raise Unread(_BROKEN) from error
    raise Unread(_BROKEN)


def _tags(record: Record) -> ExtendedTags:
    """The record as ezdxf has it, without the data of applications and references to other objects."""
    pairs = (
        DXFTag(code, value.decode("latin-1"))
        for code, value in zip(record.codes, record.values, strict=True)
        if code < _XDATA and code not in (330, 360, 102)
    )
    return ExtendedTags(Tags(tag_compiler(pairs)))


def _curve(entity: Ellipse | Spline) -> Shape:
    points: list[Vec3] = []
    for point in entity.flattening(CHORD_ERROR):
        points.append(point)
        if len(points) > _MOST:
            raise Unread(_BROKEN)
    closed = isinstance(entity, Spline) and bool(entity.closed)
    return Shape([_ring(points)], closed or (len(points) > 3 and points[0].isclose(points[-1])))


def _hatch(entity: Hatch | MPolygon) -> Shape:
    """All rings of a hatch; what they enclose by the even-odd rule is filled."""
    rings = [_ring(list(one.flattening(CHORD_ERROR))) for one in path.from_hatch(entity)]
    rings = [ring for ring in rings if len(set(zip(ring.x, ring.y, strict=True))) > 2]
    if not rings:
        raise Unread(_EMPTY)
    return Shape(rings, closed=True, area=True)


def _ring(points: Sequence[Vec3]) -> Ring:
    return Ring([p.x for p in points], [p.y for p in points], [p.z for p in points])
