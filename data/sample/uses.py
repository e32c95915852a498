"""Land use of the synthetic city: classes of the 国土空间用地用海分类 (2023), and where they go."""

from typing import NamedTuple

import numpy as np
import shapely

from data.sample.blocks import Blocks
from data.sample.ground import Ground, Waves
from data.sample.shapes import Flags, Floats, Ints, centres

EDITION = "国土空间调查、规划、用途管制用地用海分类指南(2023)"


class Use(NamedTuple):
    """A class of land use with its planning limits; `years` of land-use right, 0 where the land is allotted."""

    code: str
    zh: str
    en: str
    plot_ratio: float
    coverage: float
    green: float
    height: int
    years: int


class Zone(NamedTuple):
    """A kind of block: how large its parcels are, in square metres, and the chances of each use in it."""

    parcel: float
    mix: dict[str, float]


USES = (
    Use("0701", "城镇住宅用地", "Urban residential", 2.2, 0.26, 0.35, 80, 70),
    Use("0702", "城镇社区服务设施用地", "Community service", 1.2, 0.35, 0.30, 24, 0),
    Use("0801", "机关团体用地", "Government", 1.6, 0.35, 0.30, 50, 0),
    Use("0802", "科研用地", "Research", 1.8, 0.35, 0.35, 60, 50),
    Use("0803", "文化用地", "Culture", 1.2, 0.35, 0.35, 30, 0),
    Use("0804", "教育用地", "Education", 0.9, 0.25, 0.35, 24, 0),
    Use("0805", "体育用地", "Sports", 0.8, 0.35, 0.35, 30, 0),
    Use("0806", "医疗卫生用地", "Health", 1.8, 0.32, 0.35, 60, 0),
    Use("0807", "社会福利用地", "Social welfare", 1.2, 0.30, 0.40, 30, 0),
    Use("0901", "商业用地", "Retail and hotels", 3.0, 0.50, 0.15, 60, 40),
    Use("0902", "商务金融用地", "Offices and finance", 4.5, 0.45, 0.20, 150, 40),
    Use("0903", "娱乐用地", "Entertainment", 2.0, 0.50, 0.20, 40, 40),
    Use("1001", "工业用地", "Industry", 1.0, 0.50, 0.15, 24, 50),
    Use("1101", "物流仓储用地", "Logistics and storage", 1.0, 0.55, 0.15, 20, 50),
    Use("1208", "交通场站用地", "Transport station", 0.6, 0.30, 0.15, 20, 0),
    Use("1303", "供电用地", "Power supply", 0.8, 0.35, 0.25, 20, 0),
    Use("1401", "公园绿地", "Park", 0.05, 0.03, 0.75, 9, 0),
    Use("1402", "防护绿地", "Protective green", 0.0, 0.0, 0.90, 0, 0),
    Use("1403", "广场用地", "Square", 0.05, 0.03, 0.35, 9, 0),
    Use("16", "留白用地", "Reserved", 0.0, 0.0, 0.0, 0, 0),
)
NUMBER = {use.code: index for index, use in enumerate(USES)}

WHOLE = np.inf
ZONES = (
    Zone(6200, {"0701": 83, "0901": 6, "0702": 4, "0804": 3, "1401": 2, "1303": 1, "1208": 1}),
    Zone(3200, {"0901": 52, "0902": 27, "0701": 12, "0903": 4, "1403": 3, "1208": 2}),
    Zone(11000, {"1001": 68, "1101": 19, "1402": 8, "1303": 3, "1208": 2}),
    Zone(11000, {"0804": 42, "0801": 19, "0806": 12, "0803": 8, "0805": 8, "0802": 7, "0807": 4}),
    Zone(WHOLE, {"1401": 88, "1403": 12}),
    Zone(WHOLE, {"1402": 100}),
    Zone(WHOLE, {"16": 100}),
)
HOUSING, BUSINESS, INDUSTRY, CIVIC, PARK, VERGE, RESERVE = range(len(ZONES))


def choose_zones(rng: np.random.Generator, ground: Ground, blocks: Blocks) -> Ints:
    """The zone of each block: business in the centre, industry in some outer quarters, housing between, parks all over."""
    points, away = centres(blocks.shapes), blocks.remoteness
    chance = rng.random(len(away))
    factories = Waves.random(rng, 1.6 * ground.radius).at(points) - 0.35
    zones = np.full(len(away), HOUSING)
    zones[chance < 0.10] = CIVIC
    zones[chance > 0.945] = PARK
    zones[(factories > 0) & (away > 0.45) & (chance < 0.94)] = INDUSTRY
    zones[chance < 0.85 * np.exp(-((away / 0.27) ** 2))] = BUSINESS
    zones[(away > 0.85) & (rng.random(len(away)) < 0.10)] = RESERVE
    zones[_is_sliver(blocks)] = VERGE
    return zones


def choose_uses(rng: np.random.Generator, zones: Ints) -> Ints:
    """The use of each parcel, as an index into `USES`, drawn from the mix of its block's zone."""
    uses = np.empty(len(zones), dtype=np.int64)
    chance = rng.random(len(zones))
    for number, zone in enumerate(ZONES):
        here = zones == number
        share: Floats = np.cumsum(list(zone.mix.values())) / sum(zone.mix.values())
        kinds = np.array([NUMBER[code] for code in zone.mix])
        uses[here] = kinds[np.searchsorted(share, chance[here], side="right")]
    return uses


def _is_sliver(blocks: Blocks) -> Flags:
    """Whether a block is too small or too thin to build on (4πA/P² is 0.79 for a square)."""
    area, around = shapely.area(blocks.shapes), shapely.length(blocks.shapes)
    sliver: Flags = (area < 2500) | (4 * np.pi * area / around**2 < 0.3)
    return sliver
