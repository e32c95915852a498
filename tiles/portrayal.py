"""What of a data set's attributes its tiles carry."""

from typing import NamedTuple


class Portrayal(NamedTuple):
    """What of a data set's attributes its tiles carry, and what its features are told apart by."""

    fields: tuple[str, ...]  # attributes in every tile, in order; never the geometry; the key only if it is no integer
    class_field: str | None  # colour by this; neighbours of one class may be merged at low zooms
    classes: tuple[str, ...]  # its values, most frequent first (at most 24)
    label_field: str | None
