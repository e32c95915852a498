"""The year that a statistic is of: said by the user, by a column, by the title, the sheet or the file's name."""

import re
from collections.abc import Container, Sequence
from typing import NamedTuple

from core.language import Text
from loaders.tables.errors import NoYear, WhichYear
from loaders.tables.finding import column_of
from loaders.tables.headers import YEAR_NAMES, years_in
from loaders.tables.options import JoinOptions
from loaders.tables.reading import Sheet
from loaders.tables.values import half_width


class Years(NamedTuple):
    """The column of years, else the one year; neither where nothing tells."""

    column: int | None = None
    single: int | None = None
    reason: Text | None = None

    def of(self, sheet: Sheet, aside: Container[int] = ()) -> list[int | None]:
        """The year of each row; raises `NoYear`, but not for rows (by position) that are no places."""
        if self.column is None:
            return [self.single] * sheet.rows.num_rows
        title = sheet.headers[self.column].title
        years = [_year(cell) for cell in sheet.texts(self.column)]
        for row, (cell, year) in enumerate(zip(sheet.texts(self.column), years, strict=True)):
            if cell and year is None and row not in aside:
                raise NoYear(column=title, value=cell[:60])
        return years

    def told(self, years: Sequence[int | None]) -> str | None:
        """The years of all rows in a word, such as 2019–2023."""
        known = sorted({year for year in years if year is not None})
        return "–".join(map(str, dict.fromkeys([known[0], known[-1]]))) if known else None


def find_years(sheet: Sheet, options: JoinOptions) -> Years:
    """Where the year is told; what the user says goes first, a column before a title. Raises `WhichYear`."""
    if options.year_field is not None:
        column = column_of(sheet, options.year_field)
        return Years(column, reason=_by_column(sheet, column))
    if options.year is not None:
        return Years(single=options.year, reason=Text("given by --year", "由 --year 指定"))
    named = [place for place, one in enumerate(sheet.headers) if one.name.casefold() in YEAR_NAMES]
    if len(named) == 1:
        return Years(named[0], reason=_by_column(sheet, named[0]))
    return _told(sheet)


def _by_column(sheet: Sheet, column: int) -> Text:
    title = sheet.headers[column].title
    return Text(f"by the column {title}", f"取自 {title} 列")


def _told(sheet: Sheet) -> Years:
    """Titles, the sheet's name and the file's may each tell one year, and must not differ."""
    table = sheet.table
    told = {title: years_in(title) for title in (*table.titles, table.name, table.shown.name.split(".")[0])}
    single = {text: years[0] for text, years in told.items() if len(years) == 1}
    if not single:
        return Years()
    if len(set(single.values())) > 1:
        raise WhichYear(found=", ".join(f"{year} ({text[:60]})" for text, year in single.items()))
    text, year = next(iter(single.items()))
    return Years(single=year, reason=Text(f"told by {text[:60]!r}", f"取自“{text[:60]}”"))


def _year(cell: str) -> int | None:
    match = re.fullmatch(r"((?:19|20)\d{2})(?:\.0)?\s*年?度?(?:末|底)?", half_width(cell))
    return int(match[1]) if match else None
