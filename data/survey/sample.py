"""What the sample city and the command line take of the generator: files, and the truth beside them."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from core.language import Text
from data.survey.database import YEAR, build_survey
from data.survey.defects import plant
from data.survey.files import SUFFIXES, Form, write_tables
from data.survey.increment import Increment, build_increment
from data.survey.spoiling import Spoilt, spoil
from data.survey.table import Survey

VERSION = 1  # raise it when the same seed gives another survey
TITLE = Text("Land survey (synthetic)", "国土调查(模拟数据)")
DESCRIPTION = Text(
    "Synthetic: made from a seed inside the real districts, in the form of TD/T 1057-2020; nothing of it exists.",
    "模拟数据:由随机种子在真实区县范围内按 TD/T 1057-2020 的结构生成,并非真实地块。",
)


class Wish(NamedTuple):
    """Which survey is meant: the same wish is always the same survey."""

    city: str = "220200"
    parcels: int = 6_000
    seed: int = 20261
    year: int = YEAR


class Written(NamedTuple):
    """A file (or folder) of data, the file of its truth, and what the truth says."""

    data: Path
    truth: Path
    told: dict[str, Any]


def survey_files(
    wish: Wish, into: Path, *, defects: Mapping[str, int] | None = None, form: Form = "gpkg", srid: int = 4490
) -> Written:
    """Write a survey into a folder, with defects if wanted. Raises `NoSuchCity`, `NoSuchRule`, `TooManyDefects`."""
    survey, truth = plant(_survey(wish), defects or {}, seed=wish.seed)
    path = write_tables(survey.layers, _path(into, f"survey-{wish.city}-{wish.year}", form), form=form, srid=srid)
    return _told(path, wish, {"parcels": len(survey.parcels.shapes), **truth.as_json()})


def increment_files(
    wish: Wish, into: Path, *, changes: int, how: Spoilt | None = None, form: Form = "gpkg", srid: int = 4490
) -> Written:
    """Write the increment of the year after that of the survey which the wish means, spoilt if wanted."""
    increment, shows = _spoilt(build_increment(_survey(wish), changes, seed=wish.seed), how)
    path = write_tables(
        increment.layers, _path(into, f"increment-{wish.city}-{wish.year + 1}", form), form=form, srid=srid
    )
    told = {
        "year": increment.year,
        "changes": increment.changes,
        "spoilt": how,
        "shows": shows,
        "pairs": _pairs(increment),
    }
    return _told(path, wish, told)


def sample_survey(city: str, into: Path, *, parcels: int = 3_000, seed: int = 20261) -> Path:
    """The GeoPackage of a small survey for the sample city, made once and found again afterwards."""
    folder = into / f"{city}-survey-{parcels}-{seed}-v{VERSION}"
    truth = folder / f"survey-{city}-{YEAR}.truth.json"  # written last: where it is, the folder is complete
    if truth.is_file():
        return folder / f"survey-{city}-{YEAR}.gpkg"
    return survey_files(Wish(city, parcels, seed), folder).data


def write_truth(data: Path, told: Mapping[str, Any]) -> Path:
    """Write what is true of some data beside them."""
    path = data.with_name(f"{data.stem}.truth.json")
    path.write_text(
        json.dumps({"synthetic": True, "note": DESCRIPTION.zh, **told}, ensure_ascii=False, indent=1), "utf-8"
    )
    return path


def _survey(wish: Wish) -> Survey:
    return build_survey(wish.city, wish.parcels, seed=wish.seed, year=wish.year)


def _path(into: Path, name: str, form: Form) -> Path:
    into.mkdir(parents=True, exist_ok=True)
    return into / f"{name}{SUFFIXES[form]}"


def _told(path: Path, wish: Wish, told: dict[str, Any]) -> Written:
    whole = {"city": wish.city, "wanted": wish.parcels, "seed": wish.seed, "year": wish.year, **told}
    return Written(path, write_truth(path, whole), whole)


def _spoilt(increment: Increment, how: Spoilt | None) -> tuple[Increment, list[str]]:
    return (increment, []) if how is None else spoil(increment, how)


def _pairs(increment: Increment) -> list[list[str]]:
    """Each old parcel with each new one that has ground of it."""
    process = increment.layers["DLTBGXGC"]
    return [[*pair] for pair in zip(process["BGQTBBSM"].tolist(), process["BGHTBBSM"].tolist(), strict=True)]
