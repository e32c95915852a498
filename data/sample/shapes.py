"""Names for the arrays that the sample city is made of, and its plane: Gauss-Krüger, x = east, y = north."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import shapely
from pyproj import Transformer

Shapes = npt.NDArray[np.object_]  # shapely geometries
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]
Texts = npt.NDArray[np.object_]  # str or None

CGCS2000 = 4490
MILLIDEGREES_5 = 0.005  # about 500 m: shorter edges differ by less than 1 cm between the two planes
CENTIMETRE = 0.01


class Plane(NamedTuple):
    """A 3-degree Gauss-Krüger zone named by central meridian, without zone prefix (EPSG:4534 to 4554)."""

    srid: int

    @classmethod
    def at(cls, longitude: float) -> "Plane":
        """The zone whose central meridian is nearest to `longitude`."""
        meridian = min(max(3 * round(longitude / 3), 75), 135)
        return cls(4534 + (meridian - 75) // 3)

    def project(self, shapes: Shapes) -> Shapes:
        """From EPSG:4490, longitude first, to the zone; long edges get vertices so that they stay in place."""
        forward = Transformer.from_crs(CGCS2000, self.srid, always_xy=True)
        return _transform(shapely.segmentize(shapes, MILLIDEGREES_5), forward)

    def unproject(self, shapes: Shapes) -> Shapes:
        """From the zone to EPSG:4490, longitude first."""
        return _transform(shapes, Transformer.from_crs(self.srid, CGCS2000, always_xy=True))


def _transform(shapes: Shapes, transformer: Transformer) -> Shapes:
    moved: Shapes = shapely.transform(shapes, lambda xy: np.column_stack(transformer.transform(*xy.T)))
    return moved


def parts(shapes: Shapes, minimum: float = 0.0) -> tuple[Shapes, Ints]:
    """The single polygons of `shapes` larger than `minimum` square metres, and the index each came from."""
    single, index = shapely.get_parts(shapes, return_index=True)
    keep = (shapely.get_type_id(single) == shapely.GeometryType.POLYGON) & (shapely.area(single) > minimum)
    return single[keep], index[keep]


def centres(shapes: Shapes) -> Floats:
    """(n, 2): a point of each shape's surface, or a line's middle."""
    if shapely.get_dimensions(shapes).max(initial=0) == 1:
        return xy(shapely.line_interpolate_point(shapes, 0.5, normalized=True))
    return xy(shapely.point_on_surface(shapes))


def xy(points: Shapes) -> Floats:
    """(n, 2): the coordinates of points."""
    return np.column_stack([shapely.get_x(points), shapely.get_y(points)])


def cover(lines: Shapes) -> Shapes:
    """The faces that `lines` enclose, noded to the centimetre so that neighbours share their vertices."""
    faces: Shapes = shapely.get_parts(shapely.polygonize([node(lines)]))
    return faces


def node(lines: Shapes) -> Shapes:
    """`lines` cut wherever they meet, to the centimetre (GEOS snap rounding)."""
    noded: Shapes = shapely.get_parts(shapely.union_all(lines, grid_size=CENTIMETRE))
    return noded
