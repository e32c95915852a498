"""Bad input of every kind, as JSON and as pages: refused in words, and nothing is left running or broken.

After each test the service is looked at: the same processes, no statement in PostgreSQL, and an ordinary answer.
"""

import itertools
import json
import re
import socket
import time
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import httpx
import psycopg
import pytest

from tests.ogc import all_links, refused

ITEMS = "/collections/parcels/items"
BOX = "126.5,43.79,126.51,43.8"


@pytest.fixture(scope="module")
def processes(live_server: str, city_database: str) -> list[int]:
    """The two server processes, once both are there."""
    for _ in range(300):
        if len(found := _processes(city_database)) == 2:
            return found
        time.sleep(0.1)
    pytest.fail("the second process did not start")


@pytest.fixture(autouse=True)
def _well(api: httpx.Client, city_database: str, processes: list[int]) -> Iterator[None]:
    """The service is as well after a test as it was before."""
    yield
    assert api.get(ITEMS, params={"limit": "1"}).json()["numberMatched"] == 2500
    for _ in range(100):
        if not (running := _running(city_database)):
            break
        time.sleep(0.1)
    assert running == []
    assert _processes(city_database) == processes


def _processes(dsn: str) -> list[int]:
    """The connection on which each server process hears of changes: another one is another process."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select pid from pg_stat_activity where datname = current_database()"
            " and application_name = 'chengtu-listen' order by pid"
        ).fetchall()
    return [row[0] for row in rows]


def _running(dsn: str) -> list[str]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "select query from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
            " and (state = 'active' or state like 'idle in transaction%')"
        ).fetchall()
    return [row[0] for row in rows]


def wrong(api: httpx.Client, **parameters: str) -> None:
    """Hold a query of items to be refused in both forms."""
    refused(api.get(ITEMS, params=parameters))
    page = api.get(ITEMS, params={"f": "html"} | parameters)
    assert page.status_code == 400, page.text
    assert "Traceback" not in page.text


def nested(depth: int, innermost: object) -> str:
    """A deep CQL2 JSON filter; json.dumps would not write it."""
    return '{"op":"not","args":[' * depth + json.dumps(innermost) + "]}" * depth


# Parameters.


@pytest.mark.parametrize(
    "value", ["0", "-1", "abc", "9" * 5000, "1.5", "1e3", "0x10", "１", "٣", "1 or 1=1", "", "+", "NaN"]
)
@pytest.mark.parametrize("name", ["limit", "offset"])
def test_what_is_no_count_is_refused(api: httpx.Client, name: str, value: str) -> None:
    if (name, value) == ("offset", "0"):
        value = str(10**30)
    wrong(api, **{name: value})


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_limit_beyond_the_maximum_is_cut_to_it(api: httpx.Client, form: str) -> None:
    answer = api.get(ITEMS, params={"limit": str(10**9), "f": form, "bbox": BOX})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "bbox",
    [
        "nan,43,127,44",
        "126,43,NaN,44",
        "inf,43,127,44",
        "-inf,-inf,inf,inf",
        "1e308,1e308,1e308,1e308",
        "1e999,43,127,44",
        "126,43,127",
        "126,43,127,44,45",
        "126,43,127,44,45,46,47",
        "126,44,127,43",
        "43,126,44,127",
        "126,43,127,91",
        "126;43;127;44",
        "126,43,127,",
        "1_26,43,127,44",
        "１２６,43,127,44",
        "0x7e,43,127,44",
        "",
        ",,,",
        "1," * 900 + "1",
    ],
)
def test_what_is_no_box_is_refused(api: httpx.Client, bbox: str) -> None:
    wrong(api, bbox=bbox)


@pytest.mark.parametrize("form", ["json", "html"])
def test_a_box_across_the_date_line_is_legal(api: httpx.Client, form: str) -> None:
    assert api.get(ITEMS, params={"bbox": "170,-10,-170,10", "f": form}).status_code == 200


@pytest.mark.parametrize(
    "value",
    [
        "2024-02-01/2024-01-01",
        "2024-02-01T00:00:00Z/2024-01-01T00:00:00Z",
        "99999-01-01",
        "-0044-03-15",
        "0000-01-01",
        "2024-02-30",
        "2024-01-01T25:00:00Z",
        "2024-01-01T00:00:00",
        "2024-W01-1",
        "../..",
        "/",
        "//",
        "..",
        "",
        "yesterday",
        "now",
        "infinity",
        "2024-01-01/P1D",
        "2" * 1999,
        "2024-01-01'; drop table data.parcels; --",
    ],
)
def test_what_is_no_time_is_refused(api: httpx.Client, value: str) -> None:
    wrong(api, datetime=value)


@pytest.mark.parametrize(
    "query",
    [
        "unknown=1",
        "limit=1&limit=2",
        "limit=1&limit=1",
        "land_class=0303&land_class=0303",
        "f=json&f=json",
        "Limit=1",
        "=",
        "=1",
        "%20limit=1",
        "&".join(f"p{n}=1" for n in range(3000)),
    ],
)
def test_unknown_and_repeated_parameters_are_refused(api: httpx.Client, query: str) -> None:
    refused(api.get(f"{ITEMS}?{query}"))
    assert api.get(f"{ITEMS}?{query}&f=html").status_code == 400


@pytest.mark.parametrize(
    "name",
    [
        "geom);drop",
        "__class__",
        "lanes",
        "ct_release",
        "parcel_no;--",
        'parcel_no"',
        "parcels.parcel_no",
        "*",
        "%s",
        "%(area)s",
        "ctid",
    ],
)
def test_names_that_the_data_set_does_not_have_are_refused(api: httpx.Client, name: str) -> None:
    wrong(api, sortby=name)
    wrong(api, sortby=f"-{name}")
    wrong(api, properties=name)
    quoted = name.replace('"', '""')
    wrong(api, filter=f'"{quoted}" = 1')
    wrong(api, **{name: "1"})


@pytest.mark.parametrize(
    "value",
    [
        "http://127.0.0.1:{port}/",
        "http://127.0.0.1:{port}/def/crs/EPSG/0/4326",
        "file:///etc/passwd",
        "+proj=longlat +nadgrids=http://127.0.0.1:{port}/grid",
        "+proj=longlat +nadgrids=@/etc/passwd",
        "http://www.opengis.net/def/crs/EPSG/0/99999",
        "http://www.opengis.net/def/crs/EPSG/0/2056",
        "http://www.opengis.net.example/def/crs/EPSG/0/4326",
        "urn:ogc:def:crs:EPSG::99999",
        "EPSG:4326; drop",
        'GEOGCS["x",DATUM["y",SPHEROID["z",1,1]]]',
        '{{"$schema":"http://127.0.0.1:{port}/","type":"GeographicCRS"}}',
        "x" * 1999,
    ],
)
def test_a_crs_that_is_not_offered_is_refused_and_never_fetched(api: httpx.Client, value: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        value = value.format(port=listener.getsockname()[1])
        wrong(api, crs=value)
        wrong(api, **{"bbox": BOX, "bbox-crs": value})
        wrong(api, **{"filter": "TRUE", "filter-crs": value})
        refused(api.get(f"{ITEMS}/1", params={"crs": value}))
        assert api.get(f"{ITEMS}/1", params={"crs": value, "f": "html"}).status_code == 400
        listener.settimeout(0)
        with pytest.raises(BlockingIOError):
            listener.accept()


# Texts that are none.

NO_TEXT = [
    "%00",
    "a%00b",
    "%ED%A0%80",
    "%ED%BF%BF",
    "%C0%AF",
    "%C0%80",
    "%E0%80%AF",
    "%F8%88%80%80%80",
    "%F5%80%80%80",
    "%FF",
    "%80",
]


@pytest.mark.parametrize("bytes_", NO_TEXT)
@pytest.mark.parametrize("form", ["json", "html"])
def test_bytes_that_are_no_text_are_refused_wherever_they_stand(api: httpx.Client, bytes_: str, form: str) -> None:
    for query in (
        f"q={bytes_}",
        f"land_class={bytes_}",
        f"{bytes_}=1",
        f"filter=land_class='{bytes_}'",
        f"sortby={bytes_}",
        f"properties={bytes_}",
        f"crs={bytes_}",
        f"datetime={bytes_}",
        f"cursor={bytes_}",
        f"lang={bytes_}",
    ):
        refused(api.get(f"{ITEMS}?f={form}&{query}"))
    for path in (f"{ITEMS}/{bytes_}", f"/collections/{bytes_}", f"/collections/{bytes_}/items", f"/{bytes_}"):
        assert api.get(f"{path}?f={form}").status_code in (400, 404)


@pytest.mark.parametrize(
    ("body", "type_"),
    [
        (b"land_class = 'a\0b'", "application/cql2+text"),
        (b"land_class = '\xed\xa0\x80'", "application/cql2+text"),
        (b"land_class = '\xff'", "application/cql2+text"),
        (b'{"op":"=","args":[{"property":"land_class"},"\\u0000"]}', "application/cql2+json"),
        (b'{"op":"=","args":[{"property":"land_class"},"\\ud800"]}', "application/cql2+json"),
        (b'{"op":"=","args":[{"property":"\\udfff"},1]}', "application/cql2+json"),
        (b"\xff\xfe{\0}\0", "application/cql2+json"),
        (b"land_class=%00", "application/x-www-form-urlencoded"),
        (b"land_class=%ED%A0%80", "application/x-www-form-urlencoded"),
        (b"land_class=\xff", "application/x-www-form-urlencoded"),
        (b"land_class=1&" * 300, "application/x-www-form-urlencoded"),
    ],
)
def test_bodies_that_are_no_text_are_refused(api: httpx.Client, body: bytes, type_: str) -> None:
    refused(api.post(ITEMS, content=body, headers={"Content-Type": type_}))


IDS = ["1' or 1=1", "1;drop table data.parcels", "..%2f..%2fetc%2fpasswd", "%2e%2e", "1%20or%201=1", "1" + "0" * 30, "-1", "1.0", "1e0", "0x1", "NaN",
       "null", "{{7*7}}", "%25s", "x" * 1001, "x" * 65_000, "%0d%0aX-Injected:%20yes", "1/2", "1%2f2", "%D9%A1"]  # fmt: skip


@pytest.mark.parametrize("identifier", IDS)
@pytest.mark.parametrize("form", ["json", "html"])
def test_an_id_that_names_nothing_is_not_found(api: httpx.Client, identifier: str, form: str) -> None:
    for path in (f"{ITEMS}/{identifier}", f"/collections/{identifier}"):
        answer = api.get(f"{path}?f={form}")
        assert answer.status_code == 404, answer.text
        assert "x-injected" not in answer.headers
        assert len(answer.content) < 20_000


# What form, what language.


@pytest.mark.parametrize(
    "form", ["junk", "", "../../etc/passwd", "json,html", "JSON;", "application/json", "x" * 1999, "{{7*7}}"]
)
def test_a_form_that_is_not_offered_is_refused(api: httpx.Client, form: str) -> None:
    for path in ("/", "/collections", ITEMS, f"{ITEMS}/1"):
        refused(api.get(path, params={"f": form}))


@pytest.mark.parametrize("language", ["junk", "", "x" * 8000, "../en", "*"])
def test_a_language_that_is_not_spoken_is_refused_only_where_it_is_insisted_on(
    api: httpx.Client, language: str
) -> None:
    refused(api.get(ITEMS, params={"lang": language}))
    assert api.get(ITEMS, params={"limit": "1"}, headers={"Accept-Language": language}).status_code == 200


@pytest.mark.parametrize(
    "accept",
    [
        b"junk",
        b"image/png",
        b"a/b;q=x",
        b"," * 8000,
        b"a/b," * 2000,
        b"x" * 8000,
        b";;;",
        b"\xff\xfe",
        b"*/*;q=2",
        b"application/*x;q=" + b"1" * 7000,
    ],
)
def test_an_accept_that_asks_for_nothing_we_have_is_not_acceptable(api: httpx.Client, accept: bytes) -> None:
    refused(api.get(ITEMS, headers={b"Accept": accept}), 406)


# Filters.


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3000 + "parcel_no = 1" + ")" * 3000,
        "NOT " * 4000 + "parcel_no = 1",
        "NOT " * 1500 + "parcel_no = 1",
        "-" * 4000 + "1 = 1",
        "pg_sleep(5) = 1",
        "version() = 'x'",
        "current_setting('data_directory') = 'x'",
        "pg_read_file('/etc/passwd') = 'x'",
        "query_to_xml('select 1', true, true, '') = 'x'",
        "dblink('host=127.0.0.1', 'select 1') = 'x'",
        "lo_import('/etc/passwd') = 1",
        "land_class LIKE '" + "%a" * 30 + "'",
        " AND ".join(["land_class LIKE '%a%a%'"] * 30),
        "land_class = 'a'; drop table data.parcels",
        "land_class = 'a' -- ",
        "land_class = $1",
        "land_class = %s",
        "parcel_no IN (" + ",".join(map(str, range(3000))) + ")",
        "S_INTERSECTS(geometry, POLYGON((0 0,1 1,1 0,0 1,0 0)))",
        "S_INTERSECTS(geometry, POINT(NaN 1))",
        "S_INTERSECTS(geometry, POINT(inf 1))",
        "S_INTERSECTS(geometry, POINT(1e999 1))",
        "S_INTERSECTS(geometry, POLYGON EMPTY)",
        "S_INTERSECTS(geometry, " + "GEOMETRYCOLLECTION(" * 400 + "POINT(1 1)" + ")" * 400 + ")",
        "S_INTERSECTS(geometry, BBOX(nan, 1, 2, 3))",
        "S_INTERSECTS(geometry, CIRCULARSTRING(0 0,1 1,2 0))",
        "2 ^ 9999 ^ 9999 = 1",
        "1 / 0 = 1 / 0 AND",
        "T_AFTER(surveyed, TIMESTAMP('99999-01-01T00:00:00Z'))",
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_a_filter_that_asks_too_much_is_refused(api: httpx.Client, text: str) -> None:
    wrong(api, filter=text)
    refused(api.post(ITEMS, content=text.encode(), headers={"Content-Type": "application/cql2+text"}))


def collection(depth: int) -> str:
    return '{"type":"GeometryCollection","geometries":[' * depth + '{"type":"Point","coordinates":[1,1]}' + "]}" * depth


def ring(points: int) -> str:
    """A closed ring of so many positions, as they stand in JSON."""
    return ",".join(f"[{n % 180},{n // 180 % 90}]" for n in range(points)) + ",[0,0]"


BODIES = {  # as CQL2 JSON, by what is wrong with it
    "1,600 deep": nested(1600, True),
    "100,000 deep": nested(100_000, True),
    "brackets alone": "[" * 200_000,
    "100,000 times and": '{"op":"and","args":[' + "true," * 100_000 + "true]}",
    "a list of 100,000": '{"op":"in","args":[{"property":"parcel_no"},[' + "1," * 100_000 + "1]]}",
    "a number of 100,000 digits": '{"op":"=","args":[{"property":"parcel_no"},' + "9" * 100_000 + "]}",
    "a text of 1 MB": '{"op":"=","args":[{"op":"casei","args":["' + "x" * 900_000 + '"]},{"property":"land_class"}]}',
    "a function": '{"op":"=","args":[{"op":"pg_sleep","args":[5]},1]}',
    "a million vertices": '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Polygon","coordinates":[[' + ring(300_000) + "]]}]}",
    "20,000 vertices": '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Polygon","coordinates":[[' + ring(20_000) + "]]}]}",
    "a bow": '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Polygon","coordinates":[[[0,0],[1,1],[1,0],[0,1],[0,0]]]}]}',
    "not a number": '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Point","coordinates":[NaN,1]}]}',
    "infinite": '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Point","coordinates":[1e999,1]}]}',
    "collections 40,000 deep": '{"op":"s_intersects","args":[{"property":"geometry"},' + collection(20_000) + "]}",
    "collections 40 deep": '{"op":"s_intersects","args":[{"property":"geometry"},' + collection(40) + "]}",
    "no JSON": "{'op': 'not'}",
    "nothing": "",
}  # fmt: skip


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_body_that_asks_too_much_is_refused(api: httpx.Client, body: str) -> None:
    answer = api.post(ITEMS, content=body.encode(), headers={"Content-Type": "application/cql2+json"})
    refused(answer, 413 if len(body) > 4_000_000 else 400)


@pytest.mark.parametrize(
    "text",
    [
        " AND ".join(["parcel_no = 1"] * 100_000),
        "CASEI(land_class) = CASEI('" + "x" * 1_000_000 + "')",
        "parcel_no IN (" + ",".join(map(str, range(100_000))) + ")",
        "S_INTERSECTS(geometry, POLYGON((" + ",".join(f"{n} {n}" for n in range(300_000)) + ")))",
        "S_INTERSECTS(geometry, " + "GEOMETRYCOLLECTION(" * 40_000 + "POINT(1 1)" + ")" * 40_000 + ")",
    ],
    ids=["100,000 times and", "a text of 1 MB", "a list of 100,000", "300,000 vertices", "collections 40,000 deep"],
)
def test_a_text_that_asks_too_much_is_refused(api: httpx.Client, text: str) -> None:
    refused(api.post(ITEMS, content=text.encode(), headers={"Content-Type": "application/cql2+text"}))


def test_a_polygon_of_a_million_vertices_is_refused(api: httpx.Client) -> None:
    body = (
        '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Polygon","coordinates":[['
        + ring(10**6)
        + "]]}]}"
    )
    refused(api.post(ITEMS, content=body.encode(), headers={"Content-Type": "application/json"}), 413)


# Bodies and heads that do not end, or are not what they say.


class Line:
    """A connection on which anything may be said."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.connection = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=30)

    def say(self, data: bytes) -> None:
        self.connection.sendall(data)

    def still_says(self, data: bytes) -> bool:
        """Whether the other end still listens."""
        try:
            self.say(data)
        except OSError:
            return False
        return True

    def answer(self) -> bytes:
        """What is said until the connection closes."""
        said = b""
        try:
            while part := self.connection.recv(65536):
                said += part
        except ConnectionResetError:
            pass
        finally:
            self.connection.close()
        return said


