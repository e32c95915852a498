"""Names and addresses of places as tables write them, in forms that can be compared; nothing is guessed by likeness."""

import re
import unicodedata
from typing import Final, NamedTuple

_SUFFIXES: Final = (
    "特别行政区", "街道办事处", "居民委员会", "村民委员会", "自治州", "自治县", "自治旗", "自治区", "街道办", "居委会", "村委会",
    "街道", "社区", "地区", "林区", "新区", "省", "市", "区", "县", "旗", "盟", "镇", "乡", "村",
)  # fmt: skip
_SHORTEST: Final = 2  # characters that must remain of a name
_DOOR: Final = re.compile(r"\d+(?:[-之]\d+)?号")
_ABOVE: Final = re.compile(
    r"(?P<province>.{2,8}?(?:省|自治区))?(?P<city>.{2,8}?(?:市|自治州|地区|盟))?(?P<county>.{1,10}?(?:区|县|旗))?"
)
_ROAD: Final = re.compile(r".*?(?:路|街|道|巷|胡同|弄|里|村|屯)")


def plain_name(text: str) -> str:
    """A name in half-width characters, without blanks, in lower case."""
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


def bare_name(text: str) -> str:
    """The same without its last suffix: 昌邑 for 昌邑区, 前郭尔罗斯蒙古族 for the county of that people."""
    name = plain_name(text)
    for suffix in _SUFFIXES:
        if name.endswith(suffix) and len(name) - len(suffix) >= _SHORTEST:
            return name.removesuffix(suffix)
    return name


def plain_address(text: str) -> str:
    """An address in half-width characters, without blanks, its door written as 号."""
    address = plain_name(text)
    address = re.sub(r"[（(].*?[)）]", "", address)
    address = re.sub(r"(?<=\d)(?:#|no\.?)", "号", address)
    return re.sub(r"号+", "号", address).rstrip(",.;。、")


class Door(NamedTuple):
    """What an address tells of a door: road and number, and the units that it is said to lie in, by level."""

    name: str
    units: tuple[str | None, str | None, str | None]  # province, city, county

    def may_be(self, other: "Door") -> bool:
        """Whether both can be one door: the same road and number, and no unit that contradicts."""
        pairs = zip(self.units, other.units, strict=True)
        return self.name == other.name and all(one is None or two is None or one == two for one, two in pairs)


def door(text: str) -> Door | None:
    """Road and number of an address, without the rooms behind: 文化路12号; None if it has none."""
    address = plain_address(text)
    number = _DOOR.search(address)
    if number is None:
        return None
    road = address[: number.start()]
    above = _ABOVE.match(road)
    rest = road[above.end() :] if above else road
    if above is None or not rest or not _ROAD.match(rest):
        return Door(road + number.group(), (None, None, None)) if _ROAD.match(road) else None
    return Door(rest + number.group(), (above["province"], above["city"], above["county"]))
