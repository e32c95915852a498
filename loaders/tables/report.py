"""What a join tells: how the table was understood, which rows found their place and how, and which did not."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.language import Language, Text
from loaders.report import LISTED, Report
from loaders.tables.aside import Held, Row
from loaders.tables.divisions import Change
from loaders.tables.matching import HOW, WHY, How, Outcome, Why
from loaders.tables.places import Places

_SHOWN = 10  # values or keys on a line


@dataclass(frozen=True)
class Unmatched:
    """A value of the table that has no place: its rows, the reason, and the places that it may mean."""

    value: str
    why: Why
    rows: tuple[int, ...]  # from 1 below the header
    candidates: tuple[str, ...]  # keys of places, or codes of the units after a split


@dataclass(frozen=True)
class Moved:
    """A code or name that was followed to the unit of today, step by step."""

    value: str
    rows: int
    steps: tuple[str, ...]


@dataclass(frozen=True)
class Contradiction:
    """A row whose code and name are those of two places; the code was followed."""

    row: int
    code: str
    name: str


@dataclass(frozen=True)
class Joined:
    """A table and the places that it was joined to."""

    dataset: str
    release: int
    method: str
    column: str
    field: str
    reason: Text
    year: str | None
    year_reason: Text | None
    matched: dict[How, int]
    changed: tuple[Moved, ...]
    unmatched_rows: int
    unmatched: tuple[Unmatched, ...]
    accepted: bool
    contradicting: tuple[Contradiction, ...]
    places_without_rows: int
    without_rows: tuple[str, ...]  # keys of places
    aside: tuple[dict[str, Any], ...]  # {"row", "text", "kind"}
    totals_held: int
    totals_differing: tuple[Held, ...]

    def lines(self, language: Language) -> list[str]:
        """What a person reads of it."""
        zh = language == "zh"
        total = sum(self.matched.values())
        hows = "; ".join(f"{HOW[how].in_(language)} {count}" for how, count in self.matched.items())
        release = f"{'版本' if zh else 'release'} {self.release}"
        way = f"{self.column} = {self.dataset}.{self.field} ({release})"
        lines = [
            f"{'关联' if zh else 'joined'} {way}: {self.reason.in_(language)}",
            f"{'已匹配行数' if zh else 'rows with a place'}: {total}" + (f" ({hows})" if hows else ""),
        ]
        if self.year and self.year_reason:
            lines.append(f"{'统计年份' if zh else 'year'} {self.year}: {self.year_reason.in_(language)}")
        lines += [f"  {one.value}: {'; '.join(one.steps)}" for one in self.changed[:_SHOWN]]
        lines += self._unmatched_lines(language, zh)
        if self.contradicting:
            texts = _some([f"{one.row}: {one.code} {one.name}" for one in self.contradicting])
            words = (
                "编码与名称矛盾、按编码关联的行" if zh else "rows whose name contradicts their code, which was followed"
            )
            lines.append(f"{words}: {len(self.contradicting)} ({texts})")
        if self.places_without_rows:
            keys = _some(self.without_rows)
            lines.append(f"{'没有数据的地点' if zh else 'places without a row'}: {self.places_without_rows} ({keys})")
        return lines + self._aside_lines(zh)

    def _unmatched_lines(self, language: Language, zh: bool) -> list[str]:
        if not self.unmatched_rows:
            return []
        accepted = ("(已接受,无几何)" if zh else " (accepted, without geometry)") if self.accepted else ""
        lines = [f"{'未匹配行数' if zh else 'rows without a place'}{accepted}: {self.unmatched_rows}"]
        for one in self.unmatched[:_SHOWN]:
            maybe = f": {_some(one.candidates)}" if one.candidates else ""
            rows = ", ".join(map(str, one.rows[:3])) + (" …" if len(one.rows) > 3 else "")
            row = "行" if zh else "row"
            lines.append(f"  {one.value or '-'} ({row} {rows}): {WHY[one.why].in_(language)}{maybe}")
        more = len(self.unmatched) - _SHOWN
        return [*lines, *([f"  … (+{more})"] if more > 0 else [])]

    def _aside_lines(self, zh: bool) -> list[str]:
        lines = []
        if self.aside:
            texts = _some([f"{one['row']}: {one['text'][:40]}" for one in self.aside])
            lines.append(f"{'未作为地点的行' if zh else 'rows left aside'}: {len(self.aside)} ({texts})")
        if self.totals_held:
            agree = self.totals_held - len(self.totals_differing)
            lines.append(
                f"{'与合计核对一致' if zh else 'totals that agree with the sum'}: {agree} / {self.totals_held}"
            )
        for one in self.totals_differing[:_SHOWN]:
            words = ("合计", "各行之和") if zh else ("total", "sum of the rows")
            lines.append(f"  {one.column}: {words[0]} {one.stated:g}, {words[1]} {one.sum:g}")
        return lines


@dataclass(frozen=True, kw_only=True)
class JoinReport(Report):
    """A load of a table that was joined to places."""

    joined: Joined

    def more_lines(self, language: Language) -> list[str]:
        """How it was joined."""
        return self.joined.lines(language)

    def to_keep(self) -> dict[str, Any]:
        """The same, with as much of the lists as a history needs."""
        joined = self.joined
        short = replace(
            joined,
            changed=joined.changed[:LISTED],
            contradicting=joined.contradicting[:LISTED],
            unmatched=tuple(replace(one, rows=one.rows[:LISTED]) for one in joined.unmatched[:LISTED]),
            without_rows=joined.without_rows[:LISTED],
            aside=joined.aside[:LISTED],
        )
        return replace(self, joined=short).as_json()


def matched(outcomes: Sequence[Outcome]) -> dict[How, int]:
    """How many rows found their place, by how."""
    counts = Counter(one.how for one in outcomes if one.how is not None)
    return {how: counts[how] for how in HOW if counts[how]}


def moved(cells: Sequence[str], outcomes: Sequence[Outcome]) -> tuple[Moved, ...]:
    """Values that were followed to a unit of today."""
    rows: Counter[tuple[str, tuple[Change, ...]]] = Counter()
    for cell, one in zip(cells, outcomes, strict=True):
        if one.steps and one.place is not None:
            rows[(cell, one.steps)] += 1
    return tuple(Moved(cell, count, tuple(map(_step, steps))) for (cell, steps), count in rows.items())


def unmatched(
    cells: Sequence[str], outcomes: Sequence[Outcome], numbers: Sequence[int], places: Places
) -> tuple[Unmatched, ...]:
    """Values without a place, each once."""
    rows: defaultdict[tuple[str, Outcome], list[int]] = defaultdict(list)
    for cell, one, number in zip(cells, outcomes, numbers, strict=True):
        if one.why is not None:
            rows[(cell, one)].append(number)
    return tuple(
        Unmatched(cell, one.why or "unknown", tuple(found), _candidates(one, places))
        for (cell, one), found in rows.items()
    )


def aside_rows(rows: Sequence[Row]) -> tuple[dict[str, Any], ...]:
    """Rows left aside, for the report."""
    return tuple({"row": one.number, "text": one.text, "kind": one.kind} for one in sorted(rows))


def _candidates(one: Outcome, places: Places) -> tuple[str, ...]:
    if one.split:
        return tuple(f"{part.new_code} {part.new_name} ({part.date})" for part in one.split)
    return tuple(places.keys[place] for place in one.several[:_SHOWN])


def _step(one: Change) -> str:
    return f"{one.old_code} {one.old_name} -> {one.new_code} {one.new_name} ({one.date}, {one.kind})"


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:_SHOWN]) + (" …" if len(texts) > _SHOWN else "")