POST = f"POST {ITEMS} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/cql2+text\r\n".encode()


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 100\r\n\r\nparcel_no = 1",
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nparce",
        b"Transfer-Encoding: chunked\r\n\r\nFF\r\nparcel_no = 1\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n",
    ],
)
def test_a_body_that_breaks_off_harms_nobody(live_server: str, rest: bytes) -> None:
    line = Line(live_server)
    line.say(POST + rest)
    line.connection.shutdown(socket.SHUT_WR)
    line.connection.close()


@pytest.mark.parametrize(
    "rest",
    [
        b"Content-Length: 13\r\nContent-Length: 5\r\n\r\nparcel_no = 1",
        b"Content-Length: -1\r\n\r\nparcel_no = 1",
        b"Content-Length: x\r\n\r\nparcel_no = 1",
        b"Content-Length: 99999999999999999999999999\r\n\r\nx",
        b"Transfer-Encoding: chunked\r\n\r\nZZ\r\nparcel_no = 1\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n-5\r\nparcel_no = 1\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\nparcel_no = 1\r\n0\r\n\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        b"Transfer-Encoding: gzip, junk\r\n\r\nparcel_no = 1",
    ],
)
def test_a_body_of_a_length_that_makes_no_sense_is_refused(live_server: str, rest: bytes) -> None:
    line = Line(live_server)
    line.say(POST + rest)
    line.connection.shutdown(socket.SHUT_WR)
    said = line.answer()
    assert re.match(rb"HTTP/1\.1 (400|413|501) ", said), said[:200]
    assert b"application/json" in said


