"""`chengtu profiles`: the standard products that sources are recognised as, and what each demands."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.table import Table

from core.language import spoken
from server.console import OUT, as_json, show_json, words

if TYPE_CHECKING:
    from loaders.profiles import LayerProfile


@click.group(help=words("The standard products that sources are recognised as.", "可自动识别的数据规范。"))
def profiles() -> None:
    """Look at profiles."""


@profiles.command("list", help=words("All profiles that there are.", "所有数据规范。"))
@as_json
def list_(as_json: bool) -> None:
    """One line a profile."""
    from loaders.profiles import shipped_profiles  # noqa: PLC0415 — Arrow takes its time

    if as_json:
        show_json([asdict(one) | {"layers": [layer.name for layer in one.layers]} for one in shipped_profiles()])
        return
    table = _table(words("id", "编号"), words("title", "名称"), words("standard", "标准"), words("layers", "图层数"))
    for one in shipped_profiles():
        table.add_row(one.id, one.title.in_(spoken.get()), one.standard, str(len(one.layers)))
    OUT.print(table)


@profiles.command(
    help=words(
        "What a profile demands: its layers, or the fields and rules of one.",
        "数据规范的要求:各图层,或某一图层的字段与规则。",
    )
)
@click.argument("name", metavar="ID|FILE")
@click.option("--layer", help=words("Explain this layer.", "说明该图层。"))
@as_json
def show(name: str, layer: str | None, as_json: bool) -> None:
    """Explain a profile, or a layer of it."""
    from loaders.profiles import find_profile  # noqa: PLC0415

    profile = find_profile(name)
    if as_json:
        show_json(asdict(profile))
        return
    one = next((one for one in profile.layers if layer and one.name.casefold() == layer.casefold()), None)
    if layer and one is None:
        known = ", ".join(one.name for one in profile.layers)
        raise click.UsageError(words(f"no layer {layer}; there are {known}", f"没有图层 {layer};可用:{known}"))
    language = spoken.get()
    if one is not None:
        _show_layer(one)
        return
    OUT.print(f"{profile.title.in_(language)} ({profile.standard})\n{profile.description.in_(language)}", markup=False)
    table = _table(
        words("layer", "图层"), words("data set", "数据集"), words("title", "名称"), words("rules", "规则数")
    )
    for each in profile.layers:
        table.add_row(each.name, each.id, each.title.in_(language), str(len(each.rules)))
    OUT.print(table)


def _show_layer(layer: "LayerProfile") -> None:
    language = spoken.get()
    OUT.print(f"{layer.name}: {layer.title.in_(language)}", markup=False)
    fields = _table(
        words("field", "字段"), words("type", "类型"), words("title", "名称"), words("code list", "代码表"), ""
    )
    for field in layer.fields:
        needed = words("required", "必需") if field.required else ""
        fields.add_row(field.name, field.type, field.title.in_(language), field.codelist or "", needed)
    OUT.print(fields)
    rules = _table(words("rule", "规则"), words("severity", "级别"), words("says", "要求"), words("clause", "条款"))
    for rule in layer.rules:
        rules.add_row(rule.id, rule.severity, rule.title.in_(language), rule.clause)
    if layer.rules:
        OUT.print(rules)


def _table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        table.add_column(heading)
    return table
