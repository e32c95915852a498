"""Parcels: blocks halved again and again, then noded so that neighbours share their edges exactly."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import shapely

from data.sample.blocks import Blocks
from data.sample.ground import Ground
from data.sample.shapes import Floats, Ints, Shapes, Texts, centres, cover, parts
from data.sample.uses import ZONES, choose_uses

SMALLEST = 60.0  # square metres
BLOCKS_AT_ONCE = 100  # noded together; blocks never touch, so the number changes nothing but speed
QUARTER = 1500.0  # metres: the cells that number cadastral districts


class Parcels(NamedTuple):
    """Parcels with the index of their block, their district and their use, and their 19-digit codes."""

    shapes: Shapes
    blocks: Ints
    districts: Ints
    uses: Ints
    codes: Texts


def divide(rng: np.random.Generator, ground: Ground, blocks: Blocks, zones: Ints) -> Parcels:
    """Cut each block into parcels of its zone's size and give every parcel a use and a code."""
    sizes = np.array([zone.parcel for zone in ZONES])[zones]
    shapes, owners = _halve(rng, blocks.shapes, sizes)
    shapes, owners = _share_edges(shapes, owners)
    order = np.lexsort((centres(shapes)[:, 0].round(), -centres(shapes)[:, 1].round(), owners))
    shapes, owners = shapes[order], owners[order]
    districts = blocks.districts[owners]
    codes = _codes(block_codes(ground, blocks)[owners], owners)
    return Parcels(shapes, owners, districts, choose_uses(rng, zones[owners]), codes)


def block_codes(ground: Ground, blocks: Blocks) -> Texts:
    """12 digits for each block: county, cadastral district (地籍区), cadastral sub-district (地籍子区)."""
    cell = np.floor((centres(blocks.shapes) - ground.centre) / QUARTER).astype(np.int64)
    _, quarter = np.unique(np.column_stack([blocks.districts, -cell[:, 1], cell[:, 0]]), axis=0, return_inverse=True)
    first = np.full(len(ground.districts), len(quarter))
    np.minimum.at(first, blocks.districts, quarter)
    district, sub = quarter - first[blocks.districts] + 1, number_within(quarter)
    codes = ground.district_codes[blocks.districts]
    return np.array([f"{c}{d:03d}{s:03d}" for c, d, s in zip(codes, district, sub, strict=True)], dtype=object)


def _codes(blocks: Texts, owners: Ints) -> Texts:
    """19 places: the block's 12, GB for state-owned construction land at the surface, and a running number."""
    numbers = number_within(owners)
    return np.array([f"{block}GB{number:05d}" for block, number in zip(blocks, numbers, strict=True)], dtype=object)


def number_within(groups: Ints) -> Ints:
    """1, 2, 3 ... within each group, in the order given."""
    order = np.argsort(groups, kind="stable")
    numbers = np.empty(len(groups), dtype=np.int64)
    numbers[order] = np.arange(len(groups)) - np.searchsorted(groups[order], groups[order]) + 1
    return numbers


def _halve(rng: np.random.Generator, shapes: Shapes, sizes: Floats) -> tuple[Shapes, Ints]:
    """Halve shapes across their longer side until each is about its size; also tells which one a piece came from."""
    owners = np.arange(len(shapes))
    done: list[Shapes] = []
    done_owners: list[Ints] = []
    while len(shapes):
        large = shapely.area(shapes) > sizes[owners] * (0.9 + 1.1 * rng.random(len(shapes)))
        done.append(shapes[~large])
        done_owners.append(owners[~large])
        shapes, index = parts(_halves(rng, shapes[large]), SMALLEST)
        owners = owners[large][index // 2]
    return np.concatenate(done), np.concatenate(done_owners)


def _halves(rng: np.random.Generator, shapes: Shapes) -> Shapes:
    """(2n,): both sides of a cut near the middle of each shape, square to the longer side of its oriented box."""
    corner, along, across = oriented_boxes(shapes)
    cut = (0.5 + 0.3 * (rng.random((len(shapes), 1)) - 0.5)) * along
    low, high = corner - 0.1 * (along + across), corner - 0.1 * across
    wide = 1.2 * across
    first = np.stack([low, high + cut, high + cut + wide, low + wide], axis=1)
    second = np.stack([high + cut, high + 1.1 * along, high + 1.1 * along + wide, high + cut + wide], axis=1)
    boxes = shapely.polygons(np.stack([first, second], axis=1).reshape(-1, 4, 2))
    halves: Shapes = shapely.intersection(np.repeat(shapes, 2), boxes)
    return halves


def oriented_boxes(shapes: Shapes) -> tuple[Floats, Floats, Floats]:
    """A corner of each shape's oriented envelope, its longer side and its shorter side as vectors."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(shapes)).reshape(-1, 5, 2)
    one, other = corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0]
    longer = (np.linalg.norm(one, axis=1) >= np.linalg.norm(other, axis=1))[:, None]
    return corners[:, 0], np.where(longer, one, other), np.where(longer, other, one)


def _share_edges(shapes: Shapes, owners: Ints) -> tuple[Shapes, Ints]:
    """The same parcels as faces of noded networks, so that none overlaps by a rounding error."""
    order = np.argsort(owners, kind="stable")
    shapes, owners = shapes[order], owners[order]
    edges = np.searchsorted(owners, np.arange(0, int(owners.max(initial=0)) + 1 + BLOCKS_AT_ONCE, BLOCKS_AT_ONCE))
    slices = [slice(*pair) for pair in pairwise(edges.tolist())]
    with ThreadPoolExecutor() as pool:  # GEOS works outside the interpreter's lock
        faces = list(pool.map(_faces, [shapes[here] for here in slices], [owners[here] for here in slices]))
    shared, index = parts(np.concatenate([found for found, _ in faces]), SMALLEST)
    return shared, np.concatenate([owner for _, owner in faces])[index]


def _faces(shapes: Shapes, owners: Ints) -> tuple[Shapes, Ints]:
    """The faces between the edges of some shapes, and the owner of the shape each one lies in."""
    found = cover(shapely.boundary(shapes))
    face, shape = shapely.STRtree(shapes).query(shapely.point_on_surface(found), predicate="within")
    return found[face], owners[shape]
