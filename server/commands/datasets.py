"""`chengtu datasets`: what the catalogue holds, and says."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from core.language import Text, spoken
from core.settings import Settings
from server.commands.load import load
from server.console import OUT, as_json, database, say, show_json, words

_DESCRIBED = (
    "title_en", "title_zh", "description_en", "description_zh", "keyword", "owner", "licence", "attribution_en",
    "attribution_zh", "update_period", "editable", "max_age",
)  # fmt: skip


@click.group(help=words("Look at the data sets, describe one anew, or remove one.", "查看、修改说明或删除数据集。"))
def datasets() -> None:
    """The data sets of the catalogue."""


@datasets.command("list", help=words("All data sets.", "所有数据集。"))
@as_json
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> None:
    """One line a data set."""
    from core.catalogue import list_datasets  # noqa: PLC0415
    from core.database import connect  # noqa: PLC0415

    with database(settings) as dsn, connect(dsn) as connection:
        found = list_datasets(connection)
    if as_json:
        show_json([_plain(one) for one in found])
        return
    table = Table(box=None, pad_edge=False)
    for heading in (
        words("id", "编号"),
        words("title", "标题"),
        words("features", "要素数"),
        words("type", "类型"),
        "EPSG",
        words("state", "状态"),
    ):
        table.add_column(heading)
    for one in found:
        state = words("published", "已发布") if one.problem is None else one.problem.in_(spoken.get())
        table.add_row(
            one.id, one.title.in_(spoken.get()), str(one.feature_count), one.geometry_type, str(one.srid), state
        )
    OUT.print(table)


@datasets.command(help=words("All that is known of one data set.", "一个数据集的全部信息。"))
@click.argument("id_", metavar="ID")
@as_json
@click.pass_obj
def show(settings: Settings, id_: str, as_json: bool) -> None:
    """The catalogue's entry, and the report of the last load."""
    from core.catalogue import get_dataset  # noqa: PLC0415
    from core.database import connect, query  # noqa: PLC0415

    with database(settings) as dsn, connect(dsn) as connection:
        one = get_dataset(connection, id_)
        last = connection.execute(query("last_report"), {"id": id_}).fetchone()
    facts = _plain(one) | {"report": last["report"] if last else None}
    if as_json:
        show_json(facts)
        return
    for name, value in facts.items():
        OUT.print(f"{name}: {value}", markup=False)


@datasets.command(
    "set",
    params=[one for one in load.params if one.name in _DESCRIBED],
    help=words(
        "Change what the catalogue says of a data set; its features stay as they are.",
        "修改目录中数据集的说明,要素保持不变。",
    ),
)
@click.argument("id_", metavar="ID")
@click.option(
    "--style",
    metavar="FILE",
    help=words(
        "Draw it by this MapLibre style (version 8, JSON); `default`: by the one that is made for it.",
        "按此 MapLibre 样式(版本 8,JSON)绘制;`default` 恢复自动样式。",
    ),
)
@as_json
@click.pass_obj
def set_(settings: Settings, /, id_: str, style: str | None, as_json: bool, **given: Any) -> None:  # noqa: ANN401 — click's
    """What is not given stays as it is."""
    from core.catalogue import get_dataset  # noqa: PLC0415
    from core.database import connect, query  # noqa: PLC0415
    from loaders import Described  # noqa: PLC0415

    keywords = list(given.pop("keyword")) or None
    if keywords is None and style is None and all(value is None for value in given.values()):
        raise click.UsageError(words("nothing to change; see --help", "没有要修改的内容,见 --help"))
    described = asdict(Described(**given, keywords=keywords)) | {"id": id_}
    with database(settings) as dsn, connect(dsn) as connection:
        changed = connection.execute(query("describe_dataset"), described).fetchone()
        one = get_dataset(connection, id_)
        if style is not None:
            _set_style(settings, connection, one, style)
            changed, one = changed or {}, get_dataset(connection, id_)
    if as_json:
        show_json(_plain(one))
        return
    say(
        Text(f"{id_} is described anew.", f"已更新 {id_} 的说明。")
        if changed is not None
        else Text(f"{id_} was so already.", f"{id_} 无变化。")
    )
    if one.editable and settings.edit_key is None:
        say(
            Text(
                "Features can be changed once the service has CHENGTU_EDIT_KEY.",
                "服务设置 CHENGTU_EDIT_KEY 后方可编辑要素。",
            )
        )


def _set_style(settings: Settings, connection: Any, one: Any, given: str) -> None:  # noqa: ANN401 — imported late
    """Draw a data set by the style in a file, or by the made one again."""
    from server.levels import draw_by  # noqa: PLC0415
    from tiles.style.own import own_style, read_style  # noqa: PLC0415

    draw_by(connection, settings, one, None if given == "default" else own_style(read_style(Path(given)), one))


@datasets.command(help=words("Remove a data set, its table and its history.", "删除数据集及其数据表和历史。"))
@click.argument("id_", metavar="ID")
@click.option("--yes", is_flag=True, help=words("Do not ask.", "不再询问。"))
@click.pass_obj
def remove(settings: Settings, id_: str, yes: bool) -> None:
    """Remove it everywhere at once; a view of the user's own that needs it stops that."""
    from core.database import connect  # noqa: PLC0415
    from loaders import remove as run  # noqa: PLC0415

    if not yes:
        click.confirm(
            words(f"Remove {id_} with all its features?", f"确定删除 {id_} 及其全部要素?"), abort=True, err=True
        )
    with database(settings) as dsn, connect(dsn) as connection:
        run(connection, id_)
    say(Text(f"{id_} is removed.", f"已删除 {id_}。"))


def _plain(one: Any) -> dict[str, Any]:  # noqa: ANN401 — a Dataset, whose module is imported late
    """A data set as plain values."""
    facts: dict[str, Any] = one._asdict()
    for name in ("title", "description", "attribution", "problem", "extent", "history"):
        facts[name] = facts[name]._asdict() if facts[name] is not None else None
    facts["fields"] = [field._asdict() for field in one.fields]
    facts["about_fields"] = {
        name: about._asdict() | {"title": about.title._asdict()} for name, about in one.about_fields.items()
    }
    return facts
