"""What many different tiles do to the memory of a server process."""

from contextlib import ExitStack
from itertools import islice, product

from benchmarks.measure import memory, proportional
from benchmarks.place import Place
from benchmarks.report import Table
from benchmarks.services import Service
from benchmarks.tiles.city import AS_PUBLISHED, Tile, densest
from benchmarks.tiles.client import Connection, ask
from benchmarks.tiles.costs import CONNECTIONS, check
from benchmarks.tiles.servers import Server, ours

_MANY, _FEW = 200_000, 5_000
_PATIENCE = 240.0  # seconds for all of them
_STEPS = 4  # how often memory is looked at on the way
_FIRST = 200  # tiles before the first look: whatever is loaded late is there then
_ZOOM = 18
_NOTE = (
    f"Of two processes the larger; different tiles of z{_ZOOM} in a square around the city, made and put into the cache. "
    "In proportion, a page that several share counts in parts; resident counts all of the cache's file that is in memory, "
    "which the system takes back when it needs it; without files, only what is no page of a file."
)

type Row = list[str | float]


def measure(place: Place, dsn: str, *, quick: bool) -> list[Table]:
    """Ask for one part after the other, and look."""
    tiles = iter(_around(densest(dsn, _ZOOM, 1)[0], _FEW if quick else _MANY))
    share = (_FEW if quick else _MANY) // _STEPS
    done = 0
    rows: list[Row] = []
    with ours(dsn, CHENGTU_VAR=str(place.folder / "growing")) as server:
        for part in (_FIRST, *[share] * _STEPS):
            done += _ask(server, list(islice(tiles, part)))
            rows.append([f"{done:,}".replace(",", " "), *_megabytes(server.service)])
    headings = ("tiles so far", "resident MB", "MB in proportion", "MB without files")
    return [Table("Memory of a server process that makes different tiles", headings, rows, _NOTE)]


def _around(middle: Tile, count: int) -> list[Tile]:
    side = int(count**0.5) + 1
    steps = range(-(side // 2), side - side // 2)
    return [Tile(middle.z, middle.x + x, middle.y + y) for x, y in islice(product(steps, steps), count)]


def _ask(server: Server, tiles: list[Tile]) -> int:
    paths = [server.address(AS_PUBLISHED, tile) for tile in tiles]
    with ExitStack() as stack:
        shares = [iter(paths[turn::CONNECTIONS]) for turn in range(CONNECTIONS)]
        lines = [stack.enter_context(Connection(server.service.url, share, "gzip")) for share in shares]
        return ask(lines, check, _PATIENCE / _STEPS)


def _megabytes(service: Service) -> list[float]:
    workers = service.workers
    return [
        max(map(memory, workers)),
        max(map(proportional, workers)),
        max(memory(pid, "RssAnon") for pid in workers),
    ]
