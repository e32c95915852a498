"""A data set's style as QGIS writes its own (QML): classes by colour and name, names for codes in tables and forms."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

from core.catalogue import Dataset
from core.codelists import Codelist, codelist_of
from core.language import Language
from tiles.portrayal import portrayal_of
from tiles.style.colours import OTHER, mix
from tiles.style.ink import Entry, Ink
from tiles.style.roles import Shape

_VERSION: Final = "3.22.0"  # the oldest that is known to read it
_UNREADABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_KINDS: Final[
    dict[Shape, tuple[str, str, str]]
] = {  # as QGIS calls a symbol and its layer, and the number of the geometry
    "point": ("marker", "SimpleMarker", "0"),
    "line": ("line", "SimpleLine", "1"),
    "area": ("fill", "SimpleFill", "2"),
}
_MM: Final = {"outline_width_unit": "MM", "line_width_unit": "MM", "size_unit": "MM"}


def qml(dataset: Dataset, language: Language) -> bytes:
    """The style of a data set in a language; what has no single kind of geometry gets names and forms, and no symbols.

    Findings may be of any kind, and QGIS shows the areas, which nearly all of them are.
    """
    root = Element("qgis", version=_VERSION, styleCategories="Symbology|Fields|Forms")
    ink = Ink(dataset, portrayal_of(dataset), "light", language)
    if len(ink.shapes) == 1 or ink.role(ink.shapes[0]) == "finding":
        _renderer(root, ink, ink.shapes[0])
    coded = {field.name: list_ for field in dataset.fields if (list_ := codelist_of(dataset, field.name))}
    _forms(SubElement(root, "fieldConfiguration"), coded, language)
    aliases = SubElement(root, "aliases")
    for place, (name, about) in enumerate(dataset.about_fields.items()):
        if title := about.title.in_(language):
            SubElement(aliases, "alias", index=str(place), field=_told(name), name=_told(title))
    if len(ink.shapes) == 1:
        SubElement(root, "layerGeometryType").text = _KINDS[ink.shapes[0]][2]
    body: bytes = tostring(root, encoding="utf-8")
    return b"<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n" + body


def _renderer(root: Element, ink: Ink, shape: Shape) -> None:
    """A symbol for each class, and one for all others; where there are no classes, one for all."""
    entries = ink.legend()
    field = ink.portrayal.class_field
    outlined = ink.role(shape) == "finding"
    if field is None or not ink.is_classed:
        renderer = SubElement(root, "renderer-v2", type="singleSymbol", symbollevels="0", forceraster="0")
        _symbol(SubElement(renderer, "symbols"), "0", shape, entries[-1].colour, outlined=outlined)
        return
    renderer = SubElement(
        root, "renderer-v2", type="categorizedSymbol", attr=_told(field), symbollevels="0", forceraster="0"
    )
    categories, symbols = SubElement(renderer, "categories"), SubElement(renderer, "symbols")
    for place, one in enumerate(entries):
        SubElement(
            categories,
            "category",
            value=_told(one.value or ""),
            type="string" if one.value is not None else "NULL",
            symbol=str(place),
            label=_told(_label(one)),
            render="true",
        )
        _symbol(symbols, str(place), shape, one.colour or OTHER, outlined=outlined)


def _label(entry: Entry) -> str:
    """The name, and the code that it stands for."""
    return entry.title if entry.value in (None, entry.title) else f"{entry.title} ({entry.value})"


def _symbol(symbols: Element, name: str, shape: Shape, colour: str, *, outlined: bool) -> None:
    kind, layer_class, _ = _KINDS[shape]
    symbol = SubElement(symbols, "symbol", type=kind, name=name, alpha="1", clip_to_extent="1", force_rhr="0")
    layer = SubElement(symbol, "layer", {"class": layer_class, "pass": "0", "locked": "0", "enabled": "1"})
    options = SubElement(layer, "Option", type="Map")
    for key, value in _look(shape, colour, outlined=outlined).items():
        SubElement(options, "Option", name=key, type="QString", value=value)
        SubElement(layer, "prop", k=key, v=value)  # what QGIS reads before 3.18


def _look(shape: Shape, colour: str, *, outlined: bool) -> dict[str, str]:
    """How a symbol looks; what is outlined may be too thin to be seen but for its line."""
    edge = _rgba(colour) if outlined else _rgba(mix(colour, "#3a3a3a", 0.45))
    match shape:
        case "area":
            return _MM | {
                "color": _rgba(colour, 70 if outlined else 255),
                "style": "solid",
                "outline_color": edge,
                "outline_width": "0.8" if outlined else "0.1",
                "outline_style": "solid",
            }
        case "line":
            return _MM | {
                "line_color": _rgba(colour),
                "line_width": "0.5",
                "line_style": "solid",
                "capstyle": "round",
                "joinstyle": "round",
            }
        case "point":
            return _MM | {
                "color": _rgba(colour),
                "name": "circle",
                "size": "2.4",
                "outline_color": edge,
                "outline_width": "0.2",
                "outline_style": "solid",
            }


def _rgba(colour: str, opacity: int = 255) -> str:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return f"{red},{green},{blue},{opacity}"


def _forms(configuration: Element, coded: dict[str, Codelist], language: Language) -> None:
    """In tables and forms a code shows as its name, and is chosen by it."""
    for name, list_ in coded.items():
        field = SubElement(configuration, "field", name=_told(name), configurationFlags="None")
        config = SubElement(SubElement(field, "editWidget", type="ValueMap"), "config")
        values = SubElement(SubElement(config, "Option", type="Map"), "Option", name="map", type="List")
        for said, code in _said(list_, language):
            pair = SubElement(values, "Option", type="Map")
            SubElement(pair, "Option", name=_told(said), type="QString", value=_told(code))


def _said(list_: Codelist, language: Language) -> Iterable[tuple[str, str]]:
    """What each code is called: two of the same name are told apart by their codes."""
    names = {one.code: one.name.in_(language) for one in list_.codes}
    times = Counter(names.values())
    return ((name if times[name] == 1 else f"{name} ({code})", code) for code, name in names.items())


def _told(text: str) -> str:
    """A text that any parser of XML reads."""
    return _UNREADABLE.sub("", text)
