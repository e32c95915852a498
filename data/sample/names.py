"""Made-up names for streets, from words that any Chinese city uses."""

from typing import NamedTuple

import numpy as np
import shapely

from data.sample.shapes import Flags, Ints, Texts, xy
from data.sample.streets import ARTERIAL, EXPRESSWAY, Lines

WORDS = (
    ("人民", "Renmin"), ("解放", "Jiefang"), ("文化", "Wenhua"), ("建设", "Jianshe"), ("和谐", "Hexie"),
    ("光明", "Guangming"), ("胜利", "Shengli"), ("团结", "Tuanjie"), ("青年", "Qingnian"), ("新华", "Xinhua"),
    ("工业", "Gongye"), ("学府", "Xuefu"), ("长安", "Chang'an"), ("东风", "Dongfeng"), ("红旗", "Hongqi"),
    ("朝阳", "Chaoyang"), ("友谊", "Youyi"), ("幸福", "Xingfu"), ("平安", "Ping'an"), ("兴业", "Xingye"),
    ("永昌", "Yongchang"), ("安定", "Anding"), ("富强", "Fuqiang"), ("民生", "Minsheng"), ("振兴", "Zhenxing"),
    ("创新", "Chuangxin"), ("科技", "Keji"), ("体育", "Tiyu"), ("育才", "Yucai"), ("崇文", "Chongwen"),
    ("康宁", "Kangning"), ("锦绣", "Jinxiu"), ("丰收", "Fengshou"), ("白桦", "Baihua"), ("松林", "Songlin"),
    ("柳岸", "Liu'an"), ("杏花", "Xinghua"), ("丁香", "Dingxiang"), ("春城", "Chuncheng"), ("雪松", "Xuesong"),
    ("北辰", "Beichen"), ("南湖", "Nanhu"), ("西岭", "Xiling"), ("东升", "Dongsheng"), ("中兴", "Zhongxing"),
    ("通达", "Tongda"), ("顺和", "Shunhe"), ("吉祥", "Jixiang"), ("瑞祥", "Ruixiang"), ("景阳", "Jingyang"),
    ("临江", "Linjiang"), ("滨河", "Binhe"), ("湖滨", "Hubin"), ("山前", "Shanqian"), ("广场", "Guangchang"),
    ("公园", "Gongyuan"), ("金融", "Jinrong"), ("商贸", "Shangmao"), ("物流", "Wuliu"), ("铁西", "Tiexi"),
    ("站前", "Zhanqian"), ("航空", "Hangkong"), ("机械", "Jixie"), ("化工", "Huagong"),
)  # fmt: skip
_DIGITS = "零一二三四五六七八九"


class StreetNames(NamedTuple):
    """The names of each line's street."""

    zh: Texts
    en: Texts


def name_streets(rng: np.random.Generator, lines: Lines) -> StreetNames:
    """Name every street once: 街 where it runs north and south, 路 where it runs east and west."""
    streets, first, line = np.unique(lines.streets, return_index=True, return_inverse=True)
    ranks, upright = lines.ranks[first], _runs_north(lines, line)
    turn = np.empty(len(streets), dtype=np.int64)
    turn[np.argsort(ranks, kind="stable")] = np.arange(len(streets))
    words = [WORDS[index] for index in rng.permutation(len(WORDS))]
    named = [_name(words, *street) for street in zip(turn.tolist(), ranks.tolist(), upright.tolist(), strict=True)]
    pairs = np.array(named, dtype=object).reshape(-1, 2)
    return StreetNames(pairs[line, 0], pairs[line, 1])


def _runs_north(lines: Lines, street: Ints) -> Flags:
    along = np.abs(xy(shapely.get_point(lines.shapes, -1)) - xy(shapely.get_point(lines.shapes, 0)))
    east, north = (np.bincount(street, weights=side) for side in along.T)
    return north > east


def _name(words: list[tuple[str, str]], turn: int, rank: int, upright: bool) -> tuple[str, str]:
    if rank == EXPRESSWAY:
        return "环城快速路", "Ring Expressway"
    series, word = divmod(turn, len(words))
    zh, en = words[word]
    main = rank == ARTERIAL
    number, count = (numeral(series), f" {series}") if series else ("", "")
    kind = ("大街" if main else "街") if upright else ("大路" if main else "路")
    return f"{zh}{number}{kind}", f"{en} {'Main ' if main else ''}{'Street' if upright else 'Road'}{count}"


def numeral(number: int) -> str:
    """1 to 999 in Chinese, as streets are numbered: 十二, 二十, 一百零三."""
    hundreds, rest = divmod(number, 100)
    tens, ones = divmod(rest, 10)
    text = f"{_DIGITS[hundreds]}百" if hundreds else ""
    if tens:
        text += ("" if tens == 1 and not hundreds else _DIGITS[tens]) + "十"
    elif hundreds and ones:
        text += "零"
    return text + (_DIGITS[ones] if ones else "")
