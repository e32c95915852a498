"""Planting a stated number of defects of each rule in a made-up survey, each apart from the others, and telling where."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from core.errors import ChengtuError
from data.survey.defects_geometry import GEOMETRIC
from data.survey.defects_rows import ROWS
from data.survey.picking import Picker
from data.survey.planting import Entry, Planter
from data.survey.table import Survey, Table

SUMS = ("village-sum", "district-sum")
RULES: tuple[str, ...] = (*GEOMETRIC, *ROWS, *SUMS)
_OFF = 50_000  # cents that a wrong sum is off by


class NoSuchRule(ChengtuError):
    """A defect of a rule that none is planted of."""

    en = "There is no rule {rule!r} to plant defects of. Choose among: {known}."
    zh = "没有可植入缺陷的规则 {rule!r}。可选:{known}。"
    status = 400
    exit_code = 2


class TooManyDefects(ChengtuError):
    """The survey has too few parcels for defects that lie apart from each other."""

    en = "There is room for {room} defects of {rule}, not for {wanted}. Ask for fewer, or for a survey of more parcels."
    zh = "规则 {rule} 只能植入 {room} 处缺陷,无法植入 {wanted} 处。请减少数量,或生成图斑更多的数据库。"
    status = 400
    exit_code = 2


class Truth(NamedTuple):
    """For each rule, what is wrong: a `BSM`, or a pair of them."""

    rules: dict[str, list[Entry]]

    def as_json(self) -> dict[str, Any]:
        """As it is written beside the data; pairs are lists."""
        return {
            "rules": {
                rule: [one if isinstance(one, str) else [*one] for one in found] for rule, found in self.rules.items()
            }
        }


def plant(survey: Survey, counts: Mapping[str, int], *, seed: int = 20261) -> tuple[Survey, Truth]:
    """The survey with `counts` defects of each rule, and which they are; everything else in it stays right.

    Each defect has parcels of its own, and those that change shape touch no other's. Raises `NoSuchRule` and
    `TooManyDefects`.
    """
    for rule in counts:
        if rule not in RULES:
            raise NoSuchRule(rule=rule, known=", ".join(RULES))
    planter = Planter(survey, Picker(np.random.default_rng([seed, len(survey.parcels.shapes)]), survey.parcels))
    makers = {**GEOMETRIC, **ROWS}
    truth = {rule: _plant(planter, rule, makers[rule], counts.get(rule, 0)) for rule in makers if counts.get(rule)}
    parcels, villages, townships = planter.settled()
    for rule, units in zip(SUMS, (villages, townships), strict=True):
        if counts.get(rule):
            truth[rule] = _wrong_sums(planter, rule, units, counts[rule])
    layers = {**survey.layers, "DLTB": parcels, "CJDCQ": villages, "XZQ": townships}
    return survey._replace(layers=layers), Truth({rule: truth[rule] for rule in RULES if rule in truth})


def _plant(planter: Planter, rule: str, make: Callable[[Planter, int], Entry | None], wanted: int) -> list[Entry]:
    found: list[Entry] = []
    for parcel in planter.picker.offers():
        if len(found) == wanted:
            return found
        entry = make(planter, parcel)
        if entry is not None:
            found.append(entry)
    if len(found) < wanted:
        raise TooManyDefects(rule=rule, room=len(found), wanted=wanted)
    return found


def _wrong_sums(planter: Planter, rule: str, units: Table, wanted: int) -> list[Entry]:
    """Units that state 500 m2 too much."""
    if wanted > len(units.shapes):
        raise TooManyDefects(rule=rule, room=len(units.shapes), wanted=wanted)
    chosen = planter.picker.rng.choice(len(units.shapes), wanted, replace=False)
    units["DCMJ"][chosen] = (np.rint(units["DCMJ"][chosen] * 100) + _OFF) / 100
    return [str(key) for key in units["BSM"][chosen]]
