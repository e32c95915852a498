"""Tables without geometry: joined to the places of a data set by code, name or address, and published like any other."""

from loaders.tables.joining import JoinRefused, join
from loaders.tables.options import JoinOptions, Pair
from loaders.tables.report import JoinReport

__all__ = ["JoinOptions", "JoinRefused", "JoinReport", "Pair", "join"]
