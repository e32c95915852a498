"""Increments that must be refused: each with one thing wrong that a delivery can have."""

from typing import Literal, get_args

import numpy as np

from data.survey.increment import Increment
from data.survey.table import Table

Spoilt = Literal["wrong-year", "other-county", "unbalanced", "unknown-before", "missing-after"]
SPOILT: tuple[Spoilt, ...] = get_args(Spoilt)
_ELSEWHERE = "110101"  # a county that no sample has


def spoil(increment: Increment, how: Spoilt) -> tuple[Increment, list[str]]:
    """The increment with one thing wrong, and the identifiers of what shows it.

    wrong-year: the survey's own year; other-county: all codes are of a county elsewhere; unbalanced: a new
    parcel is 1 000 m2 too large; unknown-before: an old parcel that does not exist; missing-after: a new one that is
    not there.
    """
    new, process = increment.layers["DLTBGX"], increment.layers["DLTBGXGC"]
    if how == "wrong-year":
        year = increment.year - 1
        return _with(increment, *(_dated(one, year) for one in (new, process)))._replace(year=year), []
    if how == "other-county":
        return _with(increment, *(_moved(one) for one in (new, process))), []
    if how == "unbalanced":
        areas, own, wrong = new["TBMJ"].copy(), new["TBDLMJ"].copy(), 0
        areas[wrong] += 1000
        own[wrong] += 1000
        return _with(increment, new.having(TBMJ=areas, TBDLMJ=own), process), [str(new["BSM"][wrong])]
    if how == "unknown-before":
        before = process["BGQTBBSM"].copy()
        before[before == before[0]] = unknown = f"{before[0][:10]}99999999"
        return _with(increment, new, process.having(BGQTBBSM=before)), [unknown]
    kept = np.arange(1, len(new.shapes))
    return _with(increment, new.where(kept), process), [str(new["BSM"][0])]


def _with(increment: Increment, new: Table, process: Table) -> Increment:
    return increment._replace(layers={"DLTBGX": new, "DLTBGXGC": process})


def _dated(table: Table, year: int) -> Table:
    dated = table.having(GXSJ=np.full(len(table.shapes), np.datetime64(f"{year}-12-31")))
    return dated.having(SJNF=np.full(len(table.shapes), year)) if "SJNF" in table.columns else dated


def _moved(table: Table) -> Table:
    names = [name for name in table.columns if name.endswith(("BSM", "DWDM"))]
    moved = {name: np.array([_ELSEWHERE + code[6:] for code in table[name]], dtype=object) for name in names}
    return table.having(**moved)
