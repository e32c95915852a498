"""Processes as clients meet them: described, run, and refused over HTTP."""

from typing import Any

import httpx
import pytest

EXECUTION = "/processes/grid-cell-query/execution"


def run(api: httpx.Client, headers: dict[str, str] | None = None, **request: Any) -> httpx.Response:
    return api.post(EXECUTION, json=request, headers=headers)


def test_the_process_is_listed_and_described_in_the_readers_language(api: httpx.Client) -> None:
    api.get("/openapi", params={"f": "json"}).raise_for_status()  # makes upstream take the descriptions apart
    listed = api.get("/processes", params={"f": "json"}).json()["processes"]
    assert "grid-cell-query" in [process["id"] for process in listed]
    for language, title in (("en", "Features by grid cell"), ("zh", "网格统计")):
        described = api.get("/processes/grid-cell-query", params={"f": "json", "lang": language}).json()
        assert described["title"] == title
        assert described["jobControlOptions"] == ["sync-execute"]
        assert described["inputs"]["size"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 1_000_000}
    assert described["inputs"]["area"]["title"] == "范围"
    assert described["outputs"]["cells"]["schema"]["contentMediaType"] == "application/geo+json"


def test_cells_hold_what_was_put_into_them(api: httpx.Client) -> None:
    """The test city has a hundred parcels of 90 m by 90 m in each of 25 square kilometres."""
    response = run(api, inputs={"dataset": "parcels", "size": 1000})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("application/geo+json")
    answer = response.json()
    assert answer["totals"] == {"cells": 25, "count": 2500, "area_m2": 2500 * 8100}
    assert {cell["id"] for cell in answer["features"]} == {
        f"1km_E{east}N{north}" for east in range(540, 545) for north in range(4850, 4855)
    }
    assert all(cell["properties"]["count"] == 100 for cell in answer["features"])
    assert all(cell["properties"]["area_m2"] == 810_000 for cell in answer["features"])


def test_a_filter_and_the_hexagons_work_too(api: httpx.Client) -> None:
    inputs = {"dataset": "parcels", "filter": "land_class = '0303'", "grid": "h3", "resolution": 9}
    answer = run(api, inputs=inputs).json()
    assert answer["totals"]["count"] == 833
    assert answer["totals"]["area_m2"] == pytest.approx(833 * 8100)
    assert sum(cell["properties"]["area_m2"] for cell in answer["features"]) == pytest.approx(833 * 8100)


def test_a_document_names_its_output(api: httpx.Client) -> None:
    response = run(api, inputs={"dataset": "roads"}, response="document", outputs={"cells": {}})
    assert response.headers["content-type"].startswith("application/json")
    cells = response.json()["cells"]
    assert cells["mediaType"] == "application/geo+json"
    assert cells["value"]["totals"] == {"cells": 30, "count": 10, "length_m": 50_000}


def test_asking_for_a_job_gets_the_answer_at_once(api: httpx.Client) -> None:
    response = run(api, {"Prefer": "respond-async"}, inputs={"dataset": "places"})
    assert response.status_code == 200
    assert response.headers["preference-applied"] == "wait"
    assert response.json()["totals"]["count"] == 4


@pytest.mark.parametrize(
    ("request_", "english", "chinese"),
    [
        ({"inputs": {"dataset": "nowhere"}}, "There is no data set nowhere", "没有数据集 nowhere"),
        ({"inputs": {"dataset": "parcels", "size": 1}}, "at most 10000", "最多计算 10000"),
        ({"inputs": {"dataset": "parcels", "sizes": 1}}, "no such input", "没有此参数"),
        ({"inputs": {"dataset": "parcels", "filter": "land_class = 3"}}, "Put it in quotes", "请加引号"),
        ({"inputs": {}}, "dataset: it is required", "dataset:必填"),
        ({"inputs": [1]}, "not a request to run a process", "不是有效的处理执行请求"),
        ({"inputs": {"dataset": "places"}, "outputs": ["maps"]}, "no output maps", "没有输出 maps"),
        ({"inputs": {"dataset": "places"}, "response": "email"}, "not a request to run", "不是有效的处理执行请求"),
        (
            {"inputs": {"dataset": "places"}, "subscriber": {"successUri": "http://127.0.0.1:1/"}},
            "not supported",
            "不支持回调",
        ),
    ],
    ids=str,
)
def test_errors_are_told_in_the_callers_language(
    api: httpx.Client, request_: dict[str, Any], english: str, chinese: str
) -> None:
    for language, text in (("en", english), ("zh-CN", chinese)):
        response = run(api, {"Accept-Language": language}, **request_)
        assert response.status_code == 400
        assert response.json()["code"] == "InvalidParameterValue"
        assert text in response.json()["description"]


@pytest.mark.parametrize(
    "body",
    [
        b"[1]",
        b"null",
        b"5",
        b"{",
        b'{"inputs":',
        b"\xff\xfe",
        b'{"inputs": {"dataset": "parcels", "size": NaN}}',
        b'{"inputs": {"dataset": "\\ud800"}}',
        b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"inputs": {"dataset": "parcels", "area": ' + b'{"value": ' * 50_000 + b"1" + b"}" * 50_000 + b"}}",
        b'{"inputs": {"dataset": "parcels", "filter": "' + b"(" * 3000 + b'"}}',
    ],
    ids=lambda body: body[:30].decode(errors="replace"),
)
def test_bodies_that_are_no_request_are_refused(api: httpx.Client, body: bytes) -> None:
    response = api.post(EXECUTION, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert response.json()["code"] == "InvalidParameterValue"


def test_an_unknown_process_is_not_found(api: httpx.Client) -> None:
    assert api.post("/processes/nothing/execution", json={"inputs": {}}).status_code == 404
