"""Tiles that are made for each request: with whole geometries, as all make them; and generalised, as we publish them."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from benchmarks.peers.questions import Wrong
from benchmarks.place import Place
from benchmarks.report import Table
from benchmarks.services import WORKERS
from benchmarks.tiles.city import AS_PUBLISHED, FULL, PLAIN, Tile, densest
from benchmarks.tiles.contents import Contents, compare, differing, read
from benchmarks.tiles.costs import CONNECTIONS, Meter, fetch
from benchmarks.tiles.servers import MARTIN, OURS, Server, makers

_WHOLE = {16: 240, 14: 64, 12: 16}  # different tiles of a zoom
_GENERALISED = {12: 16, 10: 8}
_SHARED = ("land_class", "district_name")

type Row = list[str | float]


class Effort(NamedTuple):
    """How often each is asked, and for how many seconds."""

    runs: int
    seconds: float


class _Asked(NamedTuple):
    """What a server was asked for, and what it held."""

    server: Server
    what: str
    contents: Contents | Wrong
    cost: float | None


def measure(place: Place, dsn: str, effort: Effort) -> list[Table]:
    """Both tables."""
    with makers(place, dsn) as (servers, published):
        tiles = {zoom: densest(dsn, zoom, count) for zoom, count in {**_WHOLE, **_GENERALISED}.items()}
        plain = [_asked(place, servers, PLAIN, tiles[zoom], effort) for zoom in _WHOLE]
        full = [_asked(place, servers, FULL, tiles[zoom], effort) for zoom in _WHOLE]
        theirs = [_one(place, servers[0], PLAIN, tiles[zoom], effort) for zoom in _GENERALISED]
        levels = [_one(place, published, AS_PUBLISHED, tiles[zoom], effort) for zoom in _GENERALISED]
    named = [(f"z{zoom}", row) for zoom, row in zip(_WHOLE, plain, strict=True)]
    named += [(f"z{zoom}, as it comes", row) for zoom, row in zip(_WHOLE, full, strict=True)]
    return [_whole(servers, named, effort), _generalised(theirs, levels, effort)]


def _asked(place: Place, servers: Sequence[Server], what: str, tiles: Sequence[Tile], effort: Effort) -> list[_Asked]:
    """Ask all servers for the same tiles, in turn; Martin, the first, says what is in them."""
    contents: dict[str, Contents | Wrong] = {}
    meters: dict[str, Meter] = {}
    for server in servers:
        if what in server.knows:
            contents[server.name] = found = _contents(server, what, tiles, contents.get(MARTIN))
            if not isinstance(found, Wrong):
                meters[server.name] = _meter(place, server, what, tiles, effort)
    for _ in range(effort.runs):
        for meter in meters.values():
            meter.run()
    cost = {name: median(meter.found) for name, meter in meters.items()}
    return [_Asked(one, what, contents[one.name], cost.get(one.name)) for one in servers if one.name in contents]


def _one(place: Place, server: Server, what: str, tiles: Sequence[Tile], effort: Effort) -> _Asked:
    return _asked(place, [server], what, tiles, effort)[0]


def _meter(place: Place, server: Server, what: str, tiles: Sequence[Tile], effort: Effort) -> Meter:
    return Meter(server, place.postmaster, [server.address(what, tile) for tile in tiles], effort.seconds)


def _contents(server: Server, what: str, tiles: Sequence[Tile], right: Contents | Wrong | None) -> Contents | Wrong:
    """What the tiles of a server hold, or what is wrong with it."""
    paths = [server.address(what, tile) for tile in tiles]
    try:
        bodies = fetch(server, paths)
        found = read((bodies[path] for path in paths), _SHARED if what == PLAIN else ())
        if isinstance(right, Contents):
            compare(found, right, same_attributes=what == PLAIN)
    except Wrong as error:
        return error
    return found


def _whole(servers: Sequence[Server], rows: Sequence[tuple[str, list[_Asked]]], effort: Effort) -> Table:
    names = [server.name for server in servers]
    headings = ("tile", *(f"{name}, ms" for name in names), *(f"**{name}**" for name in names), "features", "kB")
    versions = ", ".join(f"{server.name} {server.version}" for server in servers if server.version)
    note = (
        f"{versions}; {WORKERS} processes each, {CONNECTIONS} connections, nothing compressed, {_counts(_WHOLE)} different "
        "tiles, the densest of the city, each asked for as often; features and kB are the mean of a tile, Martin's / ours. "
        f"{_differences(rows)}"
    )
    title = f"CPU ms a tile made for the request, {_times(effort)}; and as a share of Martin's"
    return Table(title, headings, [_line(names, title, row) for title, row in rows], note)


def _line(names: Sequence[str], title: str, row: Sequence[_Asked]) -> Row:
    cells: dict[str, str | float] = {}
    shares: dict[str, str | float] = {}
    by_name = {asked.server.name: asked for asked in row}
    martin = by_name[MARTIN].cost
    for name, asked in by_name.items():
        cells[name] = asked.cost if asked.cost is not None else str(asked.contents)
        shares[name] = asked.cost / martin if asked.cost is not None and martin else ""
    tiles = _WHOLE[int(title.partition(",")[0][1:])]
    both = [by_name[MARTIN].contents, by_name[OURS].contents]
    features = " / ".join(f"{one.number / tiles:,.0f}" for one in both if isinstance(one, Contents)).replace(",", " ")
    size = " / ".join(f"{one.size / tiles / 1000:,.0f}" for one in both if isinstance(one, Contents)).replace(",", " ")
    return [title, *(cells.get(name, "") for name in names), *(shares.get(name, "") for name in names), features, size]


def _differences(rows: Sequence[tuple[str, list[_Asked]]]) -> str:
    """Where the features are others than Martin's, those aside that only the buffer has."""
    told = []
    for title, row in rows:
        right = row[0].contents
        for asked in row[1:]:
            found = asked.contents
            if isinstance(found, Contents) and isinstance(right, Contents) and (by := differing(found, right)):
                told.append(f"{title} {asked.server.name} {by} of {right.within.total()}")
    return f"Features that are others than Martin's: {'; '.join(told)}." if told else "All hold the same features."


def _generalised(theirs: Sequence[_Asked], levels: Sequence[_Asked], effort: Effort) -> Table:
    rows = [
        _pair(f"z{zoom}", _WHOLE.get(zoom, _GENERALISED[zoom]), one, other)
        for zoom, one, other in zip(_GENERALISED, theirs, levels, strict=True)
    ]
    headings = ("tile", "Martin, ms", "Chengtu, ms", "**share**")
    more = [f"{name}, {what}" for what in ("features", "kB") for name in (MARTIN, OURS)]
    title = f"The same tiles generalised as Chengtu publishes them, beside Martin's whole geometries, {_times(effort)}"
    return Table(title, (*headings, *more), rows)


def _pair(title: str, tiles: int, one: _Asked, other: _Asked) -> Row:
    both = [one.contents, other.contents]
    if one.cost is None or other.cost is None:
        return [title, *(str(found) if isinstance(found, Wrong) else "" for found in both)]
    known = [found for found in both if isinstance(found, Contents)]
    return [
        title,
        one.cost,
        other.cost,
        other.cost / one.cost,
        *(found.number / tiles for found in known),
        *(found.size / tiles / 1000 for found in known),
    ]


def _counts(counts: Mapping[int, int]) -> str:
    return ", ".join(f"{count} at z{zoom}" for zoom, count in counts.items())


def _times(effort: Effort) -> str:
    return "one run" if effort.runs == 1 else f"median of {effort.runs}"


__all__ = ["Effort", "measure"]
