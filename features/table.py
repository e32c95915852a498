"""A data set as it is asked: its properties with their types, and the CRSs that it is offered in."""

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Any

from psycopg import sql

from core.catalogue import BBox, Dataset
from core.crs import WGS84, Srid, public_crs_list, transformer
from core.errors import ChengtuError

WORLD = BBox(-180, -90, 180, 90)
_MOST_REMEMBERED = 500


class UnknownProperty(ChengtuError):
    """A name that is not one of the data set's fields."""

    en = "{dataset} has no property {name!r}. It has: {known}."
    zh = "{dataset} 没有属性 {name!r}。可用属性:{known}。"
    code = "InvalidParameterValue"
    status = 400


class Table:
    """One data set; made anew when the catalogue changes, and with it the SQL that is remembered here."""

    def __init__(self, dataset: Dataset, withheld: frozenset[Srid] = frozenset()) -> None:
        self.dataset = dataset
        self._withheld = withheld  # CRSs that its places come out wrong in
        self.costs: dict[Hashable, float] = {}  # of counting, by the question that is asked
        self._remembered: dict[Hashable, sql.SQL] = {}

    def remember(self, key: Hashable, compose: Callable[[], sql.Composable]) -> sql.SQL:
        """A piece of SQL by what makes it what it is; composed, which is slow, when first asked for."""
        if key not in self._remembered:
            if len(self._remembered) >= _MOST_REMEMBERED:
                self._remembered.clear()
            ours: Any = compose().as_string(None)
            self._remembered[key] = sql.SQL(ours)
        return self._remembered[key]

    @cached_property
    def types(self) -> dict[str, str]:
        """The PostgreSQL type of each property, the key's too."""
        return dict(self.dataset.attributes) | {self.dataset.key: self.dataset.key_type}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the properties."""
        return tuple(self.types)

    @cached_property
    def offered(self) -> tuple[Srid, ...]:
        """The CRSs that clients may ask for, CRS84 first."""
        listed = public_crs_list(Srid(self.dataset.srid), self.middle[0])
        return tuple(one for one in listed if one not in self._withheld)

    @cached_property
    def middle(self) -> tuple[float, float]:
        """Longitude and latitude of the extent's middle."""
        extent = self.dataset.extent or WORLD
        width = extent.east - extent.west + (360 if extent.west > extent.east else 0)  # across the antimeridian
        return extent.west + width / 2, (extent.south + extent.north) / 2

    @cached_property
    def bounds(self) -> tuple[float, float, float, float] | None:
        """The extent in the CRS that the data are stored in, x = east; None where nothing has a place."""
        extent = self.dataset.extent
        if extent is None:
            return None
        return transformer(WGS84, Srid(self.dataset.srid)).transform_bounds(*extent)

    def share_of(self, bounds: tuple[float, float, float, float]) -> float:
        """About how many of the features lie within bounds in the stored CRS, were they spread evenly."""
        if self.bounds is None:
            return 0.0
        west, south, east, north = self.bounds
        width = max(0.0, min(east, bounds[2]) - max(west, bounds[0]))
        height = max(0.0, min(north, bounds[3]) - max(south, bounds[1]))
        area = (east - west) * (north - south)
        return self.dataset.feature_count * (width * height / area if area > 0 else 1.0)

    def type_of(self, name: str) -> str:
        """The type of a property; a name that is not in the catalogue never reaches SQL."""
        if name not in self.types:
            raise UnknownProperty(dataset=self.dataset.id, name=name[:80], known=", ".join(self.names))
        return self.types[name]