def test_a_body_that_never_ends_is_cut_off(live_server: str) -> None:
    line = Line(live_server)
    line.say(POST + b"Transfer-Encoding: chunked\r\n\r\n")
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    assert sum(1 for _ in range(2000) if line.still_says(chunk)) < 500  # of 131 MB
    line.connection.close()


def test_a_large_body_is_refused_before_it_is_sent(live_server: str) -> None:
    line = Line(live_server)
    line.say(POST + b"Content-Length: 5000000\r\nExpect: 100-continue\r\n\r\n")
    assert line.answer().startswith(b"HTTP/1.1 413 ")


def test_connections_that_dawdle_stop_nobody(live_server: str, api: httpx.Client) -> None:
    heads = [Line(live_server) for _ in range(100)]
    bodies = [Line(live_server) for _ in range(100)]
    for line in bodies:
        line.say(POST + b"Content-Length: 100\r\n\r\n")
    try:
        for letter in b"GET / HTTP":
            for line in itertools.chain(heads, bodies):
                line.say(bytes([letter]))
            assert api.get(ITEMS, params={"bbox": BOX}).status_code == 200
            assert api.get("/collections", params={"f": "html"}).status_code == 200
    finally:
        for line in itertools.chain(heads, bodies):
            line.connection.close()


@pytest.mark.parametrize("head", [b"GET /?datetime=" + b"2" * 1_000_000, b"GET / HTTP/1.1\r\nX-A: " + b"a" * 1_000_000])
def test_a_head_of_a_megabyte_is_refused(live_server: str, head: bytes) -> None:
    line = Line(live_server)
    try:
        line.say(head)
    except OSError:
        return  # it was too much before it was all said
    assert line.answer()[:13] in (b"HTTP/1.1 431 ", b"")


