"""The rows of a table and the places they speak of: each matched, or left aside, or told to have none."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from loaders.tables import report as told
from loaders.tables.aside import Row, find_aside, hold, parent_totals
from loaders.tables.divisions import Divisions
from loaders.tables.fields import Columns
from loaders.tables.finding import Way, column_of
from loaders.tables.matching import Outcome, matcher
from loaders.tables.options import JoinOptions
from loaders.tables.places import Places
from loaders.tables.reading import Sheet
from loaders.tables.report import Contradiction, Joined
from loaders.tables.years import Years


class Match(NamedTuple):
    """The rows of a table that are places or should be, what became of each, and what was left aside."""

    way: Way
    body: Sheet  # without the notes: rows of places, and totals
    numbers: list[int]  # of its rows in the source
    rows: list[int]  # of places, by position in the body
    totals: list[int]  # likewise
    cells: list[str]  # of each row of a place, as all that follows
    outcomes: list[Outcome]
    years: list[int | None]  # of the whole body
    aside: list[Row]
    contradicting: tuple[Contradiction, ...]

    @property
    def row_numbers(self) -> list[int]:
        """The numbers of the rows of places in the source."""
        return [self.numbers[row] for row in self.rows]


def match_rows(sheet: Sheet, way: Way, years: Years, options: JoinOptions, divisions: Divisions) -> Match:
    """Find the place of each row, and set aside what is none: notes, and totals that no place is named in."""
    said = {row.number: row for row in find_aside(sheet, way.column)}
    numbers = [n for n in range(1, sheet.rows.num_rows + 1) if n not in said or said[n].kind != "note"]
    body = sheet.keep([number - 1 for number in numbers])
    cells, parents = body.texts(way.column), _parents(body, options)
    told_years = years.of(body, {row for row, number in enumerate(numbers) if number in said})
    finder = matcher(way.method, way.places.values[way.field], _within(way.places, options), divisions)
    found = [finder.find(cell, parents[row] if parents else None, told_years[row]) for row, cell in enumerate(cells)]
    above = {row.number: row for row in parent_totals(cells, found, numbers)}
    placed = {number for number, one in zip(numbers, found, strict=True) if one.place is not None}
    no_places = {number: row for number, row in (above | said).items() if number not in placed}
    rows = [row for row, number in enumerate(numbers) if number not in no_places]
    return Match(
        way,
        body,
        numbers,
        rows=rows,
        totals=[row for row, n in enumerate(numbers) if n in no_places and no_places[n].kind == "total"],
        cells=[cells[row] for row in rows],
        outcomes=[found[row] for row in rows],
        years=told_years,
        aside=list(no_places.values()),
        contradicting=_contradicting(body, way, divisions, [(row, numbers[row], found[row]) for row in rows]),
    )


def _contradicting(
    body: Sheet, way: Way, divisions: Divisions, rows: Sequence[tuple[int, int, Outcome]]
) -> tuple[Contradiction, ...]:
    """Rows whose name is that of another place than their code is; a unit that has changed may have had it."""
    if way.names is None:
        return ()
    column, field = way.names
    finder = matcher("name", way.places.values[field], None, divisions)
    names, codes = body.texts(column), body.texts(way.column)
    outcomes = [(row, number, one, finder.find(names[row])) for row, number, one in rows]
    return tuple(
        Contradiction(number, codes[row], names[row])
        for row, number, one, other in outcomes
        if one.how in ("exact", "form", "zeros") and other.place not in (None, one.place) and not other.steps
    )


def _parents(body: Sheet, options: JoinOptions) -> list[str] | None:
    return body.texts(column_of(body, options.within.column)) if options.within else None


def _within(places: Places, options: JoinOptions) -> Sequence[str | None] | None:
    if options.within is None or options.within.field is None:
        return None
    return places.values[_field(places, options.within.field)]


def _field(places: Places, name: str) -> str:
    return next(one for one in places.values if one.casefold() == name.strip().casefold())


def text_columns(body: Sheet, way: Way, options: JoinOptions) -> list[int]:
    """Columns that stay text: what names the place, its parent, and what tells rows apart."""
    names = [*([options.within.column] if options.within else []), *options.by]
    return [way.column, *(column_of(body, name) for name in names)]


def describe_match(match: Match, columns: Columns, years: Years, options: JoinOptions) -> Joined:
    """What the report tells of a match."""
    way, places = match.way, match.way.places
    without = _without_rows(places, match.outcomes)
    lost = told.unmatched(match.cells, match.outcomes, match.row_numbers, places)
    by = [match.body.texts(column_of(match.body, name)) for name in options.by]
    groups = list(zip(match.years, *by, strict=True))
    read = list(zip(match.body.headers, columns.reads, columns.units, strict=True))
    held, differing = hold(match.totals, match.rows, groups, [one for n, one in enumerate(read) if n != years.column])
    return Joined(
        dataset=places.dataset.id,
        release=places.dataset.release,
        method=way.method,
        column=match.body.headers[way.column].title,
        field=way.field,
        reason=way.reason,
        year=years.told(match.years),
        year_reason=years.reason,
        matched=told.matched(match.outcomes),
        changed=told.moved(match.cells, match.outcomes),
        unmatched_rows=sum(one.why is not None for one in match.outcomes),
        unmatched=lost,
        accepted=options.accept_unmatched,
        contradicting=match.contradicting,
        places_without_rows=len(without),
        without_rows=without,
        aside=told.aside_rows(match.aside),
        totals_held=held,
        totals_differing=tuple(replace(one, row=match.numbers[one.row - 1]) for one in differing),
    )


def _without_rows(places: Places, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    used = {one.place for one in outcomes if one.place is not None}
    return tuple(key for place, key in enumerate(places.keys) if place not in used)
