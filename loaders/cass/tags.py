"""A DXF file as a stream of records: group codes and raw values from one group code 0 to the next.

The file is never held as a whole: a drawing of half a million objects takes seconds and a few megabytes here.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import BinaryIO, NamedTuple

from core.language import Text

_CHUNK = 1 << 20  # bytes
_LONGEST = 4 << 20  # bytes that a line may have; DXF itself allows 2 049


class BadTag(Exception):
    """A line that should be a group code and is none, or one that never ends; `why` is for the report."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


class Record(NamedTuple):
    """One object of a drawing: its kind, and all of its group codes with their values as they stand in the file."""

    kind: bytes
    codes: list[int]
    values: list[bytes]

    def get(self, code: int) -> bytes | None:
        """The first value of a group code."""
        return self.values[self.codes.index(code)] if code in self.codes else None

    def all(self, code: int) -> list[bytes]:
        """All values of a group code."""
        return [value for one, value in zip(self.codes, self.values, strict=True) if one == code]

    def number(self, code: int, default: float = 0.0) -> float:
        """The first value of a group code as a number."""
        return float(self.values[self.codes.index(code)]) if code in self.codes else default

    def flags(self, code: int) -> int:
        """The first value of a group code as whole number; some programs write 1.0."""
        return int(self.number(code))


class Frame:
    """Where in the file the reader is, and what was amiss with the file's frame."""

    def __init__(self) -> None:
        self.line = 0
        self.ended = False  # the EOF mark was seen
        self.left_open = False  # a section had no end


def records(file: BinaryIO, frame: Frame) -> Iterator[Record]:
    """The records of a file from its beginning to its EOF mark, or to where it breaks off; raises `BadTag`.

    A record that the file's end may have cut is not given out unless the EOF mark follows it.
    """
    codes: list[int] = []
    values: list[bytes] = []
    for new_codes, new_values in _tags(file, frame):
        starts = [at for at, code in enumerate(new_codes) if code == 0]
        if not starts:
            codes += new_codes
            values += new_values
            continue
        codes += new_codes[: starts[0]]
        values += new_values[: starts[0]]
        if codes:
            yield Record(values[0].strip(), codes, values)
        for start, end in pairwise(starts):
            kind = new_values[start].strip()
            if kind == b"EOF":
                frame.ended = True
                return
            yield Record(kind, new_codes[start:end], new_values[start:end])
        codes, values = new_codes[starts[-1] :], new_values[starts[-1] :]
        if values[0].strip() == b"EOF":
            frame.ended = True
            return


class _Codes(dict[bytes, int]):
    """Group codes by the bytes they are written in, each read once."""

    def __missing__(self, raw: bytes) -> int:
        try:
            code = int(raw)
        except ValueError:
            raise BadTag(_NO_CODE) from None
        if len(self) < 100_000:
            self[raw] = code
        return code


_NO_CODE = Text("a line that should be a group code is none", "应为组码的行不是组码")
_TOO_LONG = Text("a line is longer than 4 MB", "有一行超过 4 MB")


def _tags(file: BinaryIO, frame: Frame) -> Iterator[tuple[list[int], list[bytes]]]:
    """The group codes and values of one chunk after another, comments left out."""
    known, rest, held = _Codes(), b"", [b""][:0]
    while True:
        chunk = file.read(_CHUNK)
        text = rest + chunk if chunk else rest + b"\n" * bool(rest)
        end = text.rfind(b"\n") + 1
        rest = text[end:]
        if len(rest) > _LONGEST:
            raise BadTag(_TOO_LONG)
        lines = held + text[:end].replace(b"\r\n", b"\n").split(b"\n")[:-1]
        held = [lines.pop()] if len(lines) % 2 else []
        try:
            codes = list(map(known.__getitem__, lines[0::2]))
        except BadTag as error:
            at = frame.line + 1 + 2 * next(n for n, raw in enumerate(lines[0::2]) if not _is_code(raw))
            raise BadTag(Text(f"line {at} should be a group code", f"第 {at} 行应为组码")) from error
        values = lines[1::2]
        frame.line += len(lines)
        if 999 in codes:
            kept = [at for at, code in enumerate(codes) if code != 999]
            codes, values = [codes[at] for at in kept], [values[at] for at in kept]
        if codes:
            yield codes, values
        if not chunk:
            return


def _is_code(raw: bytes) -> bool:
    return raw.strip().removeprefix(b"-").isdigit()
