"""Dates and times written as text, with and without a zone, as Arrow's own."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.compute as pc

from loaders.tally import Tally

_ZONE = r":\d{2}(?:\.\d+)?\s?(?:[Zz]|[+-]\d{2}(?::?\d{2})?)$"


def iso(array: pa.Array) -> pa.Array:
    """Write 2024/1/5, 2024年1月5日 and 2024-01-05 9:30 as ISO 8601 does; other text stays as it is."""
    array = pc.utf8_trim_whitespace(array)
    day = r"^(\d{4})\s?[-/.年]\s?(\d{1,2})\s?[-/.月]\s?(\d{1,2})日?"
    array = pc.replace_substring_regex(array, day, r"\1-0\2-0\3")
    array = pc.replace_substring_regex(array, r"^(\d{4})-0?(\d{2})-0?(\d{2})", r"\1-\2-\3")
    return pc.replace_substring_regex(array, r"^(\d{4}-\d{2}-\d{2})(?:T|\s+)(\d):", r"\1T0\2:")


def have_zone(array: pa.Array) -> bool:
    """Whether any of some ISO date-times ends with Z or an offset."""
    return bool(pc.any(pc.match_substring_regex(array, _ZONE)).as_py())


class Moments:
    """Reads a column of date-time texts: as UTC instants if `zoned`, else as local times."""

    def __init__(self, tally: Tally, *, zoned: bool) -> None:
        self.type = pa.timestamp("us", "UTC" if zoned else None)
        self._tally = tally
        self._zoned = zoned

    def __call__(self, array: pa.Array) -> pa.Array:
        """Read all values at once if they are alike, else one by one."""
        try:
            return array.cast(self.type)
        except pa.ArrowInvalid:
            texts = iso(array).to_pylist()
            return pa.array([None if not text else self._read(text) for text in texts], self.type)

    def _read(self, text: str) -> datetime | None:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            self._tally.add("time-unread")
            return None
        if self._zoned and moment.tzinfo is None:
            self._tally.add("time-zone-assumed")
            return moment.replace(tzinfo=UTC)
        if not self._zoned and moment.tzinfo is not None:
            self._tally.add("time-zone-dropped")
            return moment.replace(tzinfo=None)
        return moment
