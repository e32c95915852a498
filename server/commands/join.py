"""`chengtu join`: a table without geometry becomes a data set, by the places that it speaks of."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.settings import Settings
from server.console import as_json, database, progress_bar, show_report, words

if TYPE_CHECKING:
    from loaders.tables import JoinOptions

_PAIR = "COLUMN[=FIELD]"


@click.command(
    help=words(
        "Join a table (CSV, TSV, XLSX, or a table of a GeoPackage or FileGDB) to districts, parcels, map sheets or"
        " addresses, by code or by name, and publish it. How to join is found by the values, unless you say it.",
        "将表(CSV、TSV、XLSX,或 GeoPackage、FileGDB 中的属性表)按编码或名称关联到行政区、宗地、图幅或地址,并发布。"
        "关联方式可由数据自动判断,也可指定。",
    )
)
@click.argument("table", type=click.Path(path_type=Path))
@click.option(
    "--to", metavar="DATASET", help=words("The places; else the data set that fits.", "地点所在的数据集;缺省自动判断。")
)
@click.option("--as", "id_", metavar="ID", help=words("The data set's id: a-z, 0-9, _.", "数据集编号:a-z、0-9、_。"))
@click.option(
    "--on",
    metavar=_PAIR,
    help=words("Column of codes, and the field of the places that has them.", "编码列,及地点数据集中对应的字段。"),
)
@click.option("--on-name", metavar=_PAIR, help=words("Column of names, likewise.", "名称列,及对应字段。"))
@click.option("--on-address", metavar=_PAIR, help=words("Column of addresses, likewise.", "地址列,及对应字段。"))
@click.option(
    "--within",
    metavar="COLUMN=FIELD",
    help=words("The parent of a place, where names occur twice.", "上级单元列及对应字段,用于区分重名。"),
)
@click.option(
    "--by",
    metavar="COLUMN",
    multiple=True,
    help=words("Column that tells rows of one place apart; may be repeated.", "区分同一地点各行的列,可重复。"),
)
@click.option("--year", type=click.IntRange(1900, 2100), help=words("The statistic's year.", "统计年份。"))
@click.option("--year-field", metavar="COLUMN", help=words("Column of the year.", "年份列。"))
@click.option(
    "--unit",
    metavar="COLUMN=UNIT",
    multiple=True,
    help=words("Unit of a column, where its header names none; may be repeated.", "列的单位(表头未注明时),可重复。"),
)
@click.option(
    "--divisions",
    type=click.Path(path_type=Path, dir_okay=False),
    multiple=True,
    help=words("CSV of your own with changes of divisions; may be repeated.", "自备的区划变更表(CSV),可重复。"),
)
@click.option(
    "--accept-unmatched",
    is_flag=True,
    help=words("Publish rows without a place, without geometry.", "未匹配的行也发布,几何为空。"),
)
@click.option(
    "--unmatched",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE.csv",
    help=words("Write the rows without a place there.", "将未匹配的行写入该文件。"),
)
@click.option(
    "--layer", help=words("Which sheet or table, where there are several.", "有多个工作表或属性表时指定其一。")
)
@click.option(
    "--encoding",
    help=words("Text encoding, where it is found wrongly.", "文字编码(自动判断有误时)。"),
)
@click.option("--title-en", help=words("Title in English.", "英文标题。"))
@click.option("--title-zh", help=words("Title in Chinese.", "中文标题。"))
@click.option("--description-en", help=words("Description in English.", "英文说明。"))
@click.option("--description-zh", help=words("Description in Chinese.", "中文说明。"))
@click.option("--keyword", multiple=True, help=words("A keyword; may be repeated.", "关键词,可重复。"))
@click.option("--owner", help=words("The department in charge.", "责任部门。"))
@click.option("--licence", help=words("Licence, best as a URL.", "许可,最好是网址。"))
@click.option("--attribution-en", help=words("Credit line in English.", "英文来源说明。"))
@click.option("--attribution-zh", help=words("Credit line in Chinese.", "中文来源说明。"))
@click.option(
    "--update-period",
    help=words("Promised period of updates, as ISO 8601 (P1Y).", "承诺的更新周期,ISO 8601 格式(如 P1Y)。"),
)
@click.option(
    "--dry-run",
    is_flag=True,
    help=words("Read, match and compare, and publish nothing.", "只读取、匹配、比较,不发布。"),
)
@click.option(
    "--discard-edits",
    is_flag=True,
    help=words("Replace features edited since the last release.", "覆盖自上次发布后所做的编辑。"),
)
@as_json
@click.pass_obj
def join(settings: Settings, /, table: Path, as_json: bool, **options: Any) -> None:  # noqa: ANN401 — click's
    """Join, publish and report."""
    from loaders.tables import JoinRefused  # noqa: PLC0415 — GDAL and its company take half a second
    from loaders.tables import join as run  # noqa: PLC0415
    from server.levels import finisher  # noqa: PLC0415

    wanted = _options(options)
    try:
        with database(settings) as dsn, progress_bar(table.name, quiet=as_json) as tell:
            report = run(
                table,
                dsn,
                wanted,
                scratch=settings.var / "tmp",
                archive_limit=settings.temporary_limit,
                progress=tell,
                finish=finisher(settings),
            )
    except JoinRefused as refusal:
        show_report(refusal.report, as_json)
        raise
    show_report(report, as_json)


def _options(given: dict[str, Any]) -> "JoinOptions":
    """The options of the join from the command line's."""
    from loaders import Described  # noqa: PLC0415
    from loaders.tables import JoinOptions, Pair  # noqa: PLC0415

    names = "title_en title_zh description_en description_zh owner licence attribution_en attribution_zh update_period"
    described = Described(
        **{name: given.pop(name) for name in names.split()}, keywords=list(given.pop("keyword")) or None
    )
    ways = {method: given.pop(option) for method, option in _METHODS.items()}
    asked = [(method, text) for method, text in ways.items() if text]
    if len(asked) > 1:
        raise click.UsageError(
            words("give one of --on, --on-name and --on-address", "--on、--on-name、--on-address 只能给出一个")
        )
    method, text = asked[0] if asked else (None, None)
    within = given.pop("within")
    return JoinOptions(
        id=given.pop("id_"),
        method=method,
        on=Pair(*_pair(text)) if text else None,
        within=Pair(*_both("--within", within)) if within else None,
        units=dict(_both("--unit", one) for one in given.pop("unit")),
        described=described,
        **given,
    )


_METHODS: dict[Any, str] = {"code": "on", "name": "on_name", "address": "on_address"}


def _pair(text: str) -> tuple[str, str | None]:
    """A column, and a field behind the last equals sign."""
    column, equals, field = text.rpartition("=")
    return (column, field) if equals else (text, None)


def _both(option: str, text: str) -> tuple[str, str]:
    column, value = _pair(text)
    if not column or not value:
        raise click.UsageError(words(f"{option} {text}: write it as a=b", f"{option} {text}:应写作 a=b"))
    return column, value
