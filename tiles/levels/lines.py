"""Lines, a zoom coarser: those that go on in one another become one, then short ones give way to long ones."""

import numpy as np
import shapely

from tiles.levels.level import NO_FEATURE, Level, Step, Traits, joined
from tiles.levels.merge import connected, edges_of
from tiles.levels.units import PIXEL, Floats, Ints, Shapes, rounded

STEPS = (0.0, *(1.25**n for n in range(28)))  # pixels: shorter ones are left out
_TOLERANCE = 4  # units, half a pixel


def coarser(level: Level, alike: Ints, shortest: float) -> Step:
    """Join lines that are `alike` end to end, simplify them, and leave out those under so many pixels."""
    groups, shapes = _chains(level.shapes, alike)
    traits = joined(level.traits, groups)
    simple = rounded(shapely.simplify(shapes, _TOLERANCE, preserve_topology=False))
    lengths: Floats = shapely.length(simple)
    kept = np.flatnonzero(lengths >= max(shortest * PIXEL, 1e-9))
    number = np.full(len(simple), -1)
    number[kept] = np.arange(len(kept))
    return Step(Level(level.zoom, shapely.remove_repeated_points(simple), traits).take(kept), number[groups])


def _chains(shapes: Shapes, alike: Ints) -> tuple[Ints, Shapes]:
    """The chain that each line is part of, numbered from 0, and the chains.

    Where a line of several parts goes on in several others, all of them are one chain: a line is never torn apart.
    """
    _, kind = np.unique(alike, return_inverse=True)
    parts, owner = shapely.get_parts(shapes, return_index=True)
    order = np.argsort(kind[owner], kind="stable")
    merged = shapely.line_merge(shapely.multilinestrings(parts[order], indices=kind[owner[order]]))
    pieces, piece_kind = shapely.get_parts(merged, return_index=True)
    of_line, of_piece = _matched(parts, owner, kind, pieces, piece_kind)
    label = connected(len(shapes) + len(pieces), of_line, of_piece + len(shapes))
    groups = np.unique(label[: len(shapes)], return_inverse=True)[1].astype(np.int64)
    piece_group = np.full(len(pieces), -1)
    piece_group[of_piece] = groups[of_line]
    mine = np.flatnonzero(piece_group >= 0)
    mine = mine[np.argsort(piece_group[mine], kind="stable")]
    chains = np.full(int(groups.max(initial=-1)) + 1, shapely.MultiLineString(), dtype=object)
    shapely.multilinestrings(pieces[mine], indices=piece_group[mine], out=chains)
    return groups, chains


def _matched(parts: Shapes, owner: Ints, kind: Ints, pieces: Shapes, piece_kind: Ints) -> tuple[Ints, Ints]:
    """Pairs of a line and a merged piece that have an edge in common."""
    edges, part = edges_of(parts)
    merged, piece = edges_of(pieces)
    salt = np.uint64(0x9E3779B97F4A7C15)
    edges = edges + kind[owner[part]].astype(np.uint64) * salt
    merged = merged + piece_kind[piece].astype(np.uint64) * salt
    order = np.argsort(merged, kind="stable")
    place = np.minimum(np.searchsorted(merged[order], edges), max(len(order) - 1, 0))
    found = merged[order][place] == edges
    return owner[part[found]], piece[order[place[found]]]


def alike(traits: Traits, label: int | None) -> Ints:
    """Lines of one class, and of one name where they have names, are alike."""
    if label is None:
        return traits.klass
    result: Ints = traits.klass << 32 | (traits.codes[:, label].astype(np.int64) - NO_FEATURE)
    return result
