"""Blocks: the faces between streets, less the streets' own width."""

from typing import NamedTuple

import numpy as np
import shapely

from data.sample.ground import Ground
from data.sample.shapes import Flags, Floats, Ints, Shapes, centres, parts, xy
from data.sample.streets import ARTERIAL, BORDER, HALF_WIDTHS, LOCAL, Lines

SMALLEST = 500.0  # square metres; less is verge
SHORTEST = 3.0  # metres; less is a kerb


class Blocks(NamedTuple):
    """Blocks, the index of their district, and how far out they lie (0 centre, 1 outline)."""

    shapes: Shapes
    districts: Ints
    remoteness: Floats


def find_blocks(ground: Ground, lines: Lines) -> tuple[Blocks, Lines]:
    """The blocks of the town, and the streets that are left: those along blocks, and main roads a little beyond."""
    faces = shapely.get_parts(shapely.polygonize([lines.shapes]))
    middles = centres(faces)
    inside = (ground.remoteness(middles) < 1) & (ground.district_of(middles) >= 0)
    faces = faces[inside]
    line, face = shapely.STRtree(faces).query(shapely.points(centres(lines.shapes)), predicate="dwithin", distance=0.5)
    shapes, index = parts(_less_streets(faces, lines, line, face), SMALLEST)
    shapes = shapely.simplify(shapes, 0.2)
    blocks = Blocks(shapes, ground.district_of(middles[inside])[index], ground.remoteness(centres(shapes)))
    return blocks, _kept(ground, lines, np.unique(line))


def _kept(ground: Ground, lines: Lines, along: Ints) -> Lines:
    points = centres(lines.shapes)
    away = ground.remoteness(points)
    keep = (lines.ranks <= ARTERIAL) & (away < 1.25) & (_outward(ground, lines.shapes, points) | (away < 1))
    inside = (lines.ranks != BORDER) & (ground.district_of(points) >= 0)
    town = np.zeros(len(points), dtype=bool)
    town[along] = True
    left = np.flatnonzero((keep | town) & inside)
    return _stopped_at_borders(lines, lines.where(left[_reached(lines.shapes[left], town[left])]))


def _reached(shapes: Shapes, start: Flags) -> Flags:
    """Which lines can be reached from those of `start`, line by line."""
    line, neighbour = shapely.STRtree(shapes).query(shapes, predicate="touches")
    reached = start.copy()
    while (more := reached[neighbour] & ~reached[line]).any():
        reached[line[more]] = True
    return reached


def _outward(ground: Ground, shapes: Shapes, points: Floats) -> Flags:
    """Whether a line leads away from the centre rather than around it."""
    along = xy(shapely.get_point(shapes, -1)) - xy(shapely.get_point(shapes, 0))
    away = points - ground.centre
    cosine = (along * away).sum(axis=1) / (np.linalg.norm(along, axis=1) * np.linalg.norm(away, axis=1) + 1e-9)
    return np.abs(cosine) > 0.8


def _stopped_at_borders(lines: Lines, streets: Lines) -> Lines:
    """Local streets end before a district's boundary; wider ones cross it."""
    strip = shapely.union_all(shapely.buffer(lines.shapes[lines.ranks == BORDER], HALF_WIDTHS[BORDER]))
    shapely.prepare(strip)
    crosses = (streets.ranks == LOCAL) & shapely.intersects(strip, streets.shapes)
    shapes = streets.shapes.copy()
    shapes[crosses] = shapely.difference(shapes[crosses], strip)
    shapes, index = shapely.get_parts(shapes, return_index=True)
    long = shapely.length(shapes) > SHORTEST
    return streets.where(index[long])._replace(shapes=shapes[long])


def _less_streets(faces: Shapes, lines: Lines, line: Ints, face: Ints) -> Shapes:
    """Take from each face the strips of the streets around it, one street of every face at a time."""
    cut: Shapes = shapely.buffer(faces, -HALF_WIDTHS[LOCAL], join_style="mitre")
    wide = lines.ranks[line] != LOCAL
    line, face = line[wide], face[wide]
    strips = shapely.buffer(lines.shapes, HALF_WIDTHS[lines.ranks], quad_segs=3)
    order = np.argsort(face, kind="stable")
    line, face = line[order], face[order]
    turn = np.arange(len(face)) - np.searchsorted(face, face)
    for step in range(turn.max(initial=-1) + 1):
        now = turn == step
        cut[face[now]] = shapely.difference(cut[face[now]], strips[line[now]])
    return cut
