"""A data set as it is asked: its properties with their types, and the CRSs that it is offered in."""

from functools import cached_property

from core.catalogue import BBox, Dataset
from core.crs import Srid, public_crs_list
from core.errors import ChengtuError

WORLD = BBox(-180, -90, 180, 90)


class UnknownProperty(ChengtuError):
    """A name that is not one of the data set's fields."""

    en = "{dataset} has no property {name!r}. It has: {known}."
    zh = "{dataset} 没有属性 {name!r}。可用属性:{known}。"
    code = "InvalidParameterValue"
    status = 400


class Table:
    """One data set; made anew when the catalogue changes."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    @cached_property
    def types(self) -> dict[str, str]:
        """The PostgreSQL type of each property, the key's too."""
        return dict(self.dataset.fields) | {self.dataset.key: self.dataset.key_type}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the properties."""
        return tuple(self.types)

    @cached_property
    def offered(self) -> tuple[Srid, ...]:
        """The CRSs that clients may ask for, CRS84 first."""
        extent = self.dataset.extent or WORLD
        width = extent.east - extent.west + (360 if extent.west > extent.east else 0)  # across the antimeridian
        return public_crs_list(Srid(self.dataset.srid), extent.west + width / 2)

    def type_of(self, name: str) -> str:
        """The type of a property; a name that is not in the catalogue never reaches SQL."""
        if name not in self.types:
            raise UnknownProperty(dataset=self.dataset.id, name=name[:80], known=", ".join(self.names))
        return self.types[name]
