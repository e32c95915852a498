"""Filters as QGIS 3.32 and later write them: each finds what SQL finds.

We cannot run those versions, but their grammar is known: everything in brackets, names in double quotes where they hold
anything but letters and digits, TIMESTAMP('...Z') and DATE('...'), backslashes doubled, minus as ( - (5)), arithmetic
that no class is asked for, and the filters of the layer and of the map joined as (a) AND (b).
"""

import itertools
from collections.abc import Iterator
from typing import NamedTuple

import httpx
import psycopg
import pytest

from tests.acceptance.conftest import Wide


class Written(NamedTuple):
    """A condition as QGIS writes it, and in SQL."""

    cql: str
    sql: str


def name(field: str) -> str:
    return field if field.isalnum() and field.isascii() else f'"{field}"'


def text(value: str) -> tuple[str, str]:
    """A text in quotes: QGIS doubles quotes and backslashes, SQL quotes alone."""
    quoted = value.replace("'", "''")
    return "'" + quoted.replace("\\", "\\\\") + "'", f"'{quoted}'"


def comparisons() -> Iterator[Written]:
    values = {
        "storeys": [("7", "7"), ("( - (5))", "-5"), ("(2 + 3)", "5")],
        "height": [("7.5", "7.5"), ("( - (0.5))", "-0.5")],
        "land_use": [text("Park"), text("O'Brien & Söhne"), text("商业用地"), text("a_b%c\\"), text("")],
        "built": [("DATE('2024-05-01')", "date '2024-05-01'")],
        "seen": [("TIMESTAMP('2024-05-01T06:00:00.000Z')", "timestamptz '2024-05-01 06:00Z'")],
    }
    for field, literals in values.items():
        for (cql, sql), operator in itertools.product(literals, ("=", "<>", "<", "<=", ">", ">=")):
            yield Written(f"({name(field)} {operator} {cql})", f"{field} {operator} {sql}")
    for truth in ("TRUE", "FALSE"):
        yield Written(f"(listed = {truth})", f"listed = {truth}")


def others() -> Iterator[Written]:
    for field in ("storeys", "land_use", "built", "seen", "listed", "height"):
        yield Written(f"({name(field)} IS NULL)", f"{field} is null")
        yield Written(f"({name(field)} IS NOT NULL)", f"{field} is not null")
    park, brien = text("Park"), text("O'Brien & Söhne")
    yield Written(f'"land_use" IN ({park[0]},{brien[0]})', f"land_use in ({park[1]}, {brien[1]})")
    yield Written(f'"land_use" NOT IN ({park[0]},{brien[0]})', f"land_use not in ({park[1]}, {brien[1]})")
    yield Written("storeys IN (1,2,3)", "storeys in (1, 2, 3)")
    yield Written("(storeys BETWEEN 3 AND 5)", "storeys between 3 and 5")
    yield Written("(storeys NOT BETWEEN 3 AND 5)", "storeys not between 3 and 5")
    for pattern in ("Pa%", "%业%", "_ark", "a\\_b\\%c%", "O'B%"):
        cql, sql = text(pattern)
        yield Written(f'("land_use" LIKE {cql})', f"land_use like {sql}")
        yield Written(f'("land_use" NOT LIKE {cql})', f"land_use not like {sql}")
        yield Written(f'(CASEI("land_use") LIKE CASEI({cql}))', f"land_use ilike {sql}")
        yield Written(f'(NOT (CASEI("land_use") LIKE CASEI({cql})))', f"land_use not ilike {sql}")
    for cql, sql in (
        ("((storeys + 1) = 8)", "storeys + 1 = 8"),
        ("((storeys - 1) > 20)", "storeys - 1 > 20"),
        ("((storeys * 2) <= height)", "storeys * 2 <= height"),
        ("((height / 2) = 3.75)", "height / 2 = 3.75"),
        ("((storeys % 4) = 3)", "storeys % 4 = 3"),
        ("((storeys ^ 2) = 49)", "storeys ^ 2 = 49"),
        ("(( - (storeys)) < ( - (25)))", "- storeys < -25"),
        ("((((storeys + 1) * 2) / 4) = 4)", "(storeys + 1) * 2 / 4.0 = 4"),
    ):
        yield Written(cql, sql)


BOX = "geom && st_makeenvelope(126.0005, 43.0005, 126.0505, 43.0505, 4490)"


def in_places() -> Iterator[Written]:
    for geometry in ("geometry", "geom"):
        yield Written(f"S_INTERSECTS({geometry},BBOX(126.0005,43.0005,126.0505,43.0505))", BOX)
        yield Written(f"(S_INTERSECTS({geometry},POINT(126.001 43.001)))", "name = 'n°201'")
        yield Written(
            f"S_INTERSECTS({geometry},POLYGON((126.0005 43.0005,126.0505 43.0005,126.0505 43.0505,126.0005 43.0505,126.0005 43.0005)))",
            BOX,
        )


def joined() -> Iterator[Written]:
    """The filter of the layer and that of the map, and NOT, AND and OR within one."""
    some = [
        *itertools.islice(comparisons(), 0, None, 11),
        *itertools.islice(others(), 0, None, 7),
        *itertools.islice(in_places(), 2),
    ]
    for one, other in itertools.pairwise(some):
        yield Written(f"({one.cql}) AND ({other.cql})", f"({one.sql}) and ({other.sql})")
        yield Written(f"({one.cql} OR {other.cql})", f"({one.sql}) or ({other.sql})")
        yield Written(f"(NOT ({one.cql} AND {other.cql}))", f"not (({one.sql}) and ({other.sql}))")


@pytest.mark.parametrize("written", [*comparisons(), *others(), *in_places(), *joined()], ids=lambda one: one.cql)
def test_a_filter_of_qgis_finds_what_sql_finds(wide: Wide, client: httpx.Client, written: Written) -> None:
    asked = {"filter": written.cql, "filter-lang": "cql2-text", "resulttype": "hits"}
    answer = client.get("/collections/buildings/items", params=asked)
    assert answer.status_code == 200, answer.text
    with psycopg.connect(wide.dsn) as connection:
        row = connection.execute(f"select count(*) from data.buildings where {written.sql}").fetchone()  # type: ignore[arg-type]
    assert row is not None
    assert answer.json()["numberMatched"] == row[0]


@pytest.fixture(scope="module")
def client(wide: Wide) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=wide.url, timeout=30) as client:
        yield client


def test_the_classes_that_let_qgis_write_these_are_declared(client: httpx.Client) -> None:
    declared = client.get("/conformance").json()["conformsTo"]
    for one in (
        "ogcapi-features-3/1.0/conf/filter",
        "ogcapi-features-3/1.0/conf/features-filter",
        "cql2/1.0/conf/cql2-text",
        "cql2/1.0/conf/basic-cql2",
        "cql2/1.0/conf/advanced-comparison-operators",
        "cql2/1.0/conf/case-insensitive-comparison",
        "cql2/1.0/conf/basic-spatial-functions",
        "cql2/1.0/conf/basic-spatial-operators",
    ):
        assert f"http://www.opengis.net/spec/{one}" in declared
