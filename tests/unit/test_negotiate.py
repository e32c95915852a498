"""Which form a client gets: by `f`, by `Accept`, or the first."""

from urllib.parse import urlencode

import pytest

from server.negotiate import NotAcceptable, UnknownForm, choose, wants_page

FORMS = {"json": "application/geo+json", "html": "text/html", "csv": "text/csv; charset=utf-8"}
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def scope(accept: str | None = None, f: str | None = None) -> dict[str, object]:
    headers = [(b"accept", accept.encode())] if accept is not None else []
    return {"type": "http", "headers": headers, "query_string": urlencode({"f": f} if f else {}).encode()}


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        (None, "json"),
        ("", "json"),
        ("*/*", "json"),
        ("application/json", "json"),
        ("application/schema+json, application/json;q=0.5", "json"),
        ("text/csv", "csv"),
        ("text/*", "html"),
        ("text/*, text/html;q=0.1", "csv"),
        ("application/geo+json;q=0.2, text/csv;q=0.3", "csv"),
        ("text/html;q=0, */*;q=0.1", "json"),
        (BROWSER, "html"),
        ("application/vnd.unheard-of, */*;q=0.1", "json"),
    ],
)
def test_accept_decides_by_weight_then_by_what_comes_first(accept: str | None, form: str) -> None:
    assert choose(scope(accept), FORMS) == form


def test_f_decides_before_accept() -> None:
    assert choose(scope(BROWSER, "csv"), FORMS) == "csv"
    with pytest.raises(UnknownForm, match="json, html, csv"):
        choose(scope(f="../../etc/passwd"), FORMS)


@pytest.mark.parametrize("accept", ["image/png", "a/b", "x" * 9000, "application/json;q=0", "application/json;q=abc"])
def test_what_is_not_offered_is_not_acceptable(accept: str) -> None:
    with pytest.raises(NotAcceptable):
        choose(scope(accept), FORMS)


@pytest.mark.parametrize(
    ("accept", "f", "page"),
    [(BROWSER, None, True), (BROWSER, "json", False), ("*/*", None, False), (None, "html", True), (None, None, False)],
)
def test_pages_are_for_browsers(accept: str | None, f: str | None, page: bool) -> None:
    assert wants_page(scope(accept, f)) is page
