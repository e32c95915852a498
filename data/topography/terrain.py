"""The made-up relief: its height at each place, and where its contours run."""

import math

BASE, SLOPE, SWING, WAVE = 200.0, 1 / 20, 2.0, 90.0  # metres; metres a metre northward; metres; metres


def height(x: float, y: float) -> float:
    """Metres above sea level at a place, seen from the drawing's south-west corner."""
    return BASE + SLOPE * y + SWING * math.sin(x / WAVE)


def contour(x: float, level: float) -> float:
    """How far north the contour of `level` lies at `x`."""
    return (level - BASE - SWING * math.sin(x / WAVE)) / SLOPE
