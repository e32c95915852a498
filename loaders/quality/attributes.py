"""The rules on attributes of one layer: all that look at single rows in one scan, then those that count and add up."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import sql

from core.database import Connection, query
from core.language import Text
from loaders.profiles import Rule
from loaders.quality.columns import Columns, NotThere
from loaders.quality.rows import RowCheck

_SUM_TOLERANCE = 1e-4


def check_rows(connection: Connection, columns: Columns, checks: Sequence[RowCheck]) -> None:
    """Write what the rows of a layer break; a row that breaks a rule is not held against those that come `after` it."""
    if not checks:
        return
    broken = {one.rule.id: one.broken for one in checks}
    connection.execute(
        query("check_rows").format(
            layer=sql.Literal(columns.checked.profile.name),
            table=columns.checked.table,
            key=columns.key,
            any_broken=sql.SQL(" or ").join(broken.values()),
            each=sql.SQL(", ").join(_row(one, broken) for one in checks),
        )
    )


def _row(check: RowCheck, broken: Mapping[str, sql.Composable]) -> sql.Composable:
    before = [broken[id_] for id_ in check.rule.parameters.get("after", ()) if id_ in broken]
    condition = sql.SQL(" and ").join([check.broken, *(sql.SQL("({} is not true)").format(one) for one in before)])
    words_zh = check.arguments if check.arguments_zh is None else check.arguments_zh
    parts = [
        sql.Literal(check.rule.id),
        condition,
        check.stated,
        check.measured,
        _formatted(check.words.en, check.arguments),
        _formatted(check.words.zh, words_zh),
    ]
    return sql.SQL("({})").format(sql.SQL(", ").join(parts))


def _formatted(words: str, arguments: Sequence[sql.Composable]) -> sql.Composable:
    return sql.SQL("format({})").format(sql.SQL(", ").join([sql.Literal(words), *arguments]))


def check_unique(connection: Connection, columns: Columns, rule: Rule) -> None:
    """Write each value of some fields together that more than one row has; rows that lack one of them have none."""
    names: Sequence[str] = rule.parameters["fields"]
    title = columns.titles(names)
    values = sql.SQL("concat_ws(' ', {})").format(sql.SQL(", ").join(columns.text(name) for name in names))
    given = sql.SQL(" and ").join(sql.SQL("not {}").format(columns.is_missing(name)) for name in names)
    connection.execute(
        query("check_unique").format(
            rule=sql.Literal(rule.id),
            layer=sql.Literal(columns.checked.profile.name),
            key=columns.key,
            values=values if len(names) > 1 else columns.text(names[0]),
            words_en=sql.Literal(f"{title.en} %s is that of %s features"),
            words_zh=sql.Literal(f"{title.zh} %s 被 %s 个要素使用"),
            table=columns.checked.table,
            given=given,
        )
    )


def check_sums(connection: Connection, columns: Columns, parts: Columns, rule: Rule) -> None:
    """Write each unit whose stated area is not the sum of its parts'.

    Parts belong to the unit whose code, `digits` long at most, begins theirs; those that were found to lie elsewhere
    count where they lie.
    """
    given = rule.parameters
    title, of = columns.title(given["field"]), parts.checked.profile
    summed = parts.title(given["sum"])
    connection.execute(
        query("check_sums").format(
            rule=sql.Literal(rule.id),
            layer=sql.Literal(columns.checked.profile.name),
            key=columns.key,
            code=_unit_code(columns, given),
            stated=columns.number(given["field"]),
            table=columns.checked.table,
            digits=sql.Literal(int(given["digits"])),
            parts=parts.checked.table,
            part_layer=sql.Literal(of.name),
            part_key=parts.key,
            part_code=parts.text(given["by"]),
            part_area=parts.number(given["sum"]),
            tolerance=sql.Literal(float(given.get("tolerance", 0)) + _SUM_TOLERANCE),
            words_en=sql.Literal(f"{title.en} is %s, the {summed.en} of its {of.name} add up to %s"),
            words_zh=sql.Literal(f"{title.zh}为 %s,其 {of.name} 的{summed.zh}合计 %s"),
        )
    )


def _unit_code(columns: Columns, given: Mapping[str, Any]) -> sql.Composable:
    """A unit's code, of which `trim` takes away the groups of zeros that stand for all units below."""
    code = sql.SQL("left({}, {})").format(columns.text(given["code"]), int(given["digits"]))
    return sql.SQL("regexp_replace({}, '(000)+$', '')").format(code) if given.get("trim") else code


def missing_fields(columns: Columns, rule: Rule) -> tuple[Text, ...]:
    """What a rule on required fields says of those that the layer lacks altogether."""
    wanted = rule.parameters.get("fields") or [one.name for one in columns.checked.profile.required]
    titles = [columns.title(name) for name in wanted if name not in columns]
    return tuple(Text(f"the layer has no field {one.en}", f"图层缺少字段 {one.zh}") for one in titles)


__all__ = ["NotThere", "check_rows", "check_sums", "check_unique", "missing_fields"]
