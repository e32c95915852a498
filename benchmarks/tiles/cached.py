"""Tiles that are in the cache: ours on disk, shared by all processes and asked about at each request, and Martin's in memory."""

from collections.abc import Sequence
from contextlib import ExitStack
from statistics import median

from benchmarks.place import Place
from benchmarks.report import Table
from benchmarks.tiles.city import PLAIN, Tile, densest
from benchmarks.tiles.costs import CONNECTIONS, Meter, fetch
from benchmarks.tiles.making import Effort
from benchmarks.tiles.servers import Server, martin, ours

_SIZES = (120_000, 20_000)  # bytes of a tile
_ZOOMS, _EACH = (13, 14, 15), 24  # where tiles of such sizes are found
_AT_ONCE = 100 * CONNECTIONS  # requests: fewer would measure how connections begin
_MEGABYTES = 512  # of Martin's cache
_NOTE = (
    f"{CONNECTIONS} connections that ask for the one tile. Chengtu asks PostgreSQL before each answer whether the tile is "
    "still right, which is in its numbers; Martin's cache does not know of changes, and forgets with its process."
)

type Row = list[str | float]


def measure(place: Place, dsn: str, effort: Effort) -> list[Table]:
    """A large tile and a small one, packed and not."""
    with ExitStack() as stack:
        servers = [
            stack.enter_context(martin(place, dsn, _MEGABYTES)),
            stack.enter_context(ours(dsn, CHENGTU_VAR=str(place.folder / "cached"))),
        ]
        sizes = _sizes(servers[0], dsn)
        rows = [
            _row(place, servers, min(sizes, key=lambda tile: abs(sizes[tile] - size)), encoding, effort)
            for size in _SIZES
            for encoding in ("gzip", "identity")
        ]
    times = "one run" if effort.runs == 1 else f"median of {effort.runs}"
    headings = ("tile", "Martin, ms", "Chengtu, ms", "**ratio**", "Martin, kB sent", "Chengtu, kB sent")
    return [Table(f"CPU ms a request for a tile that is cached, {times}", headings, rows, _NOTE)]


def _sizes(server: Server, dsn: str) -> dict[Tile, int]:
    """The bytes of tiles, by one that makes them."""
    tiles = [tile for zoom in _ZOOMS for tile in densest(dsn, zoom, _EACH)]
    bodies = fetch(server, [server.address(PLAIN, tile) for tile in tiles])
    return {tile: len(bodies[server.address(PLAIN, tile)]) for tile in tiles}


def _row(place: Place, servers: Sequence[Server], tile: Tile, encoding: str, effort: Effort) -> Row:
    paths = [server.address(PLAIN, tile) for server in servers]
    raw = len(fetch(servers[0], [paths[0]])[paths[0]])
    # Asked for on every connection, so that each process has it at hand.
    sent = [len(fetch(one, [path] * CONNECTIONS, encoding)[path]) for one, path in zip(servers, paths, strict=True)]
    meters = [
        Meter(one, place.postmaster, [path] * _AT_ONCE, effort.seconds, encoding)
        for one, path in zip(servers, paths, strict=True)
    ]
    for _ in range(effort.runs):
        for meter in meters:
            meter.run()
    theirs, mine = (median(meter.found) for meter in meters)
    title = f"{raw / 1000:.0f} kB, {'packed' if encoding == 'gzip' else 'not packed'}"
    return [title, theirs, mine, mine / theirs, *(size / 1000 for size in sent)]