# Whose address, and whose headers.

FORGED = {
    "Host": "evil.example",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-For": "203.0.113.7",
    "X-Forwarded-Prefix": "/evil.example",
    "X-Original-URL": "/evil.example",
    "X-Rewrite-URL": "/evil.example",
    "Forwarded": "host=evil.example;proto=gopher",
}
PLACES = ["/", "/openapi", "/conformance", "/collections", "/collections/parcels", "/collections/parcels/schema",
          "/collections/parcels/queryables", ITEMS, f"{ITEMS}/1", "/processes", "/jobs", "/map"]  # fmt: skip


@pytest.mark.parametrize("path", PLACES)
@pytest.mark.parametrize("form", ["json", "html"])
def test_links_stay_at_home_whatever_host_is_named(api: httpx.Client, live_server: str, path: str, form: str) -> None:
    forged = api.get(path, params={"f": form}, headers=FORGED)
    assert forged.status_code == 200
    assert "evil" not in forged.text
    assert "gopher" not in forged.text
    if form == "json" and "json" in forged.headers["content-type"]:
        assert all(one["href"].startswith(f"{live_server}/") for one in all_links(forged.json()))
        assert forged.json() == api.get(path, params={"f": form}).json()


@pytest.mark.parametrize("path", ["/processes/", "/static", f"{ITEMS}/1/", "/jobs/?f=json", "//evil.example/"])
def test_redirects_lead_home_whatever_host_is_named(api: httpx.Client, live_server: str, path: str) -> None:
    answer = api.get(live_server + path, headers=FORGED, follow_redirects=False)
    assert answer.headers.get("location", live_server).startswith(live_server)


