"""A survey while defects are planted in it: its parcels change in place, and stated sums follow at the end."""

import numpy as np
import shapely

from data.sample.shapes import Ints, Texts
from data.survey.areas import cents, ellipsoidal_areas
from data.survey.attributes import LAYER_DIGITS, deducted
from data.survey.picking import Picker
from data.survey.table import Survey, Table

Entry = str | tuple[str, str]


class Planter:
    """The parcels, to be changed in place; `picker` knows which are still free, by the survey's own shapes."""

    def __init__(self, survey: Survey, picker: Picker) -> None:
        self.parcels: Table = survey.parcels.copy()
        self.picker = picker
        self.villages: Table = survey.villages.copy()
        self._townships: Table = survey.townships.copy()
        self._home = _places(survey.villages["ZLDWDM"], survey.parcels["ZLDWDM"])
        self._gone: set[int] = set()
        self._more: list[tuple[int, shapely.Polygon]] = []

    def key(self, parcel: int) -> str:
        """The `BSM` of a parcel."""
        return str(self.parcels["BSM"][parcel])

    def value(self, parcel: int, name: str) -> object:
        """A field of a parcel."""
        value: object = self.parcels[name][parcel]
        return value

    def put(self, parcel: int, **values: object) -> None:
        """Change fields of a parcel."""
        for name, value in values.items():
            self.parcels[name][parcel] = value

    def reshape(self, parcel: int, shape: shapely.Geometry) -> None:
        """Change a parcel's shape; its stated areas follow."""
        _reshape(self.parcels, parcel, shape)

    def state(self, parcel: int, area: int) -> None:
        """State an area, in cents, and what is deducted of it."""
        _state(self.parcels, parcel, area)

    def join(self, parcel: int, other: int, ring: shapely.Polygon) -> None:
        """Make two parcels one of the shape `ring`, valid or not."""
        area = sum(int(cents(self.parcels["TBMJ"][[one]])[0]) for one in (parcel, other))
        self.parcels.shapes[parcel] = ring
        self.state(parcel, area)
        self._gone.add(other)

    def split_off(self, parcel: int, shape: shapely.Polygon) -> str:
        """Add a parcel like another one, and return its `BSM`."""
        self._more.append((parcel, shape))
        return self._key_of(parcel, len(self._more) - 1)

    def settled(self) -> tuple[Table, Table, Table]:
        """Parcels, villages and townships, whose areas add up again; parcels count where they lie."""
        parcels, home = self._all_parcels()
        villages, townships = self.villages, self._townships
        sums = np.bincount(home, weights=cents(parcels["TBMJ"]), minlength=len(villages.shapes)).astype(np.int64)
        villages["DCMJ"][:] = sums / 100
        own = _places(townships["XZQDM"], np.array([code[:9] for code in villages["ZLDWDM"]], dtype=object))
        townships["DCMJ"][:] = np.bincount(own, weights=sums, minlength=len(townships.shapes)) / 100
        return parcels, villages, townships

    def _all_parcels(self) -> tuple[Table, Ints]:
        like = np.array([parcel for parcel, _ in self._more], dtype=np.int64)
        kept = np.setdiff1d(np.arange(len(self.parcels.shapes)), sorted(self._gone))
        rows = np.concatenate([kept, like])
        parcels = self.parcels.where(rows)
        for number, (parcel, shape) in enumerate(self._more):
            parcels["BSM"][len(kept) + number] = self._key_of(parcel, number)
            _reshape(parcels, len(kept) + number, shape)
        return parcels, self._home[rows]

    def _key_of(self, parcel: int, number: int) -> str:
        return f"{self.key(parcel)[:6]}{LAYER_DIGITS}{90_000_000 + number:08d}"


def _reshape(parcels: Table, row: int, shape: shapely.Geometry) -> None:
    parcels.shapes[row] = shape
    _state(parcels, row, int(cents(ellipsoidal_areas(np.array([shape])))[0]))


def _state(parcels: Table, row: int, area: int) -> None:
    taken = int(deducted(np.array([area]), parcels["KCXS"][[row]])[0])
    for name, value in {"TBMJ": area, "KCMJ": taken, "TBDLMJ": area - taken}.items():
        parcels[name][row] = value / 100


def _places(known: Texts, values: Texts) -> Ints:
    """The place of each value among known ones."""
    place = {value: number for number, value in enumerate(known)}
    return np.array([place[value] for value in values], dtype=np.int64)
