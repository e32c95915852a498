"""What the name of an attribute says about it: Chinese, English, and the pinyin codes of Chinese standards."""

import re
from collections.abc import Iterable


def _set(said: str) -> frozenset[str]:
    """The words of a line."""
    return frozenset(said.split())


# How much a word in a name speaks for a class that a map may be coloured by.
_CLASS_WORDS = {
    10: "use landuse class fclass category type kind 用途 地类 用地 类 类别 类型 种类 分类 "
    "dlmc dlbm dldm tdyt ghyt jzyt fwyt ytmc ytdm ydxz ydlx ydmc lx lb fl",
    6: "nature level grade rank status structure zone highway natural amenity building waterway railway leisure "
    "性质 等级 级别 状态 结构 分区 功能 qsxz qllx qlxz fwlx fwxz fwjg jzjg dldj zt dj xz",
    3: "surface material form 材质 形式",
    1: "code 代码 编码",
}
_CODE_WORDS = _set("code id no bm dm dlbm dldm ytdm 代码 编码 编号 代号")
# What belongs to something else than the feature, or to its paperwork, says nothing about the feature's kind.
_OF_ANOTHER = _set(
    "country province prefecture city district county town township village block owner department admin region is "
    "origin source edition right geometry geom 来源 权利人 行政区 xzqmc xzqdm qsdwmc zldwmc qlr qlrmc"
)
_BEGINS_OF_ANOTHER = re.compile(r"^(所在|所属|权利人|权属单位|单位|来源|[省市区县乡镇村][名级]?称?$)")
_LABELS = (
    ("name", "名称", "title", "label", "标题", "mc", "地名", "xzqmc", "站名", "路名", "dlmch", "jmc", "xmmc"),
    ("fullname", "标准名称", "简称", "abbreviation", "name2"),
    ("housenumber", "门牌号", "门牌", "mph", "mphm", "ref", "号码"),
    ("address", "地址", "坐落", "zl", "addr"),
)
_TELLING = {
    9: "height floors storeys stories levels population 高度 层数 楼层 人口 rks jzgd cs",
    7: "lanes 车道 车道数 capacity 容量",
    6: "width ratio 宽度 容积率 红线宽 rjl kd",
    4: "year elevation altitude speed 年份 高程 年代 gc",
    3: "area length 面积 长度 tbmj mj cd jzmj zdmj",
    2: "code 代码 编码",
}
CODE_WORTH = 2
_ZH_ENDING = re.compile(r"[_:.\- ](zh|cn|chn|zh[_-]cn|zh[_-]hans|hans)$|[_:.\- ]?(中文|汉语)$", re.IGNORECASE)
_EN_ENDING = re.compile(r"[_:.\- ](en|eng|english)$|[_:.\- ]?(英文|英语)$", re.IGNORECASE)


def class_worth(name: str) -> int:
    """How much a name speaks for a class of features: 0 for not at all."""
    words = _words(name)
    if _is_of_another(name):
        return 0
    worth = max((worth for worth, said in _CLASS_WORDS.items() if _says(words, said)), default=0)
    return max(worth - 3, 1) if worth > 1 and words & _CODE_WORDS else worth


def label_worth(name: str) -> int:
    """How well a name promises a text to write on the map: 0 for not at all."""
    plain = re.sub(r"[_:.\- ]", "", _base(name).lower())
    for worth, names in zip((10, 8, 4, 2), _LABELS, strict=True):
        if plain in names:
            return worth
    if _is_of_another(name) or class_worth(name) > 1:
        return 0
    return 6 if re.search(r"(^|[_:.\- ])name$|名称?$|mc$", _base(name), re.IGNORECASE) else 0


def telling_worth(name: str) -> int:
    """How telling a measure or a code is in a tile: 0 for not at all."""
    if _is_of_another(name):
        return 0
    words = _words(name)
    return max((worth for worth, said in _TELLING.items() if _says(words, said)), default=0)


def measured(name: str) -> frozenset[str]:
    """The words of a name that say what it measures."""
    return _words(name) & _set(" ".join(_TELLING.values()))


def pairs(names: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """The attributes that say the same in two languages: (English, Chinese)."""
    known = {name.lower(): name for name in names}
    found = []
    for name in known.values():
        base = _EN_ENDING.sub("", name).lower()
        if base == name.lower():
            continue
        chinese = next((known[one] for one in known if one != base and _is_chinese_of(one, base)), known.get(base))
        if chinese:
            found.append((name, chinese))
    return tuple(found)


def is_english(name: str) -> bool:
    """Whether a name says that its values are English."""
    return bool(_EN_ENDING.search(name))


def _is_of_another(name: str) -> bool:
    return bool(_words(name) & _OF_ANOTHER or _BEGINS_OF_ANOTHER.match(name))


def _is_chinese_of(name: str, base: str) -> bool:
    return _ZH_ENDING.sub("", name).lower() == base


def _base(name: str) -> str:
    """A name without its language."""
    return _ZH_ENDING.sub("", _EN_ENDING.sub("", name)) or name


def _words(name: str) -> frozenset[str]:
    """The words of a name: parted by case, marks and digits; Chinese names also as their endings."""
    spread = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", _base(name))
    words = {word for word in re.split(r"[\W_\d]+", spread.lower()) if word}
    joined = re.sub(r"[\W_\d]+", "", _base(name).lower())
    endings = {joined[-length:] for length in (1, 2, 3, 4) if not joined.isascii()}
    return frozenset(words | {joined} | endings)


def _says(words: frozenset[str], said: str) -> bool:
    return not words.isdisjoint(_set(said))
