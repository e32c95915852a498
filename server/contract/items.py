"""The steps with features: the first ten, the data pages with their `next` links, and the count."""

import zlib
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from core.language import Text
from server.contract.boxes import boxes, layer_crs, outside, written
from server.contract.findings import finding
from server.contract.geojson import Bounds, Feature, Page, field_types, page
from server.contract.report import Finding, Found
from server.contract.versions import missing_gate
from server.contract.visit import ITEMS, Visit

_HOPS = 2  # `next` links to follow
_WORTH_PACKING = 10_000  # bytes
_SMALL_PAGE = 10  # where one of the usual size is too large
_TINY_PAGE = 2  # so that even a few features make several
_KINDS = {"Point": "points", "LineString": "lines", "Polygon": "polygons"}
_KINDS_ZH = {"points": "点", "lines": "线", "polygons": "面"}
_TYPE_NAMES = {
    "string": Text("text", "文本"),
    "integer": Text("whole number", "整数"),
    "integer64": Text("large whole number", "长整数"),
    "real": Text("number", "小数"),
    "boolean": Text("yes/no", "布尔"),
    "date": Text("date", "日期"),
    "datetime": Text("date and time", "日期时间"),
    "json": Text("JSON", "JSON"),
}


def first_items(visit: Visit) -> Iterator[Finding]:
    """The ten features by which older versions know fields and geometry."""
    found = visit.items({"limit": "10"})
    visit.first, visit.matched = found.features, found.matched
    if not found.features:
        yield finding("no-features")
        return
    fields = len(field_types(found.features))
    visit.got = Text(
        f"{len(found.features)} features, {fields} fields", f"{len(found.features)} 个要素,{fields} 个字段"
    )
    if any(one.id is None for one in found.features):
        yield finding("no-id")
    kinds = dict.fromkeys(_kind(one.geometry_type) for one in found.features if one.geometry_type)
    if not kinds:
        yield finding("no-geometry")
    elif len(kinds) > 1:
        en, zh = ", ".join(kinds), "、".join(_KINDS_ZH.get(one, one) for one in kinds)
        yield finding("mixed-geometries", types=Text(en, zh))
    for one in found.features:
        if one.bounds and not _fits_the_globe(one.bounds):
            visit.misplaced = True
            yield finding("not-lonlat", coordinates=", ".join(f"{number:g}" for number in one.first or ()))
            return


def _kind(geometry_type: str) -> str:
    bare = geometry_type.removeprefix("Multi")
    return _KINDS.get(bare, bare)


def _fits_the_globe(bounds: Bounds) -> bool:
    """Whether it can be longitude and latitude; China's, the wrong way round, cannot."""
    west, south, east, north = bounds
    return west >= -180.001 and east <= 360.001 and south >= -90.001 and north <= 90.001


def data(visit: Visit) -> Iterator[Finding]:
    """Pages as QGIS reads them, then the same with a box, and with the CRS that the layer would have."""
    yield from _pages(visit)
    yield from _field_types(visit)
    astray = list(boxes(visit))
    yield from astray
    if not astray:  # else pages within a box say nothing
        yield from _filtered_pages(visit)


def _pages(visit: Visit) -> Iterator[Finding]:
    """The first pages at the size that QGIS asks for."""
    size = visit.page_size
    try:
        start = visit.items({"limit": str(size)})
    except Found as error:
        if error.finding.code != "too-large":
            raise
        yield finding("page-too-large", size=size, limit=20)
        size = _SMALL_PAGE
        start = visit.items({"limit": str(size)})
    if start.matched is not None:
        visit.matched = start.matched
    if len(start.features) > size:
        yield finding("limit-exceeded", asked=size, returned=len(start.features))
    yield from _packing(start)
    read, complaint = _follow(visit, start)
    visit.sample = tuple(
        feature._replace(bounds=None) if visit.misplaced else feature for one in read for feature in one.features
    )
    visit.got = Text(
        f"{len(read)} page(s), {len(visit.sample)} of {_known(visit.matched)} features",
        f"{len(read)} 页,{_known(visit.matched)} 个要素中的 {len(visit.sample)} 个",
    )
    yield from complaint
    yield from _last_page(read[-1], len(visit.sample), size, visit.matched)
    if not any(one.code == "next-loop" for one in complaint):
        yield from _repeated(visit, read)


