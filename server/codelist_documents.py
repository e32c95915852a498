"""Code lists and crosswalks as JSON and as CSV, with names in both languages: what a code means is no matter of the reader."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from core.codelists import Code, Codelist, Crosswalk, Target, codelists, crosswalks
from core.language import Text
from features.documents import Json, Site, document_links, link

FORMS: Final = {"json": "application/json", "csv": "text/csv; charset=utf-8", "html": "text/html"}

_CSV: Final = Text("The same as CSV", "本文档的 CSV")
_ALL: Final = {"codelists": Text("All code lists", "全部代码表"), "crosswalks": Text("All crosswalks", "全部对照表")}
_ENDS: Final = {"from": Text("Where its codes come from", "源代码表"), "to": Text("Where its codes lead", "目标代码表")}


def all_codelists(day: date | None, site: Site) -> Json:
    """The code lists there are, or that are valid on a day."""
    shown = [one for one in codelists().values() if day is None or is_valid(one, day)]
    here = f"{site.base}/codelists"
    return {
        "links": _links(here, site),
        "codelists": [_described(one) | {"count": len(one.codes), "href": f"{here}/{one.id}"} for one in shown],
    }


def one_codelist(list_: Codelist, codes: Sequence[Code], site: Site) -> Json:
    """A code list, with some of its codes or all."""
    here = f"{site.base}/codelists/{list_.id}"
    walks = [
        link("related", f"{site.base}/crosswalks/{one.id}", FORMS["json"], one.title.in_(site.language))
        for one in crosswalks().values()
        if one.source == list_.id
    ]
    links = [*_links(here, site), *walks, _up(site, "codelists")]
    return _described(list_) | {"links": links, "codes": [code_json(one) for one in codes]}


def code_json(one: Code) -> Json:
    """A code, whole in itself."""
    return {
        "scheme": one.scheme,
        "code": one.code,
        "name": one.name._asdict(),
        "parent": one.parent,
        "level": one.level,
        "assignable": one.assignable,
        "color": one.color,
        "valid": _valid(one.valid_from, one.valid_to),
        "confidence": one.confidence,
        **({"note": one.note._asdict()} if one.note else {}),
        **one.more,
    }


def all_crosswalks(site: Site) -> Json:
    """The crosswalks there are."""
    here = f"{site.base}/crosswalks"
    ways = [_way(one) | {"count": len(one.targets), "href": f"{here}/{one.id}"} for one in crosswalks().values()]
    return {"links": _links(here, site), "crosswalks": ways}


def one_crosswalk(walk: Crosswalk, codes: Iterable[str], site: Site) -> Json:
    """A crosswalk, of some codes or of all: what each becomes, and what else it may."""
    here = f"{site.base}/crosswalks/{walk.id}"
    ends = [
        link("related", f"{site.base}/codelists/{id_}", FORMS["json"], _ENDS[name].in_(site.language))
        for name, id_ in (("from", walk.source), ("to", walk.target))
    ]
    return _way(walk) | {
        "links": [*_links(here, site), *ends, _up(site, "crosswalks")],
        "matches": [_match(walk, code) for code in codes],
    }


def codelists_csv(document: Json) -> str:
    """The list of code lists as CSV."""
    columns = ("id", "title_zh", "title_en", "standard", "edition", "valid_from", "valid_to", "confidence", "count")
    rows = (
        (
            one["id"], one["title"]["zh"], one["title"]["en"], one["standard"], one["edition"], *one["valid"],
            one["confidence"], one["count"],
        )
        for one in document["codelists"]
    )  # fmt: skip
    return _csv(columns, rows)


def codes_csv(codes: Sequence[Code]) -> str:
    """Codes as CSV: the columns of the files that they come from, which can be read again."""
    more = list(dict.fromkeys(name for one in codes for name in one.more))
    columns = (
        "code", "name_zh", "name_en", "parent", "assignable", "color", "valid_from", "valid_to", "confidence",
        "note_zh", "note_en", *more,
    )  # fmt: skip
    rows = (
        (
            one.code, one.name.zh, one.name.en, one.parent, "yes" if one.assignable else "no", one.color,
            one.valid_from, one.valid_to, one.confidence, *_both(one.note), *(one.more.get(name) for name in more),
        )
        for one in codes
    )  # fmt: skip
    return _csv(columns, rows)


def crosswalks_csv() -> str:
    """The list of crosswalks as CSV."""
    columns = ("id", "title_zh", "title_en", "standard", "from", "to", "count")
    rows = (
        (one.id, one.title.zh, one.title.en, one.standard, one.source, one.target, len(one.targets))
        for one in crosswalks().values()
    )
    return _csv(columns, rows)


def matches_csv(walk: Crosswalk, codes: Iterable[str]) -> str:
    """A crosswalk as CSV, a line for each way that a code may go."""
    columns = ("from_scheme", "from_code", "to_scheme", "to_code", "confidence", "note_zh", "note_en")
    rows = (
        (walk.source, code, walk.target, one.code, one.confidence, *_both(one.note))
        for code in codes
        for one in walk.match(code).candidates
    )
    return _csv(columns, rows)


def is_valid(list_: Codelist, day: date) -> bool:
    """Whether an edition is in force on a day."""
    return (list_.valid_from or date.min) <= day <= (list_.valid_to or date.max)


def _described(list_: Codelist) -> Json:
    told = {
        "id": list_.id,
        "title": list_.title._asdict(),
        "standard": list_.standard,
        "edition": list_.edition,
        "valid": _valid(list_.valid_from, list_.valid_to),
        "confidence": list_.confidence,
    }
    for name, text in (("colors", list_.colors), ("note", list_.note)):
        if text is not None:
            told[name] = text._asdict()
    return told


def _way(walk: Crosswalk) -> Json:
    way = {
        "id": walk.id,
        "title": walk.title._asdict(),
        "standard": walk.standard,
        "from": walk.source,
        "to": walk.target,
    }
    return way | ({"note": walk.note._asdict()} if walk.note else {})


def _match(walk: Crosswalk, code: str) -> Json:
    found = walk.match(code)
    return {
        "from": _named(walk.source, code),
        "to": _named(walk.target, found.to) if found.to else None,
        "confidence": found.confidence,
        "candidates": [_target(walk.target, one) for one in found.candidates],
    }


def _target(scheme: str, one: Target) -> Json:
    return (
        _named(scheme, one.code)
        | {"confidence": one.confidence}
        | ({"note": one.note._asdict()} if one.note is not None else {})
    )


def _named(scheme: str, code: str) -> Json:
    found = codelists()[scheme].find(code)
    named = {"name": found.name._asdict(), "color": found.color} if found else {}
    return {"scheme": scheme, "code": code, **named}


def _links(here: str, site: Site) -> list[Json]:
    return [
        *document_links(here, FORMS, site.language),
        link("alternate", f"{here}?f=csv", FORMS["csv"], _CSV.in_(site.language)),
    ]


def _up(site: Site, name: str) -> Json:
    return link("up", f"{site.base}/{name}", FORMS["json"], _ALL[name].in_(site.language))


def _valid(first: date | None, last: date | None) -> list[str | None]:
    return [one.isoformat() if one else None for one in (first, last)]


def _both(note: Text | None) -> tuple[str, str]:
    return (note.zh, note.en) if note else ("", "")


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()
