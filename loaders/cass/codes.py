"""What the layers and feature codes of CASS mean: a class of GB/T 13923-2022, and the theme that it belongs to."""

import csv
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

from core.codelists import codelist
from core.language import Text
from core.settings import ROOT

UNMAPPED: Final = "unmapped"  # the class of what no list knows, and the theme of what no layer places
GB_EDITION: Final = "2022"
_LAYERS: Final = ROOT / "data" / "cass" / "layers.csv"
_DIGITS: Final = re.compile(r"\d{6}")

Geometry = Literal["point", "line", "area"]
Mapped = Literal["code", "layer", "none"]  # what told the class


class CassCode(NamedTuple):
    """A feature code: its own name, its class, its theme, and whether closed lines of it are areas."""

    name: Text
    gb_code: str
    theme: str
    geometry: Geometry


class CassLayer(NamedTuple):
    """A layer: the class of what has no code of its own; without a theme, what lies on it is no map."""

    name: Text
    gb_code: str
    theme: str
    geometry: Geometry


class Meaning(NamedTuple):
    """What an object of the drawing is on the map."""

    theme: str
    gb_code: str | None  # None: an annotation, for which the standard has no class
    source_name: str | None
    area: bool
    mapped: Mapped


@cache
def cass_codes() -> Mapping[str, CassCode]:
    """All known feature codes."""
    return {
        one.code: CassCode(one.name, one.more["gb_code"], one.more["theme"], _geometry(one.more["geometry"]))
        for one in codelist("cass-codes").codes
    }


@cache
def cass_layers() -> Mapping[str, CassLayer]:
    """The layers by each of their names, in capitals."""
    found: dict[str, CassLayer] = {}
    for row in _rows(_LAYERS):
        layer = CassLayer(*_of(row))
        found |= dict.fromkeys([row["layer"], *filter(None, row["aliases"].split("|"))], layer)
    return found


def layer_named(name: str) -> CassLayer | None:
    """The layer of that name, in any case; one from another drawing (`sheet$0$JMD`, `sheet|JMD`) too."""
    plain = re.split(r"\$\d\$|\|", name.strip())[-1].upper()
    return cass_layers().get(plain)


@cache
def meaning_of(layer: str, code: str, *, is_text: bool) -> Meaning:
    """What an object means, by its feature code, else by its layer."""
    known, on = _code(code), layer_named(layer)
    if known is not None:
        theme = "text" if is_text else known.theme
        return Meaning(theme, known.gb_code, known.name.zh, known.geometry == "area", "code")
    area = on is not None and on.geometry == "area"
    theme = "text" if is_text else on.theme if on and on.theme != "text" else UNMAPPED
    if code:
        return Meaning(theme, UNMAPPED, None, area, "none")
    if on is not None and on.gb_code:
        return Meaning(theme, on.gb_code, on.name.zh, area, "layer")
    return Meaning(theme, None if is_text else UNMAPPED, None, area, "layer" if is_text else "none")


def _code(code: str) -> CassCode | None:
    """A code by its six digits; some versions of CASS write more behind them."""
    digits = _DIGITS.match(code)
    return cass_codes().get(digits[0]) if digits else None


def _of(row: Mapping[str, str]) -> tuple[Text, str, str, Geometry]:
    return Text(row["name_en"], row["name_zh"]), row["gb_code"], row["theme"], _geometry(row["geometry"])


def _geometry(word: str) -> Geometry:
    return "area" if word == "area" else "line" if word == "line" else "point"


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
