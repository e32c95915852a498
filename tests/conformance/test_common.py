"""OGC API - Common - Part 1: Core (OGC 19-072) and Part 2: Geospatial Data (OGC 20-024), by their requirements."""

import re

import httpx
import pytest
from openapi_spec_validator import validate
from pyproj import Transformer

from tests.ogc import Requirements, all_links, get, links, refused

core = Requirements("ogcapi-common-1", "core")
landing_page = Requirements("ogcapi-common-1", "landing-page")
json_, html = Requirements("ogcapi-common-1", "json"), Requirements("ogcapi-common-1", "html")
oas30 = Requirements("ogcapi-common-1", "oas30")
collections = Requirements("ogcapi-common-2", "collections")
collections_json, collections_html = Requirements("ogcapi-common-2", "json"), Requirements("ogcapi-common-2", "html")

REL = "http://www.opengis.net/def/rel/ogc/1.0/"
COLLECTIONS = ["/collections", "/collections/parcels"]


@core("http")
def test_errors_are_told_in_json_with_their_status(api: httpx.Client) -> None:
    refused(api.get("/nothing"), 404)
    refused(api.post("/conformance"), 405)
    refused(api.get("/", headers={"Accept": "image/png"}), 406)


@core("query-param-name-unknown", "query-param-value-invalid")
@pytest.mark.parametrize("path", ["/", "/conformance", "/openapi", *COLLECTIONS])
def test_parameters_that_are_unknown_or_wrong_are_refused(api: httpx.Client, path: str) -> None:
    for asked in ({"unknown": "x"}, {"F": "json"}, {"f": "unknown"}, {"f": ""}, {"lang": "unknown"}):
        refused(api.get(path, params=asked))


@landing_page("root-op", "root-success", "conformance-op", "api-definition-op")
def test_the_landing_page_links_to_api_and_conformance(api: httpx.Client) -> None:
    landing = get(api, "/")
    for rel in ("service-desc", "service-doc", f"{REL}conformance"):
        (one,) = links(landing, rel)
        assert api.get(one["href"]).status_code == 200


@landing_page("conformance-success", "api-definition-success")
@oas30("oas-definition-1", "oas-definition-2")
def test_api_and_conformance_are_what_they_are_called(api: httpx.Client) -> None:
    assert all(one.startswith("http://www.opengis.net/spec/") for one in get(api, "/conformance")["conformsTo"])
    validate(get(api, "/openapi"))
    answer = api.get("/openapi", headers={"Accept": "application/vnd.oai.openapi+json;version=3.0"})
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json;version=3.0"
    assert api.get("/openapi", headers={"Accept": "text/html"}).headers["content-type"].startswith("text/html")


@oas30("completeness", "exceptions-codes", "oas-impl", "security")
def test_the_api_definition_tells_of_every_status_that_is_met(api: httpx.Client) -> None:
    operations = get(api, "/openapi")["paths"]
    for path, asked in (
        ("/", {}),
        ("/", {"x": "1"}),
        ("/conformance", {"f": "x"}),
        ("/collections", {"bbox": "1"}),
        ("/collections/{collectionId}", {}),
        ("/collections/parcels/items", {"limit": "x"}),
        ("/collections/parcels/items/{featureId}", {}),
    ):
        answer = api.get(path.format(collectionId="nowhere", featureId="0"), params=asked)
        assert str(answer.status_code) in operations[path]["get"]["responses"]


@json_("definition", "content")
@html("definition", "content")
@pytest.mark.parametrize("path", ["/", "/conformance"])
def test_landing_page_and_conformance_come_as_json_and_as_pages(api: httpx.Client, path: str) -> None:
    both_forms(api, path)


@collections_json("definition", "content")
@collections_html("definition", "content")
@pytest.mark.parametrize("path", COLLECTIONS)
def test_collections_come_as_json_and_as_pages(api: httpx.Client, path: str) -> None:
    both_forms(api, path)


def both_forms(api: httpx.Client, path: str) -> None:
    document = api.get(path, headers={"Accept": "application/json"})
    page = api.get(path, headers={"Accept": "text/html"})
    assert document.headers["content-type"] == "application/json"
    assert isinstance(document.json(), dict)
    assert page.headers["content-type"].startswith("text/html")
    assert re.match(r"\s*<!doctype html>", page.text, re.IGNORECASE)


@collections("collections-list-op", "collections-list-success", "collections-list-collections")
def test_collections_are_listed_where_the_landing_page_says(api: httpx.Client) -> None:
    (one,) = links(get(api, "/"), "data")
    listed = get(api, one["href"])
    assert listed["numberMatched"] == listed["numberReturned"] == len(listed["collections"]) == 5
    assert listed == get(api, "/collections")


@collections("collections-list-links", "description-links")
@pytest.mark.parametrize("path", COLLECTIONS)
def test_links_say_where_they_lead(api: httpx.Client, path: str) -> None:
    document = get(api, path)
    assert {one["type"] for one in links(document, "self") + links(document, "alternate")} == {
        "application/json",
        "text/html",
    }
    assert all({"rel", "type", "href"} <= one.keys() for one in all_links(document))


@collections("description-op", "description-success")
def test_a_collection_alone_is_as_in_the_list(api: httpx.Client) -> None:
    for one in get(api, "/collections")["collections"]:
        assert get(api, f"/collections/{one['id']}") == one


@collections("description-extent", "description-extent-multi")
def test_an_extent_is_told_in_degrees_and_in_the_crs_of_the_data(api: httpx.Client) -> None:
    """That of EPSG:4551 counts northing first."""
    for id_, code, swapped in (("parcels", 4551, True), ("sites_wgs84", 4326, True), ("sites_mercator", 3857, False)):
        spatial = get(api, f"/collections/{id_}")["extent"]["spatial"]
        assert spatial["crs"].endswith("CRS84")
        (degrees,), (stored,) = spatial["bbox"], spatial["storageCrsBbox"]
        if swapped:
            stored = [stored[1], stored[0], stored[3], stored[2]]
        source = 4490 if code == 4551 else 4326
        bounds = Transformer.from_crs(source, code, always_xy=True).transform_bounds(*degrees)
        assert stored == pytest.approx(bounds, abs=0.01)
        assert all(mine <= theirs for mine, theirs in zip(stored[:2], bounds[:2], strict=True))
        assert all(mine >= theirs for mine, theirs in zip(stored[2:], bounds[2:], strict=True))
    assert get(api, "/collections/roads")["extent"].keys() == {"spatial"}
