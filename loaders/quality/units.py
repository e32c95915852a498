"""Which unit a feature lies in, and whether it is the one that it names."""

from typing import NamedTuple

import numpy as np
import shapely

from core.language import Text
from loaders.profiles import Rule
from loaders.quality.edges import Ints, Shapes
from loaders.quality.findings import Finding, Located
from loaders.quality.rows import unit_codes
from loaders.quality.shapes import Layer


class Placed(NamedTuple):
    """What was found of features' units: those that lie elsewhere than they say, and where all such lie."""

    findings: list[Finding]
    concerned: set[int]
    located: list[Located]


def check_units(rule: Rule, layer: Layer, middles: Shapes, units: Layer) -> Placed:
    """Features whose middle is not in the unit they name: their `field` begins with the unit's code, its field `of`.

    A unit that nobody knows is no finding here; features that name one are located all the same, as are those that
    name none.
    """
    digits = int(rule.parameters["digits"])
    named = [text and text[:digits] for text in layer.texts[rule.parameters["field"]]]
    codes = [_code(text, rule) for text in units.texts[rule.parameters["of"]]]
    lies = _unit_of(middles, units.shapes).tolist()
    wrong = [
        (place, name, codes[unit])
        for place, (name, unit) in enumerate(zip(named, lies, strict=True))
        if unit >= 0 and codes[unit] and not (name or "").startswith(codes[unit])
    ]
    known = tuple(code for code in codes if code)
    told = [one for one in wrong if one[1] and one[1].startswith(known)]
    return Placed(
        [_finding(rule, layer, *one) for one in told],
        {place for place, *_ in told},
        [Located(layer.keys[place], name, real) for place, name, real in wrong],
    )


def _code(text: str | None, rule: Rule) -> str:
    """A unit's code; none is empty."""
    return next(iter(unit_codes([text], rule)), "") if text else ""


def _finding(rule: Rule, layer: Layer, place: int, named: str, real: str) -> Finding:
    note = Text(f"names unit {named}, lies in {real}", f"填写的单位为 {named},实际位于 {real}")
    return Finding(rule.id, note, layer.keys[place], shape=layer.shapes[place])


def _unit_of(middles: Shapes, units: Shapes) -> Ints:
    """The place of the unit that each point lies in, -1 where it lies in none."""
    lies = np.full(len(middles), -1)
    unit, shape = shapely.STRtree(middles).query(units, predicate="contains")
    lies[shape] = unit
    return lies
