"""Field names that a PostgreSQL table can have: never empty, at most 63 bytes, unique without regard to case."""

from collections.abc import Sequence

from core.language import Text
from loaders.layer import GEOMETRY, Note

LIMIT = 63  # bytes of UTF-8: PostgreSQL's NAMEDATALEN less one
_TAKEN = {GEOMETRY, "tableoid", "xmin", "xmax", "cmin", "cmax", "ctid"}  # a batch's own column; PostgreSQL's own
_LISTED = 10


def distinct(names: Sequence[str]) -> tuple[list[str], tuple[Note, ...]]:
    """Make `names` usable as column names, in order; the note lists those that had to change."""
    seen = set(_TAKEN)
    result = []
    for position, name in enumerate(names, start=1):
        clean = "".join(letter for letter in name if letter.isprintable()).strip() or f"field_{position}"
        unique = _free(cut(clean), seen)
        seen.add(unique.casefold())
        result.append(unique)
    changed = [(old, new) for old, new in zip(names, result, strict=True) if old != new]
    return result, ((_renamed(changed),) if changed else ())


def cut(name: str, limit: int = LIMIT) -> str:
    """The longest beginning of `name` of at most `limit` bytes that ends with a whole character."""
    return name.encode("utf-8", "replace")[:limit].decode("utf-8", "ignore")


def _free(name: str, seen: set[str]) -> str:
    """`name`, or `name` with the first number that makes it new."""
    number, candidate = 1, name
    while candidate.casefold() in seen:
        number += 1
        suffix = f"_{number}"
        candidate = cut(name, LIMIT - len(suffix)) + suffix
    return candidate


def _renamed(changed: Sequence[tuple[str, str]]) -> Note:
    listed = ", ".join(f"{old!r} -> {new}" for old, new in changed[:_LISTED])
    more = len(changed) - _LISTED
    return Note(
        "field-renamed",
        Text(
            f"Fields were renamed to be unique and at most {LIMIT} bytes: {listed}"
            + (f" and {more} more." if more > 0 else "."),
            f"为保证字段名唯一且不超过 {LIMIT} 字节,已重命名:{listed}" + (f" 等另 {more} 个。" if more > 0 else "。"),
        ),
    )
