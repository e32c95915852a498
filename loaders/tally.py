"""Counts of what had to be done to values while they streamed by, and the notes made of them."""

from collections import Counter

from core.language import Text
from loaders.layer import Note

_SENTENCES = {
    "text-replaced": Text(
        "Values that are not valid text in their encoding, with \ufffd in place of what was lost: {n}. "
        "Try another --encoding.",
        "{n} 个值不符合其编码,丢失的字符以 \ufffd 代替;可尝试其他 --encoding。",
    ),
    "text-cut": Text(
        "Values cut inside their last character by the source, that half being dropped: {n}.",
        "{n} 个值在源数据中被截断于半个字符,已舍去该半个字符。",
    ),
    "nul-removed": Text(
        "NUL characters, which PostgreSQL cannot hold, removed from texts: {n}.",
        "已从文本中删除 {n} 个 PostgreSQL 不能存储的 NUL 字符。",
    ),
    "time-unread": Text(
        "Values that are no date or time, left empty: {n}.",
        "{n} 个值不是有效的日期时间,已置空。",
    ),
    "time-zone-assumed": Text(
        "Times without a zone in a column whose other times have one, taken as UTC: {n}.",
        "{n} 个时间值缺少时区,而该列其他值带有时区;已按 UTC 处理。",
    ),
    "time-zone-dropped": Text(
        "Times with a zone in a column that began without, of which the local time was kept: {n}.",
        "{n} 个时间值带有时区,而该列起始处无时区;已保留当地时间并舍去时区。",
    ),
    "geometry-unread": Text(
        "Rows whose coordinates or WKT cannot be read, kept without geometry: {n}.",
        "{n} 行的坐标或 WKT 无法解析;保留该行,几何置空。",
    ),
    "row-uneven": Text(
        "Rows with fewer or more values than the header has columns, mended: {n}.",
        "{n} 行的值数与表头列数不符,已补齐。",
    ),
    "feature-unread": Text(
        "Objects that cannot be read, left out: {n}.",
        "{n} 个对象无法读取,未加载。",
    ),
}


class Tally:
    """What befell the values of one layer, counted by the code of the note it makes."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._said: dict[str, Note] = {}

    def add(self, code: str, count: int = 1) -> None:
        """Count something; a count of nothing says nothing."""
        if count:
            self._counts[code] += count

    def say(self, note: Note) -> None:
        """Keep a ready-made note, once."""
        self._said.setdefault(note.text.en, note)

    def notes(self) -> tuple[Note, ...]:
        """All that was counted and said so far."""
        counted = (
            Note(code, Text(_SENTENCES[code].en.format(n=n), _SENTENCES[code].zh.format(n=n)))
            for code, n in self._counts.items()
        )
        return (*counted, *self._said.values())

    def clear(self) -> None:
        """Forget the counts: a stream begins anew."""
        self._counts.clear()
