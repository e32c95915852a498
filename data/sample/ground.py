"""Where the synthetic city stands: its plane, its centre, how far it reaches, and how its straight lines bend."""

from typing import NamedTuple, Self

import numpy as np
import shapely

from data.sample.divisions import City
from data.sample.shapes import Floats, Ints, Plane, Shapes, Texts, xy

# Measured on the default city: hectares of town for one parcel, streets and parks included.
HECTARES_PER_PARCEL = 0.72


class Waves(NamedTuple):
    """Smooth noise: a few sines of random direction and phase, about -1 to 1 over the plane."""

    frequencies: Floats  # (k, 2) radians a metre
    phases: Floats  # (k,)

    @classmethod
    def random(cls, rng: np.random.Generator, length: float, count: int = 4) -> Self:
        """Noise whose waves are about `length` metres long."""
        turn = 2 * np.pi * rng.random(count)
        pace = 2 * np.pi / (length * (0.7 + 0.6 * rng.random(count)))
        return cls(np.column_stack([np.cos(turn), np.sin(turn)]) * pace[:, None], 2 * np.pi * rng.random(count))

    def at(self, points: Floats) -> Floats:
        """The noise at (n, 2) points."""
        values: Floats = np.sin(points @ self.frequencies.T + self.phases).mean(axis=1) * 1.6
        return values


class Ground(NamedTuple):
    """The plane with the districts in it; `centre` is the real place's, `radius` the town's mean reach in metres."""

    plane: Plane
    district_codes: Texts
    district_names: Texts
    districts: Shapes
    centre: Floats
    radius: float
    angle: float
    bends: tuple[Waves, Waves]
    edge: Floats  # (3, 2) amplitude and phase of the outline's lobes

    def bend(self, uv: Floats) -> Floats:
        """From the drawing board, where main streets are straight, to the plane."""
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        moved = uv + 210 * np.column_stack([wave.at(uv) for wave in self.bends])
        turned: Floats = moved @ np.array([[cos, sin], [-sin, cos]]) + self.centre
        return turned

    def remoteness(self, points: Floats) -> Floats:
        """0 at the centre, 1 at the town's outline, more outside, for (n, 2) points of the plane."""
        away = points - self.centre
        turn = np.arctan2(away[:, 1], away[:, 0])[:, None]
        lobes = (self.edge[:, 0] * np.sin(turn * np.arange(2, 5) + self.edge[:, 1])).sum(axis=1)
        ratio: Floats = np.hypot(away[:, 0], away[:, 1]) / (self.radius * (1 + lobes))
        return ratio

    def district_of(self, points: Floats) -> Ints:
        """The index of the district that holds each of (n, 2) points, -1 for none."""
        found = np.full(len(points), -1, dtype=np.int64)
        for index, district in enumerate(self.districts):
            shapely.prepare(district)
            found[shapely.contains_xy(district, points)] = index
        return found


def survey(rng: np.random.Generator, city: City, centre: tuple[float, float], parcels: int) -> Ground:
    """Choose the zone by the centre's longitude and draw the town's outline for about `parcels` parcels."""
    plane = Plane.at(centre[0])
    return Ground(
        plane=plane,
        district_codes=city.districts.codes,
        district_names=city.districts.names,
        districts=plane.project(city.districts.shapes),
        centre=xy(plane.project(np.array([shapely.Point(centre)])))[0],
        radius=float(np.sqrt(parcels * HECTARES_PER_PARCEL * 10_000 / np.pi)),
        angle=float(np.radians(24 * (rng.random() - 0.5))),
        bends=(Waves.random(rng, 4600), Waves.random(rng, 4600)),
        edge=np.column_stack([[0.16, 0.10, 0.07], 2 * np.pi * rng.random(3)]),
    )
