"""The rules on polygons of one layer: read once, looked at by all."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import numpy as np

from core.database import Connection
from core.language import Text
from loaders.profiles import Rule
from loaders.quality.areas import check_areas
from loaders.quality.columns import Columns, NotThere
from loaders.quality.coverage import Coverage
from loaders.quality.edges import Shapes
from loaders.quality.findings import Finding, Located, write_findings, write_located
from loaders.quality.shapes import Layer, read_layer
from loaders.quality.topology import TOPOLOGY_KINDS
from loaders.quality.units import check_units

SHAPE_KINDS = frozenset({*TOPOLOGY_KINDS, "area", "inside-named", "self-crossing"})

Other = Callable[[str, Sequence[str]], Layer]  # a layer's name and the fields wanted of it
Understood = Callable[[Rule], AbstractContextManager[None]]

_COORDINATE = 0.001  # metres, where no rule says
_REASONS = {
    "Self-intersection": "自相交",
    "Ring Self-intersection": "环自相交",
    "Hole lies outside shell": "内环位于外环之外",
    "Holes are nested": "内环嵌套",
    "Interior is disconnected": "内部不连通",
    "Nested shells": "外环嵌套",
    "Duplicate Rings": "环重复",
    "Too few points in geometry component": "点数不足",
}


def check_shapes(
    connection: Connection, columns: Columns, rules: Sequence[Rule], other: Other, understood: Understood
) -> None:
    """Write what a layer's polygons break; rules are taken in their order, but those that come `after` others behind them."""
    layer = read_layer(connection, columns, _fields(columns, rules, "area"), _fields(columns, rules, "inside-named"))
    shaped = _Shaped(columns, layer, _boundary(rules, other))
    for rule in sorted(rules, key=lambda rule: bool(rule.parameters.get("after"))):
        with understood(rule):
            shaped.check(rule, other)
    write_findings(connection, columns.checked.profile.name, columns.checked.srid, shaped.findings)
    write_located(connection, columns.checked.profile.name, shaped.located)


class _Shaped:
    """A layer's polygons and what was found of them so far."""

    def __init__(self, columns: Columns, layer: Layer, boundary: Shapes) -> None:
        self.findings: list[Finding] = []
        self.located: list[Located] = []
        self._checked = columns.checked
        self._layer = layer
        self._concerned: dict[str, set[int]] = {}
        self._reasons = dict(columns.checked.repaired)
        mended = np.array([key in self._reasons for key in layer.keys], np.bool_)
        coordinates = [rule.parameters.get("coordinate") for rule in columns.checked.profile.rules]
        coordinate = next((float(one) for one in coordinates if one is not None), _COORDINATE)
        self._coverage = Coverage(layer.shapes, boundary, mended, columns.checked.srid, coordinate)

    def check(self, rule: Rule, other: Other) -> None:
        """Add what breaks a rule."""
        if not len(self._layer.keys):
            return
        findings, concerned = self._found(rule, other)
        self.findings += findings
        self._concerned[rule.id] = concerned

    def _found(self, rule: Rule, other: Other) -> tuple[list[Finding], set[int]]:
        if rule.kind == "self-crossing":
            return self._crossing(rule)
        if rule.kind == "area":
            excused = {place for id_ in rule.parameters.get("after", ()) for place in self._concerned.get(id_, ())}
            return check_areas(rule, self._layer, self._coverage.areas, excused)
        if rule.kind == "inside-named":
            units = other(rule.parameters["layer"], [rule.parameters["of"]])
            placed = check_units(rule, self._layer, self._coverage.middles, units)
            self.located += placed.located
            return placed.findings, placed.concerned
        if rule.kind == "outside" and not len(self._coverage.boundary):
            raise NotThere(Text("there is no layer to be the boundary", "缺少作为边界的图层"))
        return TOPOLOGY_KINDS[rule.kind](rule, self._coverage, self._layer.keys)

    def _crossing(self, rule: Rule) -> tuple[list[Finding], set[int]]:
        """The shapes that were invalid when they came, by what GEOS said of them."""
        places = np.flatnonzero(self._coverage.mended).tolist()
        findings = []
        for place in places:
            reason = self._reasons[str(self._layer.keys[place])]
            note = Text(reason, _REASONS.get(reason, "几何无效"))
            findings.append(Finding(rule.id, note, self._layer.keys[place], shape=self._layer.shapes[place]))
        return findings, set(places)


def _fields(columns: Columns, rules: Sequence[Rule], kind: str) -> list[str]:
    """The fields that rules of a kind speak of, as far as the layer has them."""
    named = [rule.parameters.get("field") for rule in rules if rule.kind == kind]
    return [name for name in dict.fromkeys(named) if isinstance(name, str) and name in columns]


def _boundary(rules: Sequence[Rule], other: Other) -> Shapes:
    """The polygons of the first layer that is there of those that rules name as the boundary."""
    for name in dict.fromkeys(name for rule in rules for name in rule.parameters.get("boundary", ())):
        try:
            return other(name, []).shapes
        except NotThere:
            continue
    return np.empty(0, object)
