"""A made city for tests of low zooms: contiguous parcels, blocks with streets, buildings, roads and points."""

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

SRID = 4551
WEST, SOUTH = 540_000, 4_850_000
USES = np.array(["residential", "commercial", "industry", "green"], dtype=object)
SHARES = [0.6, 0.2, 0.15, 0.05]


def parcels(count: int = 60, side: float = 60, street: float = 0, block: int = 6, seed: int = 1) -> gpd.GeoDataFrame:
    """`count` x `count` parcels whose corners are shared and jittered; streets after each `block` of them."""
    dice = np.random.default_rng(seed)
    at = np.arange(count + 1) * side
    x, y = np.meshgrid(at, at, indexing="ij")
    corners = np.stack([x, y], axis=2) + dice.uniform(-side / 5, side / 5, (count + 1, count + 1, 2))
    i, j = (part.ravel() for part in np.meshgrid(np.arange(count), np.arange(count), indexing="ij"))
    rings = np.stack([corners[i, j], corners[i + 1, j], corners[i + 1, j + 1], corners[i, j + 1]], axis=1)
    rings += (np.stack([i // block, j // block], axis=1) * street)[:, None, :]
    shapes = shapely.polygons(rings + np.array([WEST, SOUTH]))
    uses = dice.choice(USES, len(shapes), p=SHARES)
    return _frame({"no": np.arange(1, len(shapes) + 1), "use_type": uses, "use_zh": _chinese(uses)}, shapes)


def _chinese(uses: np.ndarray) -> np.ndarray:
    return np.array(
        [{"residential": "住宅", "commercial": "商业", "industry": "工业", "green": "绿地"}[one] for one in uses]
    )


def buildings(count: int, within: float, seed: int = 2) -> gpd.GeoDataFrame:
    """Small houses that lie anywhere, over one another as well."""
    dice = np.random.default_rng(seed)
    x, y = WEST + dice.random(count) * within, SOUTH + dice.random(count) * within
    return _frame(
        {"no": np.arange(1, count + 1), "use_type": dice.choice(USES, count)}, shapely.box(x, y, x + 8, y + 6)
    )


def roads(count: int = 40, step: float = 100) -> gpd.GeoDataFrame:
    """A grid of streets, each cut into pieces at its crossings, with its name."""
    lines, names = [], []
    for n in range(count):
        for m in range(count - 1):
            lines += [[(m, n), (m + 1, n)], [(n, m), (n, m + 1)]]
            names += [f"东西{n}路", f"南北{n}街"]
    shapes = shapely.linestrings(np.array(lines, dtype=float) * step + np.array([WEST, SOUTH]))
    kinds = np.where(np.arange(len(names)) // (2 * (count - 1)) % 7, "side", "main")
    return _frame({"no": np.arange(1, len(names) + 1), "name": names, "road_class": kinds}, shapes)


def points(count: int, within: float, seed: int = 3) -> gpd.GeoDataFrame:
    """Addresses."""
    dice = np.random.default_rng(seed)
    shapes = shapely.points(WEST + dice.random(count) * within, SOUTH + dice.random(count) * within)
    return _frame({"no": np.arange(1, count + 1), "name": [f"{n}号" for n in range(count)]}, shapes)


def _frame(columns: dict[str, object], shapes: np.ndarray) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=SRID)


def write(frame: gpd.GeoDataFrame, path: Path) -> Path:
    """As a GeoPackage."""
    frame.to_file(path, driver="GPKG", layer=path.stem)
    return path
