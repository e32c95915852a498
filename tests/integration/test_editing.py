"""Editing over HTTP, step by step as QGIS does it, as two people at once do it, and as nobody should."""

import json
import math
import os
import signal
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import geopandas as gpd
import httpx
import numpy as np
import psycopg
import pytest
import shapely
from psycopg.rows import dict_row

from core.catalogue import Dataset, get_dataset
from core.crs import CRS84, Srid, transformer, uri
from core.database import connect
from loaders.release import EditsWouldBeLost
from tests.conftest import Load, _database, loader_for, service

KEY = "an-edit-key-for-tests"
GEOJSON = {"Content-Type": "application/geo+json"}
PLAIN = {"Accept-Encoding": "identity"}
MERGE = {"Content-Type": "application/merge-patch+json"}
CRSS = [CRS84, Srid(4326), Srid(4490), Srid(4551)]
SQUARE = [[126.5, 43.8], [126.6, 43.8], [126.6, 43.9], [126.5, 43.9], [126.5, 43.8]]


class Place(NamedTuple):
    """A service that may be edited, its database, and how to load into it."""

    url: str
    dsn: str
    load: Load


@pytest.fixture(scope="module")
def place(server_dsn: str, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One data set of each sort: numbered by us, by a field, by a word; plane, high, of any type, and not editable."""
    folder = tmp_path_factory.mktemp("editing")
    with _database(server_dsn, f"chengtu_edit_{os.getpid()}", template) as dsn:
        load = loader_for(dsn, folder)
        load(_points(folder / "spots.gpkg"), id="spots", editable=True)
        load(_points(folder / "locked.gpkg"), id="locked", key="no")
        load(_points(folder / "words.gpkg"), id="words", key="name", editable=True)
        load(_points(folder / "high.gpkg", height=210.5), id="high", key="no", editable=True)
        load(_points(folder / "mixed.gpkg"), id="mixed", key="no", generic=True, editable=True)
        load(_plots(folder / "plots.gpkg"), id="plots", key="no", time="seen", editable=True)
        load(_typed(folder / "typed.geojson"), id="typed", key="no", editable=True)
        with service(dsn, edit_key=KEY) as url:
            yield Place(url, dsn, load)


def _points(path: Path, height: float | None = None) -> Path:
    frame = gpd.GeoDataFrame(
        {"no": range(1, 4), "name": ["甲", "乙", "丙%s"], "50% area": [1.5, 2.5, None]},
        geometry=shapely.points([126.1, 126.2, 126.3], 43.123456789, *([height] if height else [])),
        crs=4490,
    )
    frame.to_file(path, driver="GPKG")
    return path


def _plots(path: Path) -> Path:
    """Polygons in a Gauss-Krüger plane, with digits beyond those that are served."""
    x, y = 500_000.123456789, 4_850_000.987654321
    shapes = [shapely.box(x + n * 50, y, x + n * 50 + 40 / 3, y + 40 / 7) for n in range(20)]
    frame = gpd.GeoDataFrame(
        {"no": range(1, 21), "use": "住宅", "area": 76.19, "seen": "2024-05-31T08:00:00"},
        geometry=[shapely.MultiPolygon([shape]) for shape in shapes],
        crs=4551,
    )
    frame["seen"] = frame["seen"].astype("datetime64[ms]")
    frame.to_file(path, driver="GPKG")
    return path


def _typed(path: Path) -> Path:
    properties = {
        "no": 1,
        "count": 2,
        "size": 1.5,
        "built": True,
        "name": "甲",
        "day": "2024-05-31",
        "at": "2024-05-31T08:00:00Z",
    }
    feature = {"type": "Feature", "properties": properties, "geometry": {"type": "Point", "coordinates": [126.5, 43.8]}}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), "utf-8")
    return path


@pytest.fixture
def api(place: Place) -> Iterator[httpx.Client]:
    """A client with the key."""
    with httpx.Client(base_url=place.url, headers={"X-API-Key": KEY}, timeout=30) as client:
        yield client


def _feature(geometry: Any = None, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def _point(*position: float) -> dict[str, Any]:
    return {"type": "Point", "coordinates": list(position)}


def _post(api: httpx.Client, id_: str, feature: Any, **headers: str) -> httpx.Response:
    content = feature if isinstance(feature, bytes) else json.dumps(feature).encode()
    return api.post(f"/collections/{id_}/items", content=content, headers={**GEOJSON, **headers})


def _created(api: httpx.Client, id_: str, feature: dict[str, Any], **headers: str) -> str:
    answer = _post(api, id_, feature, **headers)
    assert answer.status_code == 201, answer.text
    return str(answer.headers["location"])


def _entry(place: Place, id_: str) -> Dataset:
    with connect(place.dsn) as connection:
        return get_dataset(connection, id_)


def _run(dsn: str, statement: str) -> list[Any]:
    with psycopg.connect(dsn, row_factory=dict_row) as connection:
        cursor = connection.execute(statement)  # type: ignore[call-overload]
        return cursor.fetchall() if cursor.description else []


def _positions(geometry: dict[str, Any]) -> list[tuple[float, ...]]:
    found = shapely.from_geojson(json.dumps(geometry))
    return [tuple(one) for one in shapely.get_coordinates(found)]


# What QGIS does


@pytest.mark.parametrize("bracketed", [False, True])
@pytest.mark.parametrize("crs", CRSS)
def test_qgis_adds_moves_renames_and_removes_a_feature_in_any_crs(
    api: httpx.Client, place: Place, crs: Srid, bracketed: bool
) -> None:
    content_crs = {"Content-Crs": f"<{uri(crs)}>" if bracketed else uri(crs)}
    asked = {"crs": uri(crs)}
    items = "/collections/spots/items"
    assert "POST" in api.options(items).headers["allow"].split(", ")
    first = api.get(items, params={"limit": 1, **asked}).json()["features"][0]
    assert {"PUT", "PATCH", "DELETE"} <= set(api.options(f"{items}/{first['id']}").headers["allow"].split(", "))

    position = first["geometry"]["coordinates"]
    body = _feature(_point(*position), no=77, name="新", **{"50% area": 3.25})
    location = _created(api, "spots", body, **content_crs)
    assert location.startswith(f"{place.url}{items}/")
    found = api.get(location, params=asked).json()
    assert found["properties"] == {"no": 77, "name": "新", "50% area": 3.25}
    assert found["geometry"] == first["geometry"]

    moved = [position[0] + 0.01, position[1] + 0.02]
    assert api.patch(location, json={"geometry": _point(*moved)}, headers={**MERGE, **content_crs}).status_code == 204
    assert api.patch(location, json={"properties": {"name": "改"}}, headers=MERGE).status_code == 204
    found = api.get(location, params=asked).json()
    assert found["properties"] == {"no": 77, "name": "改", "50% area": 3.25}
    assert found["geometry"]["coordinates"] == pytest.approx(moved, abs=2e-4 if crs == Srid(4551) else 2e-9)

    body = _feature(_point(*position), name="换")
    assert api.put(location, json=body, headers={**GEOJSON, **content_crs}).status_code == 204
    found = api.get(location, params=asked).json()
    assert found["properties"] == {"no": None, "name": "换", "50% area": None}
    assert found["geometry"] == first["geometry"]

    assert api.delete(location).status_code == 204
    assert api.get(location).status_code == 404
    assert api.delete(location).status_code == 404


@pytest.mark.parametrize("crs", CRSS)
def test_what_comes_back_as_it_was_served_stays_to_the_last_bit(api: httpx.Client, place: Place, crs: Srid) -> None:
    url, stored = "/collections/plots/items/3", "select st_asewkb(geom) as wkb from data.plots where no = 3"
    before = _run(place.dsn, stored)
    feature = api.get(url, params={"crs": uri(crs)}).json()
    for body in (feature, json.loads(json.dumps(feature))):
        assert api.put(url, json=body, headers={**GEOJSON, "Content-Crs": uri(crs)}).status_code == 204
    assert _run(place.dsn, stored) == before


@pytest.mark.parametrize("crs", CRSS)
def test_moving_one_corner_moves_no_other_by_a_tenth_of_a_millimetre(
    api: httpx.Client, place: Place, crs: Srid
) -> None:
    url = f"/collections/plots/items/{5 + CRSS.index(crs)}"
    stored = api.get(url, params={"crs": uri(Srid(4551))}).json()["geometry"]
    feature = api.get(url, params={"crs": uri(crs)}).json()
    ring = feature["geometry"]["coordinates"][0][0]
    step = 1.0 if crs == Srid(4551) else 1e-5
    ring[2] = [ring[2][0] + step, ring[2][1] + step]
    assert api.put(url, json=feature, headers={**GEOJSON, "Content-Crs": uri(crs)}).status_code == 204
    moved = api.get(url, params={"crs": uri(Srid(4551))}).json()["geometry"]
    apart = [math.dist(one, other) for one, other in zip(_positions(stored), _positions(moved), strict=True)]
    assert sum(distance > 0.0002 for distance in apart) == 1
    assert sorted(apart)[-2] <= 0.00015


def test_a_geometry_is_stored_where_proj_says_it_lies(api: httpx.Client, place: Place) -> None:
    polygon = {"type": "Polygon", "coordinates": [[[lat, lon] for lon, lat in SQUARE]]}
    url = _created(api, "plots", _feature(polygon, no=900), **{"Content-Crs": uri(Srid(4490))})
    (row,) = _run(place.dsn, "select st_asbinary(geom) as wkb, st_srid(geom) as srid from data.plots where no = 900")
    stored = shapely.from_wkb(row["wkb"])
    east, north = transformer(Srid(4490), Srid(4551)).transform(*zip(*SQUARE, strict=True))
    assert (row["srid"], stored.geom_type) == (4551, "MultiPolygon")
    assert shapely.get_coordinates(stored) == pytest.approx(np.column_stack([east, north]), abs=1e-6)
    assert api.delete(url).status_code == 204


def test_an_edit_moves_count_extent_and_times_and_the_tags_of_all_answers(api: httpx.Client, place: Place) -> None:
    items = "/collections/plots/items?limit=1"
    tag, before = api.get(items).headers["etag"], _entry(place, "plots")
    geometry = {"type": "Polygon", "coordinates": [SQUARE]}
    url = _created(api, "plots", _feature(geometry, no=901, seen="2031-01-01T00:00:00"))
    after = _entry(place, "plots")
    assert (after.feature_count, after.change) == (before.feature_count + 1, before.change + 1)
    assert after.extent is not None
    assert after.extent.east >= 126.59
    assert after.interval is not None
    assert after.interval[1].year == 2031
    answer = api.get(items, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.json()["numberMatched"] == after.feature_count
    api.delete(url)


# Versions


def test_a_change_by_if_match_is_made_once(api: httpx.Client) -> None:
    created = _post(api, "spots", _feature(_point(126, 43), name="a"))
    url, tag = created.headers["location"], created.headers["etag"]
    assert api.get(url, headers=PLAIN).headers["etag"] == tag
    first = api.patch(url, json={"properties": {"name": "b"}}, headers={**MERGE, "If-Match": tag})
    assert first.status_code == 204
    assert first.headers["etag"] == api.get(url, headers=PLAIN).headers["etag"] != tag
    for method, body, headers in (
        ("PATCH", {"properties": {"name": "c"}}, MERGE),
        ("PUT", _feature(name="c"), GEOJSON),
        ("DELETE", None, {}),
    ):
        for stale in (tag, '"0"', f'"x", {tag}'):
            answer = api.request(method, url, json=body, headers={**headers, "If-Match": stale})
            assert answer.status_code == 412, answer.text
    assert api.get(url).json()["properties"]["name"] == "b"
    assert api.delete(url, headers={"If-Match": first.headers["etag"]}).status_code == 204


@pytest.mark.parametrize("query", ["", f"?crs={uri(Srid(4551))}", "?lang=zh"])
@pytest.mark.parametrize("encoding", ["gzip", "identity"])
def test_the_tag_of_any_form_of_a_feature_names_its_version(api: httpx.Client, query: str, encoding: str) -> None:
    name = f"{query[-4:]}{encoding}" + "长" * 400  # long enough to be compressed
    url = _created(api, "words", _feature(_point(126, 43), name=name))
    for mark in ("{}", "W/{}", '"x", {}', "*"):
        tag = api.get(url + query, headers={"Accept-Encoding": encoding}).headers["etag"]
        answer = api.patch(url, json={"properties": {"no": 8}}, headers={**MERGE, "If-Match": mark.format(tag)})
        assert answer.status_code == 204, answer.text
    assert api.put(url, json=_feature(), headers={**GEOJSON, "If-None-Match": "*"}).status_code == 412
    assert api.delete(url).status_code == 204


def test_of_two_who_change_the_same_version_one_wins(place: Place, api: httpx.Client) -> None:
    url = _created(api, "spots", _feature(_point(126, 43), no=0))
    for turn in range(10):
        tag, gate = api.get(url).headers["etag"], threading.Barrier(4)

        def change(number: int, tag: str = tag, gate: threading.Barrier = gate) -> int:
            with httpx.Client(headers={"X-API-Key": KEY, "If-Match": tag, **MERGE}, timeout=30) as client:
                gate.wait()
                return client.patch(url, json={"properties": {"no": number}}).status_code

        with ThreadPoolExecutor(4) as pool:
            statuses = list(pool.map(change, range(turn * 4, turn * 4 + 4)))
        assert sorted(statuses) == [204, 412, 412, 412]
        assert api.get(url).json()["properties"]["no"] == turn * 4 + statuses.index(204)


def test_a_service_may_demand_a_version(database: str, load_into: Load, tmp_path: Path) -> None:
    load_into(_points(tmp_path / "spots.gpkg"), id="spots", editable=True)
    with service(database, edit_key=KEY, require_if_match="true") as url, httpx.Client(base_url=url) as client:
        client.headers["X-API-Key"] = KEY
        one = "/collections/spots/items/1"
        for answer in (
            client.patch(one, json={"properties": {"no": 8}}, headers=MERGE),
            client.put(one, json=_feature(), headers=GEOJSON),
            client.delete(one),
        ):
            assert answer.status_code == 428
            assert "If-Match" in answer.json()["description"]
        assert client.delete(one, headers={"If-Match": client.get(one).headers["etag"]}).status_code == 204
        assert _post(client, "spots", _feature()).status_code == 201


# Keys of features


def test_a_number_is_never_given_twice(api: httpx.Client, place: Place) -> None:
    numbers = []
    for _ in range(3):
        url = _created(api, "spots", _feature(_point(126, 43)))
        numbers.append(int(url.rsplit("/", 1)[1]))
        assert api.delete(url).status_code == 204
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    with ThreadPoolExecutor(8) as pool:
        urls = list(pool.map(lambda _: _created(api, "spots", _feature(_point(126, 43))), range(24)))
    assert len(set(urls)) == 24
    given = _created(api, "plots", _feature(no=5000, use="x"))
    assert api.delete(given).status_code == 204
    for absent in ({}, {"no": None}):
        url = _created(api, "plots", _feature(**absent))
        assert int(url.rsplit("/", 1)[1]) > 5000
        assert api.get(url).json()["properties"]["no"] == int(url.rsplit("/", 1)[1])
        assert api.delete(url).status_code == 204


def test_a_word_as_key_must_be_given_and_be_free(api: httpx.Client) -> None:
    for body in (_feature(no=1), _feature(name=None), _feature(name=""), _feature(name="x" * 1001)):
        answer = _post(api, "words", body)
        assert answer.status_code == 400
        assert "name" in answer.json()["description"]
    assert _post(api, "words", _feature(name="甲")).status_code == 409
    for name in ("a/b", "c?d=%41&x", "e f", "'); drop table data.words; --", "../..", "日本"):
        url = _created(api, "words", _feature(name=name))
        assert api.get(url).json()["id"] == name
        assert api.delete(url).status_code == 204


def test_a_key_stays_as_it_is(api: httpx.Client) -> None:
    url = "/collections/plots/items/2"
    for body in ({"properties": {"no": 3}}, {"properties": {"no": None}}, {"id": 3}):
        answer = api.patch(url, json=body, headers=MERGE)
        assert answer.status_code == 409, answer.text
    for body in (_feature(no=3), {**_feature(), "id": 3}, {**_feature(), "id": "x"}):
        assert api.put(url, json=body, headers=GEOJSON).status_code == 409
    assert api.patch(url, json={"id": 2, "properties": {"no": 2}}, headers=MERGE).status_code == 204
    assert api.put(url, json={**api.get(url).json(), "id": "2"}, headers=GEOJSON).status_code == 204


def test_nothing_is_made_by_put_and_nothing_found_by_a_key_of_another_type(api: httpx.Client) -> None:
    for id_ in ("99999", "abc", "1' or 1=1", "9" * 40):
        url = f"/collections/plots/items/{id_}"
        for answer in (
            api.put(url, json=_feature(), headers={**GEOJSON, "If-Match": '"xyz"'}),
            api.patch(url, json={"properties": {"use": "x"}}, headers=MERGE),
            api.delete(url),
        ):
            assert answer.status_code == 404, answer.text


# Bodies


def test_each_type_of_attribute_is_stored_as_it_is_served(api: httpx.Client) -> None:
    values = {
        "no": 2,
        "count": -5,
        "size": 1e-3,
        "built": False,
        "name": "「乙」\n🀄",
        "day": "1949-10-01",
        "at": "2024-05-31T16:00:00.5+08:00",
    }
    found = api.get(_created(api, "typed", _feature(**values))).json()["properties"]
    assert found == {**values, "at": "2024-05-31T08:00:00.5+00:00"}
    url = _created(api, "typed", _feature(no=3, count=5.0, size=7))
    assert api.put(url, json=api.get(url).json(), headers=GEOJSON).status_code == 204
    assert api.get(url).json()["properties"] == {**dict.fromkeys(values), "no": 3, "count": 5, "size": 7.0}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", "5"), ("count", 1.5), ("count", True), ("count", 2**31), ("count", 10**40), ("count", [1]),
        ("size", "1.5"), ("size", True), ("size", {"a": 1}), ("built", 1), ("built", "true"), ("name", 5), ("name", "a\0b"),
        ("name", "\ud800"), ("day", "31.5.2024"), ("day", "2024-02-30"), ("day", "2024-05-31T00:00:00"), ("day", 20240531),
        ("at", "2024-05-31T08:00:00"), ("at", "2024-05-31"), ("at", "yesterday"), ("at", "2024-05-31T25:00:00Z"),
        ("geom", None), ("ct_release", 1), ("no_such", 1), ("name; drop table data.typed", 1), ("fid", 7),
    ],
)  # fmt: skip
def test_a_value_that_does_not_fit_is_named_and_nothing_is_written(
    api: httpx.Client, place: Place, name: str, value: object
) -> None:
    before = _entry(place, "typed").change
    for answer in (
        _post(api, "typed", _feature(_point(126, 43), **{"no": 50, name: value})),
        api.patch("/collections/typed/items/1", content=json.dumps({"properties": {name: value}}), headers=MERGE),
    ):
        assert answer.status_code == 400, answer.text
        assert name in answer.json()["description"]
    assert _entry(place, "typed").change == before


BOWTIE = [[[126, 43], [127, 44], [127, 43], [126, 44], [126, 43]]]


@pytest.mark.parametrize(
    ("id_", "geometry", "words"),
    [
        ("plots", {"type": "Polygon", "coordinates": BOWTIE}, "Self-intersection[126.5 43.5]"),
        ("plots", {"type": "Polygon", "coordinates": []}, "coordinates"),
        ("plots", {"type": "MultiPolygon", "coordinates": []}, "empty"),
        ("plots", {"type": "Polygon", "coordinates": [[[126, 43], [127, 43]]]}, "coordinates"),
        ("plots", _point(126, 43), "MultiPolygon"),
        ("spots", {"type": "MultiPoint", "coordinates": [[126, 43]]}, "Point"),
        ("spots", _point(126, 43, 100), "heights"),
        ("high", _point(126, 43), "heights"),
        ("spots", _point(43, 126), "axis order"),
        ("spots", _point(43.8, 88.5), "axis order"),
        ("spots", _point(500000, 4850000), "axis order"),
        ("spots", {"type": "Point", "coordinates": [1e400, 1]}, "finite"),
        ("spots", {"type": "Point", "coordinates": [10**400, 1]}, "finite"),
        ("spots", {"type": "Point", "coordinates": ["126", "43"]}, "coordinates"),
        ("spots", {"type": "Point", "coordinates": [126, None]}, "coordinates"),
        ("spots", {"type": "Point", "coordinates": [126, 43, 1, 2]}, "coordinates"),
        ("spots", {"type": "Point", "coordinates": [[126, 43]]}, "coordinates"),
        ("spots", {"type": "Point"}, "coordinates"),
        ("spots", {"type": "Circle", "coordinates": [126, 43]}, "Circle"),
        ("spots", {"coordinates": [126, 43]}, "type"),
        ("spots", "POINT(126 43)", "object"),
        ("spots", [126, 43], "object"),
        ("mixed", {"type": "LineString", "coordinates": [[126, 43], [126, 43, 5]]}, "coordinates"),
        ("mixed", {"type": "GeometryCollection", "geometries": 5}, "geometries"),
    ],
)  # fmt: skip
def test_a_geometry_that_cannot_be_stored_says_why(
    api: httpx.Client, place: Place, id_: str, geometry: Any, words: str
) -> None:
    before = _entry(place, id_).change
    text = json.dumps(geometry).replace("Infinity", "1e400")
    new = f'{{"type": "Feature", "properties": {{}}, "geometry": {text}}}'.encode()
    for answer in (
        _post(api, id_, new),
        api.patch(f"/collections/{id_}/items/1", content=f'{{"geometry": {text}}}', headers=MERGE),
    ):
        assert answer.status_code == 400, answer.text
        assert words in answer.json()["description"]
    assert _entry(place, id_).change == before


def test_a_data_set_of_any_type_takes_each_and_heights_stay(api: httpx.Client) -> None:
    for geometry in (
        _point(126, 43),
        {"type": "LineString", "coordinates": [[126, 43], [127, 44]]},
        {"type": "Polygon", "coordinates": [SQUARE]},
        {"type": "GeometryCollection", "geometries": [_point(126, 43)]},
        None,
    ):
        url = _created(api, "mixed", _feature(geometry))
        assert api.get(url).json()["geometry"] == geometry
    url = _created(api, "high", _feature(_point(43, 126, 12.25)), **{"Content-Crs": uri(Srid(4326))})
    assert api.get(url).json()["geometry"] == _point(126, 43, 12.25)
    assert api.patch(url, json={"properties": {"name": "x"}}, headers=MERGE).status_code == 204
    assert api.get(url, params={"crs": uri(Srid(4490))}).json()["geometry"] == _point(43, 126, 12.25)
    assert api.patch(url, json={"geometry": None}, headers=MERGE).status_code == 204
    assert api.get(url).json()["geometry"] is None


def test_measures_that_geojson_cannot_give_are_not_lost(api: httpx.Client, place: Place) -> None:
    """A hand-made table with measures: a feature that comes back as it was served keeps them."""
    _run(place.dsn, "alter table data.mixed drop column if exists ct_clear")  # is computed from the geometry
    _run(
        place.dsn,
        "alter table data.mixed alter column geom type geometry(GeometryZM, 4490) using st_force4d(geom, 5, 7)",
    )
    _run(place.dsn, "update chengtu.dataset set geometry_type = 'GeometryZM', updated_at = now() where id = 'mixed'")
    try:
        _until(lambda: len(api.get("/collections/mixed/items/1").json()["geometry"]["coordinates"]) == 3)
        feature = api.get("/collections/mixed/items/1").json()
        _until(lambda: api.put("/collections/mixed/items/1", json=feature, headers=GEOJSON).status_code == 204)
        assert _run(place.dsn, "select st_m(geom) as m from data.mixed where no = 1") == [{"m": 7}]
        refused = api.patch("/collections/mixed/items/1", json={"geometry": _point(126, 43, 5)}, headers=MERGE)
        assert (refused.status_code, "measures" in refused.text) == (400, True)
    finally:
        _run(place.dsn, "alter table data.mixed alter column geom type geometry(Geometry, 4490) using st_force2d(geom)")
        _run(place.dsn, "update chengtu.dataset set geometry_type = 'Geometry', updated_at = now() where id = 'mixed'")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"5", b"[]", b'"Feature"', b"\xff\xfe", b'{"type":"Feature"}', b'{"type":"Feature","properties":{}}',
        b'{"type":"Feature","geometry":null}', b'{"type":"Feature","geometry":null,"properties":[1]}',
        b'{"type":"Feature","geometry":null,"properties":"x"}', b'{"type":"Point","coordinates":[126,43]}',
        b'{"type":"Feature","geometry":null,"properties":{"no":NaN}}', b'{"type":"Feature","geometry":null,"properties":{"no":Infinity}}',
        b'{"type":"Feature","geometry":null,"properties":{"no":1,"no":2}}', b"[" * 100_000, b'{"a":' * 100_000,
        b'{"type":"Feature","geometry":null,"properties":{"no":' + b"9" * 100_000 + b"}}",
        b'{"type":"Feature","geometry":null,"place":{"type":"Point","coordinates":[1,2]},"properties":{}}',
        b'{"type":"Feature","properties":{},"geometry":' + b'{"type":"GeometryCollection","geometries":[' * 200 + b"]}" * 200 + b"}",
    ],
    ids=range(21),
)  # fmt: skip
def test_a_body_that_is_no_feature_is_told_so(api: httpx.Client, place: Place, body: bytes) -> None:
    before = _entry(place, "spots").change
    for answer in (_post(api, "spots", body), api.put("/collections/spots/items/1", content=body, headers=GEOJSON)):
        assert answer.status_code == 400, answer.text
        assert set(answer.json()) >= {"code", "description"}
        assert "Traceback" not in answer.text
    assert _entry(place, "spots").change == before


def test_types_of_bodies_decide_what_a_post_means(api: httpx.Client) -> None:
    items, feature = "/collections/spots/items", _feature(_point(126, 43), name="json")
    created = api.post(items, json=feature)
    assert created.status_code == 201
    assert api.post(items, json={"op": "=", "args": [{"property": "name"}, "json"]}).json()["numberMatched"] == 1
    assert api.post(items, data={"name": "json"}).json()["numberMatched"] == 1
    several = api.post(items, json={"type": "FeatureCollection", "features": [feature]})
    assert (several.status_code, "one by one" in several.text) == (422, True)
    text = json.dumps(feature)
    assert api.post(items, content=text).status_code == 400
    assert api.post(items, content=text, headers={"Content-Type": "text/xml"}).status_code == 415
    url = created.headers["location"]
    assert api.put(url, content=text).status_code == 400
    assert api.put(url, content=text, headers=MERGE).status_code == 415
    refused = api.patch(url, content=text, headers=GEOJSON)
    assert (refused.status_code, refused.headers["accept-patch"]) == (415, MERGE["Content-Type"])
    assert api.patch(url, content=b"x" * 4_100_000, headers=MERGE).status_code == 413
    assert api.patch(url, content=b"{}", headers=MERGE).status_code == 204
    assert api.patch(url, json={"properties": None}, headers=MERGE).status_code == 204
    assert set(api.get(url).json()["properties"].values()) == {None}
    assert api.patch(url, json={"bbox": [1, 2, 3, 4], "foreign": 1}, headers=MERGE).status_code == 204


@pytest.mark.parametrize(
    "crs", ["EPSG:2385", "http://www.opengis.net/def/crs/EPSG/0/2385", "<x>", "", "http://localhost/crs", "4326"]
)
def test_only_a_crs_that_is_offered_is_taken(api: httpx.Client, crs: str) -> None:
    answer = _post(api, "spots", _feature(_point(126, 43)), **{"Content-Crs": crs})
    assert answer.status_code == 400
    assert "CRS84" in answer.json()["description"]


def test_a_rule_of_the_citys_own_is_told_in_its_words(api: httpx.Client, place: Place) -> None:
    _run(place.dsn, "alter table data.spots add constraint small check (no < 100000)")
    _run(place.dsn, "create unique index one_name on data.spots (name, ct_release) where name like 'U%'")
    try:
        answer = _post(api, "spots", _feature(no=100000))
        assert (answer.status_code, "small" in answer.text) == (422, True)
        assert _post(api, "spots", _feature(name="U1")).status_code == 201
        assert _post(api, "spots", _feature(name="U1")).status_code == 409
    finally:
        _run(place.dsn, "alter table data.spots drop constraint small")
        _run(place.dsn, "drop index data.one_name")


def test_refusals_come_in_the_language_of_the_client(api: httpx.Client) -> None:
    chinese = {"Accept-Language": "zh-CN"}
    for answer in (
        _post(api, "plots", _feature({"type": "Polygon", "coordinates": BOWTIE}), **chinese),
        _post(api, "plots", _feature(wrong=1), **chinese),
        api.patch("/collections/plots/items/1", content=b"{", headers={**MERGE, **chinese}),
        api.delete("/collections/plots/items/1", headers={**chinese, "If-Match": '"0"'}),
        api.delete("/collections/locked/items/1", headers=chinese),
        api.delete("/collections/plots/items/1", headers={**chinese, "X-API-Key": "wrong"}),
    ):
        assert 400 <= answer.status_code < 500
        assert any("\u4e00" <= character <= "\u9fff" for character in answer.json()["description"])


# Who may


@pytest.mark.parametrize(
    "credentials",
    [
        {"X-API-Key": KEY},
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": "Basic " + b64encode(f"anyone:{KEY}".encode()).decode()},
        None,
    ],
)
def test_the_key_may_come_in_four_ways(place: Place, credentials: dict[str, str] | None) -> None:
    with httpx.Client(base_url=place.url, headers=credentials) as client:
        query = "" if credentials else f"?api%2Dkey={KEY}"
        answer = client.post(f"/collections/spots/items{query}", json=_feature(), headers=GEOJSON)
        assert answer.status_code == 201, answer.text
        assert KEY not in str(answer.headers)


@pytest.mark.parametrize(
    "credentials",
    [
        {"X-API-Key": "wrong"}, {"X-API-Key": ""}, {"X-API-Key": KEY + "x"}, {"X-API-Key": KEY[:-1]}, {"Authorization": "Bearer x"},
        {"Authorization": "Basic !!!"}, {"Authorization": "Basic " + b64encode(KEY.encode()).decode()}, {"X-API-Key": "密".encode()},
    ],
    ids=range(8),
)  # fmt: skip
def test_without_the_key_nothing_is_changed(place: Place, credentials: dict[str, Any]) -> None:
    before = _entry(place, "spots").change
    with httpx.Client(base_url=place.url) as client:
        for headers, status in (({}, 401), (credentials, 403)):
            for answer in (
                client.post("/collections/spots/items", json=_feature(), headers={**GEOJSON, **headers}),
                client.put("/collections/spots/items/1", json=_feature(), headers={**GEOJSON, **headers}),
                client.patch("/collections/spots/items/1", json={}, headers={**MERGE, **headers}),
                client.delete("/collections/spots/items/1", headers=headers),
            ):
                assert answer.status_code == status
                assert ("www-authenticate" in answer.headers) == (status == 401)
    assert _entry(place, "spots").change == before


def test_a_data_set_that_is_not_editable_says_how_to_make_it_so(api: httpx.Client, place: Place) -> None:
    answers = [
        _post(api, "locked", _feature()),
        api.put("/collections/locked/items/1", json=_feature(), headers=GEOJSON),
        api.patch("/collections/locked/items/1", json={}, headers=MERGE),
        api.delete("/collections/locked/items/1"),
    ]
    for answer in answers:
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
        assert "chengtu datasets set locked --editable" in answer.json()["description"]
    for url in ("/collections/locked/items", "/collections/locked/items/1"):
        answer = api.options(url)
        assert (answer.status_code, answer.headers["allow"]) == (200, "GET, HEAD, OPTIONS")
    assert api.post("/collections/locked/items", data={"no": "1"}).json()["numberMatched"] == 1
    assert api.options("/collections/nothing/items").status_code == 404


def test_a_service_without_a_key_changes_nothing(serve: str, load_into: Load, tmp_path: Path) -> None:
    load_into(_points(tmp_path / "spots.gpkg"), id="spots", editable=True)
    _until(lambda: httpx.get(f"{serve}/collections/spots/items").status_code == 200)
    answer = httpx.delete(f"{serve}/collections/spots/items/1", headers={"X-API-Key": ""})
    assert (answer.status_code, "CHENGTU_EDIT_KEY" in answer.text) == (405, True)


def test_options_and_the_wrong_address_tell_what_can_be_done(api: httpx.Client) -> None:
    items, item = "/collections/spots/items", "/collections/spots/items/1"
    answer = api.options(items)
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert GEOJSON["Content-Type"] in answer.headers["accept-post"]
    answer = api.options(item)
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, PUT, PATCH, DELETE"
    assert answer.headers["accept-patch"] == MERGE["Content-Type"]
    assert api.delete(items).headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert api.post(item, json=_feature()).headers["allow"] == "GET, HEAD, OPTIONS, PUT, PATCH, DELETE"
    for status in (api.delete(items), api.put(items, json=_feature()), api.post(item, json=_feature())):
        assert status.status_code == 405


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "POST"])
def test_a_web_map_elsewhere_may_edit_with_the_key(place: Place, method: str) -> None:
    asked = {
        "Origin": "https://map.example.cn",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "if-match, content-crs, content-type, x-api-key, authorization",
    }
    answer = httpx.options(f"{place.url}/collections/spots/items/1", headers=asked)
    assert answer.status_code == 200, answer.text
    assert method in answer.headers["access-control-allow-methods"]
    answer = httpx.get(f"{place.url}/collections/spots/items/1", headers={"Origin": "https://map.example.cn"})
    assert {"ETag", "Location", "Content-Crs"} <= set(answer.headers["access-control-expose-headers"].split(", "))


def test_the_key_is_in_no_link_log_or_message(
    database: str, load_into: Load, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    load_into(_points(tmp_path / "spots.gpkg"), id="spots", editable=True)
    with service(database, edit_key=KEY) as url, httpx.Client(base_url=url) as client:
        for query in (f"api-key={KEY}", f"API-KEY={KEY}", f"%61pi-key={KEY}", f"limit=1&api-key={KEY}&f=json"):
            for path in (
                "/collections",
                "/collections/spots",
                "/collections/spots/items",
                "/collections/spots/items/1",
                "/nothing",
                "/",
            ):
                for accept in ("application/json", "text/html"):
                    answer = client.get(f"{path}?{query}", headers={"Accept": accept})
                    assert KEY not in answer.text
                    assert KEY not in str(answer.headers)
        client.delete("/collections/spots/items/1", headers={"X-API-Key": KEY})
    logged = capfd.readouterr()
    assert "DELETE" in logged.err
    assert KEY not in logged.err + logged.out


# Edits, loads, and processes that die


def _until(met: Callable[[], bool], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_an_edit_while_loads_run_is_kept_or_refused_and_never_lost(
    database: str, load_into: Load, tmp_path: Path
) -> None:
    """Loads of two sources take turns, while someone edits who begins a little later into each of them."""
    sources = [_points(tmp_path / "a.gpkg"), _points(tmp_path / "b.gpkg", height=5.0)]
    load_into(sources[0], id="spots", key="no", editable=True)
    published = 0
    with service(database, edit_key=KEY) as url:
        for turn in range(24):
            _run(database, "delete from data.spots where no >= 1000; update chengtu.dataset set change = 0")
            enough = threading.Event()
            with ThreadPoolExecutor(1) as pool:
                edits = pool.submit(_edit_until, enough, url, turn * 0.006)
                with suppress(EditsWouldBeLost):
                    load_into(sources[(published + 1) % 2], id="spots", key="no")
                    published += 1
                time.sleep(0.1)
                enough.set()
                answers = edits.result()
            kept = {row["no"] for row in _run(database, "select no from data.spots")}
            assert {number for number, status in answers.items() if status == 201} <= kept
            assert set(answers.values()) <= {201, 503}


def _edit_until(enough: threading.Event, url: str, pause: float) -> dict[int, int]:
    """New features one after the other, with the status of each answer."""
    answers: dict[int, int] = {}
    time.sleep(pause)
    with httpx.Client(base_url=url, headers={"X-API-Key": KEY}, timeout=30) as client:
        while not enough.is_set():
            number = 1000 + len(answers)
            answers[number] = _post(client, "spots", _feature(no=number)).status_code
    return answers


def test_an_edit_that_waits_for_a_release_goes_into_it(place: Place, api: httpx.Client, tmp_path: Path) -> None:
    """The swap is played by hand, to a release in another CRS: who waited must not write what was true before."""
    place.load(_points(tmp_path / "waiting.gpkg"), id="waiting", key="no", editable=True)
    _until(lambda: all(api.get("/collections/waiting/items").status_code == 200 for _ in range(10)))
    waiting = "select 1 from pg_locks where not granted and relation = 'data.waiting'::regclass"
    partition = _run(
        place.dsn, "select inhrelid::regclass::text as n from pg_inherits where inhparent = 'data.waiting'::regclass"
    )
    swap = f"""
        alter table data.waiting detach partition {partition[0]["n"]};
        drop table {partition[0]["n"]};
        alter table data.waiting alter column geom type geometry(Point, 4551) using null;
        create table data.other partition of data.waiting (primary key (no)) for values in (777);
        update chengtu.dataset set release = 777, srid = 4551, updated_at = now() where id = 'waiting'
    """
    with psycopg.connect(place.dsn) as connection, ThreadPoolExecutor(1) as pool:
        connection.execute("lock table data.waiting in access exclusive mode")
        edit = pool.submit(_post, api, "waiting", _feature(_point(126, 43), no=55))
        _until(lambda: bool(_run(place.dsn, waiting)))
        connection.execute(swap)  # type: ignore[call-overload]
        connection.commit()
        assert edit.result().status_code == 201, edit.result().text
    found = _run(place.dsn, "select ct_release as release, round(st_x(geom)) as x from data.waiting where no = 55")
    assert found == [{"release": 777, "x": 500000}]


def test_an_edit_that_waits_too_long_is_told_to_come_again(place: Place, api: httpx.Client) -> None:
    with psycopg.connect(place.dsn) as connection:
        connection.execute("update data.high set name = 'held' where no = 2")
        answer = api.patch("/collections/high/items/2", json={"properties": {"name": "x"}}, headers=MERGE)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert api.get("/collections/high/items/2").json()["properties"]["name"] == "乙"
    assert api.get("/collections/high/items/2").json()["properties"]["name"] == "held"


def test_an_edit_survives_the_death_of_all_connections(place: Place, api: httpx.Client) -> None:
    for number in range(800, 805):
        _run(
            place.dsn,
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'chengtu-server'",
        )
        assert _post(api, "plots", _feature(no=number)).status_code == 201
    assert _run(place.dsn, "select count(*) as n from data.plots where no between 800 and 804") == [{"n": 5}]


def test_an_edit_that_blocks_another_and_is_blocked_by_it_is_made_again(place: Place, api: httpx.Client) -> None:
    """By hand one row, then the other that is just being changed: PostgreSQL ends one of the two."""
    waiting = "select 1 from pg_locks where not granted"
    with psycopg.connect(place.dsn) as connection, ThreadPoolExecutor(1) as pool:
        connection.execute("update data.high set name = 'by hand' where no = 1")
        url = "/collections/high/items/3"
        edit = pool.submit(api.patch, url, json={"properties": {"name": "by API"}}, headers=MERGE)
        _until(lambda: bool(_run(place.dsn, waiting)))
        connection.execute("update data.high set name = 'by hand' where no = 3")
        connection.commit()
        assert edit.result().status_code == 204
    assert api.get(url).json()["properties"]["name"] == "by API"


def test_a_server_process_that_is_killed_amid_a_post_leaves_nothing_of_it(place: Place, api: httpx.Client) -> None:
    before = _entry(place, "high")
    waiting = "select 1 from pg_locks where not granted and relation = 'data.high'::regclass"
    server = urlsplit(place.url)
    client = HTTPConnection(str(server.hostname), server.port)
    client.connect()
    with psycopg.connect(place.dsn) as connection, ThreadPoolExecutor(1) as pool:
        connection.execute("lock table data.high in access exclusive mode")
        body = json.dumps(_feature(_point(126, 43, 1), no=66))
        client.request("POST", "/collections/high/items", body, {**GEOJSON, "X-API-Key": KEY})
        answer = pool.submit(client.getresponse)
        _until(lambda: bool(_run(place.dsn, waiting)))
        os.kill(_process_behind(client.sock.getsockname()[1]), signal.SIGKILL)
        with pytest.raises((ConnectionError, HTTPException)):
            answer.result()
        connection.rollback()
    client.close()
    _until(lambda: not _run(place.dsn, waiting))
    after = _entry(place, "high")
    assert (after.change, after.feature_count) == (before.change, before.feature_count)
    assert _run(place.dsn, "select 1 from data.high where no = 66") == []
    assert _post(api, "high", _feature(_point(126, 43, 1), no=66)).status_code == 201


def _process_behind(client_port: int) -> int:
    """The server process at the other end of a TCP connection from a port of this machine."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text("utf-8").splitlines()[1:]]
    (inode,) = (line[9] for line in lines if line[2].endswith(f":{client_port:04X}"))
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(link.is_symlink() and str(link.readlink()) == f"socket:[{inode}]" for link in process.glob("fd/*")):
                return int(process.name)
    raise AssertionError("no process has the connection")
