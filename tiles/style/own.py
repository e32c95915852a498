"""A style that a user brings for a data set: read, checked, and stripped to what is the data set's."""

import json
from functools import cache
from pathlib import Path
from typing import Any

from core.catalogue import Dataset
from core.errors import ChengtuError
from core.language import Text
from core.settings import ROOT
from tiles.portrayal import DRAWABLE
from tiles.style.uses import properties_of

_SPECIFICATION = ROOT / "node_modules" / "@maplibre" / "maplibre-gl-style-spec" / "dist" / "latest.json"
_TYPES = ("fill", "line", "circle", "symbol", "heatmap", "fill-extrusion")
_PICTURES = frozenset(("icon-image", "fill-pattern", "line-pattern", "fill-extrusion-pattern"))
_KEPT = ("id", "type", "minzoom", "maxzoom", "filter", "layout", "paint", "metadata")
_MOST_LAYERS = 100


class StyleUnreadable(ChengtuError):
    """No JSON in the file."""

    en = "{file} cannot be read as JSON ({reason}). Export the style as a MapLibre style, version 8."
    zh = "无法将 {file} 读作 JSON({reason})。请导出为 MapLibre 样式(版本 8)。"
    exit_code = 2


class StyleRefused(ChengtuError):
    """A style that cannot draw this data set."""

    en = "The style cannot draw {id}: {problem}."
    zh = "该样式不能用于 {id}:{problem}。"
    exit_code = 2


def read_style(path: Path) -> Any:  # noqa: ANN401 — JSON
    """The JSON of a file."""
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise StyleUnreadable(file=path.name, reason=error) from error


def own_style(style: Any, dataset: Dataset) -> dict[str, Any]:  # noqa: ANN401 — JSON
    """What is kept of a style: its layers, which draw this data set alone; else `StyleRefused` that says what to change."""
    layers = style.get("layers") if isinstance(style, dict) else None
    if not isinstance(layers, list) or not 0 < len(layers) <= _MOST_LAYERS or style.get("version") != 8:
        raise _refused(
            dataset,
            "it must be an object with version 8 and 1 to 100 layers",
            "须为 version 8 且含 1 至 100 个图层的对象",
        )
    seen: set[str] = set()
    for layer in layers:
        _check_layer(layer, dataset)
        if layer["id"] in seen:
            raise _refused(dataset, f"two layers are called {layer['id']}", f"有两个图层同名 {layer['id']}")
        seen.add(layer["id"])
    return {"version": 8, "layers": [{name: one[name] for name in _KEPT if name in one} for one in layers]}


def _check_layer(layer: Any, dataset: Dataset) -> None:  # noqa: ANN401 — JSON
    if not isinstance(layer, dict) or not isinstance(layer.get("id"), str) or not layer["id"]:
        raise _refused(dataset, "a layer has no id", "有图层缺少 id")
    name, type_ = layer["id"], layer.get("type")
    if type_ not in _TYPES:
        known = ", ".join(_TYPES)
        raise _refused(
            dataset,
            f"layer {name} is of type {type_}; leave it out, or make it one of {known}",
            f"图层 {name} 的类型为 {type_},请删除或改为 {known} 之一",
        )
    if layer.get("source-layer", dataset.id) != dataset.id:
        raise _refused(
            dataset,
            f"layer {name} draws {layer['source-layer']}; its source-layer must be {dataset.id}",
            f"图层 {name} 绘制的是 {layer['source-layer']},其 source-layer 须为 {dataset.id}",
        )
    _check_names(layer, dataset)
    _check_attributes(layer, dataset)


def _check_names(layer: dict[str, Any], dataset: Dataset) -> None:
    """Names as the specification has them, and nothing that would need pictures from elsewhere."""
    for group in ("layout", "paint"):
        given = layer.get(group, {})
        if not isinstance(given, dict):
            raise _refused(
                dataset, f"{group} of layer {layer['id']} is no object", f"图层 {layer['id']} 的 {group} 不是对象"
            )
        for name in given:
            if name in _PICTURES:
                raise _refused(
                    dataset,
                    f"layer {layer['id']} uses {name}; a style here has no pictures, so draw with colours, lines and texts",
                    f"图层 {layer['id']} 使用了 {name};此处的样式不含图片,请用颜色、线和文字表达",
                )
            known = _known_names(group, layer["type"])
            if known and name not in known:
                raise _refused(
                    dataset,
                    f"layer {layer['id']} has {group} {name}, which a {layer['type']} layer does not know",
                    f"图层 {layer['id']} 的 {group} 属性 {name} 不适用于 {layer['type']} 图层",
                )


def _check_attributes(layer: dict[str, Any], dataset: Dataset) -> None:
    known = [field.name for field in dataset.fields if field.type in DRAWABLE]
    for name in properties_of(layer):
        if name not in known:
            raise _refused(
                dataset,
                f"layer {layer['id']} reads the attribute {name!r}; there are {', '.join(known)}",
                f"图层 {layer['id']} 读取属性 {name!r},可用的有 {', '.join(known)}",
            )


@cache
def _known_names(group: str, type_: str) -> frozenset[str]:
    """The properties of a layer type, from the specification that comes with MapLibre; none known where it is not there."""
    if not _SPECIFICATION.exists():
        return frozenset()
    specification = json.loads(_SPECIFICATION.read_text("utf-8"))
    return frozenset(specification[f"{group}_{type_}"])


def _refused(dataset: Dataset, en: str, zh: str) -> StyleRefused:
    return StyleRefused(id=dataset.id, problem=Text(en, zh))
