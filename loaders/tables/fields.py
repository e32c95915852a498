"""What columns of a table become: fields with their names, titles and units, and the key that tells rows apart."""

import itertools
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import pyarrow as pa

from core.catalogue import CLEARANCE, GEOMETRY, RELEASE, VALID_FROM, VALID_TO, Field
from core.language import Text
from loaders.layer import Note
from loaders.staging import postgres_type
from loaders.tables.errors import MergedValues, SeveralRows
from loaders.tables.finding import column_of
from loaders.tables.headers import title_unit, unit_of
from loaders.tables.matching import Outcome
from loaders.tables.options import JoinOptions
from loaders.tables.reading import Sheet
from loaders.tables.values import Read, read_column

_EXAMPLES = 3
PLACE = Text("Key of the place", "所关联地点的主键")
AS_OF = Text("Last day of the statistic's year", "统计年份末日")
ID = Text("Place and what tells its rows apart", "地点与区分各行的列")


class Made(NamedTuple):
    """A field of the data set: its name, what is known of it, and its values."""

    name: str
    title: Text
    unit: str | None  # UCUM
    values: pa.Array

    @property
    def field(self) -> Field:
        """It as a table's column."""
        return Field(self.name, postgres_type(self.values.type))

    @property
    def about(self) -> dict[str, Any]:
        """It as the catalogue keeps it."""
        return {"title": self.title._asdict()} | ({"unit": self.unit} if self.unit else {})


class Columns(NamedTuple):
    """The columns of a sheet as they were read: values, and the units as written."""

    reads: tuple[Read, ...]
    units: tuple[str | None, ...]
    notes: tuple[Note, ...]


def read_columns(sheet: Sheet, texts: Sequence[int], years: int | None, options: JoinOptions) -> Columns:
    """Read all columns of a sheet; `texts` are columns of codes and names, which stay text, `years` that of years."""
    given = {column_of(sheet, name): unit for name, unit in options.units.items()}
    reads = tuple(
        Read(sheet.column(place).combine_chunks()) if place in texts else read_column(sheet.column(place))
        for place in range(len(sheet.headers))
    )
    general = title_unit(sheet.table.titles)
    units = tuple(
        given.get(place)
        or one.unit
        or ("%" if reads[place].percent else general if reads[place].is_number and place != years else None)
        for place, one in enumerate(sheet.headers)
    )
    for place in sheet.table.merged:
        if reads[place].is_number and place != years:
            raise MergedValues(path=sheet.table.shown, column=sheet.headers[place].title)
    return Columns(reads, units, (*_general_note(sheet, general), *_mark_note(reads), *_odd_notes(sheet, reads)))


def _general_note(sheet: Sheet, unit: str | None) -> tuple[Note, ...]:
    if unit is None or all(one.unit for one in sheet.headers):
        return ()
    text = Text(
        f"The title gives the unit {unit}: it is taken for all numbers that name none of their own.",
        f"标题注明单位为{unit}:未单独注明单位的数值列均按此单位。",
    )
    return (Note("unit-of-all", text),)


def _mark_note(reads: Sequence[Read]) -> tuple[Note, ...]:
    count = sum(read.marks for read in reads)
    text = Text(
        f"Cells such as — and … in columns of numbers, left empty: {count}.",
        f"数值列中的“—”“…”等 {count} 个单元格已置空。",
    )
    return (Note("marks-emptied", text),) if count else ()


def _odd_notes(sheet: Sheet, reads: Sequence[Read]) -> tuple[Note, ...]:
    return tuple(
        Note(
            "number-unread",
            Text(
                f"{one.title} stays text: {read.odd_count} of its values are no number, such as {read.odd!r}.",
                f"{one.title} 列按文本保存:有 {read.odd_count} 个值不是数字,如“{read.odd}”。",
            ),
        )
        for one, read in zip(sheet.headers, reads, strict=True)
        if read.odd
    )


