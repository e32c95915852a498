"""The objects of a drawing as group codes of DXF R2000, with the feature code of CASS in their extended data."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

Point = tuple[float, float]
Bulged = tuple[float, float, float]  # x, y, and the tangent of a quarter of the arc's angle to the next one


class Pen(NamedTuple):
    """What all objects need: the handle of model space, and handles of their own from `first` on."""

    space: str
    first: int

    def head(self, kind: str, number: int, layer: str, subclass: str) -> str:
        """The beginning of an object; each number has room for 64 handles."""
        return f"0\n{kind}\n5\n{self.first + 64 * number:X}\n330\n{self.space}\n100\nAcDbEntity\n8\n{layer}\n100\n{subclass}\n"

    def part(self, kind: str, number: int, place: int, layer: str) -> str:
        """The beginning of what belongs to an object: the `place`-th of its vertices or attributes, from 1."""
        handle = self.first + 64 * number
        return f"0\n{kind}\n5\n{handle + place:X}\n330\n{handle:X}\n100\nAcDbEntity\n8\n{layer}\n"


def coded(code: str, *more: str) -> str:
    """The extended data of the application SOUTH."""
    return "".join(["1001\nSOUTH\n", *(f"1000\n{one}\n" for one in (code, *more))]) if code else ""


def spot(x: float, y: float, z: float = 0.0, first: int = 10) -> str:
    """Group codes 10, 20 and 30 (or 11, 21 and 31)."""
    return f"{first}\n{x:.4f}\n{first + 10}\n{y:.4f}\n{first + 20}\n{z:.4f}\n"


def line(pen: Pen, number: int, layer: str, code: str, start: Point, end: Point) -> str:
    """A straight line."""
    return pen.head("LINE", number, layer, "AcDbLine") + spot(*start) + spot(*end, first=11) + coded(code)


def light_polyline(
    pen: Pen,
    number: int,
    layer: str,
    code: str,
    points: Sequence[Bulged],
    *,
    closed: bool,
    z: float = 0.0,
    more: Iterable[str] = (),
) -> str:
    """A polyline of one height, with arcs where a vertex has a bulge."""
    vertices = "".join(
        f"10\n{x:.4f}\n20\n{y:.4f}\n" + (f"42\n{bulge:.6f}\n" if bulge else "") for x, y, bulge in points
    )
    head = pen.head("LWPOLYLINE", number, layer, "AcDbPolyline")
    return f"{head}90\n{len(points)}\n70\n{int(closed)}\n43\n0.0\n38\n{z:.4f}\n{vertices}{coded(code, *more)}"


def heavy_polyline(pen: Pen, number: int, layer: str, code: str, points: Sequence[tuple[float, float, float]]) -> str:
    """A polyline with a height at each vertex."""
    head = (
        pen.head("POLYLINE", number, layer, "AcDb3dPolyline")
        + "66\n1\n10\n0.0\n20\n0.0\n30\n0.0\n70\n8\n"
        + coded(code)
    )
    vertices = [
        f"{pen.part('VERTEX', number, place, layer)}100\nAcDbVertex\n100\nAcDb3dPolylineVertex\n{spot(*point)}70\n32\n"
        for place, point in enumerate(points, 1)
    ]
    return "".join([head, *vertices, pen.part("SEQEND", number, len(points) + 1, layer)])


def arc(pen: Pen, number: int, layer: str, code: str, centre: Point, radius: float, angles: tuple[float, float]) -> str:
    """A part of a circle, from angle to angle against the clock, in degrees."""
    head = pen.head("ARC", number, layer, "AcDbCircle")
    return (
        f"{head}{spot(*centre)}40\n{radius:.4f}\n100\nAcDbArc\n50\n{angles[0]:.4f}\n51\n{angles[1]:.4f}\n{coded(code)}"
    )


def circle(pen: Pen, number: int, layer: str, code: str, centre: Point, radius: float) -> str:
    """A circle."""
    return pen.head("CIRCLE", number, layer, "AcDbCircle") + spot(*centre) + f"40\n{radius:.4f}\n" + coded(code)


def spline(pen: Pen, number: int, layer: str, code: str, points: Sequence[Point]) -> str:
    """A cubic B-spline that begins at its first and ends at its last control point."""
    inner = len(points) - 3
    knots = [0.0] * 4 + [float(one) for one in range(1, inner)] + [float(inner)] * 4
    head = pen.head("SPLINE", number, layer, "AcDbSpline")
    counts = f"210\n0.0\n220\n0.0\n230\n1.0\n70\n8\n71\n3\n72\n{len(knots)}\n73\n{len(points)}\n74\n0\n"
    return "".join(
        [head, counts, *(f"40\n{knot}\n" for knot in knots), *(spot(*point) for point in points), coded(code)]
    )


def symbol(
    pen: Pen, number: int, layer: str, code: str, block: str, at: tuple[float, float, float], turn: float = 0.0,
    scale: float = 1.0, **attributes: str,
) -> str:  # fmt: skip
    """A block set into the drawing, with its attributes."""
    head = pen.head("INSERT", number, layer, "AcDbBlockReference") + ("66\n1\n" if attributes else "")
    body = f"2\n{block}\n{spot(*at)}41\n{scale}\n42\n{scale}\n43\n{scale}\n50\n{turn:.4f}\n{coded(code)}"
    parts = [
        f"{pen.part('ATTRIB', number, place, layer)}100\nAcDbText\n{spot(at[0] + 1, at[1] + 1.5 - place)}40\n1.0\n1\n{value}\n"
        f"100\nAcDbAttribute\n2\n{tag}\n70\n0\n"
        for place, (tag, value) in enumerate(attributes.items(), 1)
    ]
    end = pen.part("SEQEND", number, len(parts) + 1, layer) if parts else ""
    return "".join([head, body, *parts, end])


def text(pen: Pen, number: int, layer: str, code: str, at: Point, words: str, height: float, turn: float = 0.0) -> str:
    """A line of text."""
    head = pen.head("TEXT", number, layer, "AcDbText")
    return f"{head}{spot(*at)}40\n{height}\n1\n{words}\n50\n{turn:.4f}\n7\nHZ\n100\nAcDbText\n{coded(code)}"


def paragraph(pen: Pen, number: int, layer: str, at: Point, words: str, height: float) -> str:
    """Text of several lines."""
    head = pen.head("MTEXT", number, layer, "AcDbMText")
    return f"{head}{spot(*at)}40\n{height}\n41\n60.0\n71\n1\n72\n1\n1\n{words}\n7\nHZ\n"
