"""Values as statistics write them: thousands separators, full-width digits, dashes for nothing, percents, numbers as text."""

import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

import pyarrow as pa

from loaders.columns import Words
from loaders.infer import Kind, narrow, typed
from loaders.tally import Tally

NOTHING = frozenset(
    {"", "-", "--", "—", "——", "–", "…", "……", "...", "/", "\\", "·", "N/A", "NA", "n/a", "null", "NULL"}
)
_NOTHING_ZH = frozenset({"无", "无数据", "暂无", "缺", "空"})
_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d{1,3})?")
_BLANKS = re.compile(r"[-+]?\d{1,3}(?: \d{3})+(?:\.\d+)?")  # 1 234 567
_CODE = re.compile(r"0\d+|\d{16,}")  # leading zeros, and more digits than a float holds: no number
_MOSTLY = 0.8  # share of numbers from which a column that is no number is worth a word


class Read(NamedTuple):
    """A column read: its values, whether they were percents, and what kept it from being a number."""

    values: pa.Array
    percent: bool = False
    marks: int = 0  # cells that say "nothing": — and the like
    odd: str | None = None  # the first value of a column of mostly numbers that is none
    odd_count: int = 0

    @property
    def is_number(self) -> bool:
        """Whether it holds amounts."""
        return bool(pa.types.is_integer(self.values.type) or pa.types.is_floating(self.values.type))

    def keep(self, rows: Sequence[int]) -> "Read":
        """The same with some of its rows, by position."""
        return self._replace(values=self.values.take(pa.array(rows, pa.int64())))


def half_width(text: str) -> str:
    """Full-width letters, digits and marks as half-width ones, without blanks at the ends."""
    return unicodedata.normalize("NFKC", text).strip()


def read_column(array: pa.ChunkedArray) -> Read:
    """Read a column of text cells as numbers if all are such, else as days or times, else as text."""
    coded = array.combine_chunks().dictionary_encode()
    words: list[str | None] = coded.dictionary.to_pylist()
    plain = [half_width(word) if word else "" for word in words]
    said = [one for one in plain if not _is_nothing(one)]
    odd = [one for one in said if _number(one) is None]
    if not said or odd or any(_CODE.fullmatch(one) for one in said):
        return _as_words(array, said, odd)
    numbers = [None if _is_nothing(one) else _number(one) for one in plain]
    whole = all("." not in one and "%" not in one and "e" not in one.lower() for one in said)
    type_ = pa.int64() if whole else pa.float64()
    values = pa.array([int(one) if whole and one is not None else one for one in numbers], type_).take(coded.indices)
    return Read(values, any("%" in one for one in said), array.length() - array.null_count - _filled(values))


def _as_words(array: pa.ChunkedArray, said: list[str], odd: list[str]) -> Read:
    words = Words(Tally())
    kind: Kind = "empty"
    for chunk in array.chunks:
        kind = narrow(kind, words(chunk))
    if kind in ("bool", "date", "local", "zoned"):
        _, convert = typed(kind, words)
        return Read(pa.concat_arrays([convert(words(chunk)) for chunk in array.chunks]))
    values = words(array.combine_chunks())
    mostly = said and odd and len(said) - len(odd) >= _MOSTLY * len(said)
    return Read(values, odd=odd[0] if mostly else None, odd_count=len(odd) if mostly else 0)


def _filled(values: pa.Array) -> int:
    return len(values) - int(values.null_count)


def _is_nothing(text: str) -> bool:
    return text in NOTHING or text in _NOTHING_ZH


def _number(text: str) -> float | None:
    """A number, a percent as its number of hundredths; None for anything else."""
    bare = text.removesuffix("%").strip()
    bare = bare.replace(" ", "") if _BLANKS.fullmatch(bare) else bare
    if not bare or not _NUMBER.fullmatch(bare) or not any(letter.isdigit() for letter in bare):
        return None
    return float(bare.replace(",", ""))
