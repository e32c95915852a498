"""The matrix sets of WMTS: Tianditu's `c` and `w`, whose matrices are called 1 to 18, and ours by their own names."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, NamedTuple

from core.crs import CRS84, Srid
from core.language import Text
from tiles.layer import MAX_ZOOM
from tiles.matrix import CGCS2000_QUAD, WEB_MERCATOR_QUAD, Matrix, MatrixSet

type Scales = Literal["ogc", "tianditu"]

_OGC_PIXEL = 0.28e-3  # metres: the pixel that OGC's scale denominators are of
_TIANDITU_PIXEL = 0.0254 / 96  # metres: Tianditu's, and CH/Z 9011's
_TIANDITU_LEVELS = range(1, 19)


class WmtsSet(NamedTuple):
    """A matrix set as WMTS clients know it."""

    id: str
    title: Text
    matrix_set: MatrixSet
    levels: tuple[int, ...]  # the names of its matrices
    ahead: int  # of the matrix set's own numbers
    stretch: float  # what scale denominators are multiplied by

    def z(self, level: int) -> int:
        """The matrix set's own number of a matrix."""
        return level - self.ahead

    def matrix(self, level: int) -> Matrix:
        """The matrix of a level."""
        return self.matrix_set.matrices[self.z(level)]

    def scale(self, level: int) -> float:
        """Its scale denominator."""
        return self.matrix(level).scale * self.stretch


def wmts_sets(offered: Mapping[str, MatrixSet], scales: Scales) -> dict[str, WmtsSet]:
    """Tianditu's sets, as far as ours of the same tiles are offered, and ours."""
    return {one.id: one for one in (*_of_tianditu(offered, scales), *map(_own, offered.values()))}


def _of_tianditu(offered: Mapping[str, MatrixSet], scales: Scales) -> Iterator[WmtsSet]:
    stretch = _OGC_PIXEL / _TIANDITU_PIXEL if scales == "tianditu" else 1.0
    for id_, title, name, ahead in _TIANDITU:
        if name in offered:
            yield WmtsSet(id_, title, offered[name], tuple(_TIANDITU_LEVELS), ahead, stretch)


_TIANDITU: Final = (
    ("c", Text("Tianditu, longitude and latitude (CGCS2000)", "天地图经纬度(CGCS2000)"), CGCS2000_QUAD, 1),
    ("w", Text("Tianditu, Web Mercator", "天地图球面墨卡托"), WEB_MERCATOR_QUAD, 0),
)


def _own(one: MatrixSet) -> WmtsSet:
    return WmtsSet(one.id, Text(one.title, one.title), one, tuple(_announced(one, one.matrices)), 0, 1.0)


def _announced(one: MatrixSet, zooms: Iterable[int]) -> Iterator[int]:
    """Not those that are finer than surveys."""
    return (z for z in zooms if one.mercator_zoom(z) <= MAX_ZOOM)


def urn(srid: Srid) -> str:
    """A CRS as OWS 1.1 names it."""
    return "urn:ogc:def:crs:OGC:1.3:CRS84" if srid == CRS84 else f"urn:ogc:def:crs:EPSG::{srid}"
