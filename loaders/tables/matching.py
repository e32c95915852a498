"""Cells of a table are matched with places by code, name or address: exactly, or by a stated rule; never by likeness."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, Protocol

from core.language import Text
from loaders.tables.divisions import Change, Divisions, division, parents
from loaders.tables.values import half_width
from loaders.tables.words import bare_name, door, plain_address, plain_name

type Method = Literal["code", "name", "address"]
type How = Literal["exact", "form", "zeros", "changed", "above", "suffix", "door"]
type Why = Literal["empty", "unknown", "ambiguous", "split"]

HOW: Mapping[How, Text] = {
    "exact": Text("as written", "完全一致"),
    "form": Text("after normalising (width, blanks, prefix 156, closing zeros)", "规范化后一致(全半角、空格、156 前缀、末尾补零)"),
    "zeros": Text("after restoring leading zeros", "补回前导零后一致"),
    "changed": Text("by following renamed, recoded and merged units", "按区划更名、改码、合并追踪"),
    "above": Text("by the unit that the code lies in", "按编码所属的上级单元"),
    "suffix": Text("without a suffix such as 市 or 区", "省略“市”“区”等后缀后一致"),
    "door": Text("by road and number", "按道路与门牌号"),
}  # fmt: skip
WHY: Mapping[Why, Text] = {
    "empty": Text("empty", "为空"),
    "unknown": Text("no such place", "没有对应地点"),
    "ambiguous": Text("several places", "对应多个地点"),
    "split": Text("the unit was split", "原单元已拆分"),
}
_MOST_DIVISIONS = 0.9  # share of a field's values that must be codes of divisions for the rules of such to hold


class Outcome(NamedTuple):
    """What became of one cell: the place (by position) and how it was found, or why there is none."""

    place: int | None
    how: How | None = None
    why: Why | None = None
    steps: tuple[Change, ...] = ()
    several: tuple[int, ...] = ()  # the places of an ambiguous one
    split: tuple[Change, ...] = ()


class Matcher(Protocol):
    """Finds places."""

    def find(self, value: str, parent: str | None = None, year: int | None = None) -> Outcome:
        """The place that a cell stands for, within the parent and in the year of the table where these are known."""


def matcher(
    method: Method, values: Sequence[str | None], within: Sequence[str | None] | None, divisions: Divisions
) -> Matcher:
    """What finds places by these values of theirs; `within` are the names or codes of their parents."""
    if method == "code":
        return _Codes(values, divisions)
    return _Names(values, within, divisions) if method == "name" else _Addresses(values)


class _Codes:
    """Codes of any kind; those of divisions in all the forms that they are written in."""

    def __init__(self, values: Sequence[str | None], divisions: Divisions) -> None:
        plain = [plain_code(value) if value else None for value in values]
        forms = [division(code) if code else None for code in plain]
        are_divisions = sum(map(bool, forms)) >= _MOST_DIVISIONS * max(sum(map(bool, plain)), 1)
        self._raw = _index(values, str.strip)
        self._plain = _index(plain, str)
        self._divisions = _index(forms, str) if are_divisions else {}
        lengths = {len(code) for code in plain if code}
        self._length = lengths.pop() if len(lengths) == 1 else None
        self._changes = divisions

    def find(self, value: str, parent: str | None = None, year: int | None = None) -> Outcome:
        if not value.strip():
            return Outcome(None, why="empty")
        code = plain_code(value)
        form = division(code) if self._divisions else None
        if form is not None and len(form) == 6:
            followed = self._changes.follow(form, self._divisions, year)
            if followed.split:
                return Outcome(None, why="split", steps=followed.steps, split=followed.split)
            if followed.steps and followed.code:
                return _one(self._divisions[followed.code], "changed", followed.steps)
        return self._as_written(value.strip(), code, form, year)

    def _as_written(self, value: str, code: str, form: str | None, year: int | None) -> Outcome:
        if value in self._raw:
            return _one(self._raw[value], "exact")
        if code in self._plain:
            return _one(self._plain[code], "form")
        if form in self._divisions and form is not None:
            return _one(self._divisions[form], "form")
        if self._length and code.isdigit() and (padded := code.zfill(self._length)) in self._plain:
            return _one(self._plain[padded], "zeros")
        return self._above(form, year) if form is not None else Outcome(None, why="unknown")

    def _above(self, form: str, year: int | None) -> Outcome:
        """The nearest unit that a longer code lies in; a county's may have changed."""
        for above in parents(form):
            if len(above) == 6:
                followed = self._changes.follow(above, self._divisions, year)
                if followed.split:
                    return Outcome(None, why="split", steps=followed.steps, split=followed.split)
                if followed.code:
                    return _one(self._divisions[followed.code], "above", followed.steps)
            elif above in self._divisions:
                return _one(self._divisions[above], "above")
        return Outcome(None, why="unknown")


