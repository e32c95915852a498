"""Which features of an increment belong to the same change: those that became each other, however far that reaches."""

from collections.abc import Iterable, Iterator

type Side = tuple[bool, str]  # whether it is an old feature, and its key


def groups(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, bool, int]]:
    """Each feature of the pairs (before, after) with the number of its change: (key, old, number)."""
    parent: dict[Side, Side] = {}

    def root(one: Side) -> Side:
        while parent.setdefault(one, one) != one:
            parent[one] = one = parent[parent[one]]
        return one

    for before, after in pairs:
        parent[root((True, before))] = root((False, after))
    numbers: dict[Side, int] = {}
    for old, key in list(parent):
        number = numbers.setdefault(root((old, key)), len(numbers) + 1)
        yield key, old, number
