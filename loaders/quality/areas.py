"""Stated areas against those on the ellipsoid."""

from collections.abc import Set

import numpy as np

from core.language import Text
from loaders.profiles import Rule
from loaders.quality.edges import Floats
from loaders.quality.findings import Finding
from loaders.quality.shapes import Layer
from loaders.quality.topology import Found

_ABSOLUTE, _RELATIVE = 1.0, 0.001  # square metres; of the area: where a rule does not say


def check_areas(rule: Rule, layer: Layer, measured: Floats, excused: Set[int]) -> Found:
    """Features whose stated area is off the measured one by more than both tolerances; `excused` have a wrong shape anyway."""
    given = rule.parameters
    stated = layer.numbers[given["field"]]
    allowed = np.maximum(float(given.get("absolute", _ABSOLUTE)), float(given.get("relative", _RELATIVE)) * measured)
    off = set(np.flatnonzero(np.abs(stated - measured) > allowed + 0.005).tolist()) - excused
    findings = [
        Finding(
            rule.id,
            Text(
                f"{given['field']} is {stated[place]:.2f} m², on the ellipsoid it is {measured[place]:.2f} m²",
                f"{given['field']} 为 {stated[place]:.2f} 平方米,椭球面积为 {measured[place]:.2f} 平方米",
            ),
            layer.keys[place],
            stated=float(stated[place]),
            measured=float(measured[place]),
            shape=layer.shapes[place],
        )
        for place in sorted(off)
    ]
    return Found(findings, off)
