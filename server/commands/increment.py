"""`chengtu increment`: what a year changed is applied to a data set with history, listed, and taken back."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from core.language import Text
from core.settings import Settings
from server.console import LANGUAGE, OUT, as_json, database, say, show, show_json, words


@click.group(help=words("Apply a year's increment to a survey, or take it back.", "应用或撤销年度增量(年度变更)。"))
def increment() -> None:
    """Increments of data sets with history."""


@increment.command(
    help=words(
        "Apply an increment: a source with the layers DLTBGX and DLTBGXGC (TD/T 1057-2020). Wholly, or not at all.",
        "应用增量:含 DLTBGX 与 DLTBGXGC 图层的数据(TD/T 1057-2020)。要么全部应用,要么不作改动。",
    )
)
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--to", "id_", metavar="ID", required=True, help=words("The data set that it goes to.", "目标数据集编号。")
)
@click.option(
    "--state-of",
    type=click.DateTime(["%Y-%m-%d"]),
    help=words("The day that it leads to, where it does not say so (GXSJ).", "更新时点;缺省取 GXSJ。"),
)
@click.option(
    "--accept",
    metavar="RULE,...",
    default="",
    help=words("Findings that shall not stop it, or all.", "允许存在的检查问题编号,或 all。"),
)
@click.option("--dry-run", is_flag=True, help=words("Do all of it, and change nothing.", "完整执行但不作改动。"))
@click.option("--encoding", metavar="NAME", help=words("How its text is written.", "文字编码。"))
@click.option("--srs", metavar="EPSG:N", help=words("Its CRS, where it declares none.", "坐标系(未声明时)。"))
@as_json
@click.pass_obj
def apply(
    settings: Settings,
    /,
    source: Path,
    id_: str,
    state_of: datetime | None,
    accept: str,
    dry_run: bool,
    encoding: str | None,
    srs: str | None,
    as_json: bool,
) -> None:
    """Tell the balance; of one that does not fit, why."""
    from loaders import Options  # noqa: PLC0415
    from loaders.increments import IncrementRefused, Wish, apply_increment  # noqa: PLC0415

    wish = Wish(
        state_of=state_of.date() if state_of else None,
        accept=frozenset(part.strip() for part in accept.split(",") if part.strip()),
        dry_run=dry_run,
        options=Options(encoding=encoding, srs=srs),
    )
    try:
        with database(settings) as dsn:
            report = apply_increment(
                source, dsn, id_, wish, scratch=settings.var / "tmp", archive_limit=settings.temporary_limit
            )
    except IncrementRefused as refusal:
        _tell(refusal.report, as_json)
        raise
    _tell(report, as_json)


def _tell(report: Any, as_json: bool) -> None:  # noqa: ANN401 — an IncrementReport, whose module is imported late
    if as_json:
        show_json(report.as_json())
    else:
        show(report.lines(LANGUAGE))


@increment.command(
    help=words(
        "Take the newest increment or sheet of a data set back, all of it.", "整体撤销数据集最近一次增量或图幅更新。"
    )
)
@click.argument("id_", metavar="ID")
@as_json
@click.pass_obj
def undo(settings: Settings, id_: str, as_json: bool) -> None:
    """What has changed since prevents it."""
    from loaders.increments import undo_last  # noqa: PLC0415

    with database(settings) as dsn:
        done = undo_last(dsn, id_)
    if as_json:
        show_json(done._asdict() | {"changes": done.changes._asdict()})
        return
    added, removed, changed = done.changes
    say(
        Text(
            f"{done.label} is taken back from {id_}: {added} added, {removed} removed, {changed} changed.",
            f"已从 {id_} 撤销 {done.label}:新增 {added},删除 {removed},修改 {changed}。",
        )
    )


@increment.command("list", help=words("All increments and sheets of a data set.", "数据集的全部增量与图幅更新。"))
@click.argument("id_", metavar="ID")
@as_json
@click.pass_obj
def list_(settings: Settings, id_: str, as_json: bool) -> None:
    """The newest first."""
    from loaders.increments import list_amendments  # noqa: PLC0415

    with database(settings) as dsn:
        found = list_amendments(dsn, id_)
    if as_json:
        show_json([{name: _plain(value) for name, value in one.items()} for one in found])
        return
    table = Table(box=None, pad_edge=False)
    for heading in (
        words("what", "名称"),
        words("state of", "状态日期"),
        words("source", "来源"),
        words("added", "新增"),
        words("removed", "删除"),
        words("changed", "修改"),
        words("applied", "应用时间"),
        words("taken back", "撤销时间"),
    ):
        table.add_column(heading)
    for one in found:
        counts = (str(one[name]) for name in ("added", "removed", "changed"))
        undone = f"{one['undone_at']:%Y-%m-%d %H:%M}" if one["undone_at"] else ""
        table.add_row(
            one["label"], str(one["day"]), one["source"], *counts, f"{one['applied_at']:%Y-%m-%d %H:%M}", undone
        )
    OUT.print(table)


def _plain(value: Any) -> Any:  # noqa: ANN401 — of a column
    return value.isoformat() if isinstance(value, date | datetime) else value
