"""How a table is joined: by the columns that are named, else by those whose values fit; two that differ are asked about."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from core.language import Text
from loaders.tables.aside import parent_totals
from loaders.tables.divisions import Divisions, division
from loaders.tables.errors import NoSuchTableColumn, NothingFits, SeveralFit
from loaders.tables.headers import YEAR_NAMES
from loaders.tables.matching import Method, Outcome, matcher, plain_code
from loaders.tables.options import JoinOptions
from loaders.tables.places import Places
from loaders.tables.reading import Sheet
from loaders.tables.values import read_column

FITS = 0.8  # share of a column's different values that must be found among the places
_UNIQUE = 0.9  # share of a field's values that must be different for it to tell places apart
_SHORTEST = 4  # characters of a code: shorter ones fit by chance
_LOOK = 5000  # different values of a column that are tried
_LISTED = 3


class Way(NamedTuple):
    """A way to join: the places, and which column is matched with which of their fields, and why."""

    places: Places
    method: Method
    column: int
    field: str
    reason: Text
    share: float = 1.0
    found: tuple[tuple[str, str | None], ...] = ()  # values that were tried, with the key of their place
    names: tuple[int, str] | None = (
        None  # where codes are matched: the column and the field of names, to be held against
    )

    @property
    def name(self) -> str:
        """It as the options of the command line would have it."""
        option = {"code": "--on", "name": "--on-name", "address": "--on-address"}[self.method]
        return f"--to {self.places.dataset.id} {option} {{column}}={self.field}"


def find_way(
    sheet: Sheet, candidates: Sequence[Places], options: JoinOptions, divisions: Divisions, year: int | None
) -> Way:
    """The way to join a table: as named, or the one that fits.

    Raises `NothingFits`, `SeveralFit`, `NoSuchTableColumn`.
    """
    on = options.on
    if on and on.field and len(candidates) == 1:
        field = next(iter(candidates[0].values))
        reason = Text("as named", "由选项指定")
        return Way(candidates[0], options.method or "code", column_of(sheet, on.column), field, reason)
    columns = [column_of(sheet, on.column)] if on else _columns(sheet)
    tried = [way for places in candidates for way in _ways(sheet, columns, places, options.method, divisions, year)]
    fitting = [way for way in tried if way.share >= FITS]
    best = [way for way in fitting if way.method == "code"] or fitting
    if not best:
        raise _nothing(sheet, tried, candidates)
    best.sort(key=lambda way: (-way.share, way.field != way.places.dataset.key))
    for other in best[1:]:
        if not _agree(best[0], other):
            ways = ", ".join(_named(sheet, way) for way in (best[0], other))
            raise SeveralFit(path=sheet.table.shown, ways=ways)
    return _with_names(best[0], fitting)


def _with_names(way: Way, fitting: Sequence[Way]) -> Way:
    """A code that is one off leads to a place as well; the name beside it tells."""
    if way.method != "code":
        return way
    id_ = way.places.dataset.id
    return way._replace(
        names=next(
            ((one.column, one.field) for one in fitting if one.method == "name" and one.places.dataset.id == id_), None
        )
    )


def column_of(sheet: Sheet, name: str) -> int:
    """The position of a column that the user names, by its name or by all of its header."""
    wanted = " ".join(name.split()).casefold()
    for forms in ([one.name for one in sheet.headers], [one.title for one in sheet.headers]):
        if wanted in (folded := [form.casefold() for form in forms]):
            return folded.index(wanted)
    raise NoSuchTableColumn(column=name, columns=", ".join(one.title[:40] for one in sheet.headers[:20]))


def _columns(sheet: Sheet) -> list[int]:
    """Columns that may hold codes or names: not years."""
    return [place for place, header in enumerate(sheet.headers) if header.name.casefold() not in YEAR_NAMES]


def _ways(
    sheet: Sheet, columns: Sequence[int], places: Places, asked: Method | None, divisions: Divisions, year: int | None
) -> Iterator[Way]:
    for field, values in places.values.items():
        present = [value for value in values if value]
        if not present or len(set(present)) < _UNIQUE * len(present):
            continue
        for method in (asked,) if asked else _methods(places, field, present):
            finder = matcher(method, values, None, divisions)
            for column in columns:
                cells = _cells(sheet, column, method, asked is not None)
                if not cells:
                    continue
                outcomes = [finder.find(cell, year=year) for cell in cells]
                yield _way(sheet, places, method, column, field, cells, outcomes)


def _methods(places: Places, field: str, present: Sequence[str]) -> tuple[Method, ...]:
    """A field of numbers fits counts of anything by chance, so that only codes of divisions may be numbers."""
    if dict(places.dataset.fields).get(field) == "text":
        return ("name",) if not any(any(map(str.isdigit, one)) for one in present[:_LOOK]) else ("code",)
    return ("code",) if all(division(one) for one in present[:_LOOK]) else ()


def _cells(sheet: Sheet, column: int, method: Method, sure: bool) -> list[str]:
    """The different values of a column to try; none where it cannot hold what is sought."""
    cells = [cell for cell in dict.fromkeys(sheet.texts(column)) if cell][:_LOOK]
    if sure:
        return cells
    if method == "code":
        cells = [cell for cell in cells if len(plain_code(cell)) >= _SHORTEST and "." not in plain_code(cell)]
    elif read_column(sheet.column(column)).is_number:
        return []
    return cells


def _way(
    sheet: Sheet,
    places: Places,
    method: Method,
    column: int,
    field: str,
    cells: Sequence[str],
    outcomes: Sequence[Outcome],
) -> Way:
    """What share fits: a longer code fits any unit above it and is no sign; a unit that was split, or a name twice, is."""
    told = ("split", "ambiguous") if method == "name" else ("split",)
    hits = sum((one.place is not None and one.how != "above") or one.why in told for one in outcomes)
    tried = len(cells) - (len(parent_totals(cells, outcomes, range(len(cells)))) if method == "code" else 0)
    found = tuple(
        (cell, places.keys[one.place] if one.place is not None else None)
        for cell, one in zip(cells, outcomes, strict=True)
    )
    header, id_ = sheet.headers[column].title, places.dataset.id
    reason = Text(
        f"{hits} of {tried} different values of {header} are {field} of {id_}",
        f"{header} 列的 {tried} 个不同值中有 {hits} 个与 {id_} 的 {field} 相符",
    )
    return Way(places, method, column, field, reason, hits / max(tried, 1), found)


def _agree(one: Way, other: Way) -> bool:
    """Whether two ways lead to the same places: 220202 and 156220202 do."""
    if one.places.dataset.id != other.places.dataset.id:
        return False
    return one.column == other.column and one.found == other.found


def _named(sheet: Sheet, way: Way) -> str:
    return way.name.format(column=sheet.headers[way.column].title)


def _nothing(sheet: Sheet, tried: Sequence[Way], candidates: Sequence[Places]) -> NothingFits:
    closest = sorted((way for way in tried if way.share > 0), key=lambda way: -way.share)[:_LISTED]
    listed = ", ".join(f"{_named(sheet, way)} ({way.share:.0%})" for way in closest)
    datasets = ", ".join(one.dataset.id for one in candidates[:20])
    return NothingFits(path=sheet.table.shown, dataset=datasets or "-", closest=listed or "-")