def _known(count: int | None) -> str:
    return "?" if count is None else str(count)


def _packing(found: Page) -> Iterator[Finding]:
    body = found.answer.body
    if len(body) > _WORTH_PACKING and not found.answer.compressed:
        packed = len(zlib.compress(body, 4))
        yield finding("no-gzip", kilobytes=round(len(body) / 1000), packed=round(packed / 1000))


def _follow(visit: Visit, start: Page) -> tuple[list[Page], list[Finding]]:
    """The page and those after it; what is wrong with a link or a page ends the walk, and not the step."""
    read, complaint, seen = [start], [], {start.answer.url}
    if start.next and start.next.type != "application/geo+json":
        complaint.append(finding("next-type", type=start.next.type or "–"))
    while len(read) <= _HOPS and (link := read[-1].next) is not None:
        if visit.client.with_query(link.href) in seen:
            return read, [*complaint, finding("next-loop", url=link.href)]
        try:
            read.append(page(visit.client.get(link.href, ITEMS)))
        except Found as error:
            return read, [*complaint, error.finding]
        seen.add(read[-1].answer.url)
        if not read[-1].features and (read[-1].next or _short(read, visit.matched)):
            return read, [*complaint, finding("empty-page", url=link.href)]
    return read, complaint


def _short(read: list[Page], matched: int | None) -> bool:
    return matched is not None and sum(len(one.features) for one in read) < matched


def _last_page(last: Page, returned: int, size: int, matched: int | None) -> Iterator[Finding]:
    """A page that says it is the last, and cannot be."""
    if last.next is not None or not last.features:
        return
    if matched is not None and returned < matched:
        yield finding("no-next", returned=returned, matched=matched)
    elif matched is None and len(last.features) >= size:
        yield finding("perhaps-no-next", returned=returned)


def _repeated(visit: Visit, read: list[Page]) -> Iterator[Finding]:
    """Ids that come more than once: the same feature again, or another one by the same name."""
    known: dict[str, Feature] = {}
    identified = [one for page_ in read for one in page_.features if one.id is not None]
    again = [one for one in identified if known.setdefault(str(one.id), one) is not one]
    others = [one.id for one in again if one.id and known[one.id] != one]
    if others:
        yield finding("ids-shared", count=len(others), example=others[0])
        visit.forget_ids()
    elif again:
        yield finding("doubles", count=len(again), example=again[0].id)


def _field_types(visit: Visit) -> Iterator[Finding]:
    """Fields whose type ten features do not tell: empty there, or whole numbers by chance."""
    guessed, seen = field_types(visit.first), field_types(visit.sample)
    wrong: dict[str, tuple[str, str]] = {}
    for name, type_ in seen.items():
        guess = guessed.get(name) or "string"  # where all are null
        if type_ is not None and guess not in (type_, "string" if type_ == "json" else type_):
            wrong[name] = (guess, type_)
    if wrong:
        becomes = [
            Text(
                f"{name} becomes {_TYPE_NAMES[guess].en} instead of {_TYPE_NAMES[type_].en}",
                f"{name} 变成{_TYPE_NAMES[guess].zh}而非{_TYPE_NAMES[type_].zh}",
            )
            for name, (guess, type_) in wrong.items()
        ]
        told = Text("; ".join(one.en for one in becomes), ";".join(one.zh for one in becomes))
        yield finding("field-types", fields=", ".join(wrong), becomes=told)
    yield from _dates(visit, [name for name, type_ in seen.items() if type_ in ("date", "datetime")])


