"""Rules that look at one row at a time: each becomes a condition in SQL that is true where the rule is broken."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from psycopg import sql
from psycopg.types.json import Jsonb

from core.codelists import Code, codelist
from core.language import Text
from loaders.profiles import LayerProfile, Rule
from loaders.quality.columns import Columns
from loaders.quality.expressions import compiled

_NOTHING = sql.SQL("null::double precision")
_TOLERANCE = 1e-6  # what adding and subtracting decimal fractions in binary may be off by


class RowCheck(NamedTuple):
    """A rule in SQL over `t`: when it is broken, the values that tell so, and words with `%s` for the arguments."""

    rule: Rule
    broken: sql.Composable
    words: Text
    arguments: Sequence[sql.Composable] = ()
    arguments_zh: Sequence[sql.Composable] | None = None  # where they differ
    stated: sql.Composable = _NOTHING
    measured: sql.Composable = _NOTHING


def row_check(rule: Rule, columns: Columns) -> RowCheck:
    """The SQL of a rule; `NotThere` where the layer lacks a field, `KeyError` where the rule lacks a parameter."""
    check = ROW_KINDS[rule.kind](rule, columns)
    if "when" not in rule.parameters or rule.kind in _OWN_WHEN:
        return check
    return check._replace(broken=_both(_condition(rule, columns), check.broken))


def _required(rule: Rule, columns: Columns) -> RowCheck:
    layer = columns.checked.profile
    names = [one for one in rule.parameters.get("fields") or _required_of(layer) if one in columns]
    missing = [columns.is_missing(one) for one in names]
    broken = sql.SQL("({})").format(sql.SQL(" or ").join(missing)) if names else sql.SQL("false")
    titles = [columns.title(name) for name in names]
    return RowCheck(
        rule,
        broken,
        Text("missing: %s", "缺少:%s"),
        [_listed(missing, [one.en for one in titles], ", ")],
        [_listed(missing, [one.zh for one in titles], "、")],
    )


def _required_of(layer: LayerProfile) -> list[str]:
    return [one.name for one in layer.required]


def _listed(conditions: Sequence[sql.Composable], names: Sequence[str], between: str) -> sql.Composable:
    """The names whose condition is true."""
    each = [sql.SQL("case when {} then {} end").format(one, name) for one, name in zip(conditions, names, strict=True)]
    return sql.SQL("concat_ws({}, {})").format(between, sql.SQL(", ").join(each or [sql.SQL("null").format()]))


def _codelist(rule: Rule, columns: Columns) -> RowCheck:
    name = rule.parameters["field"]
    codes = [one for one in codelist(_list_of(rule, columns, name)).codes if one.assignable]
    value = columns.text(name)
    known = sql.SQL(" or ").join(_valid(value, these, rule, columns) for these in _by_validity(codes))
    title, list_title = columns.title(name), codelist(_list_of(rule, columns, name)).title
    return RowCheck(
        rule,
        sql.SQL("(not ({}))").format(known),
        Text(f"{title.en} %s is not in the list {list_title.en}", f"{title.zh} %s 不在{list_title.zh}中"),
        [value],
    )


def _list_of(rule: Rule, columns: Columns, name: str) -> str:
    of_field = {one.name: one.codelist for one in columns.checked.profile.fields}
    return str(rule.parameters.get("codelist") or of_field[name])


def _by_validity(codes: Iterable[Code]) -> list[list[Code]]:
    groups: dict[tuple[date | None, date | None], list[Code]] = defaultdict(list)
    for one in codes:
        groups[one.valid_from, one.valid_to].append(one)
    return list(groups.values())


def _valid(value: sql.Composable, codes: Sequence[Code], rule: Rule, columns: Columns) -> sql.Composable:
    """Whether a value is one of these codes, in a year in which they hold."""
    among = _among(value, [one.code for one in codes])
    year = rule.parameters.get("year")
    if year is None or year not in columns:
        return among
    first, last = codes[0].valid_from, codes[0].valid_to
    conditions = [among]
    if first is not None:
        conditions.append(sql.SQL("coalesce({} >= {}, true)").format(columns.number(year), first.year))
    if last is not None:
        conditions.append(sql.SQL("coalesce({} <= {}, true)").format(columns.number(year), last.year))
    return sql.SQL("({})").format(sql.SQL(" and ").join(conditions))


def _among(value: sql.Composable, values: Sequence[str]) -> sql.Composable:
    """Whether a text is one of many: PostgreSQL looks for it in a hash."""
    return sql.SQL("{} = any({}::text[])").format(value, sql.Literal(list(values)))


def _name_of_code(rule: Rule, columns: Columns) -> RowCheck:
    code, name = rule.parameters["field"], rule.parameters["name"]
    names = {one.code: one.name.zh for one in codelist(_list_of(rule, columns, code)).codes if one.assignable}
    both = sql.SQL("({} || ' ' || {})").format(columns.text(code), columns.text(name))
    right = [f"{one} {names[one]}" for one in names]
    is_known = _among(columns.text(code), list(names))
    title = columns.title(name)
    called = sql.SQL("({} ->> {})").format(sql.Literal(Jsonb(names)), columns.text(code))
    return RowCheck(
        rule,
        sql.SQL("({} and not {})").format(is_known, _among(both, right)),
        Text(f"{title.en} is %s, but %s is called %s", f"{title.zh}为 %s,而 %s 的名称是%s"),
        [columns.text(name), columns.text(code), called],
    )


def _allowed_if(rule: Rule, columns: Columns) -> RowCheck:
    """Values other than zero and nothing, where they may not be."""
    names = rule.parameters["fields"]
    given = [_is_something(columns, name) for name in names]
    titles = [columns.title(name) for name in names]
    return RowCheck(
        rule,
        sql.SQL("(not {} and ({}))").format(_condition(rule, columns), sql.SQL(" or ").join(given)),
        Text("must be empty here: %s", "此处应为空:%s"),
        [_listed(given, [one.en for one in titles], ", ")],
        [_listed(given, [one.zh for one in titles], "、")],
        stated=columns.number(names[0]) if columns.field(names[0]).kind == "number" else _NOTHING,
    )


def _is_something(columns: Columns, name: str) -> sql.Composable:
    value = columns.field(name)
    template = "({} <> 0)" if value.kind == "number" else "({} is not null)"
    return sql.SQL(template).format(value.sql)


def _equal(rule: Rule, columns: Columns) -> RowCheck:
    """Two expressions agree within `tolerance`, or within `relative` of the right one."""
    given = rule.parameters
    left, right = (compiled(given[side], columns.field, "number") for side in ("left", "right"))
    off = float(given.get("tolerance", 0)) + _TOLERANCE
    allowed: sql.Composable = sql.Literal(off)
    if "relative" in given:
        allowed = sql.SQL("greatest({}, {} * abs({}))").format(off, float(given["relative"]), right)
    return RowCheck(
        rule,
        sql.SQL("(abs({} - {}) > {})").format(left, right, allowed),
        Text(f"{given['left']} is %s, {given['right']} is %s", f"{given['left']} 为 %s,{given['right']} 为 %s"),
        [_number(left), _number(right)],
        stated=left,
        measured=right,
    )


def _number(value: sql.Composable) -> sql.Composable:
    """A number as it is read: at most four decimals."""
    return sql.SQL("trim_scale(round(({})::numeric, 4))::text").format(value)


def _range(rule: Rule, columns: Columns) -> RowCheck:
    name, least, most = rule.parameters["field"], rule.parameters.get("least"), rule.parameters.get("most")
    value = columns.number(name)
    bounds = [sql.SQL("{} < {}").format(value, float(least))] if least is not None else []
    bounds += [sql.SQL("{} > {}").format(value, float(most))] if most is not None else []
    title = columns.title(name)
    around = f"{'…' if least is None else least} … {'…' if most is None else most}"
    return RowCheck(
        rule,
        sql.SQL("({})").format(sql.SQL(" or ").join(bounds)),
        Text(f"{title.en} is %s, outside {around}", f"{title.zh}为 %s,超出 {around}"),
        [_number(value)],
        stated=value,
    )


def _pattern(rule: Rule, columns: Columns) -> RowCheck:
    name, value = rule.parameters["field"], columns.text(rule.parameters["field"])
    title = columns.title(name)
    return RowCheck(
        rule,
        sql.SQL("({} !~ {})").format(value, str(rule.parameters["pattern"])),
        Text(f"{title.en} %s is not written as it must be", f"{title.zh} %s 的格式不正确"),
        [value],
    )


def _prefix_in(rule: Rule, columns: Columns) -> RowCheck:
    """The text begins with a code, of at most `digits` characters, that another layer has."""
    name, layer = rule.parameters["field"], rule.parameters["layer"]
    known = unit_codes(columns.others(layer, rule.parameters["of"]), rule)
    value, title = columns.text(name), columns.title(name)
    each = [
        _among(sql.SQL("left({}, {})").format(value, length), sorted(one for one in known if len(one) == length))
        for length in sorted({len(one) for one in known})
    ]
    return RowCheck(
        rule,
        sql.SQL("(not ({}))").format(sql.SQL(" or ").join(each or [sql.SQL("false")])),
        Text(f"{title.en} %s is of no unit in {layer}", f"{title.zh} %s 不属于 {layer} 中的任何单位"),
        [value],
    )


def unit_codes(values: Iterable[str], rule: Rule) -> set[str]:
    """The codes of units at the length that a rule compares; `trim` takes the zeros away that stand for all below."""
    codes = {value[: int(rule.parameters["digits"])] for value in values}
    return {re.sub("(000)+$", "", code) for code in codes} if rule.parameters.get("trim") else codes


def _length(rule: Rule, columns: Columns) -> RowCheck:
    name, lengths = rule.parameters["field"], rule.parameters["lengths"]
    value, title = columns.text(name), columns.title(name)
    wanted = ", ".join(map(str, lengths))
    return RowCheck(
        rule,
        sql.SQL("(length({}) <> all({}))").format(value, sql.Literal(list(lengths))),
        Text(f"{title.en} %s has %s characters, not {wanted}", f"{title.zh} %s 的长度是 %s,应为 {wanted}"),
        [value, sql.SQL("length({})").format(value)],
    )


def _holds(rule: Rule, columns: Columns) -> RowCheck:
    holds = compiled(rule.parameters["condition"], columns.field, "truth")
    return RowCheck(
        rule,
        sql.SQL("(not {})").format(holds),
        Text("does not hold: %s", "不成立:%s"),
        [sql.Literal(rule.parameters["condition"])],
    )


def _condition(rule: Rule, columns: Columns) -> sql.Composable:
    return compiled(rule.parameters["when"], columns.field, "truth")


def _both(one: sql.Composable, other: sql.Composable) -> sql.Composable:
    return sql.SQL("({} and {})").format(one, other)


ROW_KINDS: dict[str, Callable[[Rule, Columns], RowCheck]] = {
    "required": _required,
    "codelist": _codelist,
    "name-of-code": _name_of_code,
    "required-if": _required,
    "allowed-if": _allowed_if,
    "equal": _equal,
    "range": _range,
    "pattern": _pattern,
    "length": _length,
    "holds": _holds,
    "prefix-in": _prefix_in,
}
_OWN_WHEN = ("allowed-if",)
