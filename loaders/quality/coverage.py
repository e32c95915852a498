"""A layer that shall cover its ground once, taken apart on first demand: what overlaps, what is open, what leads outside."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely

from core.crs import Srid, is_geographic
from loaders.quality.edges import Edges, Flags, Floats, Lattice, Shapes, lattice_for, leftover
from loaders.quality.ellipsoid import ellipsoidal_areas
from loaders.quality.gaps import Gap, find_gaps
from loaders.quality.nodes import noded
from loaders.quality.outside import find_outside
from loaders.quality.overlaps import Overlap, find_overlaps
from loaders.quality.widths import is_wider

_METRES_PER_DEGREE = 111_319.5  # along the equator: tolerances in degrees are never larger than in metres
_CELL = 0.0001  # metres: coordinates that differ by less are the same
_CELLS = 3  # that two edges may be apart by when their corners are rounded


@dataclass(frozen=True)
class Coverage:
    """Polygons in one CRS, x = east, and the boundary that they shall fill, if there is one."""

    shapes: Shapes
    boundary: Shapes
    mended: Flags  # shapes that crossed themselves when they came: what is wrong around them is not told
    srid: int
    coordinate: float  # metres: what is narrower is the rounding of coordinates

    @cached_property
    def overlaps(self) -> list[Overlap]:
        """Pairs that share ground."""
        found = find_overlaps(self.shapes, self.tree, self._edges, self._lattice, self.counts)
        return [one for one in found if not (self.mended[one.one] or self.mended[one.other])]

    @cached_property
    def gaps(self) -> list[Gap]:
        """Uncovered places inside the coverage, and inside the boundary."""
        found = [gap for gap in find_gaps(self._edges, self._lattice) if not self._is_of_mended(gap)]
        shapes = np.array([gap.shape for gap in found], dtype=object)
        real = self.counts(shapes) if found else np.zeros(0, np.bool_)
        real[real] = self._is_open(shapes[real])
        return [found[place] for place in np.flatnonzero(real)]

    @cached_property
    def outside(self) -> list[tuple[int, shapely.Geometry]]:
        """The places of shapes that reach outside the boundary, and with what."""
        if not len(self.boundary):
            return []
        found = find_outside(self.shapes, self.middles, self.boundary, self._edges, self._lattice)
        return [(place, part) for place, part in found if not self.mended[place]]

    @cached_property
    def areas(self) -> Floats:
        """Square metres of each shape on the ellipsoid."""
        return ellipsoidal_areas(self.shapes, self.srid)

    @cached_property
    def middles(self) -> Shapes:
        """A point inside of each shape."""
        points: Shapes = shapely.point_on_surface(self.shapes)
        return points

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The shapes by their place."""
        return shapely.STRtree(self.shapes)

    def counts(self, shapes: Shapes) -> Flags:
        """Which shapes are wider than what rounding leaves."""
        return is_wider(shapes, self._finest, self.srid)

    @cached_property
    def _lattice(self) -> Lattice:
        bounds = shapely.total_bounds(np.concatenate([self.shapes, self.boundary]))
        return lattice_for(bounds, _CELL / self._unit)

    @cached_property
    def _edges(self) -> Edges:
        """What no neighbour has of the edges, cut where they meet."""
        left = leftover(self.shapes, self.boundary, self._lattice)
        return noded(left, self._lattice, self._finest / self._unit / self._lattice.cell)

    @property
    def _finest(self) -> float:
        """Metres that rounding may move an edge by: where cells are large, that is more."""
        return max(self.coordinate, _CELLS * self._lattice.cell * self._unit)

    @property
    def _unit(self) -> float:
        return _METRES_PER_DEGREE if is_geographic(Srid(self.srid)) else 1.0

    def _is_of_mended(self, gap: Gap) -> bool:
        """Whether a gap lies within the hull of a shape that crossed itself, which has lost what lay there."""
        hulls = shapely.convex_hull(self.shapes[[place for place in gap.neighbours if self.mended[place]]])
        return any(gap.shape.difference(hull).area < 0.01 * gap.shape.area for hull in hulls)

    def _is_open(self, places: Shapes) -> Flags:
        """Whether no shape covers a point in the midst of a place, and the boundary, if there is one, does."""
        points = shapely.point_on_surface(places)
        is_open = np.ones(len(points), np.bool_)
        is_open[self.tree.query(points, predicate="within")[0]] = False
        if len(self.boundary):
            inside = np.zeros(len(points), np.bool_)
            inside[shapely.STRtree(self.boundary).query(points, predicate="intersects")[0]] = True
            is_open &= inside
        return is_open