def _dates(visit: Visit, fields: list[str]) -> Iterator[Finding]:
    """What is peculiar to fields of dates."""
    if len(fields) > 1:
        yield finding("two-dates", fields=", ".join(fields))
    plain = [name for name in fields if name in visit.queryables and visit.queryables[name].format is None]
    if plain and not missing_gate(visit.classes):
        yield finding("dates-without-format", fields=", ".join(plain))


def _filtered_pages(visit: Visit) -> Iterator[Finding]:
    """Small pages within a box and in the layer's CRS: does `next` keep what was asked for?"""
    box = _far_third(visit.sample)
    if box is None:
        return
    asked = {"limit": str(_TINY_PAGE), "bbox": written(box)}
    if crs := layer_crs(visit):
        asked["crs"] = crs
    start = visit.items(asked)
    read, complaint = _follow(visit, start)
    yield from (one for one in complaint if one.code != "next-type")
    if start.next is not None and len(read) > 1:
        yield from _kept(visit.sample, asked, read, box)


def _far_third(sample: tuple[Feature, ...]) -> Bounds | None:
    """A box around a third of the features, away from where those lie that an unfiltered second page would bring."""
    placed = [one.bounds for one in sample if one.bounds]
    if len(placed) < 3 * _TINY_PAGE * _HOPS:
        return None
    axis = max((0, 1), key=lambda axis: _spread(placed, axis))
    decoy = placed[_TINY_PAGE]
    ranked = sorted(placed, key=lambda bounds: abs(bounds[axis] - decoy[axis]), reverse=True)
    side = [one for one in ranked if (one[axis] > decoy[axis]) == (ranked[0][axis] > decoy[axis])]
    wests, souths, easts, norths = zip(*side[: len(placed) // 3], strict=True)
    return min(wests), min(souths), max(easts), max(norths)


def _spread(placed: list[Bounds], axis: int) -> float:
    return max(one[axis] for one in placed) - min(one[axis] for one in placed)


def _kept(sample: tuple[Feature, ...], asked: dict[str, str], read: list[Page], box: Bounds) -> Iterator[Finding]:
    """Whether later pages are still of what was asked for; a `next` may hide it in a token, so the link proves nothing."""
    href = read[0].next.href if read[0].next else ""
    broken = list(_broken(sample, asked, read, box))
    carried = dict(parse_qsl(urlsplit(href).query))
    lost = [name for name in asked if name not in carried]
    if broken:
        yield finding("next-loses-filter", parameter=", ".join(f"`{one}`" for one in broken), url=href)
    elif lost:
        yield finding("next-loses-parameter", parameter=", ".join(f"`{one}`" for one in lost), url=href)


def _broken(sample: tuple[Feature, ...], asked: dict[str, str], read: list[Page], box: Bounds) -> Iterator[str]:
    """The parameters that later pages do not keep to."""
    strangers = {one.id for one in sample if one.id and one.bounds and outside(one.bounds, box)}
    later = read[1:]
    if any(strangers.intersection(one.ids) or one.matched != read[0].matched for one in later):
        yield "bbox"
    if any(len(one.features) > int(asked["limit"]) for one in later):
        yield "limit"
    if "crs" in asked and len({one.answer.headers.get("content-crs") for one in read}) > 1:
        yield "crs"


def count(visit: Visit) -> Iterator[Finding]:
    """How many there are."""
    found = visit.items({"limit": "1"})
    item_count = visit.description.get("itemCount")
    if found.matched is None:
        visit.got = Text("no count", "没有数量")
        yield finding("no-number-matched")
        return
    visit.got = Text(f"{found.matched} features", f"{found.matched} 个要素")
    visit.matched = found.matched
    if isinstance(item_count, int) and item_count != found.matched:
        yield finding("counts-differ", count=item_count, matched=found.matched)
