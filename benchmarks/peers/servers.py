"""The five servers, each with two processes, over the same tables."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from string import Template
from typing import NamedTuple
from urllib.parse import urlencode

from psycopg.conninfo import conninfo_to_dict

from benchmarks.peers import software
from benchmarks.peers.city import METRES
from benchmarks.place import Place
from benchmarks.services import WORKERS, Service, chengtu, free_port, openapi_of, serving

OURS = "Chengtu"
_CONFIGURATIONS = Path(__file__).with_name("configurations")
_PLAIN = ",:/"  # as people write them: QGIS Server does not know a comma by its number


class Peer(NamedTuple):
    """A server that runs, and how its paths are written."""

    name: str
    version: str
    service: Service
    items: str
    suffix: str = ""  # of the path
    form: Mapping[str, str] = {}  # and in the query: how GeoJSON is asked for
    epsg: str = "http://www.opengis.net/def/crs/EPSG/0/"

    def page(self, **asked: object) -> str:
        """The address of a page of features."""
        return f"{self.service.url}{self.items}{self.suffix}?{urlencode({**self.form, **asked}, safe=_PLAIN)}"

    def feature(self, id_: int) -> str:
        """The address of one feature."""
        return f"{self.service.url}{self.items}/{id_}{self.suffix}?{urlencode(self.form)}"


@contextmanager
def peers(place: Place, dsn: str) -> Iterator[list[Peer]]:
    """All of them, at once: those that are not asked take no CPU."""
    software.packages()
    with ExitStack() as stack:
        starts = (_pygeoapi, _tipg, _mapserver, _qgis)
        others = [stack.enter_context(start(place, dsn)) for start in starts]
        ours = stack.enter_context(chengtu({"DATABASE_URL": dsn}, "--no-sample"))
        yield [*others, Peer(OURS, "", ours, "/collections/parcels/items", form={"f": "json"})]


@contextmanager
def _pygeoapi(place: Place, dsn: str) -> Iterator[Peer]:
    """As it comes, but for the label of its table: see its configuration."""
    python, port = software.python("pygeoapi"), free_port()
    config = configured("pygeoapi.yml", place.folder, dsn, port=port)
    openapi = place.folder / "pygeoapi.openapi.json"
    openapi.write_bytes(openapi_of(config, python))
    files = {"PYGEOAPI_CONFIG": str(config), "PYGEOAPI_OPENAPI": str(openapi)}
    command = _uvicorn(python, "pygeoapi.starlette_app:APP", port)
    with serving(command, files, port, "/conformance?f=json") as service:
        version = software.pinned("pygeoapi")
        yield Peer("pygeoapi", version, service, "/collections/parcels/items", form={"f": "json"})


@contextmanager
def _tipg(place: Place, dsn: str) -> Iterator[Peer]:
    with tipg(dsn) as service:
        version = software.pinned("tipg")
        yield Peer("tipg", version, service, "/collections/peers.parcels/items", form={"f": "geojson"})


@contextmanager
def tipg(dsn: str, **more: str) -> Iterator[Service]:
    """With one schema, no functions, and no look at the catalogue every five minutes."""
    python, port = software.python("tipg"), free_port()
    facts = conninfo_to_dict(dsn)
    socket = str(facts["host"]).replace("/", "%2F")
    settings = {
        "DATABASE_URL": f"postgresql://{facts['user']}:-@{socket}:5432/{facts['dbname']}",
        "TIPG_DB_SCHEMAS": '["peers"]',
        "TIPG_DB_FUNCTIONS": "[]",
        "TIPG_CATALOG_TTL": "0",
    }
    command = _uvicorn(python, "tipg.main:app", port)
    with serving(command, {**settings, **more}, port, "/healthz") as service:
        yield service


def _uvicorn(python: Path, application: str, port: int) -> list[str]:
    """With its fast parts (uvloop, httptools) and without a line of log for each request."""
    command = [str(python), "-I", "-m", "uvicorn", application, "--port", str(port), "--workers", str(WORKERS)]
    return [*command, "--no-access-log", "--log-level", "warning"]


@contextmanager
def _mapserver(place: Place, dsn: str) -> Iterator[Peer]:
    path = "/mapserver/CITY/ogcapi/collections/parcels/items"
    with mapserver(place, dsn, "mapserver.map", f"{path}?f=json&limit=1") as service:
        yield Peer("MapServer", software.package_version("cgi-mapserver"), service, path, form={"f": "json"})


@contextmanager
def mapserver(place: Place, dsn: str, template: str, ready: str) -> Iterator[Service]:
    """By FastCGI: its processes stay, and keep their connections."""
    port = free_port()
    configured(template, place.folder, dsn, "mapserver.map", port=port)
    config = configured("mapserver.conf", place.folder, dsn)
    environment = {"MAPSERVER_CONFIG_FILE": str(config)}
    with _fastcgi("mapserv", environment, place.folder, dsn, port, ready) as service:
        yield service


@contextmanager
def _qgis(place: Place, dsn: str) -> Iterator[Peer]:
    """By FastCGI, and trusting what the project says of its layers."""
    port = free_port()
    environment = {
        "QGIS_PROJECT_FILE": str(configured("city.qgs", place.folder, dsn)),
        "QGIS_SERVER_TRUST_LAYER_METADATA": "1",
        "QGIS_SERVER_LOG_LEVEL": "2",
        "QT_QPA_PLATFORM": "offscreen",
        "HOME": str(place.folder),
    }
    path = "/wfs3/collections/parcels/items"
    version = software.package_version("qgis-server")
    with _fastcgi("qgis_mapserv.fcgi", environment, place.folder, dsn, port, f"{path}.json?limit=1") as service:
        # It knows a CRS only by the version of EPSG's register that it writes into its own list.
        epsg = "http://www.opengis.net/def/crs/EPSG/9.6.2/"
        yield Peer("QGIS Server", version, service, path, suffix=".json", epsg=epsg)


@contextmanager
def _fastcgi(
    name: str, environment: Mapping[str, str], folder: Path, dsn: str, port: int, ready: str
) -> Iterator[Service]:
    """A program of Debian's behind lighttpd, which starts it and passes requests on."""
    config = configured(
        "lighttpd.conf",
        folder,
        dsn,
        f"{name}.lighttpd.conf",
        port=port,
        root=ready.split("/")[1],
        name=name,
        program=f"/usr/lib/cgi-bin/{name}",
        workers=WORKERS,
        environment=", ".join(f'"{key}" => "{value}"' for key, value in environment.items()),
    )
    with serving(["/usr/sbin/lighttpd", "-D", "-f", config], {}, port, ready) as service:
        yield service


def configured(template: str, folder: Path, dsn: str, target: str = "", **facts: object) -> Path:
    """A file of configuration with its blanks filled in."""
    known = {**conninfo_to_dict(dsn), "folder": folder, "metres": METRES, **facts}
    path = folder / (target or template)
    path.write_text(Template((_CONFIGURATIONS / template).read_text("utf-8")).substitute(known), "utf-8")
    return path
