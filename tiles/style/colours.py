"""Colours of classes: the usual ones of land use, land cover and roads, and a muted palette of our own for all else."""

import colorsys
import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

Theme = Literal["light", "dark"]


class Paper(NamedTuple):
    """What everything is drawn on and written with."""

    ground: str
    ink: str
    quiet: str
    halo: str
    edge: str  # between areas
    street: str  # of streets without a class


PAPERS: dict[Theme, Paper] = {
    "light": Paper("#f4f2ec", "#26323b", "#66727c", "#fbfaf7", "#ffffff", "#ffffff"),
    "dark": Paper("#14191d", "#dfe5e9", "#94a2ad", "#14191d", "#0f1316", "#55616a"),
}

OTHER = "#c9c5bb"  # a class that is none of those listed, and features without one
_PALETTE = (
    "#8fb3c9", "#d9a878", "#9cbf9a", "#cf9a9f", "#a99cc6", "#c9b380", "#86b9b4", "#d3a4c0", "#b3bd84", "#94a5d3",
    "#c4947c", "#9fb0b8",
)  # fmt: skip

# The first line whose pattern is found in a class, or in its name in the other language, gives the colour.
_USUAL: tuple[tuple[str, str], ...] = (
    (r"高速|快速|motorway|expressway|trunk", "#e8a06c"),
    (r"主干|国道|arterial|primary", "#f3c67e"),
    (r"次干|省道|secondary|tertiary|collector", "#f7e3a6"),
    (r"支路|县道|乡道|local road|unclassified|living_street", "#ffffff"),
    (r"footway|steps|path|pedestrian|人行|步行|trail", "#d8b9a0"),
    (r"cycleway|自行车", "#a9b8dc"),
    (r"铁路|轨道|rail|subway|tram", "#8d8f98"),
    (r"公园|park\b|garden|leisure", "#b3d8a6"),
    (r"防护绿|绿化|protective green|greenbelt|绿地", "#bfdcae"),
    (r"针叶|needleleaf", "#a2c49e"),
    (r"阔叶|broadleaf|林|forest|wood(?!y)|tree", "#b1d0a4"),
    (r"灌|shrub", "#bccb9a"),
    (r"湿地|沼泽|滩涂|wetland|marsh", "#a7d0c6"),
    (r"河|湖|水库|坑塘|水域|水体|沟渠|water\b|water bod|river|lake|pond|basin|canal|sea\b", "#9cc8de"),
    (r"草|grass|meadow|savanna|pasture", "#d6e3b5"),
    (r"园地|果园|茶园|orchard|vineyard", "#cfd89a"),
    (r"耕地|农田|水田|旱地|农用|crop|farm|arable|agricult", "#e9e2b4"),
    (r"社区|community", "#f1c795"),
    (r"住宅|居住|宅基地|residential|housing|apartment|dwelling", "#f4dd95"),
    (r"商务|金融|office|finance|business", "#e09aa6"),
    (r"娱乐|康体|entertainment|recreation", "#eaacc4"),
    (r"商业|零售|商服|旅馆|commercial|retail|shop|hotel", "#eba598"),
    (r"物流|仓储|logistic|storage|warehouse", "#bbadd4"),
    (r"工业|采矿|工矿|industr|factory|mining|quarry", "#c9b19b"),
    (r"教育|学校|education|school|college|university|kindergarten", "#eab0c8"),
    (r"医疗|卫生|医院|health|hospital|clinic", "#e79fb0"),
    (r"科研|research|science", "#c9a3d4"),
    (r"文化|宗教|culture|museum|religio", "#dcaed6"),
    (r"体育|sport|stadium|pitch", "#b9d6a8"),
    (r"福利|养老|welfare|social", "#f0bba6"),
    (r"机关|行政|政府|公共管理|government|civic|civil|public", "#dfb3c9"),
    (r"供电|供水|供热|供燃|环卫|公用设施|排水|power|utilit|sewage|supply", "#a6c2d0"),
    (r"广场|square|plaza", "#ddd5c0"),
    (r"交通|道路|公路|车站|场站|停车|机场|港口|transport|station|parking|road|street|airport|service", "#c6c8cb"),
    (r"军事|特殊|military|special", "#b5b08e"),
    (r"留白|预留|空闲|reserved|vacant|construction|在建", "#e9e5da"),
    (r"裸|沙|荒|盐碱|barren|bare|sand|desert|rock", "#ddd0b8"),
    (r"冰|雪|snow|ice\b|glacier", "#f1f6f8"),
    (r"建设用地|城镇|城市|村庄|built|urban|city|town|village", "#e6c4bd"),
)


def class_colours(classes: Iterable[tuple[str, str]]) -> list[str]:
    """A colour for each class, told by its value and its name in the other language; no two are quite the same."""
    taken: dict[str, int] = {}
    found = []
    for value, title in classes:
        base = usual_colour(f"{value} {title}") or _own_colour(value, taken)
        found.append(_variant(base, taken.get(base, 0)))
        taken[base] = taken.get(base, 0) + 1
    return found


def usual_colour(words: str) -> str | None:
    """The conventional colour of what some words speak of."""
    return next((colour for pattern, colour in _USUAL if re.search(pattern, words, re.IGNORECASE)), None)


def hashed_colour(name: str) -> str:
    """A colour of the palette that stays the same for a name."""
    return _PALETTE[_number(name) % len(_PALETTE)]


def mix(colour: str, other: str, share: float) -> str:
    """A colour with a share of another."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(255 * (a + (b - a) * share)):02x}" for a, b in pairs)


def on(theme: Theme, colour: str) -> str:
    """A colour of an area as it looks well on paper, or at night."""
    return colour if theme == "light" else mix(colour, PAPERS["dark"].ground, 0.52)


def of_building(theme: Theme, colour: str) -> str:
    """A building's colour stands out from its plot of the same class: lighter on paper, and at night as well."""
    return mix(colour, "#ffffff", 0.55) if theme == "light" else mix(colour, "#ffffff", 0.16)


def _own_colour(value: str, taken: dict[str, int]) -> str:
    """The palette's colour of a name, or the next one that is free."""
    first = _number(value)
    turns = (_PALETTE[(first + step) % len(_PALETTE)] for step in range(len(_PALETTE)))
    return next((colour for colour in turns if colour not in taken), hashed_colour(value))


def _variant(colour: str, number: int) -> str:
    """The n-th colour of those that share a base: lighter and darker by turns, a little further along the circle."""
    if number == 0:
        return colour
    hue, light, saturation = colorsys.rgb_to_hls(*_channels(colour))
    step = (number + 1) // 2 * (1 if number % 2 else -1)
    rgb = colorsys.hls_to_rgb((hue + 0.018 * step) % 1, min(0.95, max(0.3, light + 0.05 * step)), saturation)
    return "#" + "".join(f"{round(255 * channel):02x}" for channel in rgb)


def _channels(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5))
    return red, green, blue


def _number(name: str) -> int:
    """A number that a name always has."""
    number = 7
    for letter in name:
        number = (number * 31 + ord(letter)) % 9973
    return number
