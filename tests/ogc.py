"""What the conformance tests share: how a test names the requirements it checks, and how answers are walked through."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
import pytest

SPEC = "http://www.opengis.net/spec/"
Json = dict[str, Any]


class Requirements(NamedTuple):
    """A requirements class of a standard; called with the names of requirements, it marks the test that checks them."""

    standard: str
    class_: str

    def __call__(self, *names: str) -> pytest.MarkDecorator:
        """Mark a test with requirements of this class."""
        return pytest.mark.requirement(*(f"{SPEC}{self.standard}/1.0/req/{self.class_}/{name}" for name in names))


def class_of(requirement: str) -> str:
    """The conformance class that a requirement belongs to."""
    return requirement.replace("/req/", "/conf/").rpartition("/")[0]


def get(client: httpx.Client, url: str, **parameters: str) -> Json:
    """A document that must be there, as JSON."""
    answer = client.get(url, params=parameters or None)
    assert answer.status_code == 200, answer.text
    document: Json = answer.json()
    return document


def links(document: Json, rel: str) -> list[Json]:
    """The links of a relation."""
    return [one for one in document["links"] if one["rel"] == rel]


def next_of(page: Json) -> str | None:
    """Where the page after this one is."""
    return next((one["href"] for one in links(page, "next")), None)


def pages(client: httpx.Client, url: str | None) -> Iterator[Json]:
    """A page and those after it."""
    while url:
        page = get(client, url)
        yield page
        url = next_of(page)


def ids(page: Json) -> list[Any]:
    """The ids of a page's features."""
    return [one["id"] for one in page["features"]]


def all_links(document: object) -> Iterator[Json]:
    """The links anywhere in a document."""
    if isinstance(document, dict):
        if isinstance(document.get("href"), str):
            yield document
        for value in document.values():
            yield from all_links(value)
    elif isinstance(document, list):
        for one in document:
            yield from all_links(one)


def nulls(document: object, path: str = "") -> Iterator[str]:
    """Where in a document a member is null."""
    if document is None:
        yield path
    elif isinstance(document, dict):
        for name, value in document.items():
            yield from nulls(value, f"{path}/{name}")
    elif isinstance(document, list):
        for place, value in enumerate(document):
            yield from nulls(value, f"{path}/{place}")


def resolved(document: Json, part: Json) -> Json:
    """A part of an OpenAPI document, or what it refers to; nothing refers to anything outside."""
    while "$ref" in part:
        assert part["$ref"].startswith("#/")
        found: Any = document
        for step in part["$ref"][2:].split("/"):
            found = found[step]
        part = found
    return part


def parameter(document: Json, path: str, name: str) -> Json:
    """A parameter of a GET operation, by its name."""
    operation = document["paths"][path]["get"]
    (found,) = [one for one in (resolved(document, one) for one in operation["parameters"]) if one["name"] == name]
    return found


def refused(answer: httpx.Response, status: int = 400) -> None:
    """Hold an answer to be an error as OGC APIs write it: code and description, in JSON."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    error = answer.json()
    assert isinstance(error["code"], str)
    assert isinstance(error["description"], str)
    assert len(error["description"]) > 10
