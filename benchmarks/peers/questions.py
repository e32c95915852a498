"""What is asked, and what a right answer holds: a wrong one gets no number."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urljoin

import httpx

from benchmarks.peers.city import LAND_CLASS, METRES, Box, in_metres, some_areas, some_ids, windows
from benchmarks.peers.servers import Peer

HEADERS = {"Accept-Encoding": "identity"}  # nobody packs, so that nobody pays for it
PATIENCE = 120  # seconds for an answer
_VARIETY = 240  # different requests of a kind
_DEEP = 200_000

type Answer = Mapping[str, Any]


class Wrong(Exception):
    """An answer that is no answer; says in a few words what is wrong with it."""


class Request(NamedTuple):
    """An address, and the check of what it answers."""

    url: str
    check: Callable[[Answer], None]


class Question(NamedTuple):
    """One row of the table."""

    title: str
    requests: Callable[[Peer], list[Request]]


def questions(dsn: str, total: int) -> list[Question]:
    """All rows but the last two."""
    chosen, areas = some_ids(total, _VARIETY), some_areas(_VARIETY)
    views = {limit: windows(dsn, chosen, limit) for limit in (10, 100, 1000)}
    return [
        *(Question(f"bbox, {limit} features", _within(boxes, limit)) for limit, boxes in views.items()),
        Question("no bbox, 10 features", lambda peer: [Request(peer.page(limit=10), _counts(10))]),
        Question("the page after 200 000 features", lambda peer: [_deep(peer)]),
        Question("one feature by id", lambda peer: [Request(peer.feature(id_), _is(id_)) for id_ in chosen]),
        Question(f"bbox, 100 features in EPSG:{METRES}", _within_in_metres(dsn, views[100])),
        Question("CQL2 filter, 100 features", lambda peer: [_filtered(peer, area) for area in areas]),
    ]


def answer(client: httpx.Client, url: str) -> Any:  # noqa: ANN401 — what JSON holds
    """What a server says, as JSON."""
    try:
        response = client.get(url)
    except httpx.HTTPError as error:
        raise Wrong(type(error).__name__) from error
    if response.status_code != httpx.codes.OK:
        raise Wrong(f"error {response.status_code}")
    try:
        return response.json()
    except ValueError as error:
        raise Wrong("no JSON") from error


def next_page(page: Answer, url: str) -> str | None:
    """The address of the page after this one."""
    return next((urljoin(url, link["href"]) for link in page["links"] if link["rel"] == "next"), None)


def ids(page: Answer) -> set[str]:
    """The features of a page by their ids."""
    return {str(feature["id"]) for feature in page["features"]}


def _within(boxes: list[Box], limit: int) -> Callable[[Peer], list[Request]]:
    def check(box: Box) -> Callable[[Answer], None]:
        def checked(page: Answer) -> None:
            _counts(limit)(page)
            if not all(_meet(bounds(one), box) for one in page["features"]):
                raise Wrong("ignores bbox")

        return checked

    return lambda peer: [Request(peer.page(limit=limit, bbox=_written(box)), check(box)) for box in boxes]


def _within_in_metres(dsn: str, boxes: list[Box]) -> Callable[[Peer], list[Request]]:
    right = in_metres(dsn)

    def check(page: Answer) -> None:
        _counts(100)(page)
        first = page["features"][0]
        _compare(bounds(first), right[int(first["id"])])

    return lambda peer: [
        Request(peer.page(limit=100, bbox=_written(box), crs=f"{peer.epsg}{METRES}"), check) for box in boxes
    ]


def _compare(found: Box, right: Box) -> None:
    """In this CRS the northing is the first coordinate."""
    turned = Box(found.south, found.west, found.north, found.east)
    if not _alike(turned, right):
        raise Wrong("ignores crs" if found.east < 180 else "swaps axes" if _alike(found, right) else "wrong place")


def _alike(one: Box, other: Box) -> bool:
    return all(abs(a - b) < 0.01 for a, b in zip(one, other, strict=True))


def _deep(peer: Peer) -> Request:
    """The `next` link of the page that ends there, which is how a client comes to it."""
    url = peer.page(offset=_DEEP - 10, limit=10)
    with httpx.Client(headers=HEADERS, timeout=PATIENCE) as client:
        before = answer(client, url)

    def check(page: Answer) -> None:
        _counts(10)(page)
        if ids(page) & ids(before):
            raise Wrong("repeats features")

    return Request(next_page(before, url) or peer.page(offset=_DEEP, limit=10), check)


def _is(id_: int) -> Callable[[Answer], None]:
    def check(feature: Answer) -> None:
        if str(feature.get("id")) != str(id_) or not feature.get("geometry"):
            raise Wrong("another feature")

    return check


def _filtered(peer: Peer, area: int) -> Request:
    def check(page: Answer) -> None:
        found = [one["properties"] for one in page["features"]]
        if not all(one["land_class"] == LAND_CLASS and one["area_m2"] > area for one in found):
            raise Wrong("ignores filter")
        _counts(100)(page)

    text = f"land_class = '{LAND_CLASS}' AND area_m2 > {area}"
    return Request(peer.page(limit=100, **{"filter": text, "filter-lang": "cql2-text"}), check)


def _counts(limit: int) -> Callable[[Answer], None]:
    def check(page: Answer) -> None:
        if len(page["features"]) != limit:
            raise Wrong(f"{len(page['features'])} features")

    return check


def _written(box: Box) -> str:
    return ",".join(f"{value:.7f}" for value in box)


def _meet(one: Box, other: Box) -> bool:
    near = 2e-5  # degrees, two metres: QGIS Server widens a bbox by one and more
    across = one.west <= other.east + near and other.west <= one.east + near
    return across and one.south <= other.north + near and other.south <= one.north + near


def bounds(feature: Answer) -> Box:
    """The smallest box around a feature, of its first and second coordinates."""
    found = list(points(feature["geometry"]["coordinates"]))
    first, second = [point[0] for point in found], [point[1] for point in found]
    return Box(min(first), min(second), max(first), max(second))


def points(coordinates: list[Any]) -> Iterator[list[float]]:
    """All points of a geometry."""
    if isinstance(coordinates[0], list):
        for part in coordinates:
            yield from points(part)
    else:
        yield coordinates