@pytest.mark.parametrize("hosts", [b"", b"Host: a\r\nHost: b\r\n"])
def test_a_request_for_no_host_or_two_is_refused(live_server: str, hosts: bytes) -> None:
    line = Line(live_server)
    line.say(b"GET / HTTP/1.1\r\nConnection: close\r\n" + hosts + b"\r\n")
    assert line.answer().startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("form", ["json", "html"])
def test_line_ends_in_values_end_no_line(api: httpx.Client, form: str) -> None:
    injected = quote("x\r\nX-Injected: yes\r\n\r\n<script>alert(1)</script>")
    for path in (
        f"{ITEMS}?f={form}&q={injected}",
        f"{ITEMS}?f={form}&land_class={injected}",
        f"{ITEMS}?f={form}&crs={injected}",
        f"{ITEMS}?f={injected}",
        f"{ITEMS}?f={form}&lang={injected}",
        f"{ITEMS}?f={form}&{injected}=1",
        f"{ITEMS}/{injected}?f={form}",
        f"/collections/{injected}?f={form}",
        f"/{injected}/?f={form}",
    ):
        answer = api.get(path, follow_redirects=False)
        assert answer.status_code < 500
        assert "x-injected" not in answer.headers
        if answer.headers["content-type"].startswith("text/html"):
            assert "<script>alert" not in answer.text


@pytest.mark.parametrize("value", ["bytes=" + ",".join(["0-"] * 1000), "bytes=-1", "bytes=5-1", "junk"])
def test_ranges_are_passed_over(api: httpx.Client, value: str) -> None:
    """Answers are made for each request: there is nothing to take a part of."""
    whole = api.get(ITEMS, params={"limit": "2"})
    part = api.get(ITEMS, params={"limit": "2"}, headers={"Range": value})
    assert (part.status_code, part.content) == (200, whole.content)


@pytest.mark.parametrize("value", ['"', '"' * 5000, "W/" * 1000, ",".join(['"a"'] * 2000), "\xff", ""])
def test_tags_that_are_none_match_nothing(api: httpx.Client, value: str) -> None:
    answer = api.get(ITEMS, params={"limit": "1"}, headers={b"If-None-Match": value.encode("latin-1")})
    assert answer.status_code == 200
