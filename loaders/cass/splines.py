"""Splines as chords: points are added where the curve is farther from its chord than the stated distance."""

from typing import Any

import numpy as np
from ezdxf.math import BSpline, Vec3
from numpy.typing import NDArray

from loaders.cass.arcs import CHORD_ERROR
from loaders.cass.tags import Record

_PIECES = 4  # between knots, to begin with
_ROUNDS = 12  # halvings of a piece between knots
_MOST = 100_000  # points of one curve

Points = NDArray[np.float64]


def points_of(record: Record) -> Points | None:
    """The points of a spline, (n, 3); None where it is given by the points that it passes alone."""
    control = _vertices(record, 10)
    degree = record.flags(71)
    knots = [float(value) for value in record.all(40)]
    if not len(control) or not 1 <= degree < len(control) or len(knots) != len(control) + degree + 1:
        return None
    weights = [float(value) for value in record.all(41)]
    curve = BSpline(
        [Vec3(*one) for one in control], degree + 1, knots, weights if len(weights) == len(control) else None
    )
    inner = np.unique(np.clip(knots, knots[degree], knots[-degree - 1]))
    steps = np.linspace(inner[:-1], inner[1:], _PIECES, endpoint=False, axis=1)
    return _refined(curve, np.append(steps.ravel(), inner[-1]))


def _vertices(record: Record, code: int) -> Points:
    axes = [[float(value) for value in record.all(axis)] for axis in (code, code + 10, code + 20)]
    if len(axes[2]) != len(axes[0]):
        axes[2] = [0.0] * len(axes[0])
    return np.array(axes).T


def _refined(curve: BSpline, at: NDArray[np.float64]) -> Points:
    """Points at parameters, halved until the middle of each piece lies within the error of its chord."""
    points = _evaluated(curve, at)
    for _ in range(_ROUNDS):
        middles = (at[1:] + at[:-1]) / 2
        between = _evaluated(curve, middles)
        away = np.linalg.norm(between - (points[1:] + points[:-1]) / 2, axis=1)
        wide = np.flatnonzero(away > CHORD_ERROR)
        if not len(wide) or len(at) + len(wide) > _MOST:
            break
        at = np.concatenate([at, middles[wide]])
        order = np.argsort(at)
        at, points = at[order], np.concatenate([points, between[wide]])[order]
    return points


def _evaluated(curve: BSpline, at: Any) -> Points:  # noqa: ANN401 — numpy's array or a list
    return np.array([point.xyz for point in curve.points(at)])
