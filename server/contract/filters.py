"""Filters: where each family of versions runs them, and, where it is the server, a trial of what QGIS would send."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple, TypeGuard

from core.language import Text
from server.contract.boxes import box_around, in_axis_order, middle, outside, swapped_crs, written
from server.contract.findings import finding
from server.contract.geojson import Bounds, Feature, Page, field_types
from server.contract.report import Filter, Finding, Found, Place
from server.contract.versions import (
    ADVANCED,
    CASE,
    FAMILIES,
    Family,
    Needs,
    cql2_place,
    date_place,
    equality_place,
    missing_gate,
)
from server.contract.visit import Visit

Value = str | int
_DATES = {"date": "DATE('%Y-%m-%d')", "date-time": "TIMESTAMP('%Y-%m-%dT%H:%M:%S.000Z')"}


class Trial(NamedTuple):
    """What the user writes, the parameters that QGIS makes of it, and which features match."""

    written: str
    sent: dict[str, str]
    matches: Callable[[Feature], bool | None]  # None where it cannot be told

    @property
    def query(self) -> str:
        """The parameters as people read them."""
        return "&".join(f"{name}={value}" for name, value in self.sent.items())


class _Kind(NamedTuple):
    id: str
    title: Text
    place: Callable[[Visit, Family], Place]
    trials: Callable[[Visit], Iterator[Trial]]


def filters(visit: Visit) -> Iterator[Filter]:
    """All kinds of filters, the simple ones first."""
    for kind in _KINDS:
        places = tuple(kind.place(visit, family) for family in FAMILIES)
        trials = list(kind.trials(visit)) if any(one.where == "server" for one in places) else []
        findings = tuple(one for trial in trials for one in _try(visit, trial))
        written = trials[0].written if trials else None
        yield Filter(kind.id, kind.title, written, tuple(one.query for one in trials), places, findings)


def _try(visit: Visit, trial: Trial) -> Iterator[Finding]:
    """Send it, and hold the answer against the features that we know."""
    try:
        found = visit.items(trial.sent | {"limit": str(visit.page_size)})
    except Found as error:
        refused = error.finding.code == "http-status"
        yield finding("filter-refused", sent=trial.query, said=error.finding.seen) if refused else error.finding
    else:
        yield from _complaints(visit.sample, trial, found, trial.query)


def _complaints(sample: tuple[Feature, ...], trial: Trial, found: Page, sent: str) -> Iterator[Finding]:
    strangers = [one for one in found.features if trial.matches(one) is False]
    expected = [one.id for one in sample if one.id is not None and trial.matches(one)]
    missing = [one for one in expected if one not in found.ids]
    if strangers:
        yield finding("filter-ignored", sent=sent, example=strangers[0].id)
    elif missing and found.next is None:
        yield finding("filter-misses", sent=sent, example=missing[0])


def _comparison(visit: Visit, family: Family) -> Place:
    return cql2_place(family, visit.classes, Needs(), geometry=False, properties=_has_properties(visit))


def _advanced(visit: Visit, family: Family) -> Place:
    return cql2_place(family, visit.classes, Needs((ADVANCED,)), geometry=False, properties=_has_properties(visit))


def _case(visit: Visit, family: Family) -> Place:
    needs = Needs((ADVANCED, CASE))
    return cql2_place(family, visit.classes, needs, geometry=False, properties=_has_properties(visit))


def _spatial(visit: Visit, family: Family) -> Place:
    needs = Needs(spatial=True)
    return cql2_place(family, visit.classes, needs, geometry=_geometry_name(visit) is not None, properties=False)


def _dates(visit: Visit, family: Family) -> Place:
    fields = _date_fields(visit)
    return date_place(family, visit.classes, fields, queryable=any(one in visit.queryables for one in fields))


def _equality(visit: Visit, family: Family) -> Place:
    return equality_place(family, visit.classes, _simple_fields(visit), queryable=_has_properties(visit))


def _simple_fields(visit: Visit) -> list[str]:
    """Query parameters that are fields of the layer."""
    fields = field_types(visit.sample)
    return [name for name in visit.simple if name in fields]


def _has_properties(visit: Visit) -> bool:
    return any(one.type for one in visit.queryables.values())


def _geometry_name(visit: Visit) -> str | None:
    """The first by name, as QGIS keeps them in a sorted map."""
    return min((name for name, one in visit.queryables.items() if one.is_geometry), default=None)


def _date_fields(visit: Visit) -> list[str]:
    return [name for name, type_ in field_types(visit.sample).items() if type_ in ("date", "datetime")]


def _date_trials(visit: Visit) -> Iterator[Trial]:
    """What versions without CQL2 send, then what the others do."""
    for name in _date_fields(visit):
        values = sorted(str(one.properties[name]) for one in visit.sample if one.properties.get(name))
        moment = _moment(values[len(values) // 2])
        written_ = f"\"{name}\" >= '{moment:%Y-%m-%dT%H:%M:%SZ}'"
        # Which rows this brings depends on the collection's own field of time, which we do not know.
        yield Trial(written_, {"datetime": f"{moment:%Y-%m-%dT%H:%M:%SZ}/9999-12-31T00:00:00Z"}, lambda one: None)
        format_ = visit.queryables[name].format if name in visit.queryables else None
        if not missing_gate(visit.classes) and format_ in _DATES:
            text = f"({identifier(name)} >= {moment.strftime(_DATES[format_])})"
            yield Trial(written_, _cql2(text), partial(_not_before, name, moment))
        return


def _moment(value: str) -> datetime:
    """A date or time in UTC; one without a zone is taken for UTC."""
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _not_before(name: str, since: datetime, one: Feature) -> bool | None:
    """Whether a feature is surely on one side of a moment; the same day is too close to call."""
    value = one.properties.get(name)
    if not isinstance(value, str):
        return None
    days = (_moment(value) - since).days
    return None if days in (-1, 0) else days > 0


def _equality_trials(visit: Visit) -> Iterator[Trial]:
    for name, value in _pick(visit, set(_simple_fields(visit))):
        yield Trial(f'"{name}" = {literal(value)}', {name: str(value)}, partial(_equals, name, value))


def _comparison_trials(visit: Visit) -> Iterator[Trial]:
    for name, value in _pick(visit, _filterable(visit)):
        text = f"({identifier(name)} = {literal(value)})"
        yield Trial(f'"{name}" = {literal(value)}', _cql2(text), partial(_equals, name, value))


def _advanced_trials(visit: Visit) -> Iterator[Trial]:
    for name, value in _pick(visit, _filterable(visit)):
        text = f"{identifier(name)} IN ({literal(value)})"
        yield Trial(f'"{name}" IN ({literal(value)})', _cql2(text), partial(_equals, name, value))


def _case_trials(visit: Visit) -> Iterator[Trial]:
    for name, value in _pick(visit, {one for one in _filterable(visit) if visit.queryables[one].type == "string"}):
        turned = literal(str(value).swapcase())
        if any(one in turned for one in "%_"):  # wildcards of LIKE
            return
        text = f"(CASEI({identifier(name)}) LIKE CASEI({turned}))"
        yield Trial(f'"{name}" ILIKE {turned}', _cql2(text), partial(_equals_but_for_case, name, value))


def _filterable(visit: Visit) -> set[str]:
    return {name for name, one in visit.queryables.items() if one.type}


def _spatial_trials(visit: Visit) -> Iterator[Trial]:
    """A box around one feature, in CRS84 and in the layer's own CRS."""
    name = _geometry_name(visit)
    target = middle(visit.sample)
    if name is None or target is None or target.bounds is None:
        return
    box = box_around(target.bounds)
    west, south, east, north = (f"{number:.9g}" for number in box)
    wkt = f"POLYGON(({west} {south},{east} {south},{east} {north},{west} {north},{west} {south}))"
    written_ = f"intersects_bbox($geometry, geom_from_wkt('{wkt}'))"
    matches = partial(_is_within, target, box)
    yield Trial(written_, _cql2(f"S_INTERSECTS({identifier(name)},BBOX({written(box)}))"), matches)
    if crs := swapped_crs(visit):
        turned = written(in_axis_order(box, crs[1]))
        sent = _cql2(f"S_INTERSECTS({identifier(name)},BBOX({turned}))") | {"filter-crs": crs[0]}
        yield Trial(written_, sent, matches)


