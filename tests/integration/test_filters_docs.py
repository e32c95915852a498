"""docs/filters.md is true: its table is made, and each filter on the page finds what the page says."""

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from core.catalogue import Dataset, get_dataset
from core.database import Connection
from core.geojson import MAX_POINTS
from core.settings import ROOT
from features.filters import FUNCTIONS, limits, nodes, parse, parse_json
from tests.filter_data import asking, dsn_of, found
from tests.made_data import make_dataset

PAGE = (ROOT / "docs" / "filters.md").read_text("utf-8")
TYPES = {
    "name": "text", "kind": "text", "floors": "integer", "height": "double precision", "listed": "boolean",
    "built": "date", "opens": "timestamp with time zone", "closes": "timestamp with time zone", "tags": "text[]",
    "sizes": "integer[]",
}  # fmt: skip
EXAMPLES = re.findall(r"^\| `(.+)` \| ([\d, ]+) \|$", PAGE, flags=re.MULTILINE)


def _cells(line: str) -> list[str]:
    return [cell.strip().strip("`") for cell in line.strip("|").split("|")]


def _value(name: str, cell: str) -> Any:
    if not cell:
        return None
    if TYPES.get(name, "").endswith("[]"):
        items = cell.split(", ")
        return [int(item) for item in items] if name == "sizes" else items
    return cell


@pytest.fixture(scope="module")
def connection(server_dsn: str, template: str) -> Iterator[Connection]:
    with asking(server_dsn, template) as connection:
        yield connection


@pytest.fixture(scope="module")
def places(connection: Connection) -> Dataset:
    header, _, *lines = [_cells(line) for line in PAGE.splitlines() if re.match(r"\| id|\|----|\| \d \|", line)][:7]
    assert header == ["id", *TYPES, "geometry"]
    rows = [tuple(_value(name, cell) for name, cell in zip(header, line, strict=True)) for line in lines]
    make_dataset(dsn_of(connection), "places", "Geometry", 4326, rows, TYPES)
    return get_dataset(connection, "places")


@pytest.mark.parametrize(("text", "keys"), EXAMPLES)
def test_an_example_finds_what_the_page_says(connection: Connection, places: Dataset, text: str, keys: str) -> None:
    assert found(connection, places, parse(text)) == [int(key) for key in keys.split(",")]


def test_the_json_example_finds_what_the_page_says(connection: Connection, places: Dataset) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found(connection, places, parse_json(example)) == [1]


def test_every_operator_and_function_has_an_example() -> None:
    text = " ".join(example for example, _ in EXAMPLES)
    names = [
        *get_args(nodes.ComparisonOp), *(op.lower() for op in get_args(nodes.ArithmeticOp)), *get_args(nodes.SpatialOp),
        *get_args(nodes.TemporalOp), *get_args(nodes.ArrayOp), *(f"{function.name}(" for function in FUNCTIONS),
        "AND", "OR", "NOT", "IS NULL", "LIKE", "IN (", "BETWEEN", "CASEI", "ACCENTI", "DATE", "TIMESTAMP", "INTERVAL", "BBOX",
    ]  # fmt: skip
    assert [name for name in names if name not in text] == []


def test_the_limits_are_those_that_are_kept() -> None:
    told = [int(number) for number in re.findall(r"\| (\d+) \|$", PAGE.split("## Limits")[1], flags=re.MULTILINE)]
    assert told == [
        limits.MAX_TEXT, limits.MAX_JSON, limits.MAX_LITERAL, limits.MAX_DEPTH, limits.MAX_NODES, MAX_POINTS,
        limits.MAX_WILDCARDS, limits.MAX_ALL_WILDCARDS,
    ]  # fmt: skip
