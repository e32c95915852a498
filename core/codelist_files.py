"""Code lists and crosswalks as files: CSV, described in TOML, and read strictly."""

import csv
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from core.codes import BadCodelist, Code, Codelist, Confidence, Crosswalk, Sureness, Target
from core.language import Text

_CONFIDENCES: Final = ("high", "medium", "low")
_SURENESSES: Final = ("exact", "rule", "human")
_NAMED: Final = ("code", "name_zh", "name_en")
_OPTIONAL: Final = ("parent", "assignable", "color", "valid_from", "valid_to", "confidence", "note_zh", "note_en")
_CROSSWALK: Final = ("from_scheme", "from_code", "to_scheme", "to_code", "confidence", "note_zh", "note_en")
_DESCRIBED: Final = frozenset(
    ("id", "title", "standard", "edition", "valid_from", "valid_to", "confidence", "colors", "note", "more")
)
_COLOR: Final = re.compile(r"#[0-9a-f]{6}")
_ID: Final = re.compile(r"[a-z][a-z0-9-]{1,47}")


class Files(NamedTuple):
    """All lists and all crosswalks, by id."""

    codelists: Mapping[str, Codelist]
    crosswalks: Mapping[str, Crosswalk]


def read_files(lists: Path, walks: Path) -> Files:
    """Read every list and crosswalk that the TOML files of a folder describe; a CSV that none describes is an error."""
    described: dict[str, Codelist] = {}
    walked: dict[str, Crosswalk] = {}
    for index in sorted(lists.glob("*.toml"), key=lambda path: (path.stem != "index", path.stem)):
        told = tomllib.loads(index.read_text("utf-8"))
        for one in told.get("codelist", ()):
            _add(described, _codelist(lists, index.name, one))
        for one in told.get("crosswalk", ()):
            _add(walked, _crosswalk(walks, index.name, one))
    for folder, known in ((lists, described), (walks, walked)):
        if strays := sorted(path.name for path in folder.glob("*.csv") if path.stem not in known):
            raise BadCodelist(where=strays[0], problem="no TOML file beside it describes it")
    for walk in walked.values():
        _check_walk(walk, described)
    return Files(MappingProxyType(described), MappingProxyType(walked))


def _add[T: (Codelist, Crosswalk)](known: dict[str, T], one: T) -> None:
    if one.id in known:
        raise BadCodelist(where=one.id, problem="described twice")
    known[one.id] = one


def _codelist(folder: Path, where: str, told: Mapping[str, Any]) -> Codelist:
    if unknown := sorted(told.keys() - _DESCRIBED):
        raise BadCodelist(where=where, problem=f"{unknown[0]!r} says nothing of a list")
    if missing := sorted({"id", "title", "standard", "edition"} - told.keys()):
        raise BadCodelist(where=where, problem=f"a list has no {missing[0]!r}")
    id_ = str(told["id"])
    if not _ID.fullmatch(id_):
        raise BadCodelist(where=where, problem=f"{id_!r} is no id of a list: a-z, 0-9 and -")
    sure = _confidence(where, told.get("confidence", "high"))
    valid = _period(where, told.get("valid_from"), told.get("valid_to"))
    rows = _Rows(id_, f"{id_}.csv", sure, _rows(folder / f"{id_}.csv", _NAMED, (*_OPTIONAL, *told.get("more", ()))))
    return Codelist(
        id_,
        _text(told["title"]),
        str(told["standard"]),
        str(told["edition"]),
        *valid,
        sure,
        _text(told["colors"]) if "colors" in told else None,
        _text(told["note"]) if "note" in told else None,
        rows.codes(),
    )


class _Rows:
    """The rows of a list on their way to codes: each may stand on those before it."""

    def __init__(self, id_: str, file: str, confidence: Confidence, rows: Iterator[tuple[int, dict[str, str]]]) -> None:
        self._id, self._file, self._confidence, self._rows = id_, file, confidence, rows
        self._known: dict[str, list[Code]] = {}

    def codes(self) -> tuple[Code, ...]:
        """All of them, checked."""
        made = []
        for line, row in self._rows:
            one = self._code(f"{self._file}:{line}", row)
            self._known.setdefault(one.code, []).append(one)
            made.append(one)
        if not made:
            raise BadCodelist(where=self._file, problem="it holds no codes")
        return tuple(made)

    def _code(self, where: str, row: dict[str, str]) -> Code:
        code = row["code"]
        if not all(row[name] for name in _NAMED):
            raise BadCodelist(where=where, problem="a code and its names in both languages must be there")
        parent = self._parent(where, row)
        color = row.get("color") or (parent.color if parent else None)
        if color is not None and not _COLOR.fullmatch(color):
            raise BadCodelist(where=where, problem=f"{color!r} is no colour like #1a2b3c")
        first, last = _period(where, row.get("valid_from"), row.get("valid_to"))
        if any(_meet((first, last), (one.valid_from, one.valid_to)) for one in self._known.get(code, ())):
            raise BadCodelist(where=where, problem=f"{code!r} is there twice, valid on the same day")
        if (assignable := row.get("assignable") or "yes") not in ("yes", "no"):
            raise BadCodelist(where=where, problem=f"assignable is {assignable!r}, not yes or no")
        return Code(
            scheme=self._id,
            code=code,
            name=Text(row["name_en"], row["name_zh"]),
            parent=parent.code if parent else None,
            level=parent.level + 1 if parent else 1,
            color=color,
            assignable=assignable == "yes",
            valid_from=first,
            valid_to=last,
            confidence=_confidence(where, row.get("confidence") or self._confidence),
            note=_note(row),
            more=MappingProxyType(
                {name: value for name, value in row.items() if name not in _NAMED and name not in _OPTIONAL}
            ),
        )

    def _parent(self, where: str, row: dict[str, str]) -> Code | None:
        if not (parent := row.get("parent")):
            return None
        if parent not in self._known:
            raise BadCodelist(where=where, problem=f"its parent {parent!r} is not among the codes above it")
        return self._known[parent][-1]


