"""What the conformance tests ask, besides the small city: data sets that hold what standards are particular about."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from core.settings import ROOT
from tests.conftest import service
from tests.filter_data import asking, dsn_of
from tests.made_data import make_dataset

TYPES = {
    "name": "text",
    "n": "integer",
    "x": "double precision",
    "ok": "boolean",
    "day": "date",
    "at": "timestamp with time zone",
    "uid": "uuid",
    "tags": "text[]",
}
UID = "6f1c9a52-0000-4000-8000-00000000000{}"
EVENTS = [  # the fifth has no time, the sixth no place
    (1, "one", 1, 0.5, True, "2024-01-01", "2024-01-01T00:00:00Z", UID.format(1), ["a"], "POINT(126.5 43.8)"),
    (2, "two", 2, 1.5, False, "2024-01-01", "2024-01-01T12:00:00Z", UID.format(2), ["a", "b"], "POINT(126.6 43.8)"),
    (3, "drei", 3, 2.5, True, "2024-01-02", "2024-01-02T00:00:00Z", UID.format(3), [], "POINT(126.7 43.9)"),
    (4, "四", 4, -1.0, None, "2024-06-01", "2024-06-01T08:30:00Z", UID.format(4), None, "POINT(179.9 -16.5)"),
    (5, "it's", 5, 1e9, True, None, None, UID.format(5), ["c"], "POINT(-179.9 -16.5)"),
    (6, None, None, None, None, "2025-01-01", "2025-01-01T00:00:00Z", None, None, None),
]
SHAPES = [  # a name, an interval, an array and a geometry of each kind, in metres
    (1, "Straße", 7, 7.0, "2024-05-01", "2024-05-03", ["x", "y"], "POINT(1 1)"),
    (2, "Müller", -7, 2.0, "2024-05-01", "2024-05-02", ["y"], "LINESTRING(0 0,4 4)"),
    (3, "a_c\\", 0, 0.5, "2024-05-02", "2024-05-03", [], "POLYGON((0 0,4 0,4 4,0 4,0 0))"),
    (4, "it's", 2, 2.0, "2024-05-03", "2024-05-05", ["x", "y", "z"], "POLYGON((2 2,6 2,6 6,2 6,2 2))"),
    (5, *[None] * 7),
]
SHAPE_TYPES = {
    "name": "text",
    "a": "integer",
    "b": "double precision",
    "begin": "date",
    "end": "date",
    "tags": "text[]",
}
MANY = [(n, f"第{n}", f"POINT({126 + n / 10_000} 43.8)") for n in range(1, 2501)]
MAXIMUM = 1000  # features a page


@pytest.fixture(scope="session")
def lab(server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a service whose pages hold a thousand features at most."""
    config = tmp_path_factory.mktemp("lab") / "config.yml"
    config.write_text((ROOT / "pygeoapi-config.yml").read_text("utf-8").replace("10000", str(MAXIMUM)), "utf-8")
    with asking(server_dsn, template) as connection:
        dsn = dsn_of(connection)
        make_dataset(dsn, "events", "Point", 4326, EVENTS, TYPES)
        make_dataset(dsn, "shapes", "Geometry", 3857, SHAPES, SHAPE_TYPES)
        make_dataset(dsn, "many", "Point", 4490, MANY, {"name": "text"})
        make_dataset(dsn, "nothing", "Point", 4490, [], {"name": "text"})
        connection.execute(
            "update chengtu.dataset set time_column = 'at',"
            " time_extent = (select array[min(at), max(at)] from data.events) where id = 'events'"
        )
        with service(dsn, config=str(_checked(config))) as url, httpx.Client(base_url=url, timeout=30) as client:
            yield client


def _checked(config: Path) -> Path:
    assert f"max_items: {MAXIMUM}" in config.read_text("utf-8")
    return config
