"""Arcs as chords: what a drawing gives by bulge or angle, within a stated distance of the curve."""

import math

CHORD_ERROR = 0.01  # units of the drawing, metres: the farthest that a chord lies from its arc
_MOST = 10_000  # chords of one arc

Numbers = list[float]


def bulged(xs: Numbers, ys: Numbers, bulges: Numbers, *, closed: bool) -> tuple[Numbers, Numbers]:
    """The points of a polyline some of whose sides are arcs; a bulge is the tangent of a quarter of the side's angle."""
    east, north = [], []
    count = len(xs)
    for at in range(count):
        east.append(xs[at])
        north.append(ys[at])
        after = at + 1 if at + 1 < count else 0
        if bulges[at] and (after or closed):
            x, y = _between(xs[at], ys[at], xs[after], ys[after], bulges[at])
            east += x
            north += y
    return east, north


def _between(x0: float, y0: float, x1: float, y1: float, bulge: float) -> tuple[Numbers, Numbers]:
    """The points between the ends of one arc."""
    angle = 4 * math.atan(bulge)
    chord = math.hypot(x1 - x0, y1 - y0)
    if not (0 < chord < math.inf) or abs(math.sin(angle / 2)) < 1e-12:
        return [], []
    radius = chord / 2 / math.sin(angle / 2)
    # The middle lies left of the chord for a counter-clockwise arc under a half turn.
    offset = radius * math.cos(angle / 2) / chord
    cx = (x0 + x1) / 2 - offset * (y1 - y0)
    cy = (y0 + y1) / 2 + offset * (x1 - x0)
    begin = math.atan2(y0 - cy, x0 - cx)
    count = chords(abs(radius), abs(angle))
    steps = [begin + angle * step / count for step in range(1, count)]
    size = abs(radius)
    return [cx + size * math.cos(one) for one in steps], [cy + size * math.sin(one) for one in steps]


def arc(x: float, y: float, radius: float, begin: float, angle: float) -> tuple[Numbers, Numbers]:
    """The points of an arc around a middle, from an angle on, counter-clockwise, in radians; both ends among them."""
    count = chords(radius, angle)
    steps = [begin + angle * step / count for step in range(count + 1)]
    return [x + radius * math.cos(one) for one in steps], [y + radius * math.sin(one) for one in steps]


def chords(radius: float, angle: float) -> int:
    """How many chords keep within the error: eight to a full turn at least."""
    if not (0 < radius < math.inf):
        return 1
    least = math.ceil(angle / (math.pi / 4))
    if radius <= CHORD_ERROR:
        return max(1, least)
    step = 2 * math.acos(1 - CHORD_ERROR / radius)
    needed = _MOST if step <= angle / _MOST else math.ceil(angle / step)
    return max(1, least, needed)
