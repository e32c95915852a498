"""Mosaics after an edit: what lies in the cells that it touches is counted again, and their districts are shown anew."""

import numpy as np
import shapely

from core.database import query
from tiles.levels.cells import Cells, cells_of, gathered, halved_cells, joined_cells
from tiles.levels.districts import BITS, district_codes, districts, unpacked
from tiles.levels.level import NO_FEATURE, Level, Traits
from tiles.levels.mosaic import mosaic
from tiles.levels.shelf import Rows, Shelf
from tiles.levels.units import PIXEL, Bools, Floats, Shapes

Square = tuple[int, int]


def recount(shelf: Shelf, zoom: int, places: Floats) -> tuple[set[Square], int]:
    """Count again what lies in the cells, a pixel of `zoom` wide, that boxes (in units of it, or of zoom 0) touch.

    The cells, and how many more features have their middle there than before.
    """
    side = PIXEL << max(-zoom, 0)
    touched = _touched(places, side)
    if not touched:
        return set(), 0
    found = shelf.features_near(max(zoom, 0), _by_district(touched, side))
    traits = found.level.traits
    counted = cells_of(found.level.shapes, traits.klass, side, traits.members)
    before = _only(known_cells(shelf, zoom, touched), touched).members.sum()
    _put(shelf, zoom, touched, counted)
    return touched, round(_only(counted, touched).members.sum() - before)


def recount_coarser(shelf: Shelf, zoom: int, finer: set[Square]) -> set[Square]:
    """Sum again the cells above some cells of the finer grid."""
    touched = {(x >> 1, y >> 1) for x, y in finer}
    four = {(2 * x + dx, 2 * y + dy) for x, y in touched for dx in (0, 1) for dy in (0, 1)}
    _put(shelf, zoom, touched, halved_cells(_only(known_cells(shelf, zoom + 1, four), four)))
    return touched


def _touched(places: Floats, side: float) -> set[Square]:
    low, high = np.floor(places[:, :2] / side).astype(int).tolist(), np.floor(places[:, 2:] / side).astype(int).tolist()
    return {
        (x, y)
        for (west, south), (east, north) in zip(low, high, strict=True)
        for x in range(west, east + 1)
        for y in range(south, north + 1)
    }


def known_cells(shelf: Shelf, zoom: int, squares: set[Square]) -> Cells:
    """What is known to lie in the districts of some cells."""
    rows = shelf.connection.execute(query("cells_near").format(table=shelf.cells), _districts(zoom, squares))
    return unpacked(row["cells"] for row in rows)


def _districts(zoom: int, squares: set[Square]) -> dict[str, object]:
    x, y = zip(*sorted({(x >> BITS, y >> BITS) for x, y in squares}), strict=True)
    return {"zoom": zoom, "x": list(x), "y": list(y)}


def _only(cells: Cells, squares: set[Square], *, others: bool = False) -> Cells:
    wanted = np.array(sorted(y << 32 | x for x, y in squares), dtype=np.int64)
    which: Bools = np.isin(cells.y << 32 | cells.x, wanted, invert=others)
    return Cells(cells.x[which], cells.y[which], cells.klass[which], cells.share[which], cells.members[which])


def _put(shelf: Shelf, zoom: int, squares: set[Square], counted: Cells) -> None:
    """Write what lies in some cells, and leave the others of their districts as they are."""
    rest = _only(known_cells(shelf, zoom, squares), squares, others=True)
    cells = gathered(joined_cells([rest, _only(counted, squares)]))
    shelf.connection.execute(query("drop_cells").format(table=shelf.cells), _districts(zoom, squares))
    with shelf.connection.cursor() as cursor:
        cursor.executemany(
            query("put_cells").format(table=shelf.cells), [(zoom, x, y, packed) for x, y, packed in districts(cells)]
        )


def show(shelf: Shelf, zoom: int, side: int, squares: set[Square], more: int) -> None:
    """Show the districts of some cells, so many pixels wide, anew: only cells that are shown otherwise are touched.

    They stand for so many `more` features than before.
    """
    wide = side * PIXEL
    new = mosaic(known_cells(shelf, zoom - side.bit_length() + 1, squares), len(shelf.classes) + 1)
    now = dict(zip(zip(new.x.tolist(), new.y.tolist(), strict=True), new.klass.tolist(), strict=True))
    before = _shown(shelf.rows_near(zoom, _district_boxes(squares, wide)), squares, wide)
    other = [cell for cell in now.keys() | before.keys() if now.get(cell) != before.get(cell)]
    looked_at = other or sorted(squares)[:1]
    rows = shelf.rows_near(zoom, _by_district(set(looked_at), wide))
    rows = rows.take(np.flatnonzero(shapely.intersects(rows.level.shapes, _corners(looked_at, wide))))
    if not other and not (more and rows.names):
        return
    klasses = rows.level.traits.klass
    classes = {int(one) for one in klasses} | {now[cell] for cell in other if cell in now}
    changed = [
        _changed(
            rows.level.shapes[klasses == klass],
            [cell for cell in other if before.get(cell) == klass],
            [cell for cell in other if now.get(cell) == klass],
            wide,
        )
        for klass in sorted(classes)
    ]
    come = _level(shelf, zoom, changed, sorted(classes), int(rows.level.traits.members.sum()) + more)
    shelf.replace(zoom, rows, come, np.full(len(come.shapes), -1), changed=_by_district(set(other), wide))