class _Names:
    """Names, each step looser than the one before, and none taken where it leads to two places.

    A suffix may lack on one side only: 朝阳 may be 朝阳区, 朝阳市 may not.
    """

    def __init__(self, values: Sequence[str | None], within: Sequence[str | None] | None, divisions: Divisions) -> None:
        plain = _index(values, plain_name)
        self._steps: tuple[tuple[How, dict[str, list[int]], Callable[[str], str]], ...] = (
            ("exact", _index(values, str.strip), str.strip),
            ("form", plain, plain_name),
            ("suffix", _index(values, bare_name), plain_name),
            ("suffix", plain, bare_name),
        )
        self._parents = [_parent_forms(one) for one in within] if within else None
        self._changes = divisions

    def find(self, value: str, parent: str | None = None, year: int | None = None) -> Outcome:
        if not value.strip():
            return Outcome(None, why="empty")
        found = self._look(value, parent)
        if found.why == "unknown" and (change := self._changes.renamed(value.strip(), year)):
            after = self._look(change.new_name, parent)
            return Outcome(after.place, "changed", steps=(change,)) if after.place is not None else found
        return found

    def _look(self, value: str, parent: str | None) -> Outcome:
        for how, index, form in self._steps:
            if places := self._inside(index.get(form(value), ()), parent):
                return _one(places, how)
        return Outcome(None, why="unknown")

    def _inside(self, places: Sequence[int], parent: str | None) -> Sequence[int]:
        if self._parents is None or not parent:
            return places
        wanted = _parent_forms(parent)
        return [place for place in places if wanted & self._parents[place]]


class _Addresses:
    """Addresses: as written, after normalising, and then by road and number where no unit above contradicts."""

    def __init__(self, values: Sequence[str | None]) -> None:
        self._raw, self._plain = _index(values, str.strip), _index(values, plain_address)
        self._doors = [door(value) if value else None for value in values]
        names = [one.name if one else None for one in self._doors]
        self._names = _index(names, str)

    def find(self, value: str, parent: str | None = None, year: int | None = None) -> Outcome:
        if not value.strip():
            return Outcome(None, why="empty")
        if value.strip() in self._raw:
            return _one(self._raw[value.strip()], "exact")
        if (plain := plain_address(value)) in self._plain:
            return _one(self._plain[plain], "form")
        wanted = door(value)
        near = self._names.get(wanted.name, ()) if wanted else ()
        places = [place for place in near if wanted and (there := self._doors[place]) and wanted.may_be(there)]
        return _one(places, "door") if places else Outcome(None, why="unknown")


def plain_code(text: str) -> str:
    """A code as a key: half-width, no blanks, upper case, without the mark and the .0 that spreadsheets add."""
    code = "".join(half_width(text).split()).upper().removeprefix("'")
    whole = code.removesuffix(".0")
    return whole if whole.isdigit() else code


def _one(places: Sequence[int], how: How, steps: tuple[Change, ...] = ()) -> Outcome:
    if len(places) > 1:
        return Outcome(None, why="ambiguous", several=tuple(places))
    return Outcome(places[0], how, steps=steps)


def _index(values: Iterable[str | None], form: Callable[[str], str | None]) -> dict[str, list[int]]:
    index: defaultdict[str, list[int]] = defaultdict(list)
    for place, value in enumerate(values):
        if value and (key := form(value)):
            index[key].append(place)
    return dict(index)


def _parent_forms(text: str | None) -> frozenset[str]:
    """A parent may be written by name, with or without its suffix, or by code."""
    if not text or not text.strip():
        return frozenset()
    code = division(plain_code(text))
    return frozenset({plain_name(text), bare_name(text)} | ({code} if code else set()))
