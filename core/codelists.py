"""Code lists and crosswalks: what a standard's codes are called, coloured, made of, and turned into, by edition and day."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from core.catalogue import Dataset
from core.codelist_files import Files, read_files
from core.codes import (
    BadCodelist,
    Code,
    Codelist,
    Crosswalk,
    Match,
    NoSuchCode,
    NoSuchCodelist,
    NoSuchCrosswalk,
    Target,
)
from core.settings import ROOT

__all__ = [
    "BadCodelist",
    "Code",
    "Codelist",
    "Crosswalk",
    "Match",
    "NoSuchCode",
    "NoSuchCodelist",
    "NoSuchCrosswalk",
    "Target",
    "codelist",
    "codelist_of",
    "codelists",
    "crosswalk",
    "crosswalks",
]

CODELISTS: Final = ROOT / "data" / "codelists"
CROSSWALKS: Final = ROOT / "data" / "crosswalks"


def codelists() -> Mapping[str, Codelist]:
    """All code lists by id; `BadCodelist` where a file is wrong."""
    return _shipped().codelists


def codelist(id_: str) -> Codelist:
    """One code list; `NoSuchCodelist` where there is none of that id."""
    found = codelists().get(id_)
    if found is None:
        raise NoSuchCodelist(id=id_[:60])
    return found


def codelist_of(dataset: Dataset, field: str | None) -> Codelist | None:
    """The code list that the values of a data set's attribute are of; None where none is known."""
    about = dataset.about_fields.get(field) if field else None
    return codelists().get(about.codelist) if about is not None and about.codelist else None


def crosswalks() -> Mapping[str, Crosswalk]:
    """All crosswalks by id."""
    return _shipped().crosswalks


def crosswalk(id_: str) -> Crosswalk:
    """One crosswalk; `NoSuchCrosswalk` where there is none of that id."""
    found = crosswalks().get(id_)
    if found is None:
        raise NoSuchCrosswalk(id=id_[:60])
    return found


@cache
def _shipped() -> Files:
    return read_files(CODELISTS, CROSSWALKS)
