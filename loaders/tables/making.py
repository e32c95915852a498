"""What a joined table becomes: fields, a key, a filled staging table, and what the catalogue says of it."""

from collections.abc import Sequence
from dataclasses import replace

from core.catalogue import Dataset
from core.database import Connection
from core.language import Text
from loaders.candidate import Candidate
from loaders.options import Described
from loaders.tables.fields import Columns, Keyed, about, make_fields, make_keys, time_field
from loaders.tables.filling import fill
from loaders.tables.finding import column_of
from loaders.tables.options import JoinOptions
from loaders.tables.reading import Sheet
from loaders.tables.rows import Match
from loaders.tables.years import Years


def make_candidate(
    connection: Connection, id_: str, match: Match, columns: Columns, years: Years, options: JoinOptions
) -> Candidate:
    """The staging table, filled, and what the catalogue shall say of it."""
    sheet = match.body.keep(match.rows)
    reads = tuple(one.keep(match.rows) for one in columns.reads)
    own_years = [match.years[row] for row in match.rows]
    keyed = _keyed(sheet, match, (years.column, own_years), options)
    keys = match.way.places.keys
    places = [keys[one.place] if one.place is not None else None for one in match.outcomes]
    key, made = make_fields(sheet, columns._replace(reads=reads), keyed, places, (years.column, own_years))
    staging = fill(connection, match.way.places.dataset, key, made, places)
    title = next(iter(sheet.table.titles), None) or sheet.table.shown.name.split(".")[0]
    return Candidate(
        id=id_,
        staging=staging,
        title=Text(title, title),
        described=_described(match, sheet, years.told(own_years), options.described),
        source=sheet.table.shown.name,
        time=time_field(made),
        about_fields=about(made),
    )


def _keyed(sheet: Sheet, match: Match, years: tuple[int | None, Sequence[int | None]], options: JoinOptions) -> Keyed:
    """The columns that the key is made of: parent, place, year, and what else tells rows apart."""
    within = [column_of(sheet, options.within.column)] if options.within else []
    year = [years[0]] if years[0] is not None else []
    by = [column_of(sheet, name) for name in options.by]
    columns = list(dict.fromkeys([*within, match.way.column, *year, *by]))
    return make_keys(sheet, columns, match.way.column, match.outcomes, match.row_numbers, years)


def _described(match: Match, sheet: Sheet, year: str | None, described: Described) -> Described:
    """Where the numbers and the places come from, if the user says nothing else."""
    if described.description_en or described.description_zh:
        return described
    dataset: Dataset = match.way.places.dataset
    column, file = sheet.headers[match.way.column].title, sheet.table.shown.name
    of_year = Text(f", statistics of {year}" if year else "", f",统计年份 {year}" if year else "")
    return replace(
        described,
        description_en=f"From {file}{of_year.en}; joined by {column} to release {dataset.release} of {dataset.id}.",
        description_zh=f"来源 {file}{of_year.zh};按{column}关联到 {dataset.id} 第 {dataset.release} 版。",
    )
