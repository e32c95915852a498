"""Objects of a drawing, put together from records: a polyline has its vertices behind it, a symbol its attributes."""

from collections.abc import Iterator

from loaders.cass.shapes import Drawn
from loaders.cass.tags import Record

_FOLLOWERS = {b"POLYLINE": b"VERTEX", b"INSERT": b"ATTRIB"}
_ENDS = frozenset({b"ENDSEC", b"SECTION", b"ENDBLK", b"BLOCK"})


class Records:
    """A stream of records from which one can be handed back."""

    def __init__(self, stream: Iterator[Record]) -> None:
        self._stream = stream
        self._back: Record | None = None

    def __iter__(self) -> Iterator[Record]:
        return self

    def __next__(self) -> Record:
        record, self._back = self._back, None
        return record if record is not None else next(self._stream)

    def hand_back(self, record: Record) -> None:
        """Let the next one to ask have this record."""
        self._back = record


def objects(records: Records) -> Iterator[Drawn]:
    """The objects up to the end of a section or of a block's definition, which is handed back."""
    for record in records:
        if record.kind in _FOLLOWERS:
            yield _whole(record, records)
        elif record.kind in _ENDS:
            records.hand_back(record)
            return
        elif record.kind != b"SEQEND":
            yield Drawn(record, [])


def _whole(head: Record, records: Records) -> Drawn:
    """An object with all that follows it; a sequence without its end stops before what does not belong to it."""
    follower, parts = _FOLLOWERS[head.kind], list[Record]()
    if head.kind == b"INSERT" and b"1" not in (head.get(66) or b""):
        return Drawn(head, parts)
    for record in records:
        if record.kind == follower:
            parts.append(record)
        else:
            if record.kind != b"SEQEND":
                records.hand_back(record)
            break
    return Drawn(head, parts)