def _is_within(target: Feature, box: Bounds, one: Feature) -> bool | None:
    """Yes for the feature in the middle, no for those clear of the box; the others are left open."""
    if one.id == target.id:
        return True
    return False if one.bounds and outside(one.bounds, box) else None


def _cql2(text: str) -> dict[str, str]:
    return {"filter": text, "filter-lang": "cql2-text"}


def identifier(name: str) -> str:
    """A property as QGIS writes it: quoted as soon as it holds anything but letters and digits."""
    if all(one.isalpha() or one.isdecimal() for one in name):
        return name
    return '"' + name.replace('"', '""') + '"'


def literal(value: Value) -> str:
    """A value as QGIS writes it."""
    if isinstance(value, str):
        return "'" + value.replace("'", "''").replace("\\", "\\\\") + "'"
    return str(value)


def _equals(name: str, value: Value, one: Feature) -> bool:
    return bool(one.properties.get(name) == value)


def _equals_but_for_case(name: str, value: Value, one: Feature) -> bool:
    return str(one.properties.get(name)).casefold() == str(value).casefold()


def _pick(visit: Visit, names: set[str]) -> Iterator[tuple[str, Value]]:
    """A property with a value that some features have and others have not, if any; awkward names and values first."""
    types = field_types(visit.sample)
    for name in sorted(names & types.keys(), key=lambda name: (identifier(name) == name, name)):
        if types[name] not in ("string", "integer"):
            continue
        values = [value for one in visit.sample if _is_plain(value := one.properties.get(name))]
        if len(set(values)) > 1:
            yield name, max(values, key=lambda value: (not str(value).isalnum(), str(value)))
            return


def _is_plain(value: Any) -> TypeGuard[Value]:  # noqa: ANN401 — any JSON value
    """A value that QGIS sends as it is: it doubles backslashes, which CQL2 does not know."""
    if isinstance(value, str):
        return 0 < len(value) <= 60 and value.isprintable() and "\\" not in value
    return isinstance(value, int) and not isinstance(value, bool)


_KINDS = (
    _Kind("date", Text("date or time", "日期与时间"), _dates, _date_trials),
    _Kind("equality", Text("property = value", "属性 = 值"), _equality, _equality_trials),
    _Kind(
        "comparison",
        Text("comparison, IS NULL, AND, OR, NOT", "比较、IS NULL、AND、OR、NOT"),
        _comparison,
        _comparison_trials,
    ),
    _Kind("advanced", Text("IN, BETWEEN, LIKE", "IN、BETWEEN、LIKE"), _advanced, _advanced_trials),
    _Kind("case", Text("ILIKE (any case)", "ILIKE(不分大小写)"), _case, _case_trials),
    _Kind("spatial", Text("in a box, at a point", "在范围内、在点上"), _spatial, _spatial_trials),
)
