"""How wide thin shapes are, in metres whatever the CRS counts in."""

import numpy as np
import shapely

from loaders.quality.edges import Flags, Floats, Ints, Shapes
from loaders.quality.ellipsoid import in_metres


def is_wider(shapes: Shapes, width: float, srid: int) -> Flags:
    """Which shapes hold a circle of more than this diameter, in metres."""
    true = in_metres(shapes, srid)
    wide = shapely.area(true) > np.pi / 4 * width**2
    wide[wide] = ~shapely.is_empty(shapely.buffer(true[wide], -width / 2, quad_segs=2))
    return np.asarray(wide)


def mean_widths(shapes: Shapes, srid: int) -> Floats:
    """Metres across thin shapes, on the average."""
    true = in_metres(shapes, srid)
    return np.asarray(2 * shapely.area(true) / np.maximum(shapely.length(true), 1e-12))


def areal_parts(shapes: Shapes) -> tuple[Shapes, Ints]:
    """The polygons in some shapes, and the place of the shape of each."""
    parts, place = shapely.get_parts(shapes, return_index=True)
    inner, at = shapely.get_parts(parts, return_index=True)  # of a multi-polygon in a collection
    areal = shapely.get_type_id(inner) == 3
    return inner[areal], place[at[areal]]