class Keyed(NamedTuple):
    """What tells rows apart: columns of the sheet by position, the first of which names the place."""

    columns: tuple[int, ...]
    values: list[str]


def make_keys(
    sheet: Sheet,
    columns: Sequence[int],
    column: int,
    outcomes: Sequence[Outcome],
    numbers: Sequence[int],
    years: tuple[int | None, Sequence[int | None]],
) -> Keyed:
    """The key of each row, made of `columns`; `column` is the one that names the place. Raises `SeveralRows`.

    Rows of one place are told apart too, but for those that were led there from different units.
    """
    texts = {place: sheet.texts(place) for place in {*columns, column}}
    if years[0] is not None:
        texts[years[0]] = [str(year or "") for year in years[1]]
    keys = [
        "-".join(filter(None, cells)) if texts[column][row] else f"#{numbers[row]}"
        for row, cells in enumerate(zip(*(texts[place] for place in columns), strict=True))
    ]
    rest = [place for place in columns if place != column]
    spots = [
        (one.place, *(texts[place][row] for place in rest)) if one.how not in ("changed", "above", None) else keys[row]
        for row, one in enumerate(outcomes)
    ]
    for told in (keys, spots):
        if repeated := _repeated(told):
            rows = list(repeated)[:_EXAMPLES]
            examples = ", ".join(f"{keys[same[0]]} ({', '.join(str(numbers[n]) for n in same[:5])})" for same in rows)
            raise SeveralRows(examples=examples)
    return Keyed(tuple(columns), keys)


def _repeated(values: Sequence[object]) -> list[list[int]]:
    rows: defaultdict[object, list[int]] = defaultdict(list)
    for row, value in enumerate(values):
        rows[value].append(row)
    return [same for same in rows.values() if len(same) > 1]


def make_fields(
    sheet: Sheet,
    columns: Columns,
    keyed: Keyed,
    places: Sequence[str | None],
    years: tuple[int | None, Sequence[int | None]],
) -> tuple[str, list[Made]]:
    """All fields of the data set, and the name of its key; `places` are keys, `years` the column of years and the years."""
    taken = {GEOMETRY, RELEASE, CLEARANCE, VALID_FROM, VALID_TO}
    own = []
    for place, (header, read, unit) in enumerate(zip(sheet.headers, columns.reads, columns.units, strict=True)):
        name = _free(header.name, taken)
        values = pa.array(years[1], pa.int64()) if place == years[0] else read.values
        own.append(Made(name, Text(header.title, header.title), unit_of(unit).ucum if unit else None, values))
    made = [Made(_free("place", taken), PLACE, None, pa.array(places, pa.string()))]
    if any(year is not None for year in years[1]):
        ends = [date(year, 12, 31) if year is not None else None for year in years[1]]
        made.append(Made(_free("as_of", taken), AS_OF, None, pa.array(ends, pa.date32())))
    if len(keyed.columns) == 1 and keyed.values == sheet.texts(keyed.columns[0]):
        key = keyed.columns[0]
        own[key] = own[key]._replace(values=pa.array(keyed.values, pa.string()))
        return own[key].name, [*own, *made]
    id_ = Made(_free("id", taken), ID, None, pa.array(keyed.values, pa.string()))
    return id_.name, [id_, *own, *made]


def time_field(made: Sequence[Made]) -> str | None:
    """The field that `datetime=` asks."""
    return next((one.name for one in made if one.title == AS_OF), None)


def about(made: Sequence[Made]) -> Mapping[str, Any]:
    """What the catalogue keeps of all fields."""
    return {one.name: one.about for one in made}


def _free(name: str, taken: set[str]) -> str:
    """`name`, or `name` with the first number behind it that no other field has."""
    free = next(
        candidate
        for n in itertools.count(1)
        if (candidate := name if n == 1 else f"{name}_{n}").casefold() not in taken
    )
    taken.add(free.casefold())
    return free