def _crosswalk(folder: Path, where: str, told: Mapping[str, Any]) -> Crosswalk:
    if missing := sorted({"id", "title", "standard", "from", "to"} - told.keys()):
        raise BadCodelist(where=where, problem=f"a crosswalk has no {missing[0]!r}")
    id_, source, target = (str(told[name]) for name in ("id", "from", "to"))
    targets: dict[str, tuple[Target, ...]] = {}
    for line, row in _rows(folder / f"{id_}.csv", _CROSSWALK, ()):
        here = f"{id_}.csv:{line}"
        if (row["from_scheme"], row["to_scheme"]) != (source, target):
            raise BadCodelist(where=here, problem=f"it does not lead from {source} to {target}")
        if row["confidence"] not in _SURENESSES:
            raise BadCodelist(where=here, problem=f"{row['confidence']!r} is none of {', '.join(_SURENESSES)}")
        before = targets.get(row["from_code"], ())
        if any(one.code == row["to_code"] for one in before):
            raise BadCodelist(where=here, problem="the same way is there twice")
        if row["confidence"] != "human" and any(one.confidence != "human" for one in before):
            raise BadCodelist(where=here, problem=f"{row['from_code']!r} is decided twice")
        targets[row["from_code"]] = (
            *before,
            Target(row["to_code"], cast(Sureness, row["confidence"]), _note(row)),
        )
    note = _text(told["note"]) if "note" in told else None
    return Crosswalk(id_, _text(told["title"]), str(told["standard"]), source, target, note, MappingProxyType(targets))


def _check_walk(walk: Crosswalk, lists: Mapping[str, Codelist]) -> None:
    for end in (walk.source, walk.target):
        if end not in lists:
            raise BadCodelist(where=f"{walk.id}.csv", problem=f"there is no code list {end!r}")
    for code, targets in walk.targets.items():
        for list_, one in ((walk.source, code), *((walk.target, target.code) for target in targets)):
            if one not in lists[list_]:
                raise BadCodelist(where=f"{walk.id}.csv", problem=f"{list_} has no code {one!r}")


def _rows(path: Path, required: tuple[str, ...], optional: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a file, each with its line; every column must be known, and every row whole."""
    if not path.is_file():
        raise BadCodelist(where=path.name, problem="the file is missing")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        columns = reader.fieldnames or ()
        if missing := [name for name in required if name not in columns]:
            raise BadCodelist(where=path.name, problem=f"the column {missing[0]!r} is missing")
        if unknown := [name for name in columns if name not in required and name not in optional]:
            raise BadCodelist(where=path.name, problem=f"the column {unknown[0]!r} is not known")
        for row in reader:
            if None in row or None in row.values():
                raise BadCodelist(
                    where=f"{path.name}:{reader.line_num}", problem="it has not as many values as columns"
                )
            yield reader.line_num, row


def _period(where: str, first: object, last: object) -> tuple[date | None, date | None]:
    """When something holds; days are written as in RFC 3339, or are TOML's own."""
    try:
        begin, end = (
            one if isinstance(one, date) else date.fromisoformat(str(one)) if one else None for one in (first, last)
        )
    except ValueError as error:
        raise BadCodelist(where=where, problem=f"{first or ''} to {last or ''} is no time of validity") from error
    if begin is not None and end is not None and end < begin:
        raise BadCodelist(where=where, problem=f"it ends on {end}, before it begins on {begin}")
    return begin, end


def _meet(one: tuple[date | None, date | None], other: tuple[date | None, date | None]) -> bool:
    return (one[0] or date.min) <= (other[1] or date.max) and (other[0] or date.min) <= (one[1] or date.max)


def _confidence(where: str, given: str) -> Confidence:
    if given not in _CONFIDENCES:
        raise BadCodelist(where=where, problem=f"confidence {given!r} is none of {', '.join(_CONFIDENCES)}")
    return cast(Confidence, given)


def _note(row: Mapping[str, str]) -> Text | None:
    english, chinese = row.get("note_en") or "", row.get("note_zh") or ""
    return Text(english or chinese, chinese or english) if english or chinese else None


def _text(given: Mapping[str, str]) -> Text:
    return Text(given["en"], given["zh"])