def _district_boxes(squares: set[Square], wide: int) -> Floats:
    district = wide << BITS
    corners = np.array(sorted({(x >> BITS, y >> BITS) for x, y in squares}), dtype=np.float64) * district
    return np.concatenate([corners + 1, corners + district - 1], axis=1)


def _by_district(cells: set[Square], wide: float) -> Floats:
    """A box around the cells of each district: few places to look at, however many cells."""
    if not cells:
        return np.empty((0, 4))
    corners = np.array(sorted(cells, key=lambda cell: (cell[1] >> BITS, cell[0] >> BITS)), dtype=np.int64)
    first = np.flatnonzero(np.diff(district_codes(corners[:, 0], corners[:, 1]), prepend=-1))
    low, high = np.minimum.reduceat(corners, first), np.maximum.reduceat(corners, first) + 1
    return np.concatenate([low, high], axis=1) * float(wide)


def _corners(cells: list[Square], wide: int) -> shapely.MultiPoint:
    """The corners of cells: whatever covers one of the cells, or touches it, lies at one."""
    return shapely.multipoints(np.unique(_boxes(cells, wide)[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 2), axis=0))


def _boxes(cells: list[Square], wide: int) -> Floats:
    corners = np.array(cells, dtype=np.float64) * wide
    return np.concatenate([corners, corners + wide], axis=1)


def _shown(rows: Rows, squares: set[Square], wide: int) -> dict[Square, int]:
    """The class of each cell of the districts that rows show now: of the row that its middle lies in."""
    corners = np.array(sorted({(x >> BITS, y >> BITS) for x, y in squares}), dtype=np.int64) << BITS
    steps = np.indices((1 << BITS, 1 << BITS)).reshape(2, -1).T
    cells = (corners[:, None, :] + steps[None]).reshape(-1, 2)
    x, y = (cells.T + 0.5) * wide
    klass = np.full(len(cells), -1)
    shapely.prepare(rows.level.shapes)
    bounds = shapely.bounds(rows.level.shapes).tolist()
    for shape, one, (west, south, east, north) in zip(rows.level.shapes, rows.level.traits.klass, bounds, strict=True):
        near = np.flatnonzero((x > west) & (x < east) & (y > south) & (y < north))
        klass[near[shapely.contains_xy(shape, x[near], y[near])]] = one
    shown = np.flatnonzero(klass >= 0)
    return dict(zip(map(tuple, cells[shown].tolist()), klass[shown].tolist(), strict=True))


def _changed(mine: Shapes, lost: list[Square], won: list[Square], wide: int) -> Shapes:
    """The areas of a class that touch what changed, without the cells that it lost and with those that it won."""
    by_size = mine[np.argsort(shapely.area(mine), kind="stable")]
    small = shapely.union_all([*by_size[:-1], _squares(won, wide)])
    area = shapely.union(small, by_size[-1]) if len(by_size) else small
    if lost:
        area = shapely.difference(area, _squares(lost, wide))
    parts = shapely.get_parts(shapely.simplify(area, 0))
    solid: Shapes = parts[shapely.area(parts) > 0]
    return solid


def _squares(cells: list[Square], wide: int) -> shapely.Geometry:
    """The area of some cells."""
    return shapely.coverage_union_all(shapely.box(*_boxes(cells, wide).T)) if cells else shapely.Polygon()


def _level(shelf: Shelf, zoom: int, changed: list[Shapes], classes: list[int], stand_for: int) -> Level:
    """Rows of the changed areas; the features that they stand for are shared among them by their size."""
    shapes = np.concatenate(changed)
    klass = np.repeat(np.array(classes, dtype=np.int64), [len(some) for some in changed])
    sizes = shapely.area(shapes)
    shares = np.cumsum(sizes) / max(sizes.sum(), 1e-9) * max(stand_for, 0)
    members = np.diff(np.round(shares), prepend=0.0).astype(np.int64)
    amounts = np.zeros((len(shapes), len(shelf.classes) + 1), dtype=np.float32)
    return Level(
        zoom, shapes, Traits(np.full(len(shapes), NO_FEATURE), shelf.constants[klass], klass, members, amounts)
    )
