"""The classes of the survey that a made-up landscape has, and where they lie (third land survey, working classes)."""

from typing import NamedTuple

import numpy as np

from data.sample.shapes import Floats, Ints

NAMES = {
    "0101": "水田", "0102": "水浇地", "0103": "旱地", "0201": "果园", "0204": "其他园地", "0301": "乔木林地",
    "0305": "灌木林地", "0307": "其他林地", "0401": "天然牧草地", "0403": "人工牧草地", "0404": "其他草地",
    "05H1": "商业服务业设施用地", "0508": "物流仓储用地", "0601": "工业用地", "0602": "采矿用地", "0701": "城镇住宅用地",
    "0702": "农村宅基地", "08H1": "机关团体新闻出版用地", "08H2": "科教文卫用地", "0809": "公用设施用地",
    "0810": "公园与绿地", "09": "特殊用地", "1003": "公路用地", "1004": "城镇村道路用地", "1005": "交通服务场站用地",
    "1006": "农村道路", "1101": "河流水面", "1104": "坑塘水面", "1106": "内陆滩涂", "1107": "沟渠", "1202": "设施农用地",
    "1206": "裸土地",
}  # fmt: skip
CODES = tuple(NAMES)
NUMBER = {code: number for number, code in enumerate(CODES)}
CULTIVATED = ("0101", "0102", "0103")
FOREST = ("0301", "0305", "0307")
BUILT = ("05H1", "0508", "0601", "0602", "0701", "0702", "08H1", "08H2", "0809", "0810", "09", "1004", "1005")
STATE_OWNED = ("05H1", "0601", "0701", "08H1", "08H2", "0809", "0810", "1003", "1004", "1101", "1106")


class Zone(NamedTuple):
    """A kind of block: how many cells its parcels have, and the chances of each class."""

    cells: float
    mix: dict[str, float]


ZONES = (
    Zone(3.2, {"0701": 50, "05H1": 15, "08H1": 6, "08H2": 10, "0809": 3, "0810": 10, "0601": 4, "1005": 2}),
    Zone(4.5, {"0601": 40, "0508": 12, "0701": 16, "05H1": 8, "0809": 4, "0103": 12, "0404": 6, "1202": 2}),
    Zone(2.6, {"0702": 56, "0103": 22, "1202": 4, "0809": 2, "08H2": 2, "0201": 6, "0307": 5, "1104": 3}),
    Zone(5.0, {"0101": 70, "0103": 10, "0102": 8, "1202": 3, "1104": 4, "0404": 3, "1106": 2}),
    Zone(5.4, {"0103": 66, "0102": 10, "0201": 6, "0204": 2, "0301": 8, "0404": 4, "1202": 2, "0307": 2}),
    Zone(8.5, {"0301": 58, "0305": 12, "0307": 10, "0103": 12, "0404": 4, "0401": 2, "0602": 1, "1206": 1}),
)
TOWN, SUBURB, VILLAGE, PADDY, UPLAND, WOODS = range(len(ZONES))


def choose_zones(rng: np.random.Generator, remoteness: Floats, hills: Floats, near_river: Floats) -> Ints:
    """The zone of each block: town in the middle, factories around it, paddies along rivers, woods on the hills."""
    chance = rng.random(len(remoteness))
    zones = np.where(hills + 0.7 * remoteness > 0.55 + 0.3 * (chance - 0.5), WOODS, UPLAND)
    zones[(near_river < 2) & (hills < 0.4)] = PADDY
    zones[(zones != WOODS) & (rng.random(len(zones)) < 0.12)] = VILLAGE
    zones[remoteness < 0.34 + 0.10 * chance] = SUBURB
    zones[remoteness < 0.24 + 0.06 * chance] = TOWN
    return zones


def choose_classes(rng: np.random.Generator, zones: Ints) -> Ints:
    """The class of each parcel, as an index into `CODES`, drawn from the mix of its zone."""
    chosen = np.empty(len(zones), dtype=np.int64)
    chance = rng.random(len(zones))
    for number, zone in enumerate(ZONES):
        here = zones == number
        share = np.cumsum(list(zone.mix.values())) / sum(zone.mix.values())
        kinds = np.array([NUMBER[code] for code in zone.mix])
        chosen[here] = kinds[np.searchsorted(share, chance[here], side="right")]
    return chosen


def is_class(classes: Ints, codes: tuple[str, ...]) -> np.typing.NDArray[np.bool_]:
    """Which of `classes` are among `codes`."""
    return np.isin(classes, [NUMBER[code] for code in codes])
