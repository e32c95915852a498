"""Groups of areas as one area each, simplified together so that what they share stays shared."""

import numpy as np
import shapely

from tiles.levels.units import Ints, Shapes, rounded

_AT_ONCE = 2000  # areas
TOLERANCE = 4  # units, half a pixel: triangles of less than its square vanish from a border
_LARGE = 64  # members: groups that have more are united one by one


def dissolve(shapes: Shapes, groups: Ints) -> Shapes:
    """Unite the members of each group; `groups` numbers them from 0."""
    order = np.argsort(groups, kind="stable")
    sizes = np.bincount(groups)
    starts = np.cumsum(sizes) - sizes
    united = np.empty(len(sizes), dtype=object)
    alone = sizes == 1
    united[alone] = shapes[order[starts[alone]]]
    for size in np.unique(sizes[~alone]):
        which = np.flatnonzero(sizes == size)
        members = shapes[order[starts[which][:, None] + np.arange(size)]]
        united[which] = _united(members)
    return united


def _united(members: Shapes) -> Shapes:
    """The union of each row: fast where the members fit together, by overlay where they don't."""
    if members.shape[1] <= _LARGE:
        try:
            return _checked(shapely.coverage_union_all(members, axis=1), members)
        except shapely.GEOSException:
            pass  # a row that is no coverage: each by itself
    result = np.empty(len(members), dtype=object)
    for row, some in enumerate(members):
        result[row] = _united_one(some)
    return result


def _united_one(members: Shapes) -> shapely.Geometry:
    try:
        return _checked(np.array([shapely.coverage_union_all(members)]), members[None])[0]
    except shapely.GEOSException:
        return overlay(members)


def _checked(united: Shapes, members: Shapes) -> Shapes:
    """Overlaps make a union that is no valid area, or too small: those rows are done again by overlay."""
    bad = ~shapely.is_valid(united)
    bad[np.isin(shapely.get_type_id(united), (3, 6), invert=True)] = True
    for row in np.flatnonzero(bad):
        united[row] = overlay(members[row])
    return united


def overlay(members: Shapes) -> shapely.Geometry:
    """The union of any areas, on the grid."""
    return shapely.union_all(only_areas(shapely.make_valid(members, method="structure")), grid_size=0.25)


def simplify(shapes: Shapes, parts: Ints | None = None) -> Shapes:
    """Simplify all borders, each once, and put them on the grid; what vanishes is empty.

    `parts` tells which areas hang together by their borders: parts are simplified some at a time, with the same result
    for a fraction of the memory.
    """
    if parts is None:
        return snap(_simplified(shapes))
    order = np.argsort(parts, kind="stable")
    simple = np.empty(len(shapes), dtype=object)
    for some in _chunks(order, np.flatnonzero(np.diff(parts[order], prepend=-1))):
        simple[some] = snap(_simplified(shapes[some]))
    return simple


def _simplified(shapes: Shapes) -> Shapes:
    """As a coverage; areas that GEOS finds no rings in, such as those with spikes, are mended first."""
    try:
        simple: Shapes = shapely.coverage_simplify(shapes, TOLERANCE)
    except shapely.GEOSException:
        bad = ~shapely.is_valid(shapes)
        mended = shapes.copy()
        mended[bad] = only_areas(shapely.make_valid(shapes[bad], method="structure", keep_collapsed=False))
        simple = shapely.coverage_simplify(mended, TOLERANCE)
    return simple


def _chunks(order: Ints, starts: Ints) -> list[Ints]:
    """Runs of whole parts, of a few thousand areas each, unless a part has more."""
    cuts = [0]
    for start in starts.tolist():
        if start - cuts[-1] >= _AT_ONCE:
            cuts.append(start)
    return np.split(order, cuts[1:])


def snap(shapes: Shapes) -> Shapes:
    """Put areas on the grid; those that this would make touch themselves are noded on it, what collapses is empty."""
    snapped = rounded(shapes)
    for row in np.flatnonzero(~shapely.is_valid(snapped)):
        snapped[row] = _noded(shapes[row])
    return snapped


def _noded(shape: shapely.Geometry) -> shapely.Geometry:
    """An area on the grid, its edges cut where they meet; empty where not even that makes it one."""
    try:
        if not shapely.is_valid(shape):
            shape = shapely.make_valid(shape, method="structure", keep_collapsed=False)
        return only_areas(np.array([shapely.set_precision(shape, 1.0)]))[0]
    except shapely.GEOSException:
        return shapely.Polygon()


def only_areas(shapes: Shapes) -> Shapes:
    """Areas out of what overlay and repair leave: lines and points of no extent are dropped."""
    result = shapes.copy()
    for row in np.flatnonzero(np.isin(shapely.get_type_id(shapes), (3, 6), invert=True)):
        parts = shapely.get_parts(shapes[row])
        result[row] = shapely.union_all(parts[shapely.get_dimensions(parts) == 2]) if len(parts) else shapely.Polygon()
    return result
