"""The page /qgis: our own collections, one check at a time, and never a door to other addresses."""

import json
import threading
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from server import qgis_page
from tests.conftest import service
from tests.integration.test_cli import Shell
from tests.integration.test_contract import listening
from tests.perfect_server import perfect_server

HTML = {"Accept": "text/html"}


def test_the_page_lists_the_collections_and_the_address_to_type(api: httpx.Client, live_server: str) -> None:
    page = api.get("/qgis", headers=HTML | {"Accept-Language": "zh"}).text
    assert '<option value="parcels">宗地 (parcels)</option>' in page
    assert f'value="{live_server}"' in page
    assert "data-step" not in page


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh", ["逐步检查", "服务器", "数据分页"]), ("en", ["Step by step", "server", "Data pages"])],
)
def test_a_check_shows_steps_and_filters_in_the_readers_language(
    api: httpx.Client, language: str, words: list[str]
) -> None:
    answer = api.get("/qgis", params={"collection": "parcels", "lang": language}, headers=HTML)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.count("data-step=") == 11
    assert answer.text.count("data-filter-kind=") == 6
    assert all(word in answer.text for word in words)


def test_the_same_as_json(api: httpx.Client) -> None:
    listed = api.get("/qgis", params={"f": "json"}).json()
    assert "parcels" in [one["id"] for one in listed["collections"]]
    report = api.get("/qgis", params={"collection": "parcels"}, headers={"Accept": "application/json"}).json()
    assert [step["number"] for step in report["steps"]] == list(range(1, 12))
    assert report["steps"][0]["title"] == {"en": "Landing page", "zh": "首页"}


def test_a_collection_that_is_not_ours_is_not_found(api: httpx.Client) -> None:
    for wanted in ("nothing", "../healthz", "http://127.0.0.1:1/", "parcels/items"):
        answer = api.get("/qgis", params={"collection": wanted}, headers=HTML)
        assert (answer.status_code, "data-step" in answer.text) == (404, False)
        assert 'role="alert"' in answer.text


def test_no_parameter_or_header_leads_the_check_elsewhere(api: httpx.Client, live_server: str) -> None:
    with listening(lambda connection: None) as (elsewhere, contacts):
        host = elsewhere.removeprefix("http://")
        headers = {"Host": host, "X-Forwarded-Host": host, "Forwarded": f"host={host}", "Accept": "application/json"}
        asked = {"collection": "places", "url": elsewhere, "via": elsewhere, "qgis": elsewhere}
        report = api.get("/qgis", params=asked, headers=headers).json()
        assert contacts == []
    assert report["url"] == live_server
    assert report["steps"][0]["exchanges"][0]["status"] == 200


def test_a_second_check_in_the_same_process_is_told_to_wait() -> None:
    request: Any = SimpleNamespace()
    ours: Any = [SimpleNamespace(id="parcels")]
    with qgis_page._BUSY, pytest.raises(qgis_page.CheckUnderWay) as told:
        qgis_page._check(request, "parcels", ours)
    assert told.value.status == 503
    assert "few seconds" in told.value.message("en")


def test_checks_at_the_same_time_end_in_reports_or_in_503_with_advice(api: httpx.Client, live_server: str) -> None:
    answers: list[httpx.Response] = []

    def ask() -> None:
        answers.append(httpx.get(f"{live_server}/qgis?collection=parcels", headers=HTML, timeout=60))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    codes = [one.status_code for one in answers]
    assert codes.count(200) >= 1
    assert set(codes) <= {200, 503}
    for one in answers:
        assert one.status_code == 200 or one.headers["retry-after"] == "5"
    assert api.get("/qgis?collection=places", headers=HTML).status_code == 200  # the lock is free again


def test_behind_a_proxy_the_public_address_is_checked_by_the_local_port(city_database: str) -> None:
    with service(city_database, url="https://geo.example.org/ogc", workers="1") as url:
        report = httpx.get(f"{url}/qgis?collection=places&f=json", timeout=60).json()
    assert report["url"] == "https://geo.example.org/ogc"
    assert {
        one["url"].startswith("https://geo.example.org/ogc") for step in report["steps"] for one in step["exchanges"]
    } == {True}
    assert {step["id"]: step["state"] for step in report["steps"]}["data"] != "failure"


def test_the_own_port_is_the_sockets(settings: Any) -> None:
    def request(server: tuple[str, int] | None) -> Request:
        app = SimpleNamespace(state=SimpleNamespace(settings=settings))
        return Request({"type": "http", "server": server, "headers": [(b"host", b"evil.example")], "app": app})

    assert qgis_page._own_port(request(("10.0.0.7", 8080))) == "http://10.0.0.7:8080"
    assert qgis_page._own_port(request(("::1", 8080))) == "http://[::1]:8080"
    assert qgis_page._own_port(request(None)) == "http://127.0.0.1:5000"


@pytest.fixture
def chengtu(tmp_path: Any) -> Shell:
    """The command line; the check needs no database."""
    return Shell("host=127.0.0.1 port=1 dbname=none", tmp_path / "var")


def test_doctor_tells_what_qgis_gets(chengtu: Shell) -> None:
    with perfect_server() as server:
        told = chengtu("doctor", "--qgis", server.base)
        assert (told.returncode, told.stderr) == (0, "")
        assert "✓  1 Landing page: 3 links" in told.stdout
        assert "3.22–3.30   on the server: as `datetime=`" in told.stdout
        assert "✓  9 数据分页: 3 页" in chengtu("doctor", "--qgis", server.base, LC_ALL="zh_CN.UTF-8").stdout


def test_doctor_fails_where_qgis_would(chengtu: Shell) -> None:
    with perfect_server("no next") as server:
        told = chengtu("doctor", "--qgis", server.base, "--collection", "lots")
        assert told.returncode == 3
        assert "QGIS silently truncates the layer at 1000 features." in told.stdout
        report = json.loads(chengtu("doctor", "--qgis", server.base, "--json").stdout)
    assert (report["state"], report["codes"]) == ("failure", ["no-next"])


def test_doctor_asks_our_own_service_if_no_address_is_given(chengtu: Shell, live_server: str) -> None:
    port = live_server.rsplit(":", 1)[1]
    report = json.loads(chengtu("doctor", "--qgis", "--json", CHENGTU_PORT=port).stdout)
    assert report["url"] == live_server
    assert report["collection"] == "parcels"


@pytest.mark.parametrize("arguments", [["--collection", "x"], ["--qgis", "ftp://example.org"]])
def test_doctor_refuses_what_it_cannot_check(chengtu: Shell, arguments: list[str]) -> None:
    told = chengtu("doctor", *arguments)
    assert (told.returncode, told.stdout) == (2, "")
