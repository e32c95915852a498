"""Low zooms over HTTP: generalised, within their budget, and never behind what was committed."""

import time
from collections.abc import Iterator
from pathlib import Path

import geopandas as gpd
import httpx
import morecantile
import numpy as np
import psycopg
import pytest
import shapely

from core.catalogue import get_dataset
from core.database import connect
from tests.conftest import _database, loader_for, service
from tests.tiles import MERCATOR, SQUARE, fetch

HERE = (126.5, 43.8)
SIDE, STEP = 200, 0.0002  # squares along each side, and degrees from one to the next


def _field() -> gpd.GeoDataFrame:
    """40 000 squares that leave no gap between them, in patches of three uses."""
    number = np.arange(SIDE * SIDE)
    x, y = HERE[0] + number % SIDE * STEP, HERE[1] + number // SIDE * STEP
    uses = np.array(["住宅用地", "商业用地", "公园绿地"])[(number % SIDE // 7 + number // SIDE // 9) % 3]
    shapes = shapely.box(x, y, x + STEP, y + STEP)
    return gpd.GeoDataFrame({"no": number + 1, "land_use": uses}, geometry=shapes, crs=4490)


@pytest.fixture(scope="module")
def field(
    server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[httpx.Client, str]]:
    folder: Path = tmp_path_factory.mktemp("field")
    _field().to_file(folder / "field.gpkg")
    with _database(server_dsn, f"chengtu_field_{folder.name.replace('-', '_')}", template) as dsn:
        loader_for(dsn, folder)(folder / "field.gpkg", id="field", key="no", editable=True)
        with service(dsn) as url, httpx.Client(base_url=url, timeout=60) as client:
            yield client, dsn


def _whole_from(dsn: str) -> int:
    with connect(dsn) as connection:
        levels = get_dataset(connection, "field").levels
    assert levels is not None
    return int(levels["whole_zoom"])


def _middle(z: int) -> morecantile.Tile:
    return MERCATOR.tile(HERE[0] + SIDE * STEP / 2, HERE[1] + SIDE * STEP / 2, z)


def _area(client: httpx.Client, tile: morecantile.Tile) -> float:
    """The square units of a tile that are covered."""
    features = fetch(client, f"/xyz/field/{tile.z}/{tile.x}/{tile.y}.mvt").get("field", [])
    return float(sum(one.geometry.intersection(SQUARE).area for one in features))


def _true_area(tile: morecantile.Tile, rows: int = SIDE) -> float:
    """The same, of the southern rows of the field as they are on the ground."""
    bounds = MERCATOR.bounds(tile)
    whole = shapely.box(HERE[0], HERE[1], HERE[0] + SIDE * STEP, HERE[1] + rows * STEP)
    part = whole.intersection(shapely.box(bounds.left, bounds.bottom, bounds.right, bounds.top))
    return float(part.area * 4096**2 / (bounds.right - bounds.left) / (bounds.top - bounds.bottom))


def test_every_zoom_covers_the_ground_within_the_budget(field: tuple[httpx.Client, str]) -> None:
    client, dsn = field
    whole = _whole_from(dsn)
    assert whole >= 12
    for z in range(5, whole + 2):
        tile = _middle(z)
        answer = client.get(f"/xyz/field/{z}/{tile.x}/{tile.y}.mvt", headers={"Accept-Encoding": "identity"})
        assert len(answer.content) <= 500_000
        assert abs(_area(client, tile) / _true_area(tile) - 1) < (0.03 if z > 8 else 0.5), z
    assert "chengtu-left-out" not in answer.headers


def test_tiles_far_from_an_edit_stay_in_the_cache_at_low_zooms_too(field: tuple[httpx.Client, str]) -> None:
    client, dsn = field
    z = _whole_from(dsn) - 1
    far = MERCATOR.tile(HERE[0] + STEP, HERE[1] + STEP, z)
    near = MERCATOR.tile(HERE[0] + (SIDE - 1) * STEP, HERE[1] + (SIDE - 1) * STEP, z)
    paths = [f"/xyz/field/{z}/{one.x}/{one.y}.mvt" for one in (far, near)]
    assert paths[0] != paths[1]
    for path in paths:
        client.get(path)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("delete from data.field where no between 39990 and 40000")
    assert [client.get(path).headers["cache-status"] for path in paths] == ["chengtu; hit", "chengtu; fwd=miss"]


def test_an_edit_is_seen_by_the_next_request_at_every_zoom(field: tuple[httpx.Client, str]) -> None:
    client, dsn = field
    zooms = range(9, _whole_from(dsn) + 1)
    before = {z: _area(client, _middle(z)) for z in zooms}
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute(
            "create table kept as select * from data.field where no % 200 between 90 and 109 and no / 200 between 60 and 139"
        )
        gone = connection.execute("delete from data.field where no in (select no from kept)").rowcount
        assert 500 < gone <= 2000
        for z in zooms:
            assert _area(client, _middle(z)) < before[z] * 0.99, z
        columns = "no, land_use, geom, ct_release"
        connection.execute(f"insert into data.field ({columns}) select {columns} from kept")
        for z in zooms:
            assert _area(client, _middle(z)) == pytest.approx(before[z], rel=0.03), z


def test_after_an_edit_of_nearly_everything_nothing_old_is_shown(field: tuple[httpx.Client, str]) -> None:
    """The zooms are made anew by a process of its own; until then the answer is 503, and never the past."""
    client, dsn = field
    tile = _middle(10)
    path = f"/xyz/field/10/{tile.x}/{tile.y}.mvt"
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("delete from data.field where no > 20000")
    deadline = time.monotonic() + 60
    while (answer := client.get(path)).status_code == 503:
        assert "retry-after" in answer.headers
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert _area(client, tile) == pytest.approx(_true_area(tile, SIDE // 2), rel=0.03)
