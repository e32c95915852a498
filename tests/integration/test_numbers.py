"""Numbers as JSON shows them, for clients that take a property's type from the first values they see."""

import json
from pathlib import Path

import pyarrow as pa
import pyogrio
import pytest
import shapely

from core.catalogue import get_dataset
from core.database import connect
from features.queries import page
from features.search import Search
from features.table import Table
from tests.conftest import Load

# A float, and how JSON must show it.
FLOATS = [
    (8100.0, "8100.0"),
    (0.1, "0.1"),
    (-0.0, "-0.0"),
    (-3.0, "-3.0"),
    (1e14, "100000000000000.0"),
    (1e15, "1e+15"),
    (1e300, "1e+300"),
    (5e-324, "5e-324"),
    (float("nan"), '"NaN"'),
    (float("inf"), '"Infinity"'),
    (float("-inf"), '"-Infinity"'),
    (None, "null"),
]
SINGLES = [(1e6, "1000000.0"), (0.1, "0.1"), (16777216.0, "16777216.0"), (3e38, "3e+38"), (None, "null")]


@pytest.mark.parametrize(("type_", "given"), [(pa.float64(), FLOATS), (pa.float32(), SINGLES)], ids=["double", "real"])
def test_a_float_is_written_with_a_point_or_an_exponent(
    load_into: Load, database: str, tmp_path: Path, type_: pa.DataType, given: list[tuple[float | None, str]]
) -> None:
    values = pa.array([value for value, _ in given], type_)
    points = pa.array(shapely.to_wkb(shapely.points([(126, 43)] * len(given))))
    table = pa.table({"value": values, "whole": pa.array(range(len(given)), pa.int32()), "geometry": points})
    path = tmp_path / "numbers.fgb"
    pyogrio.write_arrow(table, path, geometry_name="geometry", geometry_type="Point", crs="EPSG:4490")
    load_into(path, id="numbers", key="whole")
    with connect(database) as connection:
        statement = page(Table(get_dataset(connection, "numbers")), Search(limit=100))
        rows = connection.execute(statement.text, statement.parameters).fetchall()
    found = [json.loads(row["feature"], parse_float=str, parse_int=str)["properties"] for row in rows]
    assert [one["value"] for one in found] == [None if text == "null" else text.strip('"') for _, text in given]
    assert [one["whole"] for one in found] == [str(number) for number in range(len(given))]
