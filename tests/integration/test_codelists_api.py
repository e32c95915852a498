"""Code lists and crosswalks as they are served: three forms, two languages, on a day, and one code alone."""

import csv
import io

import httpx
import pytest

from core.codelists import codelist, codelists, crosswalk
from core.language import Language, Text
from tests.ogc import get, links

EXCEL = "\ufeff"


def rows(answer: httpx.Response) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_all_lists_are_listed_and_found_from_the_landing_page(api: httpx.Client) -> None:
    (link,) = links(get(api, "/"), "codelists")
    listed = get(api, link["href"])["codelists"]
    assert {one["id"] for one in listed} == set(codelists())
    for one in listed:
        assert one["count"] == len(codelist(one["id"]).codes)
        assert one["valid"][0] is not None or one["id"] == "cass-codes"
    assert listed[0]["title"].keys() == {"zh", "en"}
    (link,) = links(get(api, "/"), "crosswalks")
    assert {one["id"] for one in get(api, link["href"])["crosswalks"]} == {
        "survey-to-planning",
        "survey-to-broad-classes",
    }


def test_a_code_says_all_of_itself(api: httpx.Client) -> None:
    told = get(api, "/codelists/survey-classes?code=0201K")
    assert told["standard"] == "TD/T 1055-2019"
    assert told["codes"] == [
        {
            "scheme": "survey-classes",
            "code": "0201K",
            "name": {"en": "Orchard, convertible to cropland", "zh": "可调整果园"},
            "parent": "0201",
            "level": 3,
            "assignable": True,
            "color": "#d6a7c9",
            "valid": [None, None],
            "confidence": "high",
        }
    ]


def test_the_same_list_as_csv_can_be_read_again(api: httpx.Client) -> None:
    answer = api.get("/codelists/planning-classes-2023", params={"f": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    read = rows(answer)
    assert [one["code"] for one in read] == [one.code for one in codelist("planning-classes-2023").codes]
    assert read[0]["name_zh"] == "耕地"
    assert api.get("/codelists?f=csv&bom=true").text.startswith(EXCEL)
    assert {one["id"] for one in rows(api.get("/codelists?f=csv"))} == set(codelists())
    assert len(rows(api.get("/crosswalks", headers={"Accept": "text/csv"}))) == 2
    walked = rows(api.get("/crosswalks/survey-to-planning?f=csv&code=0204"))
    assert [(one["to_code"], one["confidence"]) for one in walked] == [("0205", "rule"), ("0204", "human")]


def test_a_day_shows_what_was_in_force(api: httpx.Client) -> None:
    listed = {one["id"] for one in get(api, "/codelists?date=2020-01-01")["codelists"]}
    assert "gb13923-2006" in listed
    assert "gb13923-2022" not in listed
    codes = get(api, "/codelists/survey-classes?date=2020-12-31")["codes"]
    assert len(codes) == len(codelist("survey-classes").codes) - 1
    answer = api.get("/codelists/survey-classes?date=2020-12-31&code=1208&lang=en")
    assert answer.status_code == 404
    assert "no code '1208' on 2020-12-31" in answer.json()["description"]


def test_a_crosswalk_tells_what_it_decides_and_what_a_person_must(api: httpx.Client) -> None:
    whole = get(api, "/crosswalks/survey-to-planning")
    assert len(whole["matches"]) == len(crosswalk("survey-to-planning").targets)
    (mangrove,) = get(api, "/crosswalks/survey-to-planning?code=0303")["matches"]
    assert [mangrove[end]["scheme"] for end in ("from", "to")] == ["survey-classes", "planning-classes-2023"]
    assert (mangrove["to"]["code"], mangrove["to"]["name"]["zh"], mangrove["confidence"]) == (
        "0507",
        "红树林地",
        "exact",
    )
    (shops,) = get(api, "/crosswalks/survey-to-planning?code=05H1")["matches"]
    assert (shops["to"], shops["confidence"]) == (None, "human")
    assert all(one["note"]["zh"] for one in shops["candidates"])
    assert [one["href"].rsplit("/", 1)[1] for one in links(whole, "related")] == [whole["from"], whole["to"]]


PAGES = {
    "/codelists": Text("Code lists", "代码表"),
    "/codelists/survey-classes": Text("Working classes of the land survey", "国土调查工作分类"),
    "/crosswalks": Text("Crosswalks", "对照表"),
    "/crosswalks/survey-to-planning": Text("a person decides", "人工判定"),
}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_a_browser_gets_a_page_in_its_language(api: httpx.Client, path: str, language: Language) -> None:
    answer = api.get(path, headers={"Accept": "text/html,*/*;q=0.8", "Accept-Language": language})
    assert answer.headers["content-type"].startswith("text/html")
    assert PAGES[path].in_(language) in answer.text
    assert "style=" not in answer.text  # the page's own policy would refuse it
    if path == "/codelists/survey-classes":
        assert 'fill="#f8d072"' in answer.text
        assert "红树林地" in answer.text
        assert "Mangrove land" in answer.text


def test_what_has_not_changed_is_not_sent_again(api: httpx.Client) -> None:
    first = api.get("/codelists/gbt21010-2017")
    again = api.get("/codelists/gbt21010-2017", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    other = api.get("/codelists/gbt21010-2017?f=csv", headers={"If-None-Match": first.headers["etag"]})
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/codelists/soup", 404, "no code list 'soup'"),
        ("/crosswalks/soup", 404, "no crosswalk 'soup'"),
        ("/codelists/survey-classes?code=9999", 404, "no code '9999'."),
        ("/crosswalks/survey-to-planning?code=9999", 404, "no code '9999'."),
        ("/codelists?date=yesterday", 400, "date='yesterday' is no day"),
        ("/codelists?date=20240101", 400, "date='20240101' is no day"),
        ("/codelists?date=2024-02-30", 400, "date='2024-02-30' is no day"),
        ("/codelists?codes=1", 400, "no parameter 'codes'"),
        ("/codelists?f=xml", 400, "f='xml' is not offered"),
        ("/codelists?f=csv&bom=maybe", 400, "bom='maybe'"),
    ],
)
def test_what_is_wrong_is_said(api: httpx.Client, path: str, status: int, words: str) -> None:
    answer = api.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == status
    assert words in answer.json()["description"]
    assert api.get(path, headers={"Accept-Language": "zh"}).json()["description"] != answer.json()["description"]
