"""Names that the columns of a file can have."""

from collections.abc import Iterable, Sequence


def free_name(wanted: str, taken: Iterable[str]) -> str:
    """A name for a column that no other has, without regard to case."""
    others = {name.casefold() for name in taken}
    number, name = 1, wanted
    while name.casefold() in others:
        number += 1
        name = f"{wanted}_{number}"
    return name


def unchanged(names: Sequence[str]) -> list[str]:
    """The names as they are."""
    return list(names)


def short(names: Sequence[str]) -> list[str]:
    """Names as a dBASE table has them: ten bytes of UTF-8 at most, no character broken, none twice."""
    return _distinct(names, 10)


def xml(names: Sequence[str]) -> list[str]:
    """Names that elements of XML can have: letters, digits and a few signs, no digit first, none twice."""
    plain = ["".join(one if f"_{one}".isidentifier() or one in ".-" else "_" for one in name) for name in names]
    return _distinct([name if name[:1].isidentifier() else f"_{name}" for name in plain], 200)


def _distinct(names: Sequence[str], limit: int) -> list[str]:
    seen: set[str] = set()
    result = []
    for name in names:
        number, unique = 1, _cut(name, limit)
        while unique.casefold() in seen:
            number += 1
            unique = _cut(name, limit - len(f"_{number}")) + f"_{number}"
        seen.add(unique.casefold())
        result.append(unique)
    return result


def _cut(name: str, limit: int) -> str:
    return name.encode()[:limit].decode("utf-8", "ignore")
