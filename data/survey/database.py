"""A made-up third-land-survey database, right by construction."""

import numpy as np

from data.survey.attributes import parcel_table
from data.survey.landscape import draw
from data.survey.table import Survey
from data.survey.themes import theme_tables
from data.survey.units_tables import unit_tables

YEAR = 2025


def build_survey(city: str = "220200", parcels: int = 6_000, *, seed: int = 20261, year: int = YEAR) -> Survey:
    """About `parcels` parcels around the centre of a prefecture or a district, by its six-digit division code.

    The same code, number and seed make the same rows. Raises `NoSuchCity`.
    """
    land = draw(city, parcels, seed)
    rng = np.random.default_rng([seed, parcels])
    table, villages, townships = parcel_table(rng, land, year)
    layers = {"DLTB": table, **unit_tables(land, villages, townships), **theme_tables(rng, land, table)}
    counties = dict(zip(land.divisions.codes, land.divisions.names, strict=True))
    return Survey(layers, year, seed, city, counties, land.plane.srid)
