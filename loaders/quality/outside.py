"""Which polygons reach outside the boundary around a coverage, and with what."""

import numpy as np
import shapely

from loaders.quality.edges import Edges, Ints, Lattice, Shapes
from loaders.quality.overlaps import chains


def find_outside(
    shapes: Shapes, middles: Shapes, boundary: Shapes, edges: Edges, lattice: Lattice
) -> list[tuple[int, shapely.Geometry]]:
    """The places of polygons of which something lies in none of the boundary's, and what; `edges` are the leftover ones."""
    suspects = _suspects(middles, boundary, edges, lattice)
    if not len(suspects):
        return []
    suspect, unit = shapely.STRtree(boundary).query(shapes[suspects], predicate="intersects")
    order = np.argsort(suspect, kind="stable")
    around = np.split(unit[order], np.searchsorted(suspect[order], np.arange(1, len(suspects))))
    rest = [
        shapely.difference(shapes[place], shapely.union_all(boundary[units]))
        for place, units in zip(suspects.tolist(), around, strict=True)
    ]
    return [(place, part) for place, part in zip(suspects.tolist(), rest, strict=True) if part.area > 0]


def _suspects(middles: Shapes, boundary: Shapes, edges: Edges, lattice: Lattice) -> Ints:
    """Polygons that lie in none of the boundary's with their middle, or of which a leftover edge is not inside of one."""
    far = np.ones(len(middles), np.bool_)
    far[shapely.STRtree(middles).query(boundary, predicate="intersects")[1]] = False
    owners, lines = chains(edges, lattice)
    _, covered = shapely.STRtree(lines).query(boundary, predicate="contains_properly")
    return np.unique(np.concatenate([np.flatnonzero(far), np.delete(owners, np.unique(covered))]))
