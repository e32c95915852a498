"""Low zooms: the features of a data set generalised, under a budget of bytes a tile."""

from tiles.levels.budget import Budget
from tiles.levels.regroup import catch_up, wants
from tiles.levels.release import Generalised, generalise
from tiles.levels.source import Table

__all__ = ["Budget", "Generalised", "Table", "catch_up", "generalise", "wants"]
