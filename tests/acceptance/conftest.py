"""A layer large enough for many pages, whose first rows have nothing in most of their fields."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest

from tests.conftest import service
from tests.filter_data import asking, dsn_of
from tests.made_data import make_dataset

ROWS = 20_000
EMPTY = 30  # of them have nothing but their names
FIELDS = {
    "name": "text",
    "land_use": "text",
    "storeys": "integer",
    "height": "double precision",
    "listed": "boolean",
    "built": "date",
    "seen": "timestamp with time zone",
}
_BEGIN = datetime(2024, 1, 1, tzinfo=UTC)


class Wide(NamedTuple):
    """The service that has the layer `buildings`, and its database."""

    url: str
    dsn: str


@pytest.fixture(scope="session")
def wide(server_dsn: str, template: str) -> Iterator[Wide]:
    """Twenty thousand points, 0.001 degrees apart in rows of two hundred, numbered from 1; hour by hour from 2024 on."""
    with asking(server_dsn, template) as connection:
        dsn = dsn_of(connection)
        make_dataset(dsn, "buildings", "Point", 4490, [_row(n) for n in range(1, ROWS + 1)], FIELDS)
        connection.execute("update chengtu.dataset set time_column = 'seen'")
        with service(dsn) as url:
            yield Wide(url, dsn)


def _row(n: int) -> tuple[object, ...]:
    place = f"POINT({126 + n % 200 / 1000} {43 + n // 200 / 1000})"
    if n <= EMPTY:
        return (n, f"n°{n}", None, None, None, None, None, None, place)
    use = ("O'Brien & Söhne", "商业用地", "a_b%c\\", "Park")[n % 4]
    seen = _BEGIN + timedelta(hours=n)
    return (n, f"n°{n}", use, n % 30, n % 100 + 0.5, n % 3 == 0, seen.date(), seen, place)
