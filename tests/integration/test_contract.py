"""The contract self-check: a server without fault has no findings, each fault has its own, and nothing gets out of hand."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from core.language import spoken
from server.contract import Limits, NotAnAddress, Report, check
from server.contract.findings import KINDS
from tests.perfect_server import WGS84, perfect_server

VITAL = ("landing", "api", "collection", "first-items", "data")


def checked(*faults: str, elsewhere: str = "", **how: object) -> Report:
    """The report on a server with these faults."""
    with perfect_server(*faults, elsewhere=elsewhere) as server:
        return check(server.base, **how)  # type: ignore[arg-type]


def test_a_server_that_does_everything_right_has_no_findings_and_filters_itself() -> None:
    report = checked()
    assert report.codes == ()
    assert report.state == "ok"
    assert [one.id for one in report.steps] == [
        "landing", "api", "collection", "conformance", "queryables", "first-items",
        "schema", "options", "data", "count", "writes",
    ]  # fmt: skip
    assert (report.collection, report.features) == ("lots", 2500)
    assert report.requests <= 40
    where = {one.id: [place.where for place in one.places] for one in report.filters}
    assert where == {
        "date": ["server", "server", "server"],
        "equality": ["local", "server", "server"],
        "comparison": ["local", "server", "server"],
        "advanced": ["local", "server", "server"],
        "case": ["local", "server", "server"],
        "spatial": ["local", "server", "server"],
    }


def test_filters_are_sent_as_qgis_writes_them() -> None:
    sent = [query for one in checked().filters for query in one.sent]
    assert "filter=(\"land_use\" = 'O''Brien & Söhne')&filter-lang=cql2-text" in sent
    assert "filter=\"land_use\" IN ('O''Brien & Söhne')&filter-lang=cql2-text" in sent
    assert "filter=(CASEI(\"land_use\") LIKE CASEI('o''bRIEN & sÖHNE'))&filter-lang=cql2-text" in sent
    assert any(one.startswith("filter=S_INTERSECTS(geom,BBOX(126.") for one in sent)
    assert any(
        one.startswith("filter=S_INTERSECTS(geom,BBOX(43.") and one.endswith(f"filter-crs={WGS84}") for one in sent
    )
    assert any(one.startswith("filter=(seen >= TIMESTAMP('2024-01-") for one in sent)
    assert any(one.startswith("datetime=2024-01-") and one.endswith("/9999-12-31T00:00:00Z") for one in sent)


def test_nothing_is_ever_written() -> None:
    with perfect_server() as server:
        methods = {one.method for step in check(server.base).steps for one in step.exchanges}
        assert server.written == []
    assert methods == {"GET", "OPTIONS"}


@pytest.mark.parametrize(
    ("fault", "codes"),
    [
        ("html", ["not-json"]),
        ("gbk", ["not-utf8"]),
        ("no link service-desc", ["no-service-desc"]),
        ("no link data", ["no-data-link"]),
        ("no link conformance", ["no-conformance-link"]),
        ("key lost", ["key-not-kept"]),
        ("no limit parameter", ["no-limit-parameter"]),
        ("no extent", ["no-extent"]),
        ("crs order", ["crs84-not-first"]),
        ("stale count", ["counts-differ"]),
        ("no class features-filter", ["cql2-gate"]),
        ("no class basic-spatial-operators", ["spatial-class-name"]),
        ("no class schemas", ["no-schemas-class"]),
        ("no class conf/crs", ["no-part2"]),
        ("no ref", ["geometry-not-ref"]),
        ("dates unmarked", ["dates-without-format"]),
        ("latlon", ["not-lonlat"]),
        ("no id", ["no-id"]),
        ("schema short", ["schema-fields-missing"]),
        ("schema flat", ["schema-no-geometry"]),
        ("schema sequence", ["schema-sequence"]),
        ("read-only", ["edits-hidden"]),
        ("no delete", ["edits-partial"]),
        ("no next", ["no-next"]),
        ("next loses bbox", ["next-loses-filter"]),
        ("next loses limit", ["next-loses-filter"]),
        ("next loses crs", ["next-loses-filter"]),
        ("token", ["next-loses-parameter"]),
        ("next type", ["next-type"]),
        ("relative next", ["link-relative"]),
        ("loop", ["next-loop"]),
        ("hole", ["empty-page"]),
        ("doubles", ["doubles"]),
        ("ids shared", ["ids-shared"]),
        ("ids by row", ["ids-unstable"]),
        ("limit ignored", ["limit-exceeded"]),
        ("plain", ["no-gzip"]),
        ("late numbers", ["field-types"]),
        ("late decimals", ["field-types"]),
        ("bbox ignored", ["bbox-ignored"]),
        ("bbox axes", ["bbox-axis"]),
        ("axes", ["crs-axis"]),
        ("no count", ["no-number-matched"]),
        ("simple ignored", ["filter-ignored"]),
        ("filter ignored", ["filter-ignored"]),
        ("spatial refused", ["filter-refused"]),
    ],
)
def test_each_fault_is_named_and_nothing_else(fault: str, codes: list[str]) -> None:
    assert list(checked(fault).codes) == codes


def test_a_finding_says_what_the_user_sees_and_what_to_do_in_both_languages() -> None:
    (finding,) = next(step for step in checked("no next").steps if step.id == "data").findings
    assert finding.state == "failure"
    assert finding.consequence.en == "QGIS silently truncates the layer at 1000 features."
    assert finding.seen.zh == "本页为 2500 个要素中的 1000 个,却没有 `next` 链接。"
    assert all(kind.advice.en and kind.advice.zh for kind in KINDS.values())


def test_a_field_that_becomes_text_is_named() -> None:
    step = next(step for step in checked("late numbers").steps if step.id == "data")
    assert "area becomes text instead of number" in step.findings[0].consequence.en


def test_without_the_gate_classes_the_table_says_which_are_missing() -> None:
    comparison = next(one for one in checked("no class features-filter").filters if one.id == "comparison")
    assert [place.where for place in comparison.places] == ["local"] * 3
    assert comparison.places[2].why.en == "not declared: features-filter"


def test_old_versions_know_only_the_old_name_of_the_spatial_class() -> None:
    spatial = next(one for one in checked("no class basic-spatial-operators").filters if one.id == "spatial")
    assert [place.where for place in spatial.places] == ["local", "local", "server"]


def test_a_key_is_sent_where_qgis_sends_it() -> None:
    with perfect_server("key needed", "key lost") as server:
        report = check(f"{server.base}/?key=K")
    assert report.codes == ("key-not-kept", "http-status")
    asked = {
        one.url.split("?")[0].removeprefix(server.base): one.url for step in report.steps for one in step.exchanges
    }
    assert all("key=K" in asked[path] for path in ("/", "/api", "/collections", "/collections/lots/items"))
    assert not any("key=K" in asked[path] for path in ("/conformance", "/collections/lots/queryables"))
    with perfect_server("key needed") as server:
        assert check(f"{server.base}/?key=K").codes == ()


def test_a_service_is_checked_by_another_way_than_its_public_address() -> None:
    with perfect_server() as server:
        local, server.base = server.base, "https://geo.example.org/ogc"
        report = check("https://geo.example.org/ogc", via=local)
    assert report.codes == ()
    assert {one.url.startswith("https://geo.example.org/ogc") for step in report.steps for one in step.exchanges} == {
        True
    }


# What is not a service, or does not behave.


@contextmanager
def listening(talk: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[int]]]:
    """Something that speaks its mind on every connection; its address, and the bytes it got rid of each time."""
    spoken_: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                spoken_.append(0)
                with connection:
                    connection.settimeout(10)
                    try:
                        connection.recv(65536)
                        talk(_Counting(connection, spoken_))  # type: ignore[arg-type]
                    except OSError:
                        continue

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", spoken_
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


class _Counting:
    """A connection that counts what is sent."""

    def __init__(self, connection: socket.socket, sent: list[int]) -> None:
        self.connection, self.sent = connection, sent

    def sendall(self, data: bytes) -> None:
        self.connection.sendall(data)
        self.sent[-1] += len(data)

    def until_closed(self) -> None:
        self.connection.recv(1)


def first_code(report: Report) -> str:
    """What ended the check, at its first step; the others were not reached."""
    assert [step.state for step in report.steps] == ["failure"] + ["skipped"] * 10
    (only,) = report.codes
    return only


def test_a_server_that_never_answers_is_given_up() -> None:
    with listening(lambda connection: connection.until_closed()) as (url, _):  # type: ignore[attr-defined]
        assert first_code(check(url, limits=Limits(seconds=0.3))) == "timeout"


def test_a_server_that_drips_is_given_up_although_every_drop_comes_in_time() -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        while True:
            connection.sendall(b" ")
            threading.Event().wait(0.05)

    with listening(drip) as (url, _):
        assert first_code(check(url, limits=Limits(seconds=0.3))) == "timeout"


@pytest.mark.parametrize(
    "garbage", [b"\x00\xff\x17 not http at all\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
def test_a_server_that_answers_garbage_gives_no_answer(garbage: bytes) -> None:
    with listening(lambda connection: connection.sendall(garbage)) as (url, _):
        assert first_code(check(url)) == "no-answer"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[1, 2", "not-json"),
        (b"NaN", "not-json"),
        (b"[" * 100_000, "not-json"),
        (b'{"links": []}', "no-service-desc"),
        (b'"links"', "not-as-expected"),
        (b"\x1f\x8b\x08rest", "gzip-unlabelled"),
    ],
)
def test_json_that_is_none_is_named(body: bytes, code: str) -> None:
    answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    with listening(lambda connection: connection.sendall(answer)) as (url, _):
        assert check(url).codes[0] == code


def test_a_thousand_megabytes_are_not_read() -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        for _ in range(1000):
            connection.sendall(b" " * 1_000_000)

    with listening(flood) as (url, sent):
        assert first_code(check(url)) == "too-large"
    assert max(sent) < 60_000_000


def test_a_thousand_megabytes_are_not_unpacked_either() -> None:
    import zlib  # noqa: PLC0415

    packer = zlib.compressobj(9, wbits=31)
    packed = b"".join(packer.compress(b" " * 10_000_000) for _ in range(100)) + packer.flush()
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    with listening(lambda connection: connection.sendall(head + packed)) as (url, _):
        report = check(url)
    assert first_code(report) == "too-large"
    assert report.steps[0].exchanges[0].size == 20_000_001


def test_no_other_host_is_contacted() -> None:
    with listening(lambda connection: None) as (elsewhere, contacts):
        redirected = checked("redirects elsewhere", elsewhere=elsewhere)
        linked = checked("data elsewhere", elsewhere=elsewhere)
        followed = checked("next elsewhere", elsewhere=elsewhere)
        assert contacts == []
    assert first_code(redirected) == "redirect-elsewhere"
    assert (linked.codes[-1], linked.state) == ("link-elsewhere", "failure")
    assert (followed.codes, followed.state) == (("link-elsewhere",), "warning")


def test_a_check_stops_at_its_number_of_requests() -> None:
    report = checked(limits=Limits(requests=8))
    assert report.requests == 8
    assert "spent" in report.codes


@pytest.mark.parametrize(
    "url", ["ftp://example.org", "file:///etc/passwd", "example.org", "http://", "http://a:b@c", "http://a:x"]
)
def test_only_web_addresses_without_passwords_are_taken(url: str) -> None:
    with pytest.raises(NotAnAddress):
        check(url)


# Our own service.


@pytest.mark.parametrize("collection", ["parcels", "roads", "places", "sites_wgs84", "sites_mercator"])
def test_our_own_service_gives_qgis_what_it_cannot_do_without(live_server: str, collection: str) -> None:
    """What is left: keys stand in no link, the city has no licence, and nobody has been given the key to edit it."""
    report = check(live_server, collection)
    assert report.codes == ("key-not-kept", "no-licence", "edits-impossible")
    states = {step.id: step.state for step in report.steps}
    assert "skipped" not in states.values()
    assert {states[one] for one in VITAL} == {"ok", "note"}
    filters = [one for one in report.filters if one.id != "date" or collection == "parcels"]  # the others have no dates
    assert {one.id: (one.state, *(place.where for place in one.places[1:])) for one in filters} == {
        one.id: ("ok", "server", "server") for one in filters
    }
    assert report.requests <= 40


def test_a_collection_that_is_not_there_is_a_failure_of_that_step(live_server: str) -> None:
    report = check(live_server, "nothing")
    assert {step.id: step.state for step in report.steps}["collection"] == "failure"


def test_titles_come_in_the_readers_language(live_server: str) -> None:
    token = spoken.set("zh")
    try:
        got = next(step.got for step in check(live_server, "parcels").steps if step.id == "collection")
    finally:
        spoken.reset(token)
    assert got is not None
    assert got.zh == "宗地"
