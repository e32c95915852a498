"""Defects of shape: each changes one edge between parcels, or the way around one."""

from collections.abc import Callable

import numpy as np
import shapely

from data.survey.picking import NOBODY, Move, Picker, with_vertex
from data.survey.planting import Entry, Planter

# metres that a vertex moves out of its parcel, square to the edge; the edges are 20 to 80 m long
_WIDE, _OUT, _THIN, _NEAR = 8.0, 15.0, 0.25, 0.03


def _self_crossing(planter: Planter, parcel: int) -> Entry | None:
    """Two parcels that touch in one point, drawn as one figure of eight: mended, it covers the same ground."""
    picker = planter.picker
    shape = picker.shapes[parcel]
    for other in _partners(picker, parcel):
        touch = shapely.intersection(shape, picker.shapes[other])
        if touch.geom_type != "Point" or any(shapely.get_num_interior_rings(picker.shapes[[parcel, other]])):
            continue
        first, second = (_from(picker.shapes[one], touch) for one in (parcel, other))
        planter.join(parcel, other, shapely.Polygon(np.concatenate([first, second[::-1][1:]])))
        picker.take(parcel, other)
        return planter.key(parcel)
    return None


def _outside(planter: Planter, parcel: int) -> Entry | None:
    move = _move(planter.picker, parcel, _OUT, outside=True)
    if move is None:
        return None
    planter.reshape(parcel, with_vertex(planter.picker.shapes[parcel], move.bend.at, move.to))
    planter.picker.take(parcel)
    return planter.key(parcel)


def _sliver(planter: Planter, parcel: int) -> Entry | None:
    """A strip along an edge, a few centimetres wide, that is a parcel of its own."""
    move = _move(planter.picker, parcel, -_THIN)
    if move is None:
        return None
    planter.reshape(parcel, with_vertex(planter.picker.shapes[parcel], move.bend.at, move.to))
    planter.picker.take(parcel, move.bend.neighbour)
    return planter.split_off(parcel, move.piece)


def _mismatch(metres: float) -> Callable[[Planter, int], Entry | None]:
    """One parcel's edge moved, its neighbour's not."""

    def plant(planter: Planter, parcel: int) -> Entry | None:
        move = _move(planter.picker, parcel, metres)
        if move is None:
            return None
        planter.reshape(parcel, with_vertex(planter.picker.shapes[parcel], move.bend.at, move.to))
        planter.picker.take(parcel, move.bend.neighbour)
        one, other = sorted((planter.key(parcel), planter.key(move.bend.neighbour)))
        return one, other

    return plant


GEOMETRIC: dict[str, Callable[[Planter, int], Entry | None]] = {
    "self-crossing": _self_crossing,
    "outside-boundary": _outside,
    "sliver": _sliver,
    "overlap": _mismatch(_WIDE),
    "gap": _mismatch(-_WIDE),
    "near-edge": _mismatch(_NEAR),
}


def _partners(picker: Picker, parcel: int) -> list[int]:
    """Free neighbours in the same village."""
    same = picker.villages == picker.villages[parcel]
    return [other for other in picker.neighbours(parcel) if same[other] and picker.is_free(other)]


def _from(shape: shapely.Polygon, point: shapely.Point) -> np.ndarray:
    """The outline of a polygon, begun and ended at one of its vertices."""
    ring = shapely.get_coordinates(shape)[:-1]
    begin = int(np.flatnonzero((ring == [point.x, point.y]).all(axis=1))[0])
    turned = np.roll(ring, -begin, axis=0)
    return np.concatenate([turned, turned[:1]])


def _move(picker: Picker, parcel: int, metres: float, *, outside: bool = False) -> Move | None:
    """A move of a vertex between the parcel and a free neighbour of its village, or, if so asked, of the survey's edge."""
    for bend in picker.bends(parcel):
        if outside != (bend.neighbour == NOBODY):
            continue
        if outside or bend.neighbour in _partners(picker, parcel):
            move = picker.outward(bend, metres)
            if move is not None:
                return move
    return None
