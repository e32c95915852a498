"""The servers of tiles, each with two processes, over the same tables."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import NamedTuple

from benchmarks.peers import software
from benchmarks.peers.servers import configured, mapserver, tipg
from benchmarks.place import Place
from benchmarks.services import WORKERS, Service, chengtu, free_port, serving
from benchmarks.tiles.city import AS_PUBLISHED, FULL, PLAIN, Tile

MARTIN, OURS = "Martin", "Chengtu"
_NO_LIMIT = str(10**9)
_ASKED = "/mapserver/?map=CITY&mode=tile&tilemode=gmap&map.imagetype=mvt&layers={name}&tile={x}+{y}+{z}"

type Start = Callable[[Place, str], AbstractContextManager["Server"]]


class Server(NamedTuple):
    """A server that runs, and how its addresses are written."""

    name: str
    version: str
    service: Service
    path: str
    knows: Sequence[str] = (PLAIN, FULL)

    def address(self, what: str, tile: Tile) -> str:
        """The path of a tile."""
        return self.path.format(name=what, **tile._asdict())


@contextmanager
def makers(place: Place, dsn: str) -> Iterator[tuple[list[Server], Server]]:
    """All who make each tile anew; and ours once more, as it is published, within its budget."""
    software.packages()
    starts: list[Start] = [martin, _tipg, _mapserver, _whole]
    with ExitStack() as stack:
        servers = [stack.enter_context(start(place, dsn)) for start in starts]
        yield servers, stack.enter_context(ours(dsn, CHENGTU_TILE_CACHE="0"))


@contextmanager
def martin(place: Place, dsn: str, megabytes: int = 0) -> Iterator[Server]:
    """Without a look at the catalogue for other tables, and with a cache only where one is asked for."""
    port = free_port()
    facts = {"port": port, "workers": WORKERS, "megabytes": megabytes}
    config = configured("martin.yml", place.folder, dsn, f"martin-{megabytes}.yml", **facts)
    command = [str(software.martin()), "--config", str(config)]
    with serving(command, {"RUST_LOG": "error"}, port, "/health") as service:
        yield Server(MARTIN, software.MARTIN, service, "/{name}/{z}/{x}/{y}")


@contextmanager
def _tipg(place: Place, dsn: str) -> Iterator[Server]:
    """With the buffer of the others, and as many features as there are."""
    with tipg(dsn, TIPG_TILE_BUFFER="64", TIPG_MAX_FEATURES_PER_TILE="1000000") as service:
        path = "/collections/peers.{name}/tiles/WebMercatorQuad/{z}/{x}/{y}"
        yield Server("tipg", software.pinned("tipg"), service, path)


@contextmanager
def _mapserver(place: Place, dsn: str) -> Iterator[Server]:
    """By its tile mode."""
    ready = _ASKED.format(name=PLAIN, **Tile(18, 0, 0)._asdict())  # where nothing is
    with mapserver(place, dsn, "tiles.map", ready) as service:
        version = software.package_version("cgi-mapserver")
        yield Server("MapServer", version, service, _ASKED, knows=(PLAIN,))


def _whole(place: Place, dsn: str) -> AbstractContextManager[Server]:
    """Ours without a budget, which whole geometries would exceed."""
    return ours(dsn, CHENGTU_TILE_CACHE="0", CHENGTU_TILE_BUDGET=_NO_LIMIT, CHENGTU_TILE_BUDGET_GZIP=_NO_LIMIT)


@contextmanager
def ours(dsn: str, **settings: str) -> Iterator[Server]:
    """`chengtu up`, which does not look at its tables meanwhile."""
    with chengtu({"DATABASE_URL": dsn, "CHENGTU_CATALOGUE_CHECK": "3600", **settings}, "--no-sample") as service:
        yield Server(OURS, "", service, "/xyz/{name}/{z}/{x}/{y}.mvt", knows=(PLAIN, FULL, AS_PUBLISHED))
